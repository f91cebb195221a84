"""`read`: which reader a place needs, and the way from there to a picture set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tellapart.data.columns import says_enough
from tellapart.data.folders import read_class_folders
from tellapart.data.frames import FRAME_READERS, read_frame
from tellapart.data.gathering import Read, check_settings, gather
from tellapart.data.names import ARCHIVE_SUFFIXES, HEIC_SUFFIXES, PICTURE_SUFFIXES
from tellapart.data.parquets import (
    PARQUET_SUFFIXES,
    holds_pictures,
    parquet_files,
    read_parquet_file,
    read_parquet_folder,
)
from tellapart.data.pictures import PictureSet
from tellapart.data.tables import metadata_tables, read_image_folder, read_table
from tellapart.errors import DataError, did_you_mean
from tellapart.progress import Progress, Stage
from tellapart.settings import ReadSettings


def _is_parquet_of_pictures(place: Path, settings: ReadSettings) -> bool:
    named = place.is_file() and place.suffix.lower() in PARQUET_SUFFIXES
    return named and holds_pictures(place, settings)


def _is_table(place: Path, settings: ReadSettings) -> bool:
    return place.is_file() and place.suffix.lower() in FRAME_READERS


def _is_image_folder(place: Path, settings: ReadSettings) -> bool:
    tables = metadata_tables(place) if place.is_dir() else []
    return bool(tables) and says_enough(read_frame(tables[0])[0].columns, settings)


def _is_parquet_folder(place: Path, settings: ReadSettings) -> bool:
    return place.is_dir() and any(holds_pictures(one, settings) for one in parquet_files(place))


def _is_folder(place: Path, settings: ReadSettings) -> bool:
    return place.is_dir()


# The first reader whose test a place passes reads it.
READERS: tuple[
    tuple[str, Callable[[Path, ReadSettings], bool], Callable[[Path, ReadSettings, Stage], Read]],
    ...,
] = (
    ("parquet of pictures", _is_parquet_of_pictures, read_parquet_file),
    ("table", _is_table, read_table),
    ("imagefolder", _is_image_folder, read_image_folder),
    ("folder of parquets", _is_parquet_folder, read_parquet_folder),
    ("class folders", _is_folder, read_class_folders),
)


def read(
    location: str | Path,
    settings: ReadSettings | None = None,
    progress: Progress | None = None,
    *,
    fewest_classes: int = 2,
) -> PictureSet:
    """Read a place with labelled pictures into a picture set; opens no picture.

    location is a folder of class folders (with or without split folders above them), a table
    (.csv, .tsv, .jsonl, .parquet) of paths and labels, a Hugging Face imagefolder, or parquet
    files with image bytes. What was guessed, merged or left out is said. Raises DataError or
    OptionError, in one line, where it cannot be used, or has less than `fewest_classes`.
    """
    settings = settings or ReadSettings()
    check_settings(settings)
    place = Path(location).expanduser().absolute()
    try:
        reader = _choose(place, settings)
    except OSError as problem:
        raise DataError(f"cannot open {location}: {problem.strerror or problem}") from problem
    progress = progress or Progress()
    with progress.stage("read", None, "pictures") as stage:
        found = reader(place, settings, stage)
    pictures = gather(found, settings, fewest_classes)
    for note in pictures.notes:
        progress.say(f"note: {note.message}")
    return pictures


def _choose(place: Path, settings: ReadSettings) -> Callable[[Path, ReadSettings, Stage], Read]:
    if not place.exists():
        raise DataError(_no_such_path(place))
    if place.suffix.lower() in ARCHIVE_SUFFIXES and place.is_file():
        raise DataError(f"{place} is an archive: unpack it and give the folder that comes out")
    for _name, fits, reader in READERS:
        if fits(place, settings):
            return reader
    if place.suffix.lower() in PICTURE_SUFFIXES | HEIC_SUFFIXES:
        raise DataError(
            f"{place} is one picture: give a folder or a table of labelled ones, or name it to"
            f" a classifier: tellapart predict MODEL {place.name}"
        )
    raise DataError(f"{place} is no folder and no table that is known ({', '.join(FRAME_READERS)})")


def _no_such_path(place: Path) -> str:
    """Name the first part of the path that does not exist, and the nearest one that does."""
    missing = place
    while not missing.parent.exists():
        missing = missing.parent
    try:
        siblings = [one.name for one in missing.parent.iterdir()]
    except OSError:
        siblings = []
    beside = "" if missing == place else f" ({missing} does not exist)"
    return f"no such path: {place}{beside}{did_you_mean(missing.name, siblings)}"
