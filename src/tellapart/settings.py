"""What a user can set, as frozen records: written into run.json, hashed into cache keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MAX_PIXELS = 200_000_000
MAX_FILE_BYTES = 512_000_000


@dataclass(frozen=True)
class ReadSettings:
    """How a place is read into a picture set; None means "guess, and say so"."""

    path_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    split_column: str | None = None
    label_regex: str | None = None  # its first group, searched in the path, is the label
    group_regex: str | None = None  # its first group, searched in the path, is the group
    label_map: Mapping[str, str] | None = None  # label as found -> label to use
    classes: tuple[str, ...] | None = None  # only these, in this order
    max_missing: float = 0.1  # share of a table's rows whose file may be missing


@dataclass(frozen=True)
class Decoding:
    """Everything that changes the pixels a file becomes."""

    bands: tuple[str, ...] | None = None  # names (R, G, B, A, N) or 1-based numbers
    max_pixels: int = MAX_PIXELS
    max_file_bytes: int = MAX_FILE_BYTES


@dataclass(frozen=True)
class SplitSettings:
    """How pictures are dealt to train, val and test where the data gives no split."""

    test: float = 0.2
    val: float = 0.0
    seed: int = 0
    split_from: str | None = None  # a run folder or a table that holds known pictures' sides
    order_column: str | None = None  # numbers or dates: the earliest train, the latest judge


ImageSizes = tuple[int, ...] | Literal["auto"]
PRECISIONS = ("auto", "int8")  # "auto": what the engine takes; "int8": quantised, on OpenVINO


@dataclass(frozen=True)
class RunSettings:
    """All settings of one run."""

    read: ReadSettings = field(default_factory=ReadSettings)
    decoding: Decoding = field(default_factory=Decoding)
    split: SplitSettings = field(default_factory=SplitSettings)
    backbone: str = "lite0"  # names joined with +
    image_sizes: ImageSizes = ()  # pixels; several: cross-validation chooses; (): as trained
    views: int = 1  # of every picture, whose features are averaged
    engine: str = "auto"
    precision: str = "auto"  # a name of PRECISIONS
    mirror: bool = True  # a mirrored copy is the same picture
    head: str | None = None  # a name in heads.kinds.HEADS; None: logistic, or what a search finds
    search: int = 0  # trials of a search over heads and their settings; 0: no search
    refit: bool = False
    advice: bool = True  # measure what would help most
    rehash: bool = False
    seed: int = 0
