"""Which column of a table is what: named by the user, or guessed from short lists and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tellapart.data.pictures import Note
from tellapart.errors import DataError, OptionError, did_you_mean
from tellapart.settings import ReadSettings

PATH_COLUMNS = (
    "path",
    "file",
    "image",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "image_path",
    "img_path",
    "image_file",
    "image_name",
    "img",
    "picture",
    "photo",
)
LABEL_COLUMNS = (
    "label",
    "class",
    "target",
    "category",
    "labels",
    "class_name",
    "label_name",
    "classname",
    "category_name",
)
SPLIT_COLUMNS = ("split",)
BYTES_COLUMNS = ("image", "img", "picture", "photo", "bytes", "image_bytes", "content")


@dataclass(frozen=True)
class Roles:
    """The columns that reading uses, by their names in the table."""

    path: str
    label: str | None
    group: str | None
    split: str | None

    def others(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the user's other columns."""
        used = {self.path, self.label, self.group, self.split}
        return tuple(name for name in columns if name not in used)


def choose_roles(
    where: str,
    columns: Sequence[str],
    settings: ReadSettings,
    *,
    path: str | None = None,
    class_labels: Sequence[str] = (),
) -> tuple[Roles, tuple[Note, ...]]:
    """Choose the columns of the table `where`; notes say what was guessed.

    path is the column already known to hold the pictures, else it is named or guessed;
    class_labels are columns whose schema says that they hold class labels. Raises DataError
    where no path or label column is there, OptionError where a named one is not.
    """
    notes: list[Note] = []
    path = path or _path_column(where, columns, settings, notes)
    label = _label_column(where, columns, path, settings, class_labels, notes)
    group = _named(where, columns, "--group-column", settings.group_column)
    split = _named(where, columns, "--split-column", settings.split_column)
    if split is None:
        split = _guess(where, columns, SPLIT_COLUMNS, "split", "--split-column", notes)
    roles = Roles(path, label, group, split)
    _refuse_double_use(where, roles)
    return roles, tuple(notes)


def known_path_column(where: str, columns: Sequence[str]) -> str:
    """Return the column of paths where nobody can name one; raises DataError without any."""
    found = _guess(where, columns, PATH_COLUMNS, "path", "", [])
    if found is None:
        raise DataError(
            f"{where} has no column of paths that is known ({', '.join(PATH_COLUMNS[:4])}, ...):"
            f" rename one; its columns: {', '.join(columns)}"
        )
    return found


def has_labels(columns: Sequence[str], settings: ReadSettings, class_labels: Sequence[str]) -> bool:
    """Whether a table has the label column that is named, or one that would be guessed."""
    if settings.label_column is not None:
        return settings.label_column in columns
    folded = {name.strip().casefold() for name in columns}
    return len(class_labels) == 1 or any(name in folded for name in LABEL_COLUMNS)


def says_enough(columns: Sequence[str], settings: ReadSettings) -> bool:
    """Whether a table found in a folder is meant to be read: it has paths and labels, or the user
    names columns."""
    named = (settings.path_column, settings.label_column, settings.group_column)
    if any(one is not None for one in (*named, settings.split_column)):
        return True
    folded = {name.strip().casefold() for name in columns}
    has_paths = any(name in folded for name in PATH_COLUMNS)
    return has_paths and (settings.label_regex is not None or has_labels(columns, settings, ()))


def _named(where: str, columns: Sequence[str], option: str, name: str | None) -> str | None:
    if name is None or name in columns:
        return name
    raise OptionError(
        f"{option} {name!r} is no column of {where}{did_you_mean(name, columns)}"
        f" (columns: {', '.join(columns)})"
    )


def _path_column(
    where: str, columns: Sequence[str], settings: ReadSettings, notes: list[Note]
) -> str:
    named = _named(where, columns, "--path-column", settings.path_column)
    found = named or _guess(where, columns, PATH_COLUMNS, "path", "--path-column", notes)
    if found is None:
        raise DataError(_missing(where, columns, PATH_COLUMNS, "of paths", "--path-column"))
    return found


def _label_column(
    where: str,
    columns: Sequence[str],
    path: str,
    settings: ReadSettings,
    class_labels: Sequence[str],
    notes: list[Note],
) -> str | None:
    """Return the label column; None where --label-regex takes its place."""
    named = _named(where, columns, "--label-column", settings.label_column)
    rest = [name for name in columns if name != path]
    found = named or _guess(where, rest, LABEL_COLUMNS, "label", "--label-column", notes)
    if found is None and len(class_labels) == 1:
        found = class_labels[0]
        notes.append(_guessed(where, "label", found, "--label-column", []))
    if found is not None and settings.label_regex is not None:
        raise OptionError(
            f"--label-regex would have no effect: the labels of {where} stand in its column"
            f" {found!r}"
        )
    if found is None and settings.label_regex is None:
        raise DataError(_missing(where, columns, LABEL_COLUMNS, "of labels", "--label-column"))
    return found


def _guess(
    where: str,
    columns: Sequence[str],
    known: Sequence[str],
    role: str,
    option: str,
    notes: list[Note],
) -> str | None:
    """Return the first known name among the columns, letters' case aside; a note says so."""
    by_folded = {name.strip().casefold(): name for name in reversed(columns)}
    found = [by_folded[name] for name in known if name in by_folded]
    if not found:
        return None
    notes.append(_guessed(where, role, found[0], option, found[1:]))
    return found[0]


def _guessed(where: str, role: str, name: str, option: str, others: Sequence[str]) -> Note:
    beside = f" ({', '.join(map(repr, others))} would do too: say with {option})" if others else ""
    return Note(
        "guessed_column", f"{Path(where).name}: {name!r} taken as the {role} column{beside}", (), 1
    )


def _missing(
    where: str, columns: Sequence[str], known: Sequence[str], what: str, option: str
) -> str:
    near = next((hint for name in known[:4] if (hint := did_you_mean(name, columns))), "")
    return (
        f"{where} has no column {what} that is known ({', '.join(known[:4])}, ...){near};"
        f" name one with {option}; its columns: {', '.join(columns)}"
    )


def _refuse_double_use(where: str, roles: Roles) -> None:
    uses = {"path": roles.path, "label": roles.label, "group": roles.group, "split": roles.split}
    by_column: dict[str, str] = {}
    for role, column in uses.items():
        if column is None:
            continue
        if column in by_column:
            raise OptionError(
                f"the column {column!r} of {where} cannot be both {by_column[column]} and {role}"
            )
        by_column[column] = role
