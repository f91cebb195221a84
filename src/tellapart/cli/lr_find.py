"""tellapart lr-find"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json
from tellapart.settings import FinetuneSettings, RunSettings, SplitSettings


def command(
    data: options.Data,
    out: Annotated[Path, typer.Option(metavar="FILE.svg", help="The picture of the curve.")] = Path(
        "lr-find.svg"
    ),
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    label_regex: options.LabelRegex = None,
    split_column: options.SplitColumn = None,
    bands: options.Bands = None,
    no_mirror: options.NoMirror = False,
    batch: Annotated[
        int | None, typer.Option(help="Pictures in one step.", show_default="16")
    ] = None,
    freeze: Annotated[
        float | None,
        typer.Option(help="Share of the layer groups that stays as it is.", show_default="0.5"),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the training pictures, pixels.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split and the training.")] = 0,
    backbone: options.Backbone = "lite0",
    engine: options.Engine = "auto",
    cache: options.CacheFolder = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Look for a learning rate for `tellapart finetune`.

    Trains for a hundred steps at a rate that grows from 1e-6 to 1, on training pictures alone, and
    shows where the loss falls: steepest, a tenth of where it is least, and the valley between,
    which `finetune --lr auto` takes. The weights are as before afterwards.
    """
    from tellapart.rate_finding import lr_find

    settings = RunSettings(
        read=options.read_settings(
            path_column, label_column, group_column, split_column, label_regex, None, None, 0.1
        ),
        decoding=options.decoding(bands),
        split=SplitSettings(seed=seed),
        backbone=backbone,
        engine=engine,
        mirror=not no_mirror,
        seed=seed,
        finetune=FinetuneSettings(mode="yes", batch=batch, freeze=freeze, size=size),
    )
    found, usual = lr_find(
        data, out, settings=settings, cache=cache, progress=options.progress(quiet)
    )
    if json:
        say_json({**asdict(found), "usual": usual, "out": str(out)})
        return
    best = found.valley if found.falls else usual
    say(
        "",
        *columns(
            [
                ("valley", f"{found.valley:.2g}", "what --lr auto takes" if found.falls else ""),
                ("steepest", f"{found.steepest:.2g}", "where the loss falls fastest"),
                ("minimum/10", f"{found.tenth:.2g}", "a tenth of where it is least"),
                ("usual", f"{usual:.2g}", "what is taken where nothing is said"),
                ("picture", str(out), ""),
                ("next", f"tellapart finetune {data} --lr {best:.2g}", ""),
            ]
        ),
    )
    if not found.falls:
        say(
            "",
            "The loss hardly falls at any rate, so these suggestions are noise: the head that"
            " training starts from has the pictures right already. Keep the usual rate.",
        )
