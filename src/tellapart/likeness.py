"""Near-duplicates among the usable pictures: found once, then kept by what they hang on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import COPY
from tellapart.audits.near_duplicates import LIKENESS_VERSION, MASTER_SIDE, find_near_duplicates
from tellapart.features import Cache, Look
from tellapart.progress import Progress


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


# Candidates are compared with all others: minutes at this size, and the time grows with its square.
MOST_PICTURES = 30_000
NONE = Likeness(np.empty((0, 2), np.intp), np.empty(0, np.float32), (), np.empty(0, np.int8))


def look_for_copies(seen: Look, cache: Cache, progress: Progress, *, mirror: bool) -> Likeness:
    """Return the near-duplicates among the usable pictures; mirror False: see find_near_duplicates.

    What was found is kept in the cache by ids and features, so a second run compares nothing.
    """
    ids = [seen.ids[row] for row in seen.usable]
    if len(ids) > MOST_PICTURES:
        progress.say(
            f"altered copies are not looked for among more than {MOST_PICTURES:,} pictures"
            f" ({len(ids):,} here); exact copies are found all the same"
        )
        return NONE
    first: dict[str, int] = {}
    for row, id_ in enumerate(ids):
        first.setdefault(id_, row)
    names = sorted(first)
    rows = np.array([first[id_] for id_ in names], np.intp)
    key = _key(names, seen.features[rows], mirror)
    kept = cache.load_arrays(key)
    if kept is None:
        masters = _masters(seen, names)
        found = find_near_duplicates(
            masters, seen.features[rows], names, mirror=mirror, progress=progress
        )
        arrays: dict[str, NDArray[Any]] = {
            "pairs": found.pairs.astype(np.int64),
            "scores": found.scores,
            "turns": found.turns,
        }
        kept = arrays, {"kinds": list(found.kinds)}
        cache.save_arrays(key, *kept)
    arrays, record = kept
    pairs = np.sort(rows[arrays["pairs"].astype(np.intp)], axis=1).reshape(-1, 2)
    return Likeness(pairs, arrays["scores"], tuple(record["kinds"]), arrays["turns"])


def _masters(seen: Look, names: Sequence[str]) -> NDArray[np.uint8]:
    """Return uint8 [n, 128, 128], read a part at a time."""
    out = np.empty((len(names), MASTER_SIDE, MASTER_SIDE), np.uint8)
    for start in range(0, len(names), 1_000):
        part = names[start : start + 1_000]
        found = seen.masters(part)
        for row, id_ in enumerate(part, start):
            out[row] = np.frombuffer(found[id_], np.uint8).reshape(MASTER_SIDE, MASTER_SIDE)
    return out


def _key(names: Sequence[str], features: NDArray[np.floating], mirror: bool) -> str:
    digest = hashlib.blake2b(f"likeness {LIKENESS_VERSION} {mirror}".encode(), digest_size=16)
    digest.update("\n".join(names).encode())
    digest.update(np.ascontiguousarray(features).data)
    return digest.hexdigest()
