"""From what a user asks for to the split of a set: options that fight, known sides, folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tellapart.data import PictureSet
from tellapart.errors import OptionError
from tellapart.features import Look
from tellapart.gone import Gone, look_for_gone
from tellapart.likeness import Likeness
from tellapart.settings import RunSettings, SplitSettings
from tellapart.splits import Split, make_folds, make_split, read_known_sides, read_order


def check_split_options(pictures: PictureSet, settings: RunSettings) -> None:
    """Raise OptionError where options that say the sides have no effect, or two of them fight."""
    if settings.evaluate == "cv":
        _check_crossed(pictures, settings.split)
    _check_sides(pictures, settings.split)


def _check_crossed(pictures: PictureSet, settings: SplitSettings) -> None:
    if pictures.has_given_split:
        raise OptionError(
            "--evaluate cv has no effect here: the data gives its own split, and that judges; leave"
            " it out, or give the pictures without their split"
        )
    if settings != SplitSettings(seed=settings.seed):
        raise OptionError(
            "--test, --val, --split-from and --order-column have no effect with --evaluate cv,"
            " which judges on every picture: leave them out"
        )


def _check_sides(pictures: PictureSet, settings: SplitSettings) -> None:
    if pictures.has_given_split and settings != SplitSettings(seed=settings.seed):
        raise OptionError(
            "--test, --val, --split-from and --order-column have no effect here: the data gives its"
            " own split"
        )
    if settings.split_from and settings.order_column:
        raise OptionError("--split-from and --order-column both say the sides: give one of them")


def split_pictures(
    pictures: PictureSet,
    usable: PictureSet,
    seen: Look,
    alike: Likeness,
    together: NDArray[np.intp],
    settings: RunSettings,
) -> Split:
    """Return the sides of the usable pictures as the settings ask for them, or their folds.

    together  [m] what must stay on one side, as `auditing.components_of` finds it
    """
    ids = [seen.ids[row] for row in seen.usable]
    if settings.evaluate == "cv":
        return make_folds(
            usable.codes(), usable.classes, ids, together, usable.groups, settings.seed,
            alike.pairs[alike.copies()],
        )  # fmt: skip
    known = order = None
    gone: Gone | None = None
    if settings.split.split_from:
        sides = read_known_sides(settings.split.split_from)
        known = sides.sides_of(usable.paths, ids)
        gone = look_for_gone(settings.split.split_from, sides, pictures.paths, seen.ids)
    if settings.split.order_column:
        order = read_order(settings.split.order_column, usable.columns, usable.paths)
    split = make_split(
        usable.codes(),
        usable.classes,
        ids,
        together,
        usable.groups,
        usable.splits if usable.has_given_split else None,
        settings.split,
        known,
        alike.pairs[alike.copies()],
        order,
    )
    if gone is None:
        return split
    return replace(
        split,
        left_out=(*gone.lines(), *split.left_out),
        proof={**split.proof, "gone": gone.to_json()},
    )
