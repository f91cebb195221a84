"""Splits that do not leak, and the proof of it."""

from tellapart.splits.alike import join_alike
from tellapart.splits.components import components
from tellapart.splits.folds import stratified_group_folds
from tellapart.splits.known import KnownSides, read_known_sides
from tellapart.splits.make import make_split
from tellapart.splits.records import Split
from tellapart.splits.timely import Order, read_order

__all__ = [
    "KnownSides",
    "Order",
    "Split",
    "components",
    "join_alike",
    "make_split",
    "read_known_sides",
    "read_order",
    "stratified_group_folds",
]
