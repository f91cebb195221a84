"""What can go wrong through an input, as one line each: what is wrong, where, what to do.

TellapartError
  DataError       the pictures, their folders or their table
  OptionError     an argument or option: unknown, contradictory or without effect
  BackboneError   a network that is unknown, incomplete or damaged
  ModelError      a model folder that cannot be read or trusted
  OutputError     a place that cannot be written, or holds something that is not ours
  CacheError      a cache folder that cannot be used as asked
  MissingExtra    an optional library that is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TellapartError(Exception):
    """Anything a user can cause and mend; the message is one line."""


class DataError(TellapartError):
    """The pictures, their folders or their table cannot be used as they are."""


class OptionError(TellapartError):
    """An option is unknown, contradicts another, or would have no effect."""


class BackboneError(TellapartError):
    """A network is unknown, incomplete or damaged."""


class ModelError(TellapartError):
    """A model folder cannot be read or trusted."""


class OutputError(TellapartError):
    """A place cannot be written, or holds something that is not ours."""


class CacheError(TellapartError):
    """A cache folder cannot be used as asked."""


class MissingExtra(TellapartError):
    """An optional library is not installed; the message holds the install line."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, else an empty string."""
    by_folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.5)
    return f"; did you mean '{by_folded[near[0]]}'?" if near else ""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 picture`` or ``1,200 pictures``; `plural` where it is no noun in s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def first_few(items: Iterable[str], most: int = 5) -> str:
    """Join the first few items for a one-line message: ``a, b, c and 7 more``."""
    all_items = list(items)
    shown = ", ".join(all_items[:most])
    rest = len(all_items) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown
