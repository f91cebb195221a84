"""Threads that each decode and infer: pictures in, vectors out, all cores busy."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tellapart.engines import Engine
from tellapart.images import Facts

POLL_SECONDS = 0.2  # how soon Ctrl-C is noticed


@dataclass(frozen=True, slots=True)
class Examined:
    """A picture under way. row: where it stands in the set.

    facts    id and, where they were asked for, the rest; `problem` says why there is no vector
    state    what told the file's version before it was read (a look's own), or None
    decoded  whether pixels were read for it now
    pixels   number of an input -> uint8 [size, size, bands], until its network has seen it
    vectors  number of an input -> float32 [d] afterwards
    """

    row: int
    facts: Facts
    decoded: bool
    state: tuple[int, int, int] | None = None
    pixels: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)
    vectors: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)


Feed = Iterator[tuple[int, bytes | OSError | None]]  # None: the thread reads the file itself
Examine = Callable[[int, bytes | OSError | None], Examined]


def stream(
    feed: Feed, examine: Examine, engines: Sequence[Engine], threads: int
) -> Generator[Examined, None, None]:
    """Yield every picture of `feed` once examined and, if it has pixels, embedded.

    `engines` holds the engine of every input, by its number.

    Each thread takes the next picture, examines it (reads, decodes), and infers once it holds a
    batch. The order of what comes out is not that of the feed. An error in a thread is raised
    here; leaving early (Ctrl-C) stops the threads after the picture each one is at.
    """
    shared = _Shared(feed)
    found: queue.Queue[list[Examined] | BaseException | None] = queue.Queue(4 * threads)
    workers = [
        threading.Thread(target=_work, args=(shared, examine, engines, found), daemon=True)
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    try:
        left = len(workers)
        while left:
            try:
                done = found.get(timeout=POLL_SECONDS)
            except queue.Empty:  # Windows notices Ctrl-C between waits only
                continue
            if isinstance(done, BaseException):
                raise done
            if done is None:
                left -= 1
            else:
                yield from done
    finally:
        shared.stop()
        while any(worker.is_alive() for worker in workers):
            _drain(found)
            for worker in workers:
                worker.join(POLL_SECONDS / len(workers))


class _Shared:
    """The feed, taken from by one thread at a time, until it ends or is stopped."""

    def __init__(self, feed: Feed) -> None:
        self._feed, self._lock, self._stopped = feed, threading.Lock(), False

    def next(self) -> tuple[int, bytes | OSError | None] | None:
        with self._lock:
            return None if self._stopped else next(self._feed, None)

    def stop(self) -> None:
        self._stopped = True


def _work(
    shared: _Shared,
    examine: Examine,
    engines: Sequence[Engine],
    found: queue.Queue[list[Examined] | BaseException | None],
) -> None:
    waiting: list[Examined] = []
    batch = max(engine.batch for engine in engines)
    try:
        while (item := shared.next()) is not None:
            one = examine(*item)
            if not one.pixels:
                found.put([one])
                continue
            waiting.append(one)
            if len(waiting) == batch:
                found.put(_embedded(waiting, engines))
                waiting = []
        if waiting:
            found.put(_embedded(waiting, engines))
        found.put(None)
    except BaseException as error:  # handed to the thread that waits
        found.put(error)


def _embedded(waiting: list[Examined], engines: Sequence[Engine]) -> list[Examined]:
    vectors: list[dict[int, NDArray[np.float32]]] = [{} for _ in waiting]
    for number, engine in enumerate(engines):
        places = [place for place, one in enumerate(waiting) if number in one.pixels]
        if not places:
            continue
        found = engine.embed(np.stack([waiting[place].pixels[number] for place in places]))
        for place, vector in zip(places, found, strict=True):
            vectors[place][number] = vector
    return [
        replace(one, pixels={}, vectors=mine) for one, mine in zip(waiting, vectors, strict=True)
    ]


def _drain(found: queue.Queue[list[Examined] | BaseException | None]) -> None:
    while True:
        try:
            found.get_nowait()
        except queue.Empty:
            return
