"""The threads: every picture once, errors handed on, an end in good time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from tellapart.features.stream import Examined, stream
from tellapart.images import Facts


class Adding:
    """An engine for this test: its vectors are the pictures' sums, and it counts its calls."""

    name, version, precision, batch = "sum", "1", "f32", 4

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(pixels))
        return pixels.reshape(len(pixels), -1).sum(1, keepdims=True).astype(np.float32)


def examine(row: int, data: bytes | OSError | None) -> Examined:
    if row % 5 == 0:
        return Examined(row, Facts(id="", problem="bad"), decoded=False)
    return Examined(
        row, Facts(id=str(row)), decoded=True, pixels={0: np.full((1, 1, 1), row, np.uint8)}
    )


def feed(count: int) -> Iterator[tuple[int, None]]:
    return ((row, None) for row in range(count))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 101])
def test_every_picture_comes_once(count: int, threads: int) -> None:
    engine = Adding()
    found = list(stream(feed(count), examine, [engine], threads))
    assert sorted(one.row for one in found) == list(range(count))
    for one in found:
        assert not one.pixels
        expected = {} if one.row % 5 == 0 else {0: [one.row]}
        assert {number: vector.tolist() for number, vector in one.vectors.items()} == expected
    # no more calls than whole batches and one rest for each thread
    assert len(engine.sizes) <= sum(engine.sizes) // engine.batch + threads


def test_error_in_the_feed_is_raised() -> None:
    def broken() -> Iterator[tuple[int, None]]:
        yield 1, None
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(stream(broken(), examine, [Adding()], 3))


def test_error_in_the_engine_is_raised() -> None:
    class Broken(Adding):
        def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            raise RuntimeError("the device is gone")

    with pytest.raises(RuntimeError, match="the device is gone"):
        list(stream(feed(50), examine, [Broken()], 2))


def test_leaving_early_ends_the_threads() -> None:
    before = threading.active_count()
    taken = []

    def endless() -> Iterator[tuple[int, None]]:
        row = 0
        while True:
            taken.append(row)
            yield row, None
            row += 1

    running = stream(endless(), examine, [Adding()], 3)
    next(running)
    running.close()
    assert threading.active_count() == before
    assert len(taken) < 1000  # what waits to be fetched is bounded
