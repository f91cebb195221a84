"""The bytes of pictures: whole files, and rows of parquet files in slices of bounded size."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence

from tellapart.data.pictures import FileSource, MemorySource, RowSource, Source
from tellapart.settings import MAX_FILE_BYTES

SLICE_ROWS = 512  # rows that one slice of a parquet file spans at most
SLICE_BYTES = 64_000_000  # and the bytes they take in the file on average


def read_bytes(source: Source | MemorySource, max_file_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return a picture's bytes.

    Raises OSError, whose `strerror` says why in words, where the file cannot be read, the row
    holds none, or there are more than `max_file_bytes`.
    """
    if isinstance(source, FileSource):
        return _read_file(source.file, max_file_bytes)
    if isinstance(source, MemorySource):
        return source.content
    (content,) = _read_slice([source], max_file_bytes)
    if isinstance(content, OSError):
        raise content
    return content


def iterate_bytes(
    sources: Sequence[Source], rows: Sequence[int], max_file_bytes: int = MAX_FILE_BYTES
) -> Iterator[tuple[int, bytes | OSError]]:
    """Yield (row, its bytes or why there are none) for `rows`, indices into `sources`, in order.

    Rows of one parquet file that ascend are read together, a slice at a time: give them in the
    order of the picture set. A caller that reads files elsewhere asks for rows whose source is a
    RowSource only.
    """
    start = 0
    while start < len(rows):
        source = sources[rows[start]]
        if isinstance(source, FileSource):
            yield rows[start], _bytes_or_error(source, max_file_bytes)
            start += 1
            continue
        end = _slice_end(sources, rows, start)
        wanted = [one for row in rows[start:end] if isinstance(one := sources[row], RowSource)]
        yield from zip(rows[start:end], _read_slice(wanted, max_file_bytes), strict=True)
        start = end


def _bytes_or_error(source: FileSource, max_file_bytes: int) -> bytes | OSError:
    try:
        return _read_file(source.file, max_file_bytes)
    except OSError as problem:
        return problem


def _read_file(file: str, max_file_bytes: int) -> bytes:
    with open(file, "rb") as opened:  # noqa: PTH123  (a Path a picture costs, and breaks no name)
        size = os.fstat(opened.fileno()).st_size
        if size > max_file_bytes:
            raise _too_large(size, max_file_bytes)
        return opened.read(max_file_bytes + 1)


def _too_large(size: int, most: int) -> OSError:
    return OSError(errno.EFBIG, f"{size / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} MB allowed")


def _slice_end(sources: Sequence[Source], rows: Sequence[int], start: int) -> int:
    """Return the end of the run of `rows` that one slice of the same parquet column covers."""
    first = sources[rows[start]]
    if not isinstance(first, RowSource):
        return start + 1
    span = _rows_a_slice(first.file)
    end, last = start + 1, first.row
    while end < len(rows):
        one = sources[rows[end]]
        if (
            not isinstance(one, RowSource)
            or one.file != first.file
            or one.column != first.column
            or not last <= one.row < first.row + span
        ):
            break
        end, last = end + 1, one.row
    return end


def _rows_a_slice(file: str) -> int:
    """Return how many rows a slice may span, so that it holds about SLICE_BYTES."""
    import polars as pl

    try:
        total = int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
        row_bytes = os.path.getsize(file) / max(total, 1)  # noqa: PTH202
    except (OSError, pl.exceptions.PolarsError):
        return 1  # the read itself says what is wrong
    return max(1, min(SLICE_ROWS, int(SLICE_BYTES / max(row_bytes, 1))))


def _read_slice(wanted: Sequence[RowSource], max_file_bytes: int) -> list[bytes | OSError]:
    """Read ascending rows of one file and column in one slice; an error is that of each row."""
    import polars as pl

    first, last = wanted[0], wanted[-1]
    column = pl.col(first.column)
    content = column if first.field is None else column.struct.field(first.field)
    try:
        values = (
            pl.scan_parquet(first.file, glob=False, hive_partitioning=False)
            .select(content.alias("content"))
            .slice(first.row, last.row - first.row + 1)
            .collect()
            .to_series()
        )
    except (OSError, pl.exceptions.PolarsError) as problem:
        return [_unreadable(first.file, problem)] * len(wanted)
    inside = [one.row - first.row for one in wanted]
    if inside[-1] >= len(values):
        gone = ValueError(f"row {last.row} is not there")
        return [_unreadable(first.file, gone)] * len(wanted)
    if inside != list(range(len(values))):
        values = values.gather(inside)
    return [_checked(one, max_file_bytes) for one in values.to_list()]


def _checked(content: bytes | None, max_file_bytes: int) -> bytes | OSError:
    if content is None:
        return OSError(errno.EIO, "the row holds no bytes")
    if len(content) > max_file_bytes:
        return _too_large(len(content), max_file_bytes)
    return content


def _unreadable(file: str, problem: Exception) -> OSError:
    reason = str(problem).splitlines()[0]
    return OSError(errno.EIO, f"{os.path.basename(file)} cannot be read: {reason}")  # noqa: PTH119
