"""What a training reads, batch by batch: pixels, or what the frozen half makes of them.

With the lower half of a network frozen its output for a view never changes. So a few augmented
views a picture, and the whole picture for judging, go through it once; all folds, epochs and rates
share them. Where they would take too much memory, pixels are drawn anew each epoch instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tellapart.engines.records import usable_cores
from tellapart.finetuning.pictures import Pictures, in_threads
from tellapart.finetuning.records import Rows
from tellapart.images import Transform
from tellapart.optional import need_torch
from tellapart.progress import Progress

MOST_KEPT_BYTES = 2_000_000_000  # of the frozen half's outputs
LEAST_VIEWS = 2  # fewer augmented views a picture are not worth keeping
CHUNK = 16  # pictures whose views are drawn together
AT_ONCE = 16  # images that go through a network together: of more, caches do not hold the maps
AHEAD = 96  # pictures drawn beforehand


class Store(Protocol):
    """Hands out the inputs of a training.

    `training` yields one tensor for each of `batches` (rows each) with the views of `epoch`,
    `whole` likewise with the pictures as they are judged.
    """

    def training(self, batches: Sequence[Rows], epoch: int) -> Iterator[Any]: ...

    def whole(self, batches: Sequence[Rows]) -> Iterator[Any]: ...


@dataclass(frozen=True)
class Fresh:
    """Pixels, drawn by threads when they are needed: uint8 [b, size, size, bands]."""

    pictures: Pictures

    def training(self, batches: Sequence[Rows], epoch: int) -> Iterator[Any]:
        """Yield augmented pixels; every epoch has views of its own."""
        return self._stacked(batches, lambda row: self.pictures.training(row, epoch))

    def whole(self, batches: Sequence[Rows]) -> Iterator[Any]:
        """Yield the pixels that are judged."""
        return self._stacked(batches, self.pictures.whole)

    def _stacked(self, batches: Sequence[Rows], draw: Any) -> Iterator[Any]:
        torch = need_torch()
        rows = (int(row) for batch in batches for row in batch)
        drawn = in_threads(draw, rows, usable_cores(), AHEAD)
        for batch in batches:
            yield torch.from_numpy(np.stack(list(itertools.islice(drawn, len(batch)))))


@dataclass(frozen=True)
class Kept:
    """The frozen half's outputs in bfloat16, channels last where they are pictures.

    views  [n, v, ...] of the augmented views; wholes [n, ...] of the pictures as they are judged
    """

    views: Any
    wholes: Any

    def training(self, batches: Sequence[Rows], epoch: int) -> Iterator[Any]:
        """Yield what the views became; epochs take turns with them."""
        view = epoch % self.views.shape[1]
        for batch in batches:
            yield _channels_first(self.views[batch, view])

    def whole(self, batches: Sequence[Rows]) -> Iterator[Any]:
        """Yield what the judged pixels became."""
        for batch in batches:
            yield _channels_first(self.wholes[batch])


def _channels_first(values: Any) -> Any:
    return values.permute(0, 3, 1, 2) if values.ndim == 4 else values


def _channels_last(values: Any) -> Any:
    return values.permute(0, 2, 3, 1) if values.ndim == 4 else values


def normalised(pixels: Any, transform: Transform, device: Any) -> Any:
    """Return float32 [b, bands, h, w], channels last, for uint8 [b, h, w, bands]."""
    torch = need_torch()
    scale = torch.tensor([transform.mean, transform.std], device=device).reshape(2, 1, -1, 1, 1)
    return (pixels.to(device).permute(0, 3, 1, 2).float() - scale[0]) / scale[1]


def make_store(
    pictures: Pictures, lower: Any, views: int, autocast: Any, device: Any, progress: Progress
) -> Store:
    """Return the store for a training: kept outputs of `lower` where they fit, else pixels.

    lower     the frozen half on `device`, None where there is none
    autocast  a context manager in which the network computes
    """
    if lower is None:
        return Fresh(pictures)
    n = len(pictures.ids)
    one, whole = (_bytes(lower, pictures, size, device) for size in _sizes(pictures))
    views = min(views, int((MOST_KEPT_BYTES / max(n, 1) - whole) // one))
    if views < LEAST_VIEWS:
        return Fresh(pictures)
    return _kept(pictures, lower, views, autocast, device, progress)


def _sizes(pictures: Pictures) -> tuple[int, int]:
    return pictures.size, pictures.transform.size


def _bytes(lower: Any, pictures: Pictures, size: int, device: Any) -> int:
    torch = need_torch()
    with torch.inference_mode():
        return 2 * int(
            lower(torch.zeros(1, len(pictures.bands), size, size, device=device)).numel()
        )


def _kept(
    pictures: Pictures, lower: Any, views: int, autocast: Any, device: Any, progress: Progress
) -> Kept:
    torch = need_torch()

    def drawn(row: int) -> tuple[Any, Any]:
        opened = pictures.opened(row)
        seen = np.stack([pictures.viewed(opened, row, view) for view in range(views)])
        return seen, pictures.judged(opened)

    def through(pixels: Any) -> Any:
        found = []
        with torch.inference_mode(), autocast():
            for some in torch.from_numpy(pixels).split(AT_ONCE):
                given = lower(normalised(some, pictures.transform, device))
                found.append(_channels_last(given.to(torch.bfloat16)).contiguous().cpu())
        return torch.cat(found)

    n = len(pictures.ids)
    kept: list[Any] = [None, None]  # filled from the first chunk on
    with progress.stage("frozen half", n) as stage:
        found = in_threads(drawn, range(n), usable_cores(), AHEAD)
        for start in range(0, n, CHUNK):
            some = list(itertools.islice(found, CHUNK))
            parts = (
                through(np.concatenate([seen for seen, _ in some])),
                through(np.stack([whole for _, whole in some])),
            )
            parts = (parts[0].reshape(len(some), views, *parts[0].shape[1:]), parts[1])
            for at, part in enumerate(parts):
                if kept[at] is None:
                    kept[at] = torch.empty((n, *part.shape[1:]), dtype=part.dtype)
                kept[at][start : start + len(some)] = part
            stage.advance(len(some))
    return Kept(*kept)
