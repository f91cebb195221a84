"""Which features the head gets: sizes and ways to see more bands, chosen on training pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.backbones.adapted import BandStatistics, CannotAdapt
from tellapart.backbones.classical import get_classical
from tellapart.data import PictureSet
from tellapart.errors import DataError, OptionError
from tellapart.features import Cache, Look, look
from tellapart.features.parts import Part, Recipe, width
from tellapart.features.recipes import Asked, Candidate, candidates, complete
from tellapart.heads.compare import Tried
from tellapart.images import first_views
from tellapart.progress import Progress
from tellapart.results import Fitted
from tellapart.settings import RunSettings

WAYS = {
    "composites": "three-band composites, side by side",
    "adapted": "one network whose first convolution takes all of them",
}


@dataclass(frozen=True)
class Option:
    """A candidate and the look with its features."""

    candidate: Candidate
    look: Look

    @property
    def components(self) -> int:
        """Principal components to which the head reduces the features; 0: as they are."""
        return self.candidate.recipe[0].backbone.components or 0


def open_ways(settings: RunSettings, cache: Cache) -> tuple[Candidate, ...]:
    """Return the candidates that the settings leave open; raises before anything is read.

    Fine-tuning trains one network: then no candidate has several parts.
    """
    asked = Asked(
        backbone=settings.backbone,
        bands=len(settings.decoding.bands or "RGB"),
        views=first_views(settings.views, mirror=settings.mirror),
        sizes=settings.image_sizes,
        network=settings.network,
    )
    found = candidates(asked, cache)
    if settings.finetune.mode == "no":
        return found
    backbone = found[0].recipe[0].backbone
    if not backbone.is_network:
        raise OptionError(
            f"{backbone.name} is no network that could be trained on: choose one for --backbone,"
            " such as lite0"
        )
    return tuple(one for one in found if len(one.recipe) == 1)


def first_recipes(ways: Sequence[Candidate]) -> list[Recipe]:
    """Return what the first look sees: the candidates that need nothing of the training pictures,
    and the colours that tell the statistics of bands.
    """
    ready = [one.recipe for one in ways if one.way != "adapted"]
    return [*ready, *(_colours(one) for one in ways if one.way == "adapted")]


def refuse_missing_bands(pictures: PictureSet, seen: Look, settings: RunSettings) -> None:
    """Raise DataError where pictures lack a band that was asked for, naming the first of them."""
    lacking = [row for row, facts in enumerate(seen.facts) if facts.problem_kind == "bands"]
    if not lacking or settings.decoding.bands is None:
        return
    counts = Counter(one.bands for one in seen.facts if one.problem is None)
    others = ", ".join(f"{count:,} have {bands} bands" for bands, count in sorted(counts.items()))
    named = "; ".join(f"{pictures.paths[row]}: {seen.facts[row].problem}" for row in lacking[:3])
    raise DataError(
        f"--bands {','.join(settings.decoding.bands)}: {len(lacking):,} of {len(pictures):,}"
        f" pictures do not have them ({named}{'; ...' if len(lacking) > 3 else ''}"
        f"{'; ' + others if others else ''}): ask for bands that every picture has, or leave those"
        " pictures out"
    )


def all_options(
    pictures: PictureSet, seen: Look, base: Backbone, train: NDArray[np.intp],
    ways: Sequence[Candidate], settings: RunSettings, cache: Cache, progress: Progress,
) -> list[Option]:  # fmt: skip
    """Return every candidate with its features, those with fitted parts after a second look.

    train  rows of the usable pictures that the statistics of bands come from
    """
    ready = [one for one in ways if one.way != "adapted"]
    found = [Option(one, seen.of(one.recipe)) for one in ready]
    waiting = [one for one in ways if one.way == "adapted"]
    if not waiting:
        return found
    statistics = _statistics(seen, waiting[0], train)
    done = [complete(one, statistics) for one in waiting]
    try:
        again = look(
            pictures, base, settings.engine, decoding=settings.decoding, cache=cache,
            progress=progress, also=[one.recipe for one in done],
        )  # fmt: skip
    except CannotAdapt as problem:
        if not found:
            raise OptionError(
                f"{problem}, and fine-tuning trains one network: choose another --backbone, or"
                " three bands, such as --bands R,G,B"
            ) from problem
        progress.say(f"{problem}: the bands are seen as three-band composites")
        return found
    if again.ids != seen.ids or not np.array_equal(again.usable, seen.usable):
        raise DataError("pictures changed while they were looked at: run the same command again")
    found = [Option(one.candidate, _counted(one.look, seen, again)) for one in found]
    found += [Option(one, _counted(again.of(one.recipe), seen, again)) for one in done]
    return sorted(found, key=lambda one: one.candidate.size or 0)


def _counted(one: Look, first: Look, second: Look) -> Look:
    """Return a look that counts what both looks did."""
    return replace(
        one, decoded=first.decoded + second.decoded, embedded=first.embedded + second.embedded
    )


def choose(options: Sequence[Option], fits: Sequence[Fitted]) -> tuple[Option, Fitted]:
    """Return the option that cross-validation chose, and its fit, which says so.

    The rule for settings holds: of those within one standard error of the best balanced accuracy
    the one with the least log loss, then the simplest (smallest size, then composites).
    """
    if len(options) == 1:
        return options[0], fits[0]
    tried = [_tried(fitted) for fitted in fits]
    known = [one for one in tried if one is not None]
    if len(known) < len(tried):
        best, why = 0, "nothing can be validated: the simplest is taken"
    else:
        best = best_of(known)
        why = _why(fits[best], known, best)
    table = [_row(one, result) for one, result in zip(options, tried, strict=True)]
    records = _records(options, options[best].candidate, why, table)
    fitted = fits[best]
    probe = replace(fitted.probe, choices=(*records, *fitted.probe.choices))
    computed = sum(one.computed for one in fits)
    return options[best], replace(fitted, probe=probe, computed=computed)


def best_of(tried: Sequence[Tried]) -> int:
    """Return the place of the result with the least loss among those within one standard error of
    the best score; of equals the first.
    """
    top = max(tried, key=lambda one: (round(one.score, 12), -round(one.loss, 12)))
    ties = [place for place, one in enumerate(tried) if top.score - one.score <= top.error + 1e-12]
    return min(ties, key=lambda place: (round(tried[place].loss, 9), place))


def _tried(fitted: Fitted) -> Tried | None:
    """Return how a fit's own setting did out of fold; None where nothing could be validated."""
    search = fitted.probe.search
    return next((one for one in search.tried if one.setting == search.chosen), None)


def _why(fitted: Fitted, tried: Sequence[Tried], best: int) -> str:
    search = fitted.probe.search
    top = max(one.score for one in tried)
    return (
        f"balanced accuracy {tried[best].score:.4f} in {search.folds}-fold cross-validation on"
        f" {search.rows:,} training pictures; the best of {len(tried)} candidates has {top:.4f},"
        " and of those within one standard error of it the one with the least log loss is taken"
    )


def _records(
    options: Sequence[Option], chosen: Candidate, why: str, table: list[dict[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Return what stands in run.json under choices; the first one holds the candidates."""
    sizes = {one.candidate.size for one in options}
    ways = {one.candidate.way for one in options}
    open_questions = {"input size": len(sizes), "bands": len(ways)}
    answers = {"input size": f"{chosen.size} px", "bands": WAYS.get(chosen.way, "")}
    records: list[dict[str, Any]] = [
        {"what": what, "chosen": answers[what], "why": why}
        for what, answers_open in open_questions.items()
        if answers_open > 1
    ]
    records[0]["candidates"] = table
    return tuple(records)


def _row(option: Option, tried: Tried | None) -> dict[str, Any]:
    candidate = option.candidate
    return {
        "image_size": candidate.size or candidate.recipe[0].backbone.transform.size,
        "bands": candidate.way or None,
        "features": width(candidate.recipe),
        "balanced_accuracy": tried.score if tried else None,
        "standard_error": tried.error if tried else None,
        "log_loss": tried.loss if tried else None,
    }


def _colours(candidate: Candidate) -> Recipe:
    """Return the recipe whose features tell the mean and the spread of every band."""
    bands = max(len(part.bands) for part in candidate.recipe)
    return (Part(get_classical("color", bands=bands), tuple(range(bands))),)


def _statistics(seen: Look, candidate: Candidate, train: NDArray[np.intp]) -> BandStatistics:
    recipe = _colours(candidate)
    return BandStatistics.of_colours(seen.of(recipe).features[train], len(recipe[0].bands))
