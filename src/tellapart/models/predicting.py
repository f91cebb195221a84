"""Predictions for files, and the forms they are written in."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tellapart.data import list_inputs
from tellapart.data.frames import guarded
from tellapart.errors import OptionError, did_you_mean
from tellapart.models.classifier import Prediction
from tellapart.models.folder import load_classifier
from tellapart.places import printing, write_bytes
from tellapart.progress import Progress


@dataclass(frozen=True)
class Predictions:
    """Predictions in the order of the inputs, and the classes in their order."""

    classes: tuple[str, ...]
    predictions: tuple[Prediction, ...]


def predict(
    model: str | Path,
    paths: Sequence[str],
    *,
    tta: int | None = None,
    stdin: TextIO | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Predict the pictures that `paths` name (files, folders, tables, globs, "-" for stdin).

    tta  views of each picture whose probabilities are averaged; None: as the model was judged
    """
    classifier = load_classifier(model)
    if tta is not None:
        classifier = classifier.with_views(tta)
    inputs = list_inputs(paths, stdin)
    if not inputs:
        raise OptionError("no pictures were named: give files, folders, tables or globs")
    readable = [row for row, one in enumerate(inputs) if one.source is not None]
    sources = [one.source for one in inputs if one.source is not None]
    found = [Prediction(one.path, None, None, {}, one.problem) for one in inputs]
    with (progress or Progress()).stage("predict", len(sources)) as stage:
        for one in classifier.predict_sources(sources):
            row = readable[one.row]
            found[row] = classifier.prediction(inputs[row].path, one.probabilities, one.problem)
            stage.advance()
    return Predictions(classifier.classes, tuple(found))


def choose_format(
    named: str | None, out: Path | None, *, json: bool = False, top_k: int | None = None
) -> str:
    """Return the form to write: as named, else by the file's ending, else csv."""
    if json and named not in (None, "jsonl"):
        raise OptionError(f"--json means --format jsonl, and --format says {named}: give one")
    chosen = named or ("jsonl" if json else None)
    if chosen is None:
        chosen = out.suffix.lstrip(".").lower() if out is not None and out.suffix else "csv"
    if chosen not in WRITERS:
        raise OptionError(
            f"cannot write {chosen!r}{did_you_mean(chosen, WRITERS)} (known: {', '.join(WRITERS)})"
        )
    if chosen == "parquet" and out is None:
        raise OptionError("parquet cannot go to the terminal: name a file with --out")
    if chosen == "txt" and top_k is not None:
        raise OptionError(
            "--top-k has no effect on txt, which names one class a picture: take csv or jsonl"
        )
    return chosen


def write_predictions(
    found: Predictions, form: str, out: Path | None, *, top_k: int | None = None
) -> None:
    """Write predictions to a file, or to stdout where `out` is None."""
    content = WRITERS[form](found, top_k)
    if out is not None:
        write_bytes(out, content)
        return
    with printing():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _likeliest(one: Prediction, top_k: int) -> list[tuple[str, float]]:
    return sorted(one.probabilities.items(), key=lambda item: -item[1])[:top_k]


def _header(found: Predictions, top_k: int | None) -> list[str]:
    if top_k is None:
        columns = [f"p:{name}" for name in found.classes]
    else:
        numbers = range(1, min(top_k, len(found.classes)) + 1)
        columns = [column for n in numbers for column in (f"class_{n}", f"p_{n}")]
    return ["path", "predicted", "probability", *columns, "problem"]


def _row(found: Predictions, one: Prediction, top_k: int | None) -> list[Any]:
    k = len(found.classes)
    if top_k is None:
        values: list[Any] = [one.probabilities.get(name) for name in found.classes]
    else:
        pairs = _likeliest(one, top_k)
        values = [value for pair in pairs for value in pair]
        values += [None] * (2 * min(top_k, k) - len(values))  # a picture with a problem has none
    return [one.path, one.predicted, one.probability, *values, one.problem]


def _csv(found: Predictions, top_k: int | None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in _header(found, top_k)])
    for one in found.predictions:
        writer.writerow([_cell(value) for value in _row(found, one, top_k)])
    return text.getvalue().encode("utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return guarded(value) if isinstance(value, str) else value


def _jsonl(found: Predictions, top_k: int | None) -> bytes:
    lines = []
    for one in found.predictions:
        record = one.to_json()
        if top_k is not None:
            record["probabilities"] = dict(_likeliest(one, top_k))
        lines.append(json.dumps(record, ensure_ascii=False, allow_nan=False))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _parquet(found: Predictions, top_k: int | None) -> bytes:
    import polars as pl

    rows = [_row(found, one, top_k) for one in found.predictions]
    table = pl.DataFrame(rows, schema=_header(found, top_k), orient="row", infer_schema_length=None)
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def _txt(found: Predictions, top_k: int | None) -> bytes:
    """One line a picture: the path and its class, or what is wrong, behind a tabulator."""
    lines = [
        f"{one.path}\t{one.predicted if one.problem is None else f'! {one.problem}'}\n"
        for one in found.predictions
    ]
    return "".join(lines).encode("utf-8", "replace")


WRITERS: dict[str, Callable[[Predictions, int | None], bytes]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "txt": _txt,
}
