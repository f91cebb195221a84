"""What an evaluation leaves in the run folder: metrics.json's object and the predictions' files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.records import ClassScores, Evaluation
from tellapart.places import write_bytes

if TYPE_CHECKING:
    import polars as pl

HEADLINE = "balanced_accuracy"


def to_metrics_json(evaluation: Evaluation, headline_split: str | None) -> dict[str, Any]:
    """Return the object that stands in metrics.json (DESIGN section 3), with nothing but JSON."""
    metrics = {name: one.to_json() for name, one in evaluation.metrics.items()}
    return {
        "headline_split": headline_split,
        "headline": {"name": HEADLINE, **evaluation.headline.to_json()},
        "pictures": evaluation.pictures,
        "groups": evaluation.groups,
        "metrics": metrics,
        "baseline": {
            "class": evaluation.baseline_class,
            "accuracy": evaluation.baseline_accuracy,
        },
        "missing_classes": list(evaluation.missing_classes),
        "per_class": [_class_json(one) for one in evaluation.per_class],
        "confusion": {
            "classes": list(evaluation.classes),
            "counts": evaluation.confusion.tolist(),
        },
        "curves": [
            {"kind": one.kind, "class": one.name or None, "x": one.x, "y": one.y}
            | ({"pictures": one.weight} if one.weight else {})
            for one in evaluation.curves
        ],
    }


def _class_json(scores: ClassScores) -> dict[str, Any]:
    return {
        "class": scores.name,
        "pictures": scores.pictures,
        "predicted": scores.predicted,
        "precision": scores.precision.to_json(),
        "recall": scores.recall.to_json(),
        "f1": scores.f1.to_json(),
        "accuracy": scores.accuracy.to_json(),
        "roc_auc": scores.roc_auc.to_json(),
        "average_precision": scores.average_precision.to_json(),
    }


def predictions_table(
    *,
    paths: Sequence[str],
    ids: Sequence[str],
    labels: Sequence[str | None],
    splits: Sequence[str],
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
) -> pl.DataFrame:
    """Return predictions.parquet's table: path, id, label, predicted, `p:<class>` each, split.

    All sequences and the rows of probabilities [n, k] float32 stand for the same pictures.
    """
    import polars as pl

    names = np.array(classes, dtype=object)
    fixed = {
        "path": pl.Series(paths, dtype=pl.String),
        "id": pl.Series(ids, dtype=pl.String),
        "label": pl.Series(labels, dtype=pl.String),
        "predicted": pl.Series(names[probabilities.argmax(axis=1)].tolist(), dtype=pl.String),
    }
    shares = {
        f"p:{name}": pl.Series(np.ascontiguousarray(probabilities[:, i]), dtype=pl.Float32)
        for i, name in enumerate(classes)
    }
    return pl.DataFrame({**fixed, **shares, "split": pl.Series(splits, dtype=pl.String)})


def predictions_text(table: pl.DataFrame) -> bytes:
    """Return predictions.txt from `predictions_table`, UTF-8, one line a picture.

    A line holds p(class 1) ... p(class n), two blanks, the truth as 0s and a 1, two blanks, the
    prediction likewise, two blanks, the path. An unlabelled picture has no 1 in its truth. Line
    ends inside a path are written as %0A and %0D, as DESIGN section 2 escapes what is no text.
    """
    import polars as pl

    classes = [name[2:] for name in table.columns if name.startswith("p:")]
    gap = pl.lit("")
    columns = [
        *[pl.col(f"p:{name}").alias(f"p{i}") for i, name in enumerate(classes)],
        gap.alias("a"),
        *_one_hot("label", classes),
        gap.alias("b"),
        *_one_hot("predicted", classes),
        gap.alias("c"),
        pl.col("path").str.replace_all("\n", "%0A").str.replace_all("\r", "%0D"),
    ]
    lines = table.select(columns).write_csv(
        include_header=False, separator=" ", quote_style="never", float_precision=6
    )
    return lines.encode("utf-8")


def _one_hot(column: str, classes: list[str]) -> list[pl.Expr]:
    import polars as pl

    return [
        (pl.col(column) == pl.lit(name)).fill_null(False).cast(pl.Int8).alias(f"{column}{i}")
        for i, name in enumerate(classes)
    ]


def write_predictions(folder: Path, table: pl.DataFrame) -> None:
    """Write predictions.parquet and predictions.txt; raises OutputError where that fails."""
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    write_bytes(folder / "predictions.parquet", buffer.getvalue())
    write_bytes(folder / "predictions.txt", predictions_text(table))
