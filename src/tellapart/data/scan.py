"""Walking a folder: which files are pictures, and what is left out, counted by type."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tellapart.data.names import (
    STRAY_FILES,
    STRAY_FOLDERS,
    counted_type,
    key_of,
    natural,
    readable_suffixes,
    suffix_of,
    type_of,
)
from tellapart.data.pictures import Note
from tellapart.errors import counted
from tellapart.progress import Stage


class FoundFile(NamedTuple):
    """A picture's file. key: path below the root with "/"; file: as the system knows it, absolute;
    real: without links; linked: whether the way to it from the root goes over a link."""

    key: str
    file: str
    real: str
    linked: bool


class _Folder(NamedTuple):
    key: str
    path: str
    real: str
    above: tuple[str, ...]  # real paths of the folders on the way here
    linked: bool


@dataclass(frozen=True)
class Scan:
    """What stands in a folder. folders: keys of all visible folders below the root that were
    walked; left_out: type -> keys of files that are no pictures; advice: type -> what to do."""

    files: tuple[FoundFile, ...]
    folders: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]
    advice: dict[str, str]
    notes: tuple[Note, ...]

    def contents(self) -> str:
        """Describe what stands there beside pictures: ``3 .txt files, 2 videos (take ...)``."""
        parts = []
        for kind, keys in self.left_out.items():
            advice = f" ({self.advice[kind]})" if self.advice[kind] else ""
            parts.append(f"{counted_type(len(keys), kind)}{advice}")
        return ", ".join(parts)


@dataclass
class _Found:
    suffixes: frozenset[str]
    files: list[FoundFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    seen_twice: list[str] = field(default_factory=list)


def scan_folder(root: str, stage: Stage | None = None) -> Scan:
    """Walk `root` and everything visible below it, links included; opens no file.

    A link to a folder that is walked anyway, or to one that is being walked, is not followed: so
    loops end. Folders that cannot be read become a note; `root` itself raises OSError.
    """
    found = _Found(readable_suffixes())
    real_root = os.path.realpath(root)
    waiting = [_Folder("", root, real_root, (real_root,), False)]
    with os.scandir(root):
        pass  # whether the root can be read at all: raises for the caller to say it
    while waiting:
        folder = waiting.pop()
        before = len(found.files)
        waiting.extend(_walk_one(folder, real_root, found))
        if stage is not None and len(found.files) > before:
            stage.advance(len(found.files) - before)
    found.files.sort(key=lambda one: natural(one.key))
    left_out = {
        kind: tuple(sorted(found.left_out[kind], key=natural)) for kind in sorted(found.left_out)
    }
    folders = tuple(sorted(found.folders, key=natural))
    return Scan(tuple(found.files), folders, left_out, found.advice, _notes(found, left_out))


def _walk_one(folder: _Folder, real_root: str, found: _Found) -> list[_Folder]:
    """Sort the entries of one folder into `found`; return the folders to walk next."""
    prefix = f"{folder.key}/" if folder.key else ""
    inside: list[_Folder] = []
    try:
        with os.scandir(folder.path) as entries:
            for entry in entries:
                key = prefix + key_of(entry.name)
                if _is_folder(entry):
                    if (one := _next_folder(folder, entry, key, real_root, found)) is not None:
                        inside.append(one)
                else:
                    _sort_file(folder, entry, key, found)
    except OSError:
        found.unreadable.append(folder.key)
    return inside


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _next_folder(
    folder: _Folder, entry: os.DirEntry[str], key: str, real_root: str, found: _Found
) -> _Folder | None:
    if entry.name in STRAY_FOLDERS:
        found.stray.append(key)
        return None
    if entry.name.startswith("."):
        found.hidden.append(key)
        return None
    real = os.path.realpath(entry.path)
    linked = real != os.path.join(folder.real, entry.name)  # noqa: PTH118
    if linked and (real in folder.above or _walked_anyway(real, real_root)):
        found.seen_twice.append(key)
        return None
    found.folders.append(key)
    return _Folder(key, entry.path, real, (*folder.above, real), folder.linked or linked)


def _walked_anyway(real: str, real_root: str) -> bool:
    """Whether a real folder is the root, or is reached from it over visible folders alone."""
    if real == real_root:
        return True
    if not real.startswith(real_root.rstrip(os.sep) + os.sep):
        return False
    parts = Path(real).relative_to(real_root).parts
    return not any(part.startswith(".") or part in STRAY_FOLDERS for part in parts)


def _sort_file(folder: _Folder, entry: os.DirEntry[str], key: str, found: _Found) -> None:
    name = entry.name
    if name in STRAY_FILES:
        found.stray.append(key)
        return
    try:
        is_file, is_link = entry.is_file(), entry.is_symlink()
    except OSError:
        is_file, is_link = False, True
    if is_file and not name.startswith(".") and suffix_of(name) in found.suffixes:
        real = os.path.realpath(entry.path) if is_link else f"{folder.real}{os.sep}{name}"
        found.files.append(FoundFile(key, entry.path, real, folder.linked or is_link))
        return
    if not is_file:
        kind, advice = ("broken links" if is_link else "special files"), ""
    else:
        kind, advice = type_of(name)
    found.left_out.setdefault(kind, []).append(key)
    found.advice[kind] = advice


def _notes(found: _Found, left_out: dict[str, tuple[str, ...]]) -> tuple[Note, ...]:
    notes = []
    for kind, keys in left_out.items():
        advice = f": {found.advice[kind]}" if found.advice[kind] else ""
        notes.append(
            Note.about("left_out", f"left out {counted_type(len(keys), kind)}{advice}", keys)
        )
    said: tuple[tuple[str, str, list[str], str], ...] = (
        ("hidden_folder", "hidden folder", found.hidden, "left out {}"),
        ("stray_folder", "stray item", found.stray, "left out {} that programs leave behind"),
        (
            "unreadable_folder",
            "folder",
            found.unreadable,
            "{} could not be opened: see to the permissions",
        ),
        (
            "same_file",
            "link",
            found.seen_twice,
            "{} to folders not followed: what they lead to is here already",
        ),
    )
    for kind, noun, keys_, sentence in said:
        if keys_:
            ordered = sorted(keys_, key=natural)
            notes.append(Note.about(kind, sentence.format(counted(len(keys_), noun)), ordered))
    return tuple(notes)
