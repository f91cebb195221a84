"""A split by order: what came first is learned, what came last judges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import SIDES
from tellapart.errors import DataError, OptionError, did_you_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """When each of n pictures came, by a column of the user's.

    column  its name
    values  [n] numbers, or seconds since 1970; later is larger
    texts   [n] the same as they stand in the column
    """

    column: str
    values: Floats
    texts: tuple[str, ...]


def read_order(
    column: str, columns: Mapping[str, Sequence[str | None]], paths: Sequence[str]
) -> Order:
    """Read a column of numbers, or of dates and times like 2024-05-31 or 2024-05-31T10:15:00.

    Raises OptionError where there is no such column, DataError, naming the picture, for a cell
    that is empty or neither a number nor a date.
    """
    if column not in columns:
        known = f"columns: {', '.join(columns)}" if columns else "there are none: give a table"
        raise OptionError(
            f"--order-column {column!r} is none of the columns that stand beside path, label, group"
            f" and split{did_you_mean(column, columns)} ({known})"
        )
    texts = columns[column]
    numbers = [_number(text) for text in texts]
    if all(one is None for one in numbers):
        numbers = [_seconds(text) for text in texts]
    for path, text, number in zip(paths, texts, numbers, strict=True):
        if number is None:
            what = "has no value" if not text else f"has {text!r}"
            raise DataError(
                f"--order-column {column}: {path} {what}, and every picture needs a number, or"
                " every one a date like 2024-05-31 or 2024-05-31T10:15:00"
            )
    values = np.array(numbers, np.float64)
    return Order(column, values, tuple(text or "" for text in texts))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(text: str | None) -> float | None:
    """Return seconds since 1970, times without a zone taken as UTC; EXIF's 2024:05:31 too."""
    plain = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", (text or "").strip())
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def deal_in_order(
    order: Order, components: NDArray[np.intp], shares: Mapping[str, float]
) -> tuple[NDArray[np.str_], str]:
    """Return the side [n] of each picture, and how the order was cut, in words.

    The earliest pictures are train, the latest test. A component stands where its latest picture
    belongs, so nothing is learned that came after a component that judges; of equal values none is
    parted from the others, so shares are met as nearly as the values allow. Raises DataError where
    there are fewer different values than sides.
    """
    _, parts = np.unique(components, return_inverse=True)
    latest = np.full(int(parts.max()) + 1, -np.inf)
    np.maximum.at(latest, parts, order.values)
    steps, places = np.unique(latest[parts], return_inverse=True)
    names = [side for side in SIDES if side in shares]
    if len(steps) < len(names):
        raise DataError(
            f"--order-column {order.column}: with copies and groups kept together, pictures end at"
            f" {len(steps)} different value{'' if len(steps) == 1 else 's'} only, too few to tell"
            f" {' from '.join(names)}"
        )
    ends = _ends(np.cumsum(np.bincount(places)) / len(places), [shares[name] for name in names])
    sides = np.array(names)[np.searchsorted(ends, places, side="right")]
    return sides, _words(order, sides, names)


def _ends(reached: Floats, shares: Sequence[float]) -> list[int]:
    """Return the step before which each side but the last ends, nearest to its share."""
    ends: list[int] = []
    wanted = np.cumsum(shares)[:-1]
    for number, share in enumerate(wanted):
        first = ends[-1] if ends else 0
        last = len(reached) - (len(wanted) - number)
        ends.append(first + int(np.abs(reached[first:last] - share).argmin()) + 1)
    return ends


def _words(order: Order, sides: NDArray[np.str_], names: Sequence[str]) -> str:
    parts = []
    for name in names:
        rows = np.flatnonzero(sides == name)
        ends = (rows[order.values[rows].argmin()], rows[order.values[rows].argmax()])
        low, high = (order.texts[row] for row in ends)
        span = low if low == high else f"{low} to {high}"
        parts.append(f"{name} {span} ({100 * len(rows) / len(sides):.0f} %)")
    return f"by the order of {order.column!r}: {', '.join(parts)}"
