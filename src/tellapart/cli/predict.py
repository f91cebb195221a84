"""tellapart predict: light on purpose, it imports neither torch nor scikit-learn nor polars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options


def command(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL|RUN", help="A run folder or a model folder.")
    ],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS...", help='Pictures, folders, tables, globs, or "-" for a list on stdin.'
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write to this file (.csv, .jsonl, .parquet, .txt) instead of stdout.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, jsonl, parquet or txt.",
            show_default="by the file's name, else csv",
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(min=1, help="Only the K likeliest classes of a picture, likeliest first."),
    ] = None,
    tta: options.TestViews = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
    quiet: options.Quiet = False,
) -> int:
    """Predict the classes of pictures with a saved classifier.

    One row a picture: its path, the predicted class, its probability, and those of all classes.
    A picture that cannot be read stands there with its problem; the exit code is 2 only where
    none could be read.
    """
    from tellapart.models.predicting import choose_format, predict, write_predictions

    chosen = choose_format(format, out, json=json, top_k=top_k)
    found = predict(model, paths, tta=tta, stdin=sys.stdin, progress=options.progress(quiet))
    write_predictions(found, chosen, out, top_k=top_k)
    if out is not None and not quiet:
        print(f"{len(found.predictions):,} predictions in {out}", file=sys.stderr)  # noqa: T201
    problems = [one.problem for one in found.predictions if one.problem is not None]
    total = len(found.predictions)
    if len(problems) == total:
        print(f"tellapart: nothing could be read; the first: {problems[0]}", file=sys.stderr)  # noqa: T201
        return 2
    if problems:
        left = f"{len(problems):,} of {total:,} pictures could not be read"
        print(f"tellapart: {left}; the output says why", file=sys.stderr)  # noqa: T201
    return 0
