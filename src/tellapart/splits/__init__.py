"""Splits that do not leak, and the proof of it."""

from tellapart.splits.alike import join_alike
from tellapart.splits.components import components
from tellapart.splits.crossed import make_folds
from tellapart.splits.folds import stratified_group_folds
from tellapart.splits.known import KnownSides, read_known_sides
from tellapart.splits.make import make_split
from tellapart.splits.records import CROSSED, Folds, Split
from tellapart.splits.timely import Order, read_order

__all__ = [
    "CROSSED",
    "Folds",
    "KnownSides",
    "Order",
    "Split",
    "components",
    "join_alike",
    "make_folds",
    "make_split",
    "read_known_sides",
    "read_order",
    "stratified_group_folds",
]
