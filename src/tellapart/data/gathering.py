"""From rows as they were read to a picture set: labels cleaned, mapped, chosen, all in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from tellapart.data.grouping import grouped
from tellapart.data.names import clean_label, key_of, natural
from tellapart.data.pictures import Note, PictureSet, Side, Source
from tellapart.errors import DataError, OptionError, counted, did_you_mean, first_few
from tellapart.settings import ReadSettings


class Row(NamedTuple):
    """One picture as it was read; label as found, None where the data gives none."""

    path: str
    source: Source
    label: str | None
    group: str | None = None
    split: Side | None = None
    columns: tuple[str | None, ...] = ()  # in the order of Read.names


@dataclass(frozen=True)
class Read:
    """What a reader hands on. where: the place as the user knows it, for messages."""

    root: str
    where: str
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    names: tuple[str, ...] = ()  # of the user's other columns
    hint: str = ""  # what may help where there are too few classes


def gather(read: Read, settings: ReadSettings, fewest_classes: int = 2) -> PictureSet:
    """Make the picture set; raises DataError or OptionError where that cannot be."""
    check_settings(settings)
    rows, merged = _clean(read.rows)
    rows = _mapped(rows, settings.label_map)
    rows, unlabelled = _labelled(rows, read)
    rows, not_chosen = _chosen(rows, settings.classes)
    classes = _classes(rows, settings.classes)
    _check_classes(rows, classes, read, fewest_classes)
    rows, ungrouped = grouped(rows, settings.group_regex, settings.group_column)
    rows, one_side = _split_or_none(rows)
    rows = tuple(sorted(rows, key=lambda row: natural(row.path)))
    _check_unique(rows)
    return PictureSet(
        root=read.root,
        paths=tuple(row.path for row in rows),
        sources=tuple(row.source for row in rows),
        labels=tuple(row.label or "" for row in rows),
        groups=tuple(row.group for row in rows),
        splits=tuple(row.split for row in rows),
        classes=classes,
        columns={name: tuple(row.columns[i] for row in rows) for i, name in enumerate(read.names)},
        notes=(*read.notes, *merged, *unlabelled, *not_chosen, *ungrouped, *one_side),
    )


def check_settings(settings: ReadSettings) -> None:
    """Refuse settings that are wrong by themselves; raises OptionError."""
    if not 0 <= settings.max_missing <= 1:
        raise OptionError(f"--max-missing is a share from 0 to 1, not {settings.max_missing:g}")
    if settings.classes is not None:
        cleaned = [clean_label(name) for name in settings.classes]
        if twice := sorted({name for name in cleaned if cleaned.count(name) > 1}):
            raise OptionError(f"--classes names {first_few(map(repr, twice))} more than once")
        if len(cleaned) < 2:
            raise OptionError("--classes needs two classes or more")
    for found, wanted in (settings.label_map or {}).items():
        if not clean_label(wanted):
            raise OptionError(f"--label-map gives {found!r} no new label")


def _clean(rows: Iterable[Row]) -> tuple[tuple[Row, ...], tuple[Note, ...]]:
    """Trim and compose every label; an empty one becomes None. Notes say what that merged."""
    cleaned: dict[str, str | None] = {}
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    result = []
    for row in rows:
        if row.label is not None:
            if row.label not in cleaned:
                cleaned[row.label] = clean_label(key_of(row.label)) or None
                spellings[cleaned[row.label] or ""].append(row.label)
            if cleaned[row.label] != row.label:
                row = row._replace(label=cleaned[row.label])
        result.append(row)
    notes = []
    for label, found in spellings.items():
        if label and len(found) > 1:
            ways = ", ".join(repr(one) for one in sorted(found))
            paths = [row.path for row in result if row.label == label]
            message = f"the labels {ways} became one, {label!r}"
            notes.append(Note.about("merged_labels", message, paths))
    return tuple(result), tuple(notes)


def _mapped(rows: tuple[Row, ...], label_map: Mapping[str, str] | None) -> tuple[Row, ...]:
    if label_map is None:
        return rows
    wanted = {clean_label(old): clean_label(new) for old, new in label_map.items()}
    known = {row.label for row in rows if row.label is not None}
    for old in wanted:
        if old not in known:
            raise OptionError(
                f"--label-map names {old!r}, which no picture has{did_you_mean(old, known)}"
                f" (labels: {first_few(sorted(known, key=natural))})"
            )
    return tuple(
        row._replace(label=wanted[row.label]) if row.label in wanted else row for row in rows
    )


def _labelled(rows: tuple[Row, ...], read: Read) -> tuple[tuple[Row, ...], tuple[Note, ...]]:
    without = [row.path for row in rows if row.label is None]
    if len(without) == len(rows):
        raise DataError(f"none of the {len(rows):,} pictures of {read.where} has a label")
    if not without:
        return rows, ()
    message = f"left out {counted(len(without), 'picture')} without a label"
    labelled = tuple(row for row in rows if row.label is not None)
    return labelled, (Note.about("unlabelled_rows", message, without),)


def _chosen(
    rows: tuple[Row, ...], classes: tuple[str, ...] | None
) -> tuple[tuple[Row, ...], tuple[Note, ...]]:
    if classes is None:
        return rows, ()
    known = {row.label or "" for row in rows}
    wanted = {clean_label(name) for name in classes}
    for name in sorted(wanted - known):
        raise OptionError(
            f"--classes names {name!r}, which no picture has{did_you_mean(name, known)}"
            f" (classes: {first_few(sorted(known, key=natural))})"
        )
    others = sorted(known - wanted, key=natural)
    if not others:
        return rows, ()
    paths = [row.path for row in rows if row.label not in wanted]
    message = (
        f"left out {counted(len(paths), 'picture')} of classes that --classes does not name:"
        f" {first_few(others)}"
    )
    chosen = tuple(row for row in rows if row.label in wanted)
    return chosen, (Note.about("left_out", message, paths),)


def _classes(rows: tuple[Row, ...], classes: tuple[str, ...] | None) -> tuple[str, ...]:
    if classes is not None:
        return tuple(clean_label(name) for name in classes)
    return tuple(sorted({row.label or "" for row in rows}, key=natural))


def _check_classes(
    rows: tuple[Row, ...], classes: tuple[str, ...], read: Read, fewest: int
) -> None:
    if len(classes) < fewest:
        raise DataError(
            f"{read.where} holds one class only, {classes[0]!r} ({len(rows):,} pictures):"
            f" two or more are needed{read.hint}"
        )


def _split_or_none(rows: tuple[Row, ...]) -> tuple[tuple[Row, ...], tuple[Note, ...]]:
    """Take a split for no split where every picture stands on one side."""
    sides = {row.split for row in rows}
    if len(sides) > 1 or None in sides:
        return rows, ()
    message = f"all pictures are marked {sides.pop()}: that is no split, so none is taken as given"
    note = Note("one_side", message, (), len(rows))
    return tuple(row._replace(split=None) for row in rows), (note,)


def _check_unique(rows: Sequence[Row]) -> None:
    for before, after in pairwise(rows):
        if before.path == after.path:
            raise DataError(
                f"two files have the name {after.path!r} once bytes that are no UTF-8 are"
                " written as %XX: rename one of them"
            )
