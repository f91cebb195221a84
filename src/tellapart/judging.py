"""A saved classifier judged on new labelled pictures."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.data import PictureSet, read
from tellapart.errors import DataError, first_few
from tellapart.evaluation import (
    Evaluation,
    headline_lines,
    predictions_table,
    to_metrics_json,
    write_predictions,
)
from tellapart.evaluation import evaluate as measure
from tellapart.evaluation.views import ViewsEffect, views_effect, views_words
from tellapart.features.timing import seconds_a_picture
from tellapart.models.classifier import Classifier
from tellapart.models.folder import load_classifier
from tellapart.places import new_folder, write_json
from tellapart.progress import Progress
from tellapart.settings import ReadSettings
from tellapart.splits import components


@dataclass(frozen=True)
class LeftOut:
    """How many pictures do not count, for each reason; the first that holds is counted."""

    trained_on: int
    unreadable: int
    unknown_class: int
    copies: int

    def lines(self) -> tuple[str, ...]:
        """Return a sentence for every reason that occurred."""
        reasons = (
            (self.trained_on, "the model was fitted on it", "the model was fitted on them"),
            (self.unreadable, "it cannot be read", "they cannot be read"),
            (
                self.unknown_class,
                "its class is none of the model's",
                "their classes are none of the model's",
            ),
            (self.copies, "it is an exact copy of another", "they are exact copies of others"),
        )
        return tuple(
            f"1 picture left out: {one}." if count == 1 else f"{count:,} pictures left out: {many}."
            for count, one, many in reasons
            if count
        )


@dataclass(frozen=True)
class Judgement:
    """How a classifier did on pictures it was not fitted on; `out` is where it was written."""

    evaluation: Evaluation
    left_out: LeftOut
    words: tuple[str, ...]
    out: Path | None
    views: ViewsEffect | None = None  # of a classifier that averages the probabilities of views

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in metrics.json."""
        views = {"tta": self.views.to_json()} if self.views else {}
        metrics = to_metrics_json(self.evaluation, None)
        return {**metrics, "left_out": asdict(self.left_out), **views}

    def _repr_html_(self) -> str:
        from tellapart.html import table

        return table(("evaluation",), [(line,) for line in self.words])


def evaluate(
    model: str | Path,
    location: str | Path,
    *,
    out: str | Path | None = None,
    tta: int | None = None,
    settings: ReadSettings | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge a classifier on the labelled pictures at `location`.

    model  a run folder or a model folder
    out    a new or empty folder for metrics.json, predictions.parquet and predictions.txt
    tta    views of each picture whose probabilities are averaged; None: as the model was judged

    Pictures that the model was fitted on (the same file bytes) are left out and counted. Raises
    a TellapartError, in one line, where nothing is left to judge on.
    """
    progress = progress or Progress()
    classifier = load_classifier(model)
    if tta is not None:
        classifier = classifier.with_views(tta)
    folder = new_folder(Path(out)) if out is not None else None
    pictures = read(location, settings, progress, fewest_classes=1)
    probabilities, ids, problems = _predict(classifier, pictures, progress)
    keep, left_out = _kept(classifier, pictures, ids, problems)
    truth = np.array([classifier.classes.index(pictures.labels[row]) for row in keep])
    together = components(
        len(keep), [ids[row] for row in keep], [pictures.groups[row] for row in keep]
    )
    evaluation = measure(
        probabilities[keep], truth, classes=classifier.classes, components=together,
        baseline_class=_largest(pictures, keep, classifier.classes),
    )  # fmt: skip
    views = None
    if classifier.tta:
        kept = pictures.take(keep)
        views = _views_effect(classifier, kept, probabilities[keep], truth, together, progress)
    words = (*headline_lines(evaluation, ""), *([views_words(views)] if views else []))
    judged = Judgement(evaluation, left_out, (*words, *left_out.lines()), folder, views)
    if folder is not None:
        table = predictions_table(
            paths=[pictures.paths[row] for row in keep],
            ids=[ids[row] for row in keep],
            labels=[pictures.labels[row] for row in keep],
            splits=[""] * len(keep),
            probabilities=probabilities[keep],
            classes=classifier.classes,
        )
        write_predictions(folder, table)
        write_json(folder / "metrics.json", judged.to_json())
    return judged


def _predict(
    classifier: Classifier, pictures: PictureSet, progress: Progress
) -> tuple[NDArray[np.float32], list[str], list[str | None]]:
    """Return probabilities [n, k] (NaN where there are none), ids and problems of all pictures."""
    probabilities = np.full((len(pictures), len(classifier.classes)), np.nan, np.float32)
    problems: list[str | None] = [None] * len(pictures)
    ids = [""] * len(pictures)
    with progress.stage("predict", len(pictures)) as stage:
        for one in classifier.predict_sources(pictures.sources):
            ids[one.row], problems[one.row] = one.id, one.problem
            if one.probabilities is not None:
                probabilities[one.row] = one.probabilities
            stage.advance()
    return probabilities, ids, problems


def _views_effect(
    classifier: Classifier, pictures: PictureSet, averaged: NDArray[np.float32],
    truth: NDArray[np.intp], together: NDArray[np.intp], progress: Progress,
) -> ViewsEffect:  # fmt: skip
    """Return what the classifier's views bring on its answers by the whole picture alone."""
    alone = replace(classifier, tta=())
    whole, _, _ = _predict(alone, pictures, progress)
    ways = [alone.open_parts(), classifier.open_parts()]
    one, every = seconds_a_picture(pictures.sources, ways, classifier.decoding)
    return views_effect(
        whole, averaged, truth, together, views=classifier.tta, seconds=(one, every)
    )


def _kept(
    classifier: Classifier, pictures: PictureSet, ids: list[str], problems: list[str | None]
) -> tuple[list[int], LeftOut]:
    """Return the rows that count, and how many were left out for which reason."""
    rows, seen = [], set()
    trained_on = unreadable = unknown = copies = 0
    for row, (label, id_, problem) in enumerate(zip(pictures.labels, ids, problems, strict=True)):
        if problem:
            unreadable += 1
        elif id_[:16] in classifier.trained_on:
            trained_on += 1
        elif label not in classifier.classes:
            unknown += 1
        elif (id_, label) in seen:
            copies += 1
        else:
            seen.add((id_, label))
            rows.append(row)
    left_out = LeftOut(trained_on, unreadable, unknown, copies)
    if not rows:
        raise DataError(_nothing_left(classifier, pictures, problems, left_out))
    return rows, left_out


def _nothing_left(
    classifier: Classifier, pictures: PictureSet, problems: list[str | None], left_out: LeftOut
) -> str:
    total = len(pictures)
    if left_out.trained_on == total:
        return (
            f"the model was fitted on all {total:,} pictures: a number on them would say nothing;"
            " give pictures it has never seen"
        )
    if left_out.unknown_class:
        strangers = sorted(set(pictures.labels) - set(classifier.classes))
        return (
            f"no picture is left to judge on: {first_few(strangers)} is no class of the model,"
            f" which knows {first_few(classifier.classes)}; rename with --label-map OLD=NEW"
        )
    first = next((problem for problem in problems if problem), "")
    return f"no picture is left to judge on: {'; '.join(left_out.lines())} {first}".strip()


def _largest(pictures: PictureSet, rows: list[int], classes: tuple[str, ...]) -> str:
    counts = Counter(pictures.labels[row] for row in rows)
    return max(classes, key=lambda name: counts[name])
