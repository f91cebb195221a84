"""Training pictures as pixels: decoded and augmented by threads, handed out in the order asked."""

from __future__ import annotations

import io
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.data.pictures import RowSource, Source
from tellapart.data.sources import iterate_bytes, read_bytes
from tellapart.errors import DataError
from tellapart.finetuning.augment import rng_for, training_view
from tellapart.images import RGB, Shown, Transform, decode_side
from tellapart.images.bands import composites
from tellapart.images.decode import Decoded, ImageProblem, decode
from tellapart.images.views import show
from tellapart.settings import Decoding

Pixels = NDArray[np.uint8]
T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True)
class Pictures:
    """What is needed to draw any view of any training picture.

    size     side of the training views; the evaluation view has that of the transform
    policy   a key of augment.POLICIES
    held     the bytes of pictures that stand in tables: one row at a time reads slowly
    bands    what the network takes, b indices among the decoded bands
    """

    sources: Sequence[Source]
    ids: Sequence[str]
    transform: Transform
    decoding: Decoding
    size: int
    policy: str
    mirror: bool
    seed: int
    held: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    bands: tuple[int, ...] = RGB

    @property
    def shown(self) -> Shown:
        """What the network is shown of a picture that is judged."""
        return Shown(self.transform, self.bands)

    def opened(self, row: int) -> Decoded:
        """Return a picture as large as `look` decodes it; raises DataError."""
        try:
            content = self.held.get(row)
            if content is None:
                content = read_bytes(self.sources[row], self.decoding.max_file_bytes)
            return decode(content, short_side=decode_side(self.shown), decoding=self.decoding)
        except (OSError, ImageProblem) as problem:
            raise DataError(
                f"a training picture cannot be read any more: {self.sources[row]}: {problem}; run"
                " the same command again"
            ) from problem

    def training(self, row: int, view: int) -> Pixels:
        """Return the augmented view number `view` of a picture, uint8 [size, size, b]."""
        return self.viewed(self.opened(row), row, view)

    def viewed(self, picture: Decoded, row: int, view: int) -> Pixels:
        """Return `training` of a picture that has been opened already."""
        rng = rng_for(self.seed, self.ids[row], view)
        pixels = training_view(
            picture.image, self.size, self.policy, mirror=self.mirror, rng=rng, extra=picture.extra
        )
        return pixels if self.bands == RGB else pixels[:, :, list(self.bands)]

    def whole(self, row: int) -> Pixels:
        """Return the picture as it is judged, uint8 [s, s, b] with s that of the transform."""
        return self.judged(self.opened(row))

    def judged(self, picture: Decoded) -> Pixels:
        """Return `whole` of a picture that has been opened already."""
        (pixels,) = show([self.shown], picture.image, picture.extra)
        return pixels


def sample_sheet(pictures: Pictures, rows: Sequence[int], views: int, side: int = 96) -> bytes:
    """Return a JPEG with a row for each of `rows`: the picture as it is judged, then its views.

    Of more bands than three the first three are shown.
    """
    rgb = list(composites(len(pictures.bands))[0])
    sheet = Image.new("RGB", (side * (views + 1), side * len(rows)))
    for at, row in enumerate(rows):
        opened = pictures.opened(row)
        shown = [pictures.judged(opened)]
        shown += [pictures.viewed(opened, row, view) for view in range(views)]
        for across, pixels in enumerate(shown):
            small = Image.fromarray(pixels[:, :, rgb]).resize(
                (side, side), Image.Resampling.BICUBIC
            )
            sheet.paste(small, (side * across, side * at))
    content = io.BytesIO()
    sheet.save(content, "JPEG", quality=85)
    return content.getvalue()


def hold_tables(sources: Sequence[Source], decoding: Decoding) -> dict[int, bytes]:
    """Return row -> bytes for the pictures that are rows of tables; they stay compressed."""
    rows = [row for row, one in enumerate(sources) if isinstance(one, RowSource)]
    found = iterate_bytes(sources, rows, decoding.max_file_bytes)
    return {row: content for row, content in found if isinstance(content, bytes)}


def in_threads(work: Callable[[A], T], items: Iterable[A], threads: int, ahead: int) -> Iterator[T]:
    """Yield work(item) in the order of the items, at most `ahead` of them computed beforehand."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[T]] = deque()
        feed = iter(items)
        waiting.extend(pool.submit(work, item) for item in itertools.islice(feed, ahead))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in itertools.islice(feed, 1))
        finally:
            for one in waiting:
                one.cancel()
