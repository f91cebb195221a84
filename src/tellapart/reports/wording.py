"""Numbers as a page says them: percentages with as many digits as they deserve, small counts."""

from __future__ import annotations

from tellapart.evaluation.records import Estimate

SMALL = 40  # up to so many pictures a proportion is said as a count
NOTHING = "–"

SIDE_WORDS = {"train": "training", "val": "validation", "test": "test", "": "left out"}


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share (0..1) as a percentage that says 0 or 100 only where it is exactly that."""
    if value is None:
        return NOTHING
    text = f"{100 * value:.{digits}f}"
    step = 10.0**-digits
    if value < 1 and float(text) == 100:
        text = f"{100 - step:.{digits}f}"
    if value > 0 and float(text) == 0:
        return f"< {step:.{digits}f} %"
    return f"{text} %"


def digits_for(pictures: int) -> int:
    """Return how many decimals of a percentage `pictures` pictures can bear."""
    return 0 if pictures < 100 else 1 if pictures < 20_000 else 2


def big_number(estimate: Estimate) -> str:
    """Return an estimate's value for large print: '95.4 %'."""
    return percent(estimate.value, digits_for(estimate.pictures))


def between(estimate: Estimate) -> str:
    """Return the interval: '91 to 98 %', or nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    digits = max(0, digits_for(estimate.pictures) - 1)
    low, high = percent(estimate.low, digits), percent(estimate.high, digits)
    return f"{low.removesuffix(' %')} to {high}"


def of_count(estimate: Estimate) -> str:
    """Return a proportion as 'hits of pictures', with a percentage where that says more."""
    if estimate.value is None:
        return NOTHING
    hits = round(estimate.value * estimate.pictures)
    counted = f"{hits:,} of {estimate.pictures:,}"
    return counted if estimate.pictures <= SMALL else f"{counted} ({percent(estimate.value)})"


def with_interval(estimate: Estimate) -> str:
    """Return 'hits of pictures, low to high %'."""
    interval = between(estimate)
    return f"{of_count(estimate)}, {interval}" if interval else of_count(estimate)


def decimal(estimate: Estimate) -> str:
    """Return a number that is no proportion of pictures, with its interval: '0.912 (.. to ..)'."""
    if estimate.value is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return '1 picture' or '1,234 pictures'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def words(name: str) -> str:
    """Return a name with underscores as words."""
    return name.replace("_", " ")
