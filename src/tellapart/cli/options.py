"""Options that several verbs share, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.errors import OptionError
from tellapart.progress import Progress, for_terminal
from tellapart.settings import (
    MAX_PIXELS,
    Decoding,
    ImageSizes,
    NetworkSettings,
    ReadSettings,
)

READING = "Reading"
SPLITTING = "Split"
COMPUTING = "Computing"
NETWORK = "Changing a network of another library"

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder of class folders (with or without train/val/test above them), a table"
        " (CSV, TSV, JSONL, Parquet), or a folder in a Hugging Face layout.",
        show_default=False,
    ),
]
PathColumn = Annotated[
    str | None,
    typer.Option(help="Table column with the pictures' paths.", rich_help_panel=READING),
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Table column with the labels.", rich_help_panel=READING)
]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        help="Table column whose equal values stay on one side of the split (place, patient).",
        rich_help_panel=READING,
    ),
]
GroupRegex = Annotated[
    str | None,
    typer.Option(
        help="Take the group from the path: the first group of this regular expression.",
        rich_help_panel=READING,
    ),
]
SplitColumn = Annotated[
    str | None,
    typer.Option(help="Table column that says train, val or test.", rich_help_panel=READING),
]
LabelRegex = Annotated[
    str | None,
    typer.Option(
        help="Take the label from the path: the first group of this regular expression.",
        rich_help_panel=READING,
    ),
]
LabelMap = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OLD=NEW", help="Rename or merge a label; may be repeated.", rich_help_panel=READING
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...", help="Use only these classes, in this order.", rich_help_panel=READING
    ),
]
MaxMissing = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Share of a table's files that may be missing.",
        rich_help_panel=READING,
    ),
]
Bands = Annotated[
    str | None,
    typer.Option(
        metavar="R,G,B",
        help="Bands to use, by name (R, G, B, A, N for near infrared, the 4th) or number from 1;"
        " alpha is then data.",
        rich_help_panel=READING,
    ),
]
MaxPixels = Annotated[
    int, typer.Option(min=1, help="Refuse pictures of more pixels.", rich_help_panel=READING)
]
TestShare = Annotated[
    float | None,
    typer.Option(
        "--test",
        help="Share of the pictures that judge.",
        show_default="0.2",
        rich_help_panel=SPLITTING,
    ),
]
ValShare = Annotated[
    float | None,
    typer.Option(
        "--val",
        help="Share of the pictures kept aside beside them.",
        show_default="0",
        rich_help_panel=SPLITTING,
    ),
]
SplitFrom = Annotated[
    str | None,
    typer.Option(
        metavar="RUN|FILE",
        help="Keep every picture on the side where an earlier run (or a table with path or id, and"
        " split) has it.",
        rich_help_panel=SPLITTING,
    ),
]
OrderColumn = Annotated[
    str | None,
    typer.Option(
        help="Table column of numbers or dates: the earliest pictures train, the latest judge.",
        rich_help_panel=SPLITTING,
    ),
]
Seed = Annotated[int, typer.Option(help="Of the split and the folds.", rich_help_panel=SPLITTING)]
Backbone = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Network for the features: lite0, timm:NAME, torchvision:NAME, hf:ID-or-folder,"
        " file:WEIGHTS@ARCHITECTURE; or hog, color, pca:N; A+B takes both (tellapart backbones).",
        rich_help_panel=COMPUTING,
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        metavar="pretrained|none",
        help="none: random weights, for comparison (timm, torchvision, hf).",
        rich_help_panel=NETWORK,
    ),
]
Pool = Annotated[
    str,
    typer.Option(
        metavar="auto|mean|cls|pooled",
        help="What of a transformer's tokens is the vector (hf).",
        rich_help_panel=NETWORK,
    ),
]
Resize = Annotated[
    str | None,
    typer.Option(
        metavar="crop|squash",
        help="How a picture becomes square.",
        show_default="as the network's source has it",
        rich_help_panel=NETWORK,
    ),
]
Interpolation = Annotated[
    str | None,
    typer.Option(
        help="nearest, bilinear, bicubic, lanczos, box or hamming.",
        show_default="likewise",
        rich_help_panel=NETWORK,
    ),
]
Mean = Annotated[
    str | None,
    typer.Option(
        metavar="R,G,B",
        help="What is taken off each band, in 0..1.",
        show_default="likewise",
        rich_help_panel=NETWORK,
    ),
]
Std = Annotated[
    str | None,
    typer.Option(
        metavar="R,G,B",
        help="What each band is then divided by.",
        show_default="likewise",
        rich_help_panel=NETWORK,
    ),
]
ImageSize = Annotated[
    str | None,
    typer.Option(
        metavar="PIXELS|auto",
        help="Input size of the network; of several (96,160,224) cross-validation on the training"
        " pictures chooses one.",
        show_default="as it was trained",
        rich_help_panel=COMPUTING,
    ),
]
Views = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Average the features of N views: the whole, mirrored (unless --no-mirror), larger,"
        " corners.",
        rich_help_panel=COMPUTING,
    ),
]
TestViews = Annotated[
    int | None,
    typer.Option(
        "--tta",
        metavar="N",
        help="Average the probabilities of N views: the whole, mirrored (unless it was made with"
        " --no-mirror), larger, corners; 1: the whole alone.",
        show_default="as it was judged",
        rich_help_panel=COMPUTING,
    ),
]
Engine = Annotated[
    str,
    typer.Option(help="What runs the network: auto, openvino, torch.", rich_help_panel=COMPUTING),
]
Head = Annotated[
    str | None,
    typer.Option(
        help="The classifier on the features: logistic, ridge, lda, svm, mlp, knn, mean.",
        show_default="logistic, or what --search finds",
        rich_help_panel=COMPUTING,
    ),
]
Search = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Let N trials (Optuna) look for a better head and settings than the plain logistic"
        " path, in cross-validation on the training pictures.",
        show_default=False,
        rich_help_panel=COMPUTING,
    ),
]
CacheFolder = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Keep computed things here.",
        show_default=False,
        rich_help_panel=COMPUTING,
    ),
]
Rehash = Annotated[
    bool,
    typer.Option(
        "--rehash",
        help="Read every file again, even where size and times are unchanged.",
        rich_help_panel=COMPUTING,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a fine-tuning that was interrupted, from its last epoch.",
        rich_help_panel=COMPUTING,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace a fine-tuned run, or begin an interrupted one anew.",
        rich_help_panel=COMPUTING,
    ),
]
NoMirror = Annotated[
    bool,
    typer.Option(
        "--no-mirror",
        help="Mirrored pictures are different pictures (signs that point left and right).",
        rich_help_panel=SPLITTING,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results and errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def read_settings(
    path_column: str | None,
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    label_regex: str | None,
    label_map: list[str] | None,
    classes: str | None,
    max_missing: float,
    group_regex: str | None = None,
) -> ReadSettings:
    """Return the settings that the reading options say."""
    return ReadSettings(
        path_column=path_column,
        label_column=label_column,
        group_column=group_column,
        split_column=split_column,
        label_regex=label_regex,
        label_map=_label_map(label_map) if label_map else None,
        classes=tuple(one.strip() for one in classes.split(",")) if classes else None,
        max_missing=max_missing,
        group_regex=group_regex,
    )


def names(text: str | None) -> tuple[str, ...] | None:
    """Return the names of a list with commas, None where it is not given."""
    return tuple(one.strip() for one in text.split(",") if one.strip()) if text else None


def decoding(bands: str | None, max_pixels: int = MAX_PIXELS) -> Decoding:
    """Return the decoding that the options say."""
    if bands is None:
        return Decoding(max_pixels=max_pixels)
    from tellapart.images.decode import parse_bands

    return Decoding(bands=parse_bands(bands), max_pixels=max_pixels)


def image_sizes(text: str | None) -> ImageSizes:
    """Return the input sizes that an option says; () where it is not given."""
    if text is None:
        return ()
    from tellapart.features.recipes import parse_sizes

    return parse_sizes(text)


def trials(search: int | None) -> int:
    """Return the number of trials that --search says, 0 where it is not given."""
    if search is not None and search < 1:
        raise OptionError(
            f"--search takes a number of trials, 1 or more, got {search}: leave it out for none"
        )
    return search or 0


def network_settings(
    weights: str, pool: str, resize: str | None, interpolation: str | None, mean: str | None,
    std: str | None,
) -> NetworkSettings:  # fmt: skip
    """Return what the options change about a network."""
    return NetworkSettings(
        weights=weights,
        pool=pool,
        fit=resize,
        interpolation=interpolation,
        mean=_numbers("--mean", mean),
        std=_numbers("--std", std),
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        raise OptionError(f"{option} {text}: give numbers such as 0.5,0.5,0.5") from None


def progress(quiet: bool) -> Progress:
    """Return how progress is shown."""
    return for_terminal(quiet=quiet)


def _label_map(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not equals or not old.strip() or not new.strip():
            raise OptionError(f"--label-map takes OLD=NEW, got {pair!r}")
        found[old.strip()] = new.strip()
    return found
