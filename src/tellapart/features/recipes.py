"""What the features may be made of, from what a user asks for: the candidates to choose among."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tellapart.backbones import Backbone, get_backbone
from tellapart.backbones.adapted import BandStatistics, adapted
from tellapart.backbones.classical import get_classical
from tellapart.backbones.converting import KeepsFolders
from tellapart.errors import BackboneError, OptionError
from tellapart.features.parts import Part, Recipe
from tellapart.images import WHOLE
from tellapart.images.bands import composites
from tellapart.images.transforms import MOST_SIDE
from tellapart.settings import ImageSizes, NetworkSettings

# beside a network's own input size, for --image-size auto: 96, 160 and 288 where that is 224
AUTO_SHARES = (3 / 7, 5 / 7, 9 / 7)
STEP = 32  # pixels; most networks halve their input five times
MOST_SIZES = 12
MOST_SUMMANDS = 8


@dataclass(frozen=True)
class Asked:
    """What a user asks for.

    backbone  names joined with +
    bands     number of decoded bands
    views     keys of images.VIEWS
    sizes     input sizes to choose among; () the backbones' own, "auto": `auto_sizes`
    network   what is changed about networks of other libraries
    """

    backbone: str
    bands: int = 3
    views: tuple[str, ...] = (WHOLE,)
    sizes: ImageSizes = ()
    network: NetworkSettings | None = None


@dataclass(frozen=True)
class Candidate:
    """One way to make the features.

    size     input size of the networks in pixels; None: each its own
    way      how networks of three bands see the others: "" (there are none), "composites" or
             "adapted", whose recipe is complete only with statistics of the training pictures
    recipe   the parts
    """

    size: int | None
    way: str
    recipe: Recipe


def parse_sizes(text: str) -> ImageSizes:
    """Return the sizes of "160" or "96,160,224", or "auto"; raises OptionError."""
    if text.strip().lower() == "auto":
        return "auto"
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part[:9]) >= 1 for part in parts):
        raise OptionError(f"--image-size {text}: give pixels such as 160 or 96,160,224, or auto")
    if len(parts) > MOST_SIZES:
        raise OptionError(f"--image-size: {len(parts)} sizes are given, {MOST_SIZES} at most")
    sizes = sorted({int(part) for part in parts})
    if sizes[-1] > MOST_SIDE:
        raise OptionError(f"--image-size {sizes[-1]}: {MOST_SIDE:,} pixels at most are taken")
    return tuple(sizes)


def candidates(asked: Asked, kept: KeepsFolders | None = None) -> tuple[Candidate, ...]:
    """Return every way that the options leave open, the simplest first: sizes, then ways.

    kept  the cache, where networks of other libraries lie converted

    Raises BackboneError and OptionError for what cannot be made, before anything is read.
    """
    backbones = parse_backbones(asked.backbone, asked.network, kept)
    ways = ways_of(backbones, asked.bands)
    return tuple(
        Candidate(size, way, _recipe(resized(backbones, size), way, asked))
        for size in _sizes(backbones, asked)
        for way in ways
    )


def complete(candidate: Candidate, statistics: BandStatistics) -> Candidate:
    """Return an adapted candidate whose networks take all bands.

    statistics  of the training pictures, and of no others
    """
    recipe = tuple(
        replace(part, backbone=adapted(part.backbone, len(part.bands), statistics))
        if part.backbone.is_network
        else part
        for part in candidate.recipe
    )
    return replace(candidate, recipe=recipe)


def parse_backbones(
    text: str, network: NetworkSettings | None = None, kept: KeepsFolders | None = None
) -> tuple[Backbone, ...]:
    """Return the backbones of "lite0" or "lite0+hog"; raises BackboneError."""
    names = [name.strip() for name in text.split("+")]
    if len(set(names)) < len(names):
        raise BackboneError(
            f"--backbone {text}: the same backbone twice adds nothing; name it once"
        )
    if len(names) > MOST_SUMMANDS:
        raise BackboneError(
            f"--backbone: {len(names)} are named, a sum has {MOST_SUMMANDS} at most"
        )
    found = tuple(get_backbone(name, network, kept) for name in names)
    reducing = [one.name for one in found if one.components]
    if reducing and len(found) > 1:
        raise BackboneError(
            f"--backbone {text}: {reducing[0]} cannot stand in a sum, for its components are fitted"
            " together with the head; take it alone, or color or hog in the sum"
        )
    return found


def ways_of(backbones: tuple[Backbone, ...], bands: int) -> tuple[str, ...]:
    """Return how networks may see `bands` bands, the simplest first.

    Classical features take any number of bands as they are; so does a single band's composite,
    which is gray to a network.
    """
    if bands == 3 or not any(one.is_network for one in backbones):
        return ("",)
    return ("composites",) if bands == 1 else ("composites", "adapted")


def resized(backbones: tuple[Backbone, ...], size: int | None) -> tuple[Backbone, ...]:
    """Return the backbones for pictures of `size`: the networks, or else the classical ones."""
    if size is None:
        return backbones
    any_network = any(one.is_network for one in backbones)
    return tuple(_resized(one, size) if one.is_network == any_network else one for one in backbones)


def _resized(backbone: Backbone, size: int) -> Backbone:
    if backbone.name == "color":
        raise OptionError("--image-size has no effect on color, which counts pixels: leave it out")
    if size == backbone.transform.size:
        return backbone
    if backbone.resize is None:
        raise OptionError(
            f"{backbone.name} takes pictures of {backbone.transform.size} pixels only: leave out"
            " --image-size"
        )
    return backbone.resize(size)


def auto_sizes(backbone: Backbone) -> tuple[int, ...]:
    """Return the sizes to try of a backbone: some below its own, its own, one above."""
    own = backbone.transform.size
    others = {max(STEP, round(own * share / STEP) * STEP) for share in AUTO_SHARES}
    return tuple(sorted({own, *others}))


def _sizes(backbones: tuple[Backbone, ...], asked: Asked) -> tuple[int | None, ...]:
    if asked.sizes == ():
        return (None,)
    if asked.sizes != "auto":
        return asked.sizes
    networks = [one for one in backbones if one.is_network] or backbones
    return auto_sizes(networks[0])


def _recipe(backbones: tuple[Backbone, ...], way: str, asked: Asked) -> Recipe:
    parts: list[Part] = []
    for one in backbones:
        everything = tuple(range(asked.bands))
        if not one.is_network:
            same = get_classical(one.name, one.transform.size, asked.bands)
            parts.append(Part(same, everything, asked.views))
        elif way == "composites":
            parts += [Part(one, bands, asked.views) for bands in composites(asked.bands)]
        else:
            parts.append(Part(one, everything, asked.views))
    return tuple(parts)
