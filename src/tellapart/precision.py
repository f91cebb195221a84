"""`--precision int8`: the second look, through a quantised network, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import EMBEDDED, Backbone, get_backbone
from tellapart.backbones.classical import is_classical
from tellapart.data import PictureSet
from tellapart.engines import network_folder
from tellapart.engines.quantise import check_can_quantise
from tellapart.errors import DataError, OptionError, did_you_mean
from tellapart.features import Cache, Look, look
from tellapart.features.calibration import int8_backbone
from tellapart.features.parts import Recipe
from tellapart.progress import Progress
from tellapart.results import TOLD, Fitted
from tellapart.settings import PRECISIONS, RunSettings


@dataclass(frozen=True)
class Quantised:
    """A recipe in int8 and what it sees: `look` has the same pictures as the first look.

    calibrated_on  number of training pictures; cosines  float64 [n], of each training picture's
    features to the unquantised ones
    """

    recipe: Recipe
    look: Look
    calibrated_on: int
    cosines: NDArray[np.float64]


def checked(settings: RunSettings) -> RunSettings:
    """Return the settings with the engine that the precision needs.

    Raises OptionError for an unknown precision or another engine, MissingExtra without NNCF.
    """
    name = settings.precision
    if name not in PRECISIONS:
        raise OptionError(
            f"unknown precision '{name}'{did_you_mean(name, PRECISIONS)}"
            f" (known: {', '.join(PRECISIONS)})"
        )
    if name == "auto":
        return settings
    if all(is_classical(one.strip()) for one in settings.backbone.split("+")):
        raise OptionError(f"--precision int8 has no effect on {settings.backbone}: leave it out")
    if settings.engine == "torch":
        raise OptionError("--precision int8 is OpenVINO's: leave out --engine torch")
    check_can_quantise()
    return replace(settings, engine="openvino")


def quantise(
    pictures: PictureSet, seen: Look, train: NDArray[np.intp], recipe: Recipe,
    settings: RunSettings, cache: Cache, progress: Progress,
) -> Quantised:  # fmt: skip
    """Quantise a recipe's networks on training pictures and look at every picture through them.

    train  rows of the usable pictures, as `Split.rows("train")` gives them
    """
    rows = seen.usable[train]
    inside: dict[Backbone, Backbone] = {}
    with progress.stage("quantise") as stage:
        for backbone in dict.fromkeys(part.backbone for part in recipe if part.backbone.is_network):
            inside[backbone], count = int8_backbone(
                backbone,
                [one for part in recipe if part.backbone == backbone for one in part.shown()],
                [pictures.sources[row] for row in rows],
                [seen.ids[row] for row in rows],
                settings.decoding,
                settings.seed,
            )
            network_folder(inside[backbone], cache)
            stage.advance(count)
    quantised = tuple(
        replace(part, backbone=inside.get(part.backbone, part.backbone)) for part in recipe
    )
    again = look(
        pictures, get_backbone(EMBEDDED), settings.engine, decoding=settings.decoding, cache=cache,
        progress=progress, also=[quantised],
    ).of(quantised)  # fmt: skip
    if again.ids != seen.ids or not np.array_equal(again.usable, seen.usable):
        raise DataError("pictures changed while they were looked at: run the same command again")
    both = replace(
        again, decoded=seen.decoded + again.decoded, embedded=seen.embedded + again.embedded
    )
    return Quantised(quantised, both, count, _cosines(seen.features[train], again.features[train]))


def told(found: Quantised, seen: Look, plain: Fitted, fitted: Fitted) -> Fitted:
    """Return the fit with one more choice: the precision, and how much it agrees.

    plain  the fit on unquantised features, whose choices of size and bands hold on

    The head's answers on training pictures are compared between the two kinds of features.
    """
    answers = [
        fitted.head.probabilities(look.features[fitted.rows]).argmax(axis=1)
        for look in (seen, found.look)
    ]
    share = float((answers[0] == answers[1]).mean())
    choice = {
        "what": "precision",
        "chosen": "int8",
        "why": f"calibrated on {found.calibrated_on:,} training pictures; on all of"
        f" them its features have cosine {np.median(found.cosines):.4f} (median) and"
        f" {found.cosines.min():.4f} (least) to those of {seen.engine.precision}, and"
        f" {100 * share:.1f} % of the answers are the same",
    }
    earlier = [one for one in plain.probe.choices if one["what"] in TOLD]
    probe = replace(fitted.probe, choices=(*earlier, *fitted.probe.choices, choice))
    return replace(fitted, probe=probe, computed=plain.computed + fitted.computed)


def _cosines(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = np.vecdot(a, b)
    cosines = np.divide(products, lengths, out=np.ones_like(products), where=lengths > 0)
    return np.asarray(cosines, np.float64)
