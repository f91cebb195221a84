"""Pictures' ids alone: what a plan is matched by, without decoding anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tellapart.data.pictures import FileSource, PictureSet, Source
from tellapart.data.sources import iterate_bytes, read_bytes
from tellapart.engines import usable_cores
from tellapart.features.store import Cache, FileState, file_state
from tellapart.images import picture_id
from tellapart.progress import Progress


def identify(
    pictures: PictureSet,
    *,
    cache: Cache,
    max_file_bytes: int,
    progress: Progress,
    rehash: bool = False,
) -> tuple[str, ...]:
    """Return the pictures' ids, "" where no bytes can be read; opens only files not known yet.

    They are the ids of `look` with the same limit on file sizes.
    """
    files = {
        row: source.file
        for row, source in enumerate(pictures.sources)
        if isinstance(source, FileSource)
    }
    states = {file: state for file in files.values() if (state := file_state(file))}
    known = {} if rehash else cache.known_ids(states)
    ids = [known.get(files.get(row, ""), "") for row in range(len(pictures))]
    todo = [row for row in range(len(pictures)) if not ids[row]]
    with progress.stage("identify", len(pictures)) as stage:
        stage.advance(len(pictures) - len(todo))
        found: list[tuple[str, FileState, str]] = []
        for row, id_ in _ids(pictures.sources, todo, max_file_bytes):
            ids[row] = id_
            if id_ and (state := states.get(files.get(row, ""))):
                found.append((files[row], state, id_))
            stage.advance()
        cache.save_files(found)
    return tuple(ids)


def _ids(
    sources: Sequence[Source], rows: Sequence[int], max_file_bytes: int
) -> Iterator[tuple[int, str]]:
    """Yield (row, id): files in threads, then the rows of tables in their order."""

    def id_of(row: int) -> str:
        try:
            return picture_id(read_bytes(sources[row], max_file_bytes))
        except OSError:
            return ""

    files = [row for row in rows if isinstance(sources[row], FileSource)]
    with ThreadPoolExecutor(usable_cores()) as workers:
        yield from zip(files, workers.map(id_of, files), strict=True)
    tables = [row for row in rows if not isinstance(sources[row], FileSource)]
    for row, content in iterate_bytes(sources, tables, max_file_bytes):
        yield row, "" if isinstance(content, OSError) else picture_id(content)
