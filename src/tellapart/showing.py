"""From what a run found to the values that its page shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import results
from tellapart.data.sources import read_bytes
from tellapart.evaluation import headline_words
from tellapart.evaluation.views import views_words
from tellapart.features import Cache
from tellapart.features.parts import Part
from tellapart.heads.prepare import preparation
from tellapart.images import Shown, look_at
from tellapart.reports import (
    Drawings,
    Finetuning,
    Pictures,
    Predictions,
    ReportData,
    WithLeaked,
    write_report,
)
from tellapart.reports.wording import title_of
from tellapart.results import Results
from tellapart.settings import RunSettings
from tellapart.splits import CROSSED


def show(
    found: Results, folder: Path, cache: Cache, place: Path, seconds: dict[str, float]
) -> None:
    """Write report.html of a run into `folder`; `place` is where the run will stand."""
    write_report(folder / "report.html", report_data(found, place, seconds), cache.scripts_folder())


def report_data(found: Results, place: Path, seconds: dict[str, float]) -> ReportData:
    """Return what stands on the page of a run."""
    judged, usable, split = found.judged, found.usable, found.split
    ids = found.ids()
    counting = np.flatnonzero(
        np.isin(judged.rows, split.rows(split.headline))
        & np.isin([usable.labels[row] for row in judged.rows], found.fitted.classes)
    )
    rows = judged.rows[counting]
    place_of = {name: code for code, name in enumerate(found.fitted.classes)}
    return ReportData(
        title=title_of(found.location),
        date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        headline_sentence=headline_words(judged.evaluation, split.headline),
        headline_split=split.headline,
        evaluation=judged.evaluation,
        audit=found.audit,
        class_counts=_class_counts(found),
        pictures=Pictures(
            paths=usable.paths,
            ids=ids,
            labels=usable.labels,
            sides=split.sides.tolist(),
            features=found.look.features,
            folds=None if split.folds is None else split.folds.of,
        ),
        predictions=Predictions(
            paths=[usable.paths[row] for row in rows],
            ids=[ids[row] for row in rows],
            truth=np.array([place_of[usable.labels[row]] for row in rows]),
            probabilities=judged.probabilities[counting],
        ),
        thumbnails=found.look.thumbnails,
        split_proof=split.proof,
        split_left_out=split.left_out,
        with_leaked=(
            WithLeaked(
                judged.with_leaked.headline,
                judged.with_leaked.pictures - judged.evaluation.pictures,
            )
            if judged.with_leaked
            else None
        ),
        notes=found.pictures.notes,
        settings=_settings(found.settings),
        versions={**results.versions(), **asdict(found.look.engine)},
        seconds=seconds,
        search=found.fitted.probe.search,
        calibration=results.metrics(found)["calibration"],
        choices=[*found.fitted.probe.choices, *(found.tuned.choices if found.tuned else ())],
        commands=results.next_commands(found, place),
        finetuning=_finetuning(found),
        advice=found.advice,
        drawings=_drawings(found, rows),
    )


def _settings(settings: RunSettings) -> dict[str, Any]:
    """Return the settings as the page lists them; of fine-tuning only where there was any."""
    shown = asdict(settings)
    return shown if settings.finetune.mode != "no" else {**shown, "finetune": "no"}


DRAWN = 6  # pictures that are drawn as classical features keep them


def _drawings(found: Results, judged: NDArray[np.intp]) -> tuple[Drawings, ...]:
    """Return what classical features keep of a few pictures; () where all come from networks.

    judged  the rows that judge: they are drawn where no model that is kept learned from them
    """
    from tellapart.reports.choose import first_rows
    from tellapart.reports.drawings import hog_drawings, pca_drawings

    named = {part.backbone.name.split(":")[0]: part for part in found.recipe}
    if not {"hog", "pca"} & set(named):
        return ()
    unseen = np.setdiff1d(judged, found.fitted.rows)
    among = unseen if len(unseen) else found.fitted.rows
    ids = found.ids()
    some = among[
        first_rows([ids[row] for row in among], [found.usable.labels[row] for row in among], DRAWN)
    ]
    if "hog" in named:
        return (hog_drawings(list(_pixels(found, some, named["hog"]))),)
    features, search = found.look.features, found.fitted.probe.search
    learned = features[found.fitted.rows]
    prepare = preparation(learned, standardised=search.chosen.standardised, pca=search.chosen.pca)
    pictures = [(found.usable.paths[row], found.usable.labels[row], features[row]) for row in some]
    side, views = named["pca"].backbone.transform.size, len(named["pca"].views)
    return (pca_drawings(pictures, side, prepare, learned, features[unseen], views),)


def _pixels(
    found: Results, rows: Sequence[int] | NDArray[np.intp], part: Part
) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Yield path, label and the pixels that a part was shown; a file gone meanwhile is left out."""
    decoding = found.settings.decoding
    shown = Shown(part.backbone.transform, part.bands)
    for row in rows:
        try:
            content = read_bytes(found.usable.sources[row], decoding.max_file_bytes)
        except OSError:
            continue
        for pixels in look_at(content, [shown], decoding=decoding, facts=False).pixels:
            yield found.usable.paths[row], found.usable.labels[row], pixels


def _finetuning(found: Results) -> Finetuning | None:
    tuned = found.tuned
    if tuned is None:
        return None
    from tellapart.finetuning.words import advice

    curves = [line for one in tuned.histories for line in advice(one)]
    views = (views_words(found.judged.views),) if found.judged.views else ()
    return Finetuning(
        histories=tuned.histories,
        words=(*tuned.words, *views, *curves),
        samples=tuned.samples,
        pretraining=found.judged.pretraining,
    )


def _class_counts(found: Results) -> dict[str, dict[str, int]]:
    """Return class -> side -> pictures, for the sides that hold any."""
    sides = [
        side for side in ("train", "val", "test", CROSSED) if (found.split.sides == side).any()
    ]
    counts = {name: dict.fromkeys(sides, 0) for name in found.usable.classes}
    for label, side in zip(found.usable.labels, found.split.sides.tolist(), strict=True):
        if side:
            counts[label][side] += 1
    return counts
