"""Backbones: pretrained networks without their head, by name."""

from tellapart.backbones.catalog import get_backbone, list_backbones
from tellapart.backbones.records import Backbone, BackboneInfo

__all__ = ["Backbone", "BackboneInfo", "get_backbone", "list_backbones"]
