"""tellapart evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import say, say_json
from tellapart.errors import OptionError


def command(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL|RUN", help="A run folder or a model folder."),
    ],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="Labelled pictures; with --pick none.", show_default=False
        ),
    ] = None,
    pick: Annotated[
        str | None,
        typer.Option(
            metavar="precision=0.95:CLASS",
            help="Choose from which probability on CLASS is answered, so as to reach a precision or"
            " recall; of a run folder's judged pictures one half chooses, the other measures. Kept"
            " in the model.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for metrics.json, predictions.parquet and predictions.txt.",
            show_default=False,
        ),
    ] = None,
    tta: options.TestViews = None,
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
    if pick is not None:
        if tta is not None:
            raise OptionError("--tta has no effect with --pick, which computes no answers")
        _pick(model, pick, data, json=json)
        return
    if data is None:
        raise OptionError("name the labelled pictures to judge on: tellapart evaluate MODEL DATA")
    from tellapart.judging import evaluate

    settings = options.read_settings(
        path_column, label_column, group_column, None, label_regex, label_map, None, max_missing
    )
    judged = evaluate(
        model, data, out=out, tta=tta, settings=settings, progress=options.progress(quiet)
    )
    if json:
        say_json(judged.to_json())
    else:
        say("", *judged.words)
        if judged.out:
            say(f"written to {judged.out}")


def _pick(model: Path, target: str, data: str | None, *, json: bool) -> None:
    from tellapart.evaluation.operating import point_words
    from tellapart.picking import pick

    if data is not None:
        raise OptionError("--pick uses the pictures that the run was judged on: leave out DATA")
    point = pick(model, target)
    if json:
        say_json(point.to_json())
    else:
        say("", *point_words(point), f"kept in {model}: predictions follow it from now on")
