"""Command lines to try next: settings as they can be typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tellapart.settings import Decoding, ReadSettings, RunSettings, SplitSettings

READING = {  # settings and their options, in the order in which they are written
    "path_column": "--path-column",
    "label_column": "--label-column",
    "group_column": "--group-column",
    "split_column": "--split-column",
    "label_regex": "--label-regex",
    "group_regex": "--group-regex",
    "max_missing": "--max-missing",
}
DECODING = {"max_pixels": "--max-pixels"}
SPLITTING = {
    "test": "--test",
    "val": "--val",
    "split_from": "--split-from",
    "order_column": "--order-column",
    "seed": "--seed",
}
COMPUTING = {"views": "--views", "engine": "--engine", "head": "--head", "search": "--search"}


def quoted(value: str | Path) -> str:
    """Return a path or another value as it can be typed: in double quotes where a shell might
    change it.
    """
    return str(value) if re.fullmatch(r"[\w.,:=/+@-]+", str(value)) else f'"{value}"'


def bands_option(bands: tuple[str, ...] | None) -> str:
    """Return the option that asks for these bands, after a blank; "" for the usual ones."""
    return f" --bands {','.join(bands)}" if bands else ""


def drawing_options(*, mirror: bool, seed: int) -> str:
    """Return the options that say these, each after a blank; "" for the usual ones."""
    return f"{'' if mirror else ' --no-mirror'}{_option('--seed', seed) if seed else ''}"


def reading_options(settings: ReadSettings) -> str:
    """Return the options that say these settings, each after a blank; "" for the usual ones."""
    renamed = (settings.label_map or {}).items()
    given = [_changed(settings, READING)]
    given += [_option("--label-map", f"{old}={new}") for old, new in renamed]
    if settings.classes:
        given.append(_option("--classes", ",".join(settings.classes)))
    return "".join(given)


def run_options(settings: RunSettings) -> str:
    """Return the options of `tellapart run` for the same pictures, split, look and head, each after
    a blank; the backbone and what changes a network apart.
    """
    sizes = settings.image_sizes
    asked = sizes if isinstance(sizes, str) else ",".join(map(str, sizes))
    return "".join((
        reading_options(settings.read),
        bands_option(settings.decoding.bands),
        _changed(settings.decoding, DECODING),
        _changed(settings.split, SPLITTING),
        "" if settings.mirror else " --no-mirror",
        _option("--image-size", asked) if asked else "",
        _changed(settings, COMPUTING),
    ))  # fmt: skip


def _changed(
    settings: ReadSettings | Decoding | SplitSettings | RunSettings, options: Mapping[str, str]
) -> str:
    """Return the options whose settings are not the usual ones."""
    values: dict[str, Any] = {name: getattr(settings, name) for name in options}
    return "".join(
        _option(options[name], value)
        for name, value in values.items()
        if value != getattr(type(settings), name)
    )


def _option(option: str, value: object) -> str:
    return f" {option} {quoted(str(value))}"
