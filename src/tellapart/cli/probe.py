"""tellapart probe"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json
from tellapart.settings import MAX_PIXELS, RunSettings, SplitSettings


def command(
    data: options.Data,
    backbone: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="The backbones to compare: networks, hog, color, pca:N, sums A+B.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="A new folder for probe.json and probe.html.", show_default=False),
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
    seed: options.Seed = 0,
    image_size: options.ImageSize = None,
    views: options.Views = 1,
    engine: options.Engine = "auto",
    head: options.Head = None,
    search: options.Search = None,
    no_mirror: options.NoMirror = False,
    rehash: options.Rehash = False,
    cache: options.CacheFolder = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare backbones on a set, the best first.

    The comparison is made by grouped cross-validation on the training pictures, picture by
    picture; only the best backbone is then measured on the pictures that judge, once.
    """
    from tellapart.comparing import compare_backbones

    settings = RunSettings(
        read=options.read_settings(
            path_column, label_column, group_column, split_column, label_regex, label_map, classes,
            max_missing, group_regex,
        ),
        decoding=options.decoding(bands, max_pixels),
        split=SplitSettings(
            test=test, val=val, seed=seed, split_from=split_from, order_column=order_column,
        ),
        image_sizes=options.image_sizes(image_size),
        views=views,
        engine=engine,
        head=head,
        search=options.trials(search),
        mirror=not no_mirror,
        rehash=rehash,
        seed=seed,
    )  # fmt: skip
    found = compare_backbones(
        data, backbone.split(","), settings=settings, out=out, cache=cache,
        progress=options.progress(quiet),
    )  # fmt: skip
    if json:
        say_json({**found.to_json(), "out": str(found.out) if found.out else None})
        return
    say("", *columns(found.rows()), "", *found.words)
    if found.out:
        say(f"written to {found.out}")
