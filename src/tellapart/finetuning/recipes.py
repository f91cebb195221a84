"""From settings to a recipe: every number that a training needs, checked, nothing left open."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from tellapart.errors import OptionError, did_you_mean
from tellapart.finetuning.augment import POLICIES
from tellapart.finetuning.losses import IMBALANCES
from tellapart.settings import FinetuneSettings

MODES = ("no", "auto", "yes", "scratch")
SCHEDULES = ("cosine", "onecycle", "constant")
OPTIMIZERS = ("adamw", "adam", "sgd")
PRECISIONS = ("auto", "32", "bf16", "16")
LOGGERS = ("tensorboard", "mlflow")
# What is chosen from: large shares of the tuned weights lose more on small sets than they gain
# (METHODS section 5: worst cases of -3.4 and -4.4 points).
FEW_ALPHAS, ALL_ALPHAS = (0.0, 0.25, 0.5), (0.0, 0.25, 0.5, 0.75, 1.0)
MANY = 500  # training pictures
SMALLER = 6 / 7  # training pictures are smaller than judged ones, whose objects a crop enlarges
STEP = 32  # sides of training pictures are multiples of it
LIGHTNING_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}

# METHODS section 5: the head from the probe, the upper half at 3e-4
DEFAULT: dict[str, Any] = {
    "epochs": 5, "rate": 3e-4, "freeze": 0.5, "optimizer": "adamw", "schedule": "cosine",
    "layer_decay": 0.8, "weight_decay": 0.01, "clip": 1.0, "batch": 16, "imbalance": "auto",
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "default": DEFAULT,
    # what tutorials do: network frozen, one new linear head
    "classic": {
        **DEFAULT, "rate": 1e-3, "freeze": 1.0, "optimizer": "adam", "schedule": "constant",
        "weight_decay": 0.0, "clip": 0.0, "batch": 32, "head": "new", "alphas": (1.0,),
        "imbalance": "none",
    },
    # the ablation: nothing is known beforehand
    "scratch": {
        **DEFAULT, "rate": 1e-3, "freeze": 0.0, "head": "new",
        "alphas": (1.0,), "learn_statistics": True, "layer_decay": 1.0, "imbalance": "none",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one training goes; see FinetuneSettings for the fields that stand there too.

    rate              learning rate of the head
    head              "probe": it starts from the probe; "new": at random
    learn_statistics  batch norm's means and variances are learned too
    half              the network is given bfloat16 (kept outputs) as they are
    accelerator, devices, strategy, precision  Lightning's
    """

    epochs: int
    rate: float
    layer_decay: float
    freeze: float
    optimizer: str
    schedule: str
    warmup: float
    weight_decay: float
    batch: int
    accumulate: int
    auto_batch: bool
    clip: float
    size: int
    views: int
    augment: str
    mixup: float
    cutmix: float
    smoothing: float
    imbalance: str
    ema: float
    alphas: tuple[float, ...]
    patience: int
    save_every: int
    head: str
    learn_statistics: bool
    accelerator: str
    devices: int | str
    strategy: str
    precision: str
    logger: str | None

    @property
    def half(self) -> bool:
        """Whether the network computes in a type of 16 bits."""
        return self.precision != LIGHTNING_PRECISIONS["32"]

    def halved(self) -> Recipe:
        """Return the recipe with half as many pictures at once, and as many in one step."""
        return replace(self, batch=self.batch // 2, accumulate=2 * self.accumulate)

    def batches(self, pictures: int) -> int:
        """Return the batches of one epoch."""
        return math.ceil(pictures / self.batch)

    def steps(self, pictures: int) -> int:
        """Return the optimiser's steps of one epoch."""
        return math.ceil(self.batches(pictures) / self.accumulate)


def make_recipe(
    settings: FinetuneSettings, *, input_size: int, device: str, fast_half: bool, pictures: int
) -> Recipe:
    """Return the recipe that settings ask for.

    input_size  side of the pictures that are judged
    device      "cpu", "cuda" or "mps"; fast_half: it computes in bfloat16
    pictures    that are learned from
    """
    check_settings(settings)
    name = "scratch" if settings.mode == "scratch" else settings.recipe
    base = RECIPES[name]

    def pick(field: str) -> Any:
        """Return what was asked for, else what the recipe says."""
        value = getattr(settings, field)
        return base.get(field) if value is None else value

    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if fast_half else "32"
    rate = pick("rate")
    alphas = pick("alphas") or (FEW_ALPHAS if pictures < MANY else ALL_ALPHAS)
    return Recipe(
        **{field: pick(field) for field in COPIED},
        alphas=tuple(alphas),
        rate=base["rate"] if isinstance(rate, str) else float(rate),
        size=settings.size or max(STEP, int(input_size * SMALLER / STEP) * STEP),
        head=base.get("head", "probe"),
        learn_statistics=base.get("learn_statistics", False),
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=_devices(settings.devices, device),
        strategy=settings.strategy,
        precision=LIGHTNING_PRECISIONS[precision],
        logger=settings.logger,
    )


COPIED = (
    "epochs", "layer_decay", "freeze", "optimizer", "schedule", "warmup", "weight_decay", "batch",
    "accumulate", "auto_batch", "clip", "views", "augment", "mixup", "cutmix", "smoothing",
    "imbalance", "ema", "patience", "save_every",
)  # fmt: skip


def _devices(asked: str, device: str) -> int | str:
    if asked == "auto":
        return 1
    return int(asked) if asked.isdigit() else asked


NUMBERS: tuple[tuple[str, str, float, float, str], ...] = (
    # field, option, least, most, what is allowed
    ("epochs", "--epochs", 1, 100_000, "1 or more"),
    ("layer_decay", "--layer-decay", 1e-6, 1, "above 0, at most 1"),
    ("freeze", "--freeze", 0, 1, "0 (nothing) to 1 (the whole network)"),
    ("warmup", "--warmup", 0, 1, "0 to 1"),
    ("weight_decay", "--weight-decay", 0, 100, "0 or more"),
    ("batch", "--batch", 1, 1_000_000, "1 or more"),
    ("accumulate", "--accumulate", 1, 1_000_000, "1 or more"),
    ("clip", "--clip", 0, math.inf, "0 (off) or more"),
    ("size", "--size", 32, 4_096, "32 to 4,096 pixels"),
    ("views", "--views", 1, 1_000, "1 or more"),
    ("mixup", "--mixup", 0, 100, "0 (off) or more"),
    ("cutmix", "--cutmix", 0, 100, "0 (off) or more"),
    ("smoothing", "--smoothing", 0, 0.999, "0 to below 1"),
    ("ema", "--ema", 0, 0.999999, "0 (off) to below 1"),
    ("patience", "--patience", 0, 100_000, "0 (off) or more"),
    ("save_every", "--save-every", 0, 100_000, "0 (off) or more"),
    ("tta", "--tta", 1, 64, "1 (off) to 64 views"),
    ("budget", "--time-budget", 1e-3, math.inf, "a time above 0"),
)
NAMES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("mode", "--finetune", MODES),
    ("recipe", "--recipe", ("default", "classic")),
    ("optimizer", "--optimizer", OPTIMIZERS),
    ("schedule", "--schedule", SCHEDULES),
    ("augment", "--augment", tuple(POLICIES)),
    ("imbalance", "--imbalance", ("auto", *IMBALANCES)),
    ("precision", "--precision", PRECISIONS),
    ("logger", "--logger", LOGGERS),
)


def check_settings(settings: FinetuneSettings) -> None:
    """Raise OptionError, in one line, for a value that cannot be used."""
    for field, option, least, most, allowed in NUMBERS:
        value = getattr(settings, field)
        if value is not None and not least <= value <= most:  # NaN fails too
            raise OptionError(f"{option} is {value}: {allowed} is needed")
    for field, option, known in NAMES:
        value = getattr(settings, field)
        if value is not None and value not in known:
            raise OptionError(
                f"{option} {value!r} is unknown{did_you_mean(value, known)} (known:"
                f" {', '.join(known)})"
            )
    rate = settings.rate
    if isinstance(rate, str) and rate != "auto":
        raise OptionError(f"--lr is {rate!r}: a number above 0, or auto, is needed")
    if rate is not None and not isinstance(rate, str) and not 0 < rate < math.inf:
        raise OptionError(f"--lr is {rate}: a number above 0 is needed (3e-4 is usual)")
    if settings.alphas is not None and not all(0 <= alpha <= 1 for alpha in settings.alphas):
        raise OptionError(f"--alphas are {settings.alphas}: numbers from 0 to 1 are needed")


def check_batch(recipe: Recipe, pictures: int) -> None:
    """Raise OptionError where a batch is larger than what there is to learn from."""
    if recipe.batch > pictures:
        raise OptionError(
            f"--batch {recipe.batch} is more than the {pictures:,} pictures to learn from: give a"
            " smaller --batch"
        )
