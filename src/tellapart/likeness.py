"""Near-duplicates among the usable pictures: found once, then kept by what they hang on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.candidates import INDEXED_ABOVE
from tellapart.audits.indexed import need_index
from tellapart.audits.inputs import COPY
from tellapart.audits.near_duplicates import (
    ALIKE,
    LIKENESS_VERSION,
    MASTER_SIDE,
    find_near_duplicates,
)
from tellapart.errors import MissingExtra
from tellapart.features import Cache, Look
from tellapart.progress import Progress
from tellapart.splits.alike import GIANT_PICTURES, GIANT_SHARE
from tellapart.splits.components import join


@dataclass(frozen=True)
class Likeness:
    """Pairs of alike pictures, p of them; positions among the m usable pictures.

    pairs [p, 2], scores [p] 0..1, kinds [p] "copy" or "alike", turns [p] 0..7 (0: upright).
    Of exact copies the first one stands for all.
    """

    pairs: NDArray[np.intp]
    scores: NDArray[np.float32]
    kinds: tuple[str, ...]
    turns: NDArray[np.int8]

    def copies(self) -> NDArray[np.bool_]:
        """Return [p] which pairs are copies, not only alike."""
        return np.array([kind == COPY for kind in self.kinds], bool)


AT_ONCE = 1_000  # masters read from the cache, 16 MB
MOST_KEPT = 20_000  # masters kept in memory, 330 MB; of more each one is read when it is needed
LEAST_DETAIL = 0.11  # see `detail`
MOST_TIED = 0.10  # of a set may hang in giant components before likeness is not believed
NONE = Likeness(np.empty((0, 2), np.intp), np.empty(0, np.float32), (), np.empty(0, np.int8))


def look_for_copies(seen: Look, cache: Cache, progress: Progress, *, mirror: bool) -> Likeness:
    """Return the near-duplicates among the usable pictures; mirror False: see find_near_duplicates.

    What was found is kept in the cache by ids and features, so a second run compares nothing.
    """
    ids = [seen.ids[row] for row in seen.usable]
    first: dict[str, int] = {}
    for row, id_ in enumerate(ids):
        first.setdefault(id_, row)
    names = sorted(first)
    rows = np.array([first[id_] for id_ in names], np.intp)
    key = _key(names, seen.features, rows, mirror)
    kept = cache.load_arrays(key)
    if kept is None and len(names) > INDEXED_ABOVE:
        try:
            need_index()
        except MissingExtra as missing:
            progress.say(
                f"altered copies are not looked for among more than {INDEXED_ABOVE:,} pictures"
                f" ({len(names):,} here): {missing}"
            )
            return NONE
    if kept is None:
        kept = _found(seen, names, rows, progress, mirror=mirror)
        cache.save_arrays(key, *kept)
    arrays, record = kept
    for line in record["said"]:
        progress.say(line)
    pairs = np.sort(rows[arrays["pairs"].astype(np.intp)], axis=1).reshape(-1, 2)
    return Likeness(pairs, arrays["scores"], tuple(record["kinds"]), arrays["turns"])


def _found(
    seen: Look, names: list[str], rows: NDArray[np.intp], progress: Progress, *, mirror: bool
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Compare the pictures; return arrays and record to keep, pairs as places in `names`."""
    masters = _Masters(seen, names)
    fine = np.flatnonzero([detail(one) >= LEAST_DETAIL for one in masters])
    kept = [names[place] for place in fine]
    if len(kept) < len(names):
        masters = _Masters(seen, kept)
    found = find_near_duplicates(
        masters,
        seen.features[rows[fine]],
        kept,
        mirror=mirror,
        progress=progress,
    )
    arrays: dict[str, NDArray[Any]] = {
        "pairs": fine[found.pairs].astype(np.int64).reshape(-1, 2),
        "scores": found.scores,
        "turns": found.turns,
    }
    kinds, said = list(found.kinds), []
    if coarse := len(names) - len(fine):
        said.append(
            f"{coarse:,} of {len(names):,} pictures hold too little detail for altered copies to be"
            " told from pictures that are only alike: they are compared as files alone"
        )
    if tied := _tied(arrays["pairs"], kinds, len(names)):
        kinds = [ALIKE] * len(kinds)
        said.append(
            f"{tied:,} of {len(names):,} pictures seem altered copies of each other in long chains:"
            " this set is too alike for that to mean a copy, and they are not kept together; if"
            " they come in series, give each its group (--group-column, --group-regex)"
        )
    return arrays, {"kinds": kinds, "said": said}


def detail(master: NDArray[np.uint8]) -> float:
    """Return how much of a master's contrast is finer than 16 px: 0..1.

    On six sets of photographs, slides and aerial pictures the least was 0.14 and the usual 0.4;
    8 x 8 digits enlarged to 64 px have 0.09 at most, and any two of a kind can be laid on each
    other.
    """
    from PIL import Image

    image = Image.fromarray(master)
    coarse = image.resize((16, 16), Image.Resampling.BOX)
    back = np.asarray(coarse.resize(image.size, Image.Resampling.BICUBIC), np.float32)
    return float((master - back).std() / (master.std() + 1e-6))


def _tied(pairs: NDArray[np.int64], kinds: list[str], n: int) -> int:
    """Return how many pictures chains of copies tie into giants, 0 where they are few."""
    copies = pairs[[kind == COPY for kind in kinds]].astype(np.intp)
    sizes = np.bincount(join(n, copies))
    giants = sizes[sizes > max(GIANT_PICTURES, GIANT_SHARE * n)]
    return int(giants.sum()) if giants.sum() > MOST_TIED * n else 0


class _Masters:
    """The masters of some ids, uint8 [n, 128, 128]: few are kept in memory, many read each time."""

    def __init__(self, seen: Look, names: Sequence[str]) -> None:
        self._seen, self._names = seen, names
        self.shape = (len(names), MASTER_SIDE, MASTER_SIDE)
        self._kept = np.concatenate([*self._parts()]) if 0 < len(names) <= MOST_KEPT else None

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.uint8]:
        return self._read(rows) if self._kept is None else self._kept[rows]

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for part in self._parts() if self._kept is None else [self._kept]:
            yield from part

    def _parts(self) -> Iterator[NDArray[np.uint8]]:
        for at in range(0, len(self._names), AT_ONCE):
            yield self._read(np.arange(at, min(at + AT_ONCE, len(self._names))))

    def _read(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        wanted = [self._names[row] for row in rows.tolist()]
        found = self._seen.masters(wanted)
        out = np.empty((len(wanted), MASTER_SIDE, MASTER_SIDE), np.uint8)
        for place, id_ in enumerate(wanted):
            out[place] = np.frombuffer(found[id_], np.uint8).reshape(MASTER_SIDE, MASTER_SIDE)
        return out


def _key(names: Sequence[str], features: NDArray[Any], rows: NDArray[np.intp], mirror: bool) -> str:
    digest = hashlib.blake2b(f"likeness {LIKENESS_VERSION} {mirror}".encode(), digest_size=16)
    digest.update("\n".join(names).encode())
    for at in range(0, len(rows), AT_ONCE):
        digest.update(np.ascontiguousarray(features[rows[at : at + AT_ONCE]]).data)
    return digest.hexdigest()
