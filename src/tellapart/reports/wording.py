"""Numbers as the page says them; shares and intervals are worded by evaluation/words.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tellapart.evaluation.records import Estimate
from tellapart.evaluation.words import percent, range_words

NOTHING = "–"

SIDE_WORDS = {
    "train": "training",
    "val": "validation",
    "test": "test",
    "cv": "cross-validated",
    "": "left out",
}


def side_words(name: str) -> str:
    """Return a side's name as the page says it."""
    return SIDE_WORDS.get(name, name)


def digits_for(pictures: int) -> int:
    """Return how many decimals of a percentage `pictures` pictures can bear."""
    return 0 if pictures < 100 else 1 if pictures < 20_000 else 2


def big_number(estimate: Estimate) -> str:
    """Return an estimate's value for large print: '95.4 %'."""
    if estimate.value is None:
        return NOTHING
    digits = 0 if estimate.value in (0.0, 1.0) else digits_for(estimate.pictures)
    return percent(estimate.value, digits)


def decimal(estimate: Estimate) -> str:
    """Return a number that is no proportion of pictures, with its interval: '0.912 (.. to ..)'."""
    if estimate.value is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def with_range(estimate: Estimate) -> str:
    """Return a share and its interval: '95.4 % (91 to 98 %)'."""
    interval = range_words(estimate)
    return f"{big_number(estimate)} ({interval})" if interval else big_number(estimate)


def title_of(location: str | Path) -> str:
    """Return the title of a page about the pictures at a place; a table's has its folder too."""
    place = Path(location).absolute()
    return f"{place.parent.name}/{place.name}" if place.is_file() else place.name


def words(name: str) -> str:
    """Return a name with underscores as words."""
    return name.replace("_", " ")


def listed(parts: Sequence[str]) -> str:
    """Return 'a, b and c'; "" for nothing."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
