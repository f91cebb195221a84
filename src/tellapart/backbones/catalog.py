"""The backbones that can be named: where each comes from, and whether it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tellapart.backbones.classical import ABOUT as CLASSICAL
from tellapart.backbones.classical import get_classical, is_classical, list_classical
from tellapart.backbones.lite import LITES, get_lite, list_lites
from tellapart.backbones.records import Backbone, BackboneInfo
from tellapart.errors import BackboneError, did_you_mean

EMBEDDED = "lite0"  # what every install has; the audit always looks through it (DESIGN section 4)


class Source(NamedTuple):
    """Where backbones come from: the names it knows, whether a name is its own, how to get one by
    name, how to list them.
    """

    names: Callable[[], Iterable[str]]
    owns: Callable[[str], bool]
    get: Callable[[str], Backbone]
    infos: Callable[[], Iterable[BackboneInfo]]


SOURCES: dict[str, Source] = {
    "lite": Source(LITES.keys, LITES.__contains__, get_lite, list_lites),
    "classical": Source(CLASSICAL.keys, is_classical, get_classical, list_classical),
}


def get_backbone(name: str) -> Backbone:
    """Return a backbone by name ("lite0", "hog", "pca:100"); reads no weights yet.

    Raises BackboneError for an unknown name (with the nearest known one) and MissingExtra, with the
    line that installs it, where the weights of a known one are not there.
    """
    for source in SOURCES.values():
        if source.owns(name):
            return source.get(name)
    known = [one for source in SOURCES.values() for one in source.names()]
    raise BackboneError(
        f"unknown backbone '{name}'{did_you_mean(name, known)} (known: {', '.join(known)})"
    )


def list_backbones() -> tuple[BackboneInfo, ...]:
    """Return every backbone that can be named, installed or not."""
    return tuple(info for source in SOURCES.values() for info in source.infos())
