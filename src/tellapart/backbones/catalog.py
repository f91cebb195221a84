"""The backbones that can be named: where each comes from, and what can be had here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tellapart.backbones.classical import ABOUT as CLASSICAL
from tellapart.backbones.classical import get_classical, is_classical, list_classical
from tellapart.backbones.converting import KeepsFolders
from tellapart.backbones.lite import LITES, get_lite, list_lites
from tellapart.backbones.records import Backbone, BackboneInfo
from tellapart.backbones.weights import check_network_settings
from tellapart.errors import BackboneError, OptionError, did_you_mean
from tellapart.places import default_cache_folder
from tellapart.settings import NetworkSettings

EMBEDDED = "lite0"  # what every install has; the audit always looks through it (DESIGN section 4)
Get = Callable[[str, NetworkSettings, KeepsFolders | None], Backbone]


class Source(NamedTuple):
    """Where backbones come from: the names it knows by heart, whether a name is its own, how to get
    one by name.
    """

    names: Callable[[], Iterable[str]]
    owns: Callable[[str], bool]
    get: Get


def _prefixed(prefix: str, get: Get) -> Source:
    return Source(tuple, lambda name: name.startswith(prefix), get)


def _own(get: Callable[[str], Backbone]) -> Get:
    """Return a source whose networks are as they are: what would change them is refused."""

    def checked(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
        if settings != NetworkSettings(seed=settings.seed):
            raise OptionError(
                "--weights, --pool, --resize, --interpolation, --mean and --std have no effect on"
                f" {name}: they are for timm:, torchvision:, hf: and file:"
            )
        return get(name)

    return checked


def _timm(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    from tellapart.backbones.timm import get_timm

    return get_timm(name, settings, kept)


def _torchvision(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    from tellapart.backbones.torchvision import get_torchvision

    return get_torchvision(name, settings, kept)


def _huggingface(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    from tellapart.backbones.huggingface import get_huggingface

    return get_huggingface(name, settings, kept)


def _file(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    from tellapart.backbones.weights_file import get_file

    return get_file(name, settings, kept)


SOURCES: dict[str, Source] = {
    "lite": Source(LITES.keys, LITES.__contains__, _own(get_lite)),
    "classical": Source(CLASSICAL.keys, is_classical, _own(get_classical)),
    "timm": _prefixed("timm:", _timm),
    "torchvision": _prefixed("torchvision:", _torchvision),
    "huggingface": _prefixed("hf:", _huggingface),
    "file": _prefixed("file:", _file),
}
PREFIXES = ("timm:NAME", "torchvision:NAME", "hf:ID-or-folder", "file:WEIGHTS@ARCHITECTURE")


def get_backbone(
    name: str, settings: NetworkSettings | None = None, kept: KeepsFolders | None = None
) -> Backbone:
    """Return a backbone by name ("lite0", "hog", "timm:resnet18"); an own one reads no weights yet.

    kept  the cache, in which a network of another library is found converted, without that library

    Raises BackboneError for an unknown name (with the nearest known one) or weights that are not
    there, OptionError for settings that cannot be, and MissingExtra, with the line that installs
    it, where a library is missing.
    """
    settings = settings or NetworkSettings()
    check_network_settings(settings)
    for source in SOURCES.values():
        if source.owns(name):
            return source.get(name, settings, kept)
    known = [one for source in SOURCES.values() for one in source.names()]
    raise BackboneError(
        f"unknown backbone '{name}'{_near(name, known)} (known: {', '.join((*known, *PREFIXES))};"
        " see: tellapart backbones PATTERN)"
    )


def _near(name: str, known: Iterable[str]) -> str:
    """Return the nearest name: of our own, else, where timm is installed, of timm's."""
    near = did_you_mean(name, known)
    if near or importlib.util.find_spec("timm") is None:
        return near
    from tellapart.backbones.timm import pretrained_names

    return did_you_mean(name, {f"timm:{one.partition('.')[0]}" for one in pretrained_names()})


@dataclass(frozen=True)
class BackboneList:
    """What can be had.

    here         offline, on this machine
    recommended  one download each
    downloads    what else matches the pattern in timm and torchvision, at most
                 listing.MOST_LISTED of them
    more         how many others match
    notes        sentences
    """

    here: tuple[BackboneInfo, ...]
    recommended: tuple[BackboneInfo, ...]
    downloads: tuple[BackboneInfo, ...]
    more: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `backbones --json` prints."""
        return {
            "here": [asdict(one) for one in self.here],
            "recommended": [asdict(one) for one in self.recommended],
            "downloads": [one.name for one in self.downloads],
            "more": self.more,
        }

    def _repr_html_(self) -> str:
        from tellapart.html import table

        rows = [(one.name, one.licence, one.about) for one in (*self.here, *self.recommended)]
        return table(("name", "licence", ""), rows)


def list_backbones(pattern: str | None = None, cache: str | Path | None = None) -> BackboneList:
    """Return the backbones whose names hold `pattern`, or match it where it has * or ?.

    cache  the folder whose converted networks count as here; None: the usual one

    With a pattern, timm and torchvision are searched too, where they are installed.
    """
    from tellapart.backbones import listing

    folder = Path(cache) if cache is not None else default_cache_folder()
    own = [*list_lites(), *list_classical()]
    there = [*listing.list_converted(folder), *listing.list_fetched()]
    at_hand = {one.name: one for one in reversed([*own, *there]) if one.installed}
    here = listing.matching(reversed(at_hand.values()), pattern)
    to_install = [one for one in own if not one.installed]
    recommended = [one for one in (*listing.RECOMMENDED, *to_install) if one.name not in at_hand]
    downloads: tuple[BackboneInfo, ...] = ()
    notes: tuple[str, ...] = ()
    total = 0
    if pattern:
        downloads, total = listing.list_downloads(pattern)
        if importlib.util.find_spec("timm") is None:
            line = listing.install_line()
            notes = (f"timm and torchvision are not installed, so not searched: {line}",)
    return BackboneList(
        here=here,
        recommended=listing.matching(recommended, pattern),
        downloads=downloads,
        more=total - len(downloads),
        notes=notes,
    )
