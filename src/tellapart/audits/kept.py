"""What an audit depends on, as one key: unchanged pictures need not be checked again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput
from tellapart.images.facts import FACTS_VERSION, Facts
from tellapart.optional import installed_version

AUDIT_VERSION = 1  # raise it whenever the same pictures give other findings

# Its master and thumbnail follow from a picture's bytes, which its id stands for.
_facts_of = attrgetter(
    *(one.name for one in fields(Facts) if one.name not in ("master", "thumbnail"))
)


def audit_key(data: AuditInput, kinds: Sequence[str]) -> str:
    """Return the digest of everything that findings of `kinds` depend on, hex."""
    pictures, near = data.pictures, data.near
    digest = hashlib.blake2b(digest_size=16)
    versions = (AUDIT_VERSION, FACTS_VERSION, installed_version("scikit-learn"))
    whole = (
        "audit", versions, sorted(kinds), data.seed, data.mirror, data.given_split,
        pictures.classes, pictures.notes,
    )  # fmt: skip
    digest.update(repr(whole).encode())
    columns = [pictures.columns[name] for name in sorted(pictures.columns)]
    rows = zip(
        data.ids, pictures.paths, pictures.labels, pictures.groups, data.sides,
        map(_facts_of, data.facts), *columns, strict=True,
    )  # fmt: skip
    for row in rows:
        digest.update(repr(row).encode())
    digest.update(repr(sorted(pictures.columns)).encode())
    arrays: list[NDArray[Any]] = [data.usable, data.components]
    arrays += [] if data.features is None else [data.features]
    arrays += [] if near is None else [near.pairs, near.scores, near.turns, np.asarray(near.kinds)]
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
