"""What a user can set, as frozen records: written into run.json, hashed into cache keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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


USUAL_SHARES = {"test": 0.2, "val": 0.0}


@dataclass(frozen=True)
class SplitSettings:
    """How pictures are dealt to train, val and test where the data gives no split.

    test, val  shares; None: the usual ones, as nobody asked for another
    """

    test: float | None = None
    val: float | None = None
    seed: int = 0
    split_from: str | None = None  # a run folder or a table that holds known pictures' sides
    order_column: str | None = None  # numbers or dates: the earliest train, the latest judge


ImageSizes = tuple[int, ...] | Literal["auto"]
POOLS = ("auto", "mean", "cls", "pooled")


@dataclass(frozen=True)
class NetworkSettings:
    """What a user may change about a network; None: as its source has it.

    weights        "pretrained", or "none": random ones, drawn with `seed`
    pool           of a transformer's tokens: their mean, the class token, or the library's pooling
    size           pixels a side of the input
    fit            "crop" or "squash"
    interpolation  a name that images.transforms knows
    mean, std      in units of 0..1, as libraries write them: three numbers, or one for all
    """

    weights: str = "pretrained"
    pool: str = "auto"
    size: int | None = None
    fit: str | None = None
    interpolation: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    seed: int = 0

    def at_size(self, size: int) -> NetworkSettings:
        """Return the same for another input size."""
        return replace(self, size=size)


PRECISIONS = ("auto", "int8")  # "auto": what the engine takes; "int8": quantised, on OpenVINO


EVALUATIONS = ("holdout", "cv")  # what judges: pictures held out, or folds of all of them


@dataclass(frozen=True)
class FinetuneSettings:
    """How the network itself is trained on; what is None follows the recipe.

    mode           no, yes, auto (only where it pays), scratch (the ablation: random weights)
    recipe         default, or classic: network frozen, one new linear head, Adam 1e-3, 5 epochs
    epochs         passes through the training pictures
    rate           learning rate of the head, a number or "auto" (found by lr-find)
    layer_decay    each layer group learns so many times as fast as the one above it
    freeze         share of the layer groups that stays frozen, the lowest ones, 0..1
    optimizer      adamw, adam or sgd (with momentum); schedule: cosine, onecycle or constant
    warmup         share of the steps in which the rate rises, of the schedule cosine
    batch          pictures in one step; accumulate: steps that are added up into one
    auto_batch     a batch that a GPU's memory does not hold is halved and `accumulate` doubled
    clip           largest norm of the gradient, 0 for none
    size           side of the training pictures, pixels
    views          augmented views a picture that are kept where the frozen part is computed once
    augment        light, none, trivial (TrivialAugment) or rand (RandAugment)
    mixup, cutmix  their alpha, 0 for none; smoothing: of the labels, 0..1
    imbalance      none, weights, sampler, focal or logits (logit adjustment); auto: the best on
                   held-out training pictures, tried where classes are uneven
    ema            decay of the running average of the weights, 0 for none
    alphas         what tuned and starting weights are mixed with; 0 keeps the probe
    folds          trainings, each without one, choose alpha, and their mean is kept; above
                   `tune_above` pictures it is one training, without a fifth of them
    patience       epochs without progress after which a training stops, 0 for never
    precision      auto, 32, bf16 or 16
    budget         seconds that fine-tuning may take, None for no limit
    save_every     epochs between checkpoints that stay, 0 for best and last only
    tta            views a picture at evaluation and prediction
    logger         tensorboard or mlflow: Lightning's own; devices, strategy: Lightning's own
    """

    mode: str = "no"
    recipe: str = "default"
    epochs: int | None = None
    rate: float | str | None = None
    layer_decay: float | None = None
    freeze: float | None = None
    optimizer: str | None = None
    schedule: str | None = None
    warmup: float = 0.1
    weight_decay: float | None = None
    batch: int | None = None
    accumulate: int = 1
    auto_batch: bool = False
    clip: float | None = None
    size: int | None = None
    views: int = 5
    augment: str = "light"
    mixup: float = 0.0
    cutmix: float = 0.0
    smoothing: float = 0.0
    imbalance: str | None = None
    ema: float = 0.0
    alphas: tuple[float, ...] | None = None
    folds: int = 3
    tune_above: int = 4_000
    patience: int = 0
    precision: str = "auto"
    budget: float | None = None
    save_every: int = 0
    resume: bool = False
    tta: int = 1
    logger: str | None = None
    devices: str = "auto"
    strategy: str = "auto"


@dataclass(frozen=True)
class RunSettings:
    """All settings of one run."""

    read: ReadSettings = field(default_factory=ReadSettings)
    decoding: Decoding = field(default_factory=Decoding)
    split: SplitSettings = field(default_factory=SplitSettings)
    backbone: str = "lite0"  # names joined with +
    network: NetworkSettings = field(default_factory=NetworkSettings)
    image_sizes: ImageSizes = ()  # pixels; several: cross-validation chooses; (): as trained
    views: int = 1  # of every picture, whose features are averaged
    engine: str = "auto"
    precision: str = "auto"  # a name of PRECISIONS
    mirror: bool = True  # a mirrored copy is the same picture
    head: str | None = None  # a name in heads.kinds.HEADS; None: logistic, or what a search finds
    search: int = 0  # trials of a search over heads and their settings; 0: no search
    evaluate: str = "holdout"  # a name of EVALUATIONS
    refit: bool = False
    advice: bool = True  # measure what would help most
    rehash: bool = False
    seed: int = 0
    force: bool = False  # replace a fine-tuned run, or begin an unfinished one anew
    finetune: FinetuneSettings = field(default_factory=FinetuneSettings)
