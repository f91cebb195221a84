"""Splits that do not leak, and the proof of it."""

from tellapart.splits.alike import join_alike
from tellapart.splits.components import components
from tellapart.splits.folds import stratified_group_folds
from tellapart.splits.known import KnownSides, read_known_sides
from tellapart.splits.make import make_split
from tellapart.splits.records import Split

__all__ = [
    "KnownSides",
    "Split",
    "components",
    "join_alike",
    "make_split",
    "read_known_sides",
    "stratified_group_folds",
]
