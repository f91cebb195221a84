"""The picture set: which pictures there are, their labels, groups and given splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = ("train", "val", "test")
MOST_NOTED = 1_000  # paths that one note keeps


@dataclass(frozen=True, slots=True)
class FileSource:
    """A picture that is a file; `file` is an absolute path as the operating system knows it."""

    file: str


@dataclass(frozen=True, slots=True)
class RowSource:
    """A picture whose bytes stand in row `row` (0-based) of a parquet file's `column`.

    `field` names the bytes inside a struct column (Hugging Face: `bytes`), None for plain binary.
    """

    file: str
    row: int
    column: str
    field: str | None


@dataclass(frozen=True, slots=True)
class MemorySource:
    """A picture whose file's bytes are at hand; it stands in no picture set."""

    content: bytes = field(repr=False)


Source = FileSource | RowSource


@dataclass(frozen=True)
class Note:
    """Something that reading guessed, merged, left out or capped: counted and said.

    kind is a short word ("left_out", "guessed", "merged_labels", "unlabelled_split", ...), message
    one sentence for a person, paths the files that it is about (at most 1,000 of `count`).
    """

    kind: str
    message: str
    paths: tuple[str, ...] = ()
    count: int = 0

    @classmethod
    def about(cls, kind: str, message: str, paths: Iterable[str]) -> Note:
        """Make a note that counts all of `paths` and keeps the first 1,000."""
        all_paths = tuple(paths)
        return cls(kind, message, all_paths[:MOST_NOTED], len(all_paths))


@dataclass(frozen=True)
class PictureSet:
    """A table of pictures in columns of equal length n, in natural order of their paths.

    paths    keys, unique: relative to `root` with "/"; a parquet's row is "file.parquet#row"
    sources  where the bytes are
    labels   trimmed, NFC; every one of them stands in `classes`
    groups   the user's group of a picture, None where none is given
    splits   the given side of a picture, None where none is given (all or none are given)
    classes  class names in natural (or the user's) order; may name a class without pictures
    columns  the user's other columns, as text
    """

    root: str
    paths: tuple[str, ...]
    sources: tuple[Source, ...]
    labels: tuple[str, ...]
    groups: tuple[str | None, ...]
    splits: tuple[Side | None, ...]
    classes: tuple[str, ...]
    columns: Mapping[str, tuple[str | None, ...]]
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def has_given_split(self) -> bool:
        """Whether the data itself says which picture stands on which side."""
        return any(side is not None for side in self.splits)

    def take(self, rows: Sequence[int]) -> PictureSet:
        """Return the pictures at `rows`, in that order, with the same classes."""
        return replace(
            self,
            paths=tuple(self.paths[i] for i in rows),
            sources=tuple(self.sources[i] for i in rows),
            labels=tuple(self.labels[i] for i in rows),
            groups=tuple(self.groups[i] for i in rows),
            splits=tuple(self.splits[i] for i in rows),
            columns={name: tuple(values[i] for i in rows) for name, values in self.columns.items()},
        )

    def codes(self) -> NDArray[np.intp]:
        """Return [n] the place of each picture's label in `classes`."""
        import numpy as np

        place = {name: code for code, name in enumerate(self.classes)}
        return np.array([place[label] for label in self.labels], dtype=np.intp)

    def class_counts(self) -> dict[str, int]:
        """Return the number of pictures of each class, in class order."""
        counts = dict.fromkeys(self.classes, 0)
        for label in self.labels:
            counts[label] += 1
        return counts
