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
from tellapart.images import RGB, WHOLE, Shown, Transform, decode_side
from tellapart.images.decode import ImageProblem, decode
from tellapart.images.transforms import apply
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

    def opened(self, row: int) -> Image.Image:
        """Return a picture as RGB, as large as `look` decodes it; raises DataError."""
        try:
            content = self.held.get(row)
            if content is None:
                content = read_bytes(self.sources[row], self.decoding.max_file_bytes)
            side = decode_side(Shown(self.transform, RGB, WHOLE))
            return decode(content, short_side=side, decoding=self.decoding).image
        except (OSError, ImageProblem) as problem:
            raise DataError(
                f"a training picture cannot be read any more: {self.sources[row]}: {problem}; run"
                " the same command again"
            ) from problem

    def training(self, row: int, view: int) -> Pixels:
        """Return the augmented view number `view` of a picture, uint8 [size, size, 3]."""
        return self.viewed(self.opened(row), row, view)

    def viewed(self, image: Image.Image, row: int, view: int) -> Pixels:
        """Return `training` of a picture that has been opened already."""
        rng = rng_for(self.seed, self.ids[row], view)
        return training_view(image, self.size, self.policy, mirror=self.mirror, rng=rng)

    def whole(self, row: int) -> Pixels:
        """Return the picture as it is judged, uint8 [s, s, 3] with s that of the transform."""
        return apply(self.transform, self.opened(row))


def sample_sheet(pictures: Pictures, rows: Sequence[int], views: int, side: int = 96) -> bytes:
    """Return a JPEG with a row for each of `rows`: the picture as it is judged, then its views."""
    sheet = Image.new("RGB", (side * (views + 1), side * len(rows)))
    for at, row in enumerate(rows):
        opened = pictures.opened(row)
        shown = [apply(pictures.transform, opened)]
        shown += [pictures.viewed(opened, row, view) for view in range(views)]
        for across, pixels in enumerate(shown):
            small = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
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
