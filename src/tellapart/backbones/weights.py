"""What the sources of networks share: weights that are not there, seeds, changed transforms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, cast

from tellapart.errors import BackboneError, OptionError, did_you_mean
from tellapart.images.transforms import FILTERS, Interpolation, Transform
from tellapart.optional import need_torch
from tellapart.settings import POOLS, NetworkSettings

WEIGHTS = ("pretrained", "none")
FITS = ("crop", "squash")


def check_network_settings(settings: NetworkSettings) -> None:
    """Raise OptionError for what no network could be."""
    for option, value, known in (
        ("--weights", settings.weights, WEIGHTS),
        ("--pool", settings.pool, POOLS),
        ("--resize", settings.fit, FITS),
        ("--interpolation", settings.interpolation, tuple(FILTERS)),
    ):
        if value is not None and value not in known:
            raise OptionError(
                f"{option} '{value}' is none of {', '.join(known)}{did_you_mean(value, known)}"
            )
    for option, numbers in (("--mean", settings.mean), ("--std", settings.std)):
        if numbers is not None and len(numbers) not in (1, 3):
            raise OptionError(f"{option} takes one number or three, not {len(numbers)}")
    if settings.std is not None and min(settings.std) <= 0:
        raise OptionError("--std takes numbers above 0")


def changed(transform: Transform, settings: NetworkSettings) -> Transform:
    """Return the transform with what the user asks for instead."""
    bands = len(transform.mean)
    fit = cast(Literal["crop", "squash"], settings.fit or transform.fit)
    return replace(
        transform,
        fit=fit,
        crop_share=1.0 if fit == "squash" else transform.crop_share,
        interpolation=cast(Interpolation, settings.interpolation or transform.interpolation),
        mean=_scaled(settings.mean, bands) or transform.mean,
        std=_scaled(settings.std, bands) or transform.std,
    )


def _scaled(numbers: tuple[float, ...] | None, bands: int) -> tuple[float, ...]:
    if numbers is None:
        return ()
    return tuple(255 * one for one in (numbers * bands if len(numbers) == 1 else numbers))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random weights with a seed, and leave torch's own generator as it was."""
    torch = need_torch()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def no_weights(name: str, problem: Exception, wanted: str) -> BackboneError:
    """Return the one line that says what was looked for, and where it may be put."""
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return BackboneError(
        f"the weights of {name} are not here and cannot be fetched: looked for {wanted} in"
        f" {hub_folder()} and {torch_hub_folder()}; copy that cache from a machine with a network,"
        f" or give a file: --backbone file:WEIGHTS@ARCHITECTURE ({reason[:160]})"
    )


def hub_folder() -> str:
    """Return where the Hugging Face hub's client keeps what it fetched."""
    home = os.environ.get("HF_HOME") or os.path.join(  # noqa: PTH118
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),  # noqa: PTH111
        "huggingface",
    )
    return os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")  # noqa: PTH118


def torch_hub_folder() -> str:
    """Return where torch keeps weights that it fetched."""
    return os.path.join(need_torch().hub.get_dir(), "checkpoints")  # noqa: PTH118


def one_size(name: str, own: int | None) -> OptionError:
    """Return the error for a network that takes pictures of its own size only."""
    return OptionError(f"{name} takes pictures of {own} pixels only: leave out --image-size")


def misfit(name: str, file: str, missing: list[str], foreign: list[str], shapes: list[str]) -> Any:
    """Return the error for weights that are not those of the network."""
    from tellapart.errors import first_few

    said = [
        f"{len(names):,} {what} ({first_few(names, 3)})"
        for names, what in (
            (missing, "layers are missing"),
            (foreign, "layers are not the network's"),
            (shapes, "layers have other shapes"),
        )
        if names
    ]
    return BackboneError(f"{file} does not fit {name}: {'; '.join(said)}")
