"""`evaluate RUN --pick`: an operating point from a run's stored predictions, kept in its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tellapart.errors import DataError, OptionError, did_you_mean
from tellapart.evaluation.operating import Measure, OperatingPoint, operating_point
from tellapart.models.folder import find_model_folder, load_classifier, store_operating
from tellapart.splits import stratified_group_folds

MEASURES: tuple[Measure, ...] = ("precision", "recall")


def pick(run: str | Path, target: str, *, seed: int = 0) -> OperatingPoint:
    """Choose from which probability on a class is answered, and store it in the run's model.

    target  "precision=0.95:CLASS" or "recall=0.9:CLASS"

    The pictures that judge the run are dealt to two halves, groups and copies together: one chooses
    the threshold, the other, which chose neither that nor the model, gives precision and recall
    with their intervals. Raises a TellapartError, in one line, where the target cannot be reached.
    """
    import polars as pl

    folder, model = Path(run), find_model_folder(Path(run))
    classes = load_classifier(model).classes
    measure, wanted, name = _parsed(target, classes)
    places = [folder / one for one in ("predictions.parquet", "split.parquet")]
    for place in places:
        if not place.is_file():
            raise OptionError(f"--pick needs a run folder: {place} is missing")
    answers, split = (pl.read_parquet(place) for place in places)
    if "component" not in split.columns:
        raise DataError(f"{places[1]} does not say which pictures are copies: run it again")
    table = answers.join(
        split.filter(pl.col("counted") & ~pl.col("leaked")).select("path", "component"), on="path"
    ).filter(pl.col("label").is_in(classes))
    labels = np.array([classes.index(label) for label in table["label"].to_list()], np.intp)
    components = table["component"].to_numpy()
    if len(np.unique(components)) < 2:
        raise DataError(f"{folder} was judged on too few pictures to choose a threshold")
    halves = stratified_group_folds(labels, components, table["id"].to_list(), 2, seed)
    point = operating_point(
        table[f"p:{name}"].to_numpy(), labels == classes.index(name), halves == 0, components,
        name=name, measure=measure, target=wanted,
    )  # fmt: skip
    store_operating(model, point.to_json())
    return point


def _parsed(target: str, classes: Sequence[str]) -> tuple[Measure, float, str]:
    what, _, name = target.partition(":")
    word, _, number = what.partition("=")
    measure = next((one for one in MEASURES if one == word), None)
    try:
        wanted = float(number)
    except ValueError:
        wanted = -1.0
    if measure is None or not 0 < wanted <= 1 or not name:
        raise OptionError(
            f"--pick takes precision=0.95:CLASS or recall=0.9:CLASS (above 0, at most 1), got"
            f" {target!r}"
        )
    if name not in classes:
        raise OptionError(
            f"the model knows no class '{name}'{did_you_mean(name, classes)} (known:"
            f" {', '.join(classes)})"
        )
    return measure, wanted, name
