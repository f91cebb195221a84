"""tellapart run"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import print_run, say_json
from tellapart.settings import MAX_PIXELS, FinetuneSettings, RunSettings, SplitSettings


def command(
    data: options.Data,
    out: Annotated[
        Path | None,
        typer.Option(help="The run folder.", show_default="runs/<data>-<n>"),
    ] = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    group_regex: options.GroupRegex = None,
    split_column: options.SplitColumn = None,
    label_regex: options.LabelRegex = None,
    label_map: options.LabelMap = None,
    classes: options.Classes = None,
    max_missing: options.MaxMissing = 0.1,
    bands: options.Bands = None,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    test: options.TestShare = None,
    val: options.ValShare = None,
    split_from: options.SplitFrom = None,
    order_column: options.OrderColumn = None,
    evaluate: Annotated[
        str,
        typer.Option(
            metavar="holdout|cv",
            help="What judges: pictures held out, or (small sets) every picture in nested"
            " cross-validation, which takes about ten times as long to fit.",
            rich_help_panel=options.SPLITTING,
        ),
    ] = "holdout",
    seed: options.Seed = 0,
    backbone: options.Backbone = "lite0",
    image_size: options.ImageSize = None,
    views: options.Views = 1,
    engine: options.Engine = "auto",
    precision: Annotated[
        str,
        typer.Option(
            help="auto, or int8: OpenVINO with the network quantised on training pictures.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = "auto",
    head: options.Head = None,
    search: options.Search = None,
    no_mirror: options.NoMirror = False,
    weights: options.Weights = "pretrained",
    pool: options.Pool = "auto",
    resize: options.Resize = None,
    interpolation: options.Interpolation = None,
    mean: options.Mean = None,
    std: options.Std = None,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="After judging, fit the saved head again on every picture.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = False,
    no_advice: Annotated[
        bool,
        typer.Option(
            "--no-advice",
            help="Do not measure what would help most (more pictures, labels, a backbone).",
            rich_help_panel=options.COMPUTING,
        ),
    ] = False,
    finetune: Annotated[
        str,
        typer.Option(
            metavar="no|auto|yes|scratch",
            help="Train the network itself on; `tellapart finetune` has all its options.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = "no",
    resume: options.Resume = False,
    force: options.Force = False,
    rehash: options.Rehash = False,
    cache: options.CacheFolder = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """From a folder of pictures to a tested classifier and a report.

    Reads the pictures, looks for what is wrong with them, splits them without leaks (or keeps the
    split they come with), fits a classifier on the features of a pretrained network, judges it
    on pictures it never saw, and leaves a run folder: report.html, metrics.json, predictions, and
    a model that `tellapart predict` takes.
    """
    from tellapart import pipeline

    settings = RunSettings(
        read=options.read_settings(
            path_column, label_column, group_column, split_column, label_regex, label_map, classes,
            max_missing, group_regex,
        ),
        decoding=options.decoding(bands, max_pixels),
        split=SplitSettings(
            test=test, val=val, seed=seed, split_from=split_from, order_column=order_column,
        ),
        backbone=backbone,
        network=options.network_settings(weights, pool, resize, interpolation, mean, std),
        image_sizes=options.image_sizes(image_size),
        views=views,
        engine=engine,
        precision=precision,
        mirror=not no_mirror,
        head=head,
        search=options.trials(search),
        evaluate=evaluate,
        refit=refit,
        advice=not no_advice,
        rehash=rehash,
        seed=seed,
        force=force,
        finetune=FinetuneSettings(mode=finetune, resume=resume),
    )  # fmt: skip
    run = pipeline.run(data, out, settings=settings, cache=cache, progress=options.progress(quiet))
    if json:
        advice = run.advice.to_json() if run.advice else None
        say_json({**run.metrics, "advice": advice, "out": str(run.out)})
    else:
        print_run(run)
