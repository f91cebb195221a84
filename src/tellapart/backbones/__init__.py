"""Backbones: pretrained networks without their head, by name."""

from tellapart.backbones.catalog import EMBEDDED, BackboneList, get_backbone, list_backbones
from tellapart.backbones.records import Backbone, BackboneInfo

__all__ = ["EMBEDDED", "Backbone", "BackboneInfo", "BackboneList", "get_backbone", "list_backbones"]
