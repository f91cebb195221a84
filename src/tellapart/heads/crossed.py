"""A head's answers out of fold, at settings that are given: what a comparison is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.fitting import fit_setting
from tellapart.heads.prepare import Floats, Rows
from tellapart.heads.probe import FIT_VERSION, Fits
from tellapart.heads.search import FOLDS
from tellapart.heads.settings import Setting
from tellapart.optional import installed_version
from tellapart.splits import stratified_group_folds
from tellapart.splits.components import numbered


def answers_out_of_fold(
    features: NDArray[np.floating[Any]],
    labels: Rows,
    k: int,
    components: Rows,
    ids: Sequence[str],
    setting: Setting,
    temperature: float,
    *,
    seed: int,
    cache: Fits,
) -> Floats:
    """Return probabilities [n, k], each by a head with this setting that has not seen its fold.

    features [n, d], labels [n] in 0..k-1. Folds are stratified and keep components together; they
    hang on the pictures and the seed alone, so that two kinds of features get the same ones. A
    class that the other folds lack has probability 0; where they hold one class only, that is the
    answer.
    """
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    ids = [ids[row] for row in order]
    features, labels = features[order], labels[order]
    components = numbered(components[order], ids)
    key = _key(features, labels, components, ids, (k, seed, setting, temperature))
    kept = cache.load_arrays(key)
    if kept is None:
        found = _answers(features, labels, k, components, ids, setting, temperature, seed)
        cache.save_arrays(key, {"probabilities": found}, {"folds": FOLDS})
    else:
        found = np.asarray(kept[0]["probabilities"], np.float32)
    out = np.empty_like(found)
    out[order] = found
    return out


def _answers(
    features: NDArray[np.floating[Any]], labels: Rows, k: int, components: Rows, ids: Sequence[str],
    setting: Setting, temperature: float, seed: int,
) -> Floats:  # fmt: skip
    folds = stratified_group_folds(labels, components, ids, FOLDS, seed)
    found = np.zeros((len(labels), k), np.float32)
    for fold in range(int(folds.max()) + 1):
        held = np.flatnonzero(folds == fold)
        learned, codes = np.unique(labels[folds != fold], return_inverse=True)
        there = np.ix_(held, learned)
        if len(learned) == 1:
            found[there] = 1.0
            continue
        head = fit_setting(features[folds != fold], codes, len(learned), setting, temperature, seed)
        found[there] = head.probabilities(features[held])
    return found


def _key(
    features: NDArray[Any], labels: Rows, components: Rows, ids: Sequence[str], others: Any
) -> str:
    """Return the digest of everything that the answers depend on."""
    libraries = tuple(installed_version(one) for one in ("scikit-learn", "scipy", "numpy"))
    settings = ("out of fold", FIT_VERSION, FOLDS, features.shape, str(features.dtype), libraries)
    digest = hashlib.blake2b(repr((settings, others)).encode(), digest_size=16)
    for array in (features, labels, components):
        digest.update(np.ascontiguousarray(array).data)
    digest.update("\n".join(ids).encode())
    return digest.hexdigest()
