"""tellapart finetune"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import print_run, say_json
from tellapart.errors import OptionError
from tellapart.settings import MAX_PIXELS, FinetuneSettings, RunSettings, SplitSettings

TRAINING, PICTURES, MACHINE = "Training", "Training pictures", "Machine"
USUAL = FinetuneSettings()


def command(
    data: options.Data,
    out: Annotated[
        Path | None, typer.Option(help="The run folder.", show_default="runs/<data>-<n>")
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
    split_from: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|FILE",
            help="Keep every picture on the side where an earlier run or a table has it.",
            rich_help_panel=options.SPLITTING,
        ),
    ] = None,
    no_mirror: options.NoMirror = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Only where it pays; else the probe is kept.")
    ] = False,
    scratch: Annotated[
        bool,
        typer.Option("--scratch", help="From random weights: shows what pretraining is worth."),
    ] = False,
    recipe: Annotated[
        str,
        typer.Option(
            metavar="default|classic",
            help="classic: network frozen, one new linear head, Adam at 1e-3, 5 epochs.",
            rich_help_panel=TRAINING,
        ),
    ] = USUAL.recipe,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes through the pictures.", show_default="5", rich_help_panel=TRAINING
        ),
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|auto",
            help="Learning rate of the head; auto: from a range test.",
            show_default="3e-4; classic and scratch 1e-3",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    layer_decay: Annotated[
        float | None,
        typer.Option(
            help="Each layer group learns so many times as fast as the next one up.",
            show_default="0.8; scratch 1",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    freeze: Annotated[
        float | None,
        typer.Option(
            help="Share of the layer groups that stays as it is, from the input on.",
            show_default="0.5; classic 1, scratch 0",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="adamw|adam|sgd", show_default="adamw; classic adam", rich_help_panel=TRAINING
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="cosine|onecycle|constant",
            help="Of the learning rate.",
            show_default="cosine; classic constant",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    warmup: Annotated[
        float,
        typer.Option(
            help="Share of the steps in which a cosine rises first.", rich_help_panel=TRAINING
        ),
    ] = USUAL.warmup,
    weight_decay: Annotated[
        float | None, typer.Option(show_default="0.01; classic 0", rich_help_panel=TRAINING)
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            help="Pictures in one step.", show_default="16; classic 32", rich_help_panel=TRAINING
        ),
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="Steps added up into one.", rich_help_panel=TRAINING)
    ] = USUAL.accumulate,
    auto_batch: Annotated[
        bool,
        typer.Option(
            "--auto-batch",
            help="Halve a batch that the GPU's memory does not hold, and add up twice as many.",
            rich_help_panel=TRAINING,
        ),
    ] = False,
    clip: Annotated[
        float | None,
        typer.Option(
            help="Largest norm of the gradient, 0: any.",
            show_default="1; classic 0",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    smoothing: Annotated[
        float, typer.Option(help="Of the labels.", rich_help_panel=TRAINING)
    ] = USUAL.smoothing,
    imbalance: Annotated[
        str | None,
        typer.Option(
            metavar="auto|none|weights|sampler|focal|logits",
            help="What is done for rare classes; auto: what helps on held-out training pictures,"
            " tried where the largest class has three times the pictures of the smallest.",
            show_default="auto; classic and scratch none",
            rich_help_panel=TRAINING,
        ),
    ] = USUAL.imbalance,
    ema: Annotated[
        float,
        typer.Option(
            help="Decay of a running average of the weights, such as 0.99; 0: none.",
            rich_help_panel=TRAINING,
        ),
    ] = USUAL.ema,
    alphas: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            show_default="0,0.25,0.5; from 500 pictures on 0.75,1 too",
            rich_help_panel=TRAINING,
            help="Shares of the trained weights to choose from; 0 keeps the probe.",
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            min=2, help="Trainings that choose, and whose mean is kept.", rich_help_panel=TRAINING
        ),
    ] = USUAL.folds,
    patience: Annotated[
        int,
        typer.Option(
            help="Stop after so many epochs without progress, 0: never.", rich_help_panel=TRAINING
        ),
    ] = USUAL.patience,
    size: Annotated[
        int | None,
        typer.Option(
            help="Side of the training pictures, pixels.",
            show_default="6/7 of the network's",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    views: Annotated[
        int,
        typer.Option(
            help="Augmented views a picture that are kept with a frozen half.",
            rich_help_panel=PICTURES,
        ),
    ] = USUAL.views,
    augment: Annotated[
        str,
        typer.Option(
            metavar="light|none|trivial|rand",
            help="Beside random crops and mirroring.",
            rich_help_panel=PICTURES,
        ),
    ] = USUAL.augment,
    mixup: Annotated[
        float, typer.Option(help="Its alpha, 0: none.", rich_help_panel=PICTURES)
    ] = USUAL.mixup,
    cutmix: Annotated[
        float, typer.Option(help="Its alpha, 0: none.", rich_help_panel=PICTURES)
    ] = USUAL.cutmix,
    tta: Annotated[
        int,
        typer.Option(
            help="Views a picture (mirrored, larger, corners) whose probabilities are averaged, in"
            " judging and predicting; what it gains and costs is said.",
            rich_help_panel=PICTURES,
        ),
    ] = USUAL.tta,
    time_budget: Annotated[
        str | None,
        typer.Option(
            metavar="30s|10m|1h", help="What fine-tuning may take.", rich_help_panel=MACHINE
        ),
    ] = None,
    save_every: Annotated[
        int,
        typer.Option(
            help="Keep a checkpoint every so many epochs, 0: best and last.",
            rich_help_panel=MACHINE,
        ),
    ] = USUAL.save_every,
    resume: options.Resume = False,
    force: options.Force = False,
    precision: Annotated[
        str, typer.Option(metavar="auto|32|bf16|16", rich_help_panel=MACHINE)
    ] = USUAL.precision,
    devices: Annotated[
        str, typer.Option(help="Lightning's devices.", rich_help_panel=MACHINE)
    ] = USUAL.devices,
    strategy: Annotated[
        str, typer.Option(help="Lightning's strategy.", rich_help_panel=MACHINE)
    ] = USUAL.strategy,
    logger: Annotated[
        str | None,
        typer.Option(
            metavar="tensorboard|mlflow", help="Lightning's logger.", rich_help_panel=MACHINE
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split, the folds and the trainings.")] = 0,
    backbone: options.Backbone = "lite0",
    image_size: options.ImageSize = None,
    engine: options.Engine = "auto",
    rehash: options.Rehash = False,
    cache: options.CacheFolder = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The main job, with the network itself trained on.

    Does what `tellapart run` does, then trains the upper half of the network on from the probe, as
    often as there are folds, to see on pictures held out how much of the tuned weights to keep
    (none, and the probe stays), and keeps the mean of these trainings. The pictures that judge take
    no part in any of it. The model predicts without torch. Needs the extra [finetune].
    """
    from tellapart import pipeline

    if auto and scratch:
        raise OptionError("--auto and --scratch say two different things: give one of them")
    settings = RunSettings(
        read=options.read_settings(
            path_column, label_column, group_column, split_column, label_regex, label_map, classes,
            max_missing, group_regex,
        ),
        decoding=options.decoding(bands, max_pixels),
        split=SplitSettings(test=test, seed=seed, split_from=split_from),
        backbone=backbone,
        image_sizes=options.image_sizes(image_size),
        engine=engine,
        mirror=not no_mirror,
        rehash=rehash,
        seed=seed,
        force=force,
        finetune=FinetuneSettings(
            mode="auto" if auto else "scratch" if scratch else "yes",
            recipe=recipe, epochs=epochs, rate=_rate(lr), layer_decay=layer_decay, freeze=freeze,
            optimizer=optimizer, schedule=schedule, warmup=warmup, weight_decay=weight_decay,
            batch=batch, accumulate=accumulate, auto_batch=auto_batch, clip=clip,
            size=size, views=views,
            augment=augment, mixup=mixup, cutmix=cutmix, smoothing=smoothing,
            imbalance=imbalance, ema=ema, alphas=_numbers(alphas), folds=folds,
            budget=_seconds(time_budget),
            patience=patience, precision=precision, save_every=save_every, resume=resume,
            logger=logger, devices=devices, strategy=strategy, tta=tta,
        ),
    )  # fmt: skip
    run = pipeline.run(data, out, settings=settings, cache=cache, progress=options.progress(quiet))
    if json:
        say_json({**run.metrics, "out": str(run.out)})
    else:
        print_run(run)


def _rate(text: str | None) -> float | str | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text  # "auto", or a word that the recipe refuses


def _numbers(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError as problem:
        raise OptionError(f"--alphas takes numbers with commas between, got {text!r}") from problem


def _seconds(text: str | None) -> float | None:
    """Return the seconds of "90s", "10m" or "1h"; a plain number is seconds."""
    if text is None:
        return None
    try:
        return float(text.rstrip("smh")) * UNITS.get(text[-1:], 1.0)
    except ValueError as problem:
        raise OptionError(f"--time-budget takes 30s, 10m or 1h, got {text!r}") from problem


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
