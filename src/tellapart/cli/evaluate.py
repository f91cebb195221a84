"""tellapart evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import say, say_json


def command(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL|RUN", help="A run folder or a model folder."),
    ],
    data: options.Data,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for metrics.json, predictions.parquet and predictions.txt.",
            show_default=False,
        ),
    ] = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    label_regex: options.LabelRegex = None,
    label_map: options.LabelMap = None,
    max_missing: options.MaxMissing = 0.1,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Judge a saved classifier on new labelled pictures.

    Pictures that the classifier was fitted on are recognised by their content, left out, and
    counted.
    """
    from tellapart.judging import evaluate

    settings = options.read_settings(
        path_column, label_column, group_column, None, label_regex, label_map, None, max_missing
    )
    judged = evaluate(model, data, out=out, settings=settings, progress=options.progress(quiet))
    if json:
        say_json(judged.to_json())
    else:
        say("", *judged.words)
        if judged.out:
            say(f"written to {judged.out}")
