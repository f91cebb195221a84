"""The probe: the best head found on frozen features, kept in the cache by all it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import BackboneError
from tellapart.heads.linear import LinearHead
from tellapart.heads.logistic import (
    CHOOSING_STEPS,
    CHOOSING_TOLERANCE,
    MOST_STEPS,
    TOLERANCE,
    fit_head,
)
from tellapart.heads.search import C_PATH, FOLDS, MOST_ROWS, PATIENCE, Search, Tried, search
from tellapart.heads.settings import Setting
from tellapart.optional import installed_version
from tellapart.progress import Progress
from tellapart.splits.components import numbered

FIT_VERSION = 5  # raise it whenever a fit changes its meaning: kept fits are then made anew

Rows = NDArray[np.intp]
Arrays = dict[str, NDArray[Any]]


class Fits(Protocol):
    """Where fits are kept: the cache, seen from here."""

    def load_arrays(self, key: str) -> tuple[Arrays, dict[str, Any]] | None: ...

    def save_arrays(self, key: str, arrays: Arrays, meta: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Probe:
    """A fitted head with what was chosen, why, and everything that was tried.

    choices  what stands in run.json: {"what", "chosen", "why"}
    search   settings with their out-of-fold balanced accuracy
    """

    head: LinearHead
    choices: tuple[dict[str, str], ...]
    search: Search


def fit_probe(
    features: NDArray[np.floating[Any]],
    labels: Rows,
    k: int,
    components: Rows,
    ids: Sequence[str],
    *,
    seed: int,
    cache: Fits,
    progress: Progress,
    pca: int = 0,
) -> tuple[Probe, int]:
    """Return the probe for features [n, d] with labels [n] in 0..k-1, and the fits made (0 or 1).

    pca  principal components that are kept of the features, 0: all features. They are learned
         from these rows alone, within cross-validation from each fold's training part.

    Nothing but these rows takes part in any choice. The order of rows does not matter.
    """
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    ids = [ids[row] for row in order]
    features, labels = features[order], labels[order]
    components = numbered(components[order], ids)  # numbers that hang on the pictures alone
    _check_finite(features)
    key = _key(features, labels, k, components, ids, seed, pca)
    kept = cache.load_arrays(key)
    if kept is not None:
        return _from_kept(*kept), 0
    features = np.asarray(features, np.float32)  # the same name, to be rid of the other array
    found = search(features, labels, k, components, ids, seed=seed, progress=progress, pca=pca)
    with progress.stage("fit", len(labels)) as stage:
        head = fit_head(features, labels, k, found.chosen, found.temperature)
        stage.advance(len(labels))
    probe = Probe(head, _choices(found, len(labels)), found)
    cache.save_arrays(key, head.arrays(), _meta(probe))
    return probe, 1


def refit(
    probe: Probe, features: NDArray[np.floating[Any]], labels: Rows, ids: Sequence[str]
) -> LinearHead:
    """Return the head with the probe's settings, fitted on other rows (`run --refit`)."""
    _check_finite(features)
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    wide = np.asarray(features[order], np.float32)
    k = len(probe.head.bias)
    return fit_head(wide, labels[order], k, probe.search.chosen, probe.search.temperature)


def _check_finite(features: NDArray[np.floating[Any]]) -> None:
    bad = int((~np.isfinite(features).all(axis=1)).sum())
    if bad:
        raise BackboneError(
            f"the backbone gives numbers that are not finite for {bad:,} of {len(features):,}"
            " pictures, and nothing can be fitted on them: try another --engine or --backbone"
        )


def _choices(found: Search, rows: int) -> tuple[dict[str, str], ...]:
    if not found.rows:
        why = "no class but one has two independent pictures: nothing can be validated"
    else:
        on = f"{found.rows:,} training pictures"
        if found.rows < rows:
            on = f"a stratified subsample of {found.rows:,} of {rows:,} training pictures"
        best = max(found.tried, key=lambda one: one.score)
        mine = next(one for one in found.tried if one.setting == found.chosen)
        why = (
            f"balanced accuracy {mine.score:.4f} in {found.folds}-fold cross-validation on {on};"
            f" the best of {len(found.tried)} settings has {best.score:.4f}, and of those within"
            " one standard error of it the one with the least log loss is taken"
        )
    chosen = found.chosen
    return (
        {"what": "head", "chosen": "logistic", "why": "the head that tellapart fits"},
        {"what": "C", "chosen": f"{chosen.strength:g}", "why": why},
        {"what": "class weights", "chosen": "balanced" if chosen.balanced else "none", "why": why},
        {"what": "standardising", "chosen": "yes" if chosen.standardised else "no", "why": why},
        *_components_choice(chosen),
        {
            "what": "temperature",
            "chosen": f"{found.temperature:.3g}",
            "why": _why_temperature(found, rows) if found.rows else why,
        },
    )


def _components_choice(chosen: Setting) -> tuple[dict[str, str], ...]:
    if not chosen.pca:
        return ()
    why = "as asked; fewer where the training pictures do not span so many"
    return ({"what": "principal components", "chosen": f"{chosen.pca:,}", "why": why},)


def _why_temperature(found: Search, rows: int) -> str:
    if found.rows < rows:
        return "least log loss on a fifth of the training pictures, fitted on the others"
    return "least log loss of the out-of-fold scores"


def _key(
    features: NDArray[Any], labels: Rows, k: int, components: Rows, ids: Sequence[str], seed: int,
    pca: int,
) -> str:  # fmt: skip
    """Return the digest of everything that a fit depends on."""
    settings = (
        FIT_VERSION, k, seed, pca, features.shape, str(features.dtype), C_PATH, FOLDS,
        MOST_ROWS, PATIENCE, CHOOSING_TOLERANCE, CHOOSING_STEPS, TOLERANCE, MOST_STEPS,
        installed_version("scikit-learn"), installed_version("scipy"), installed_version("numpy"),
    )  # fmt: skip
    digest = hashlib.blake2b(repr(settings).encode(), digest_size=16)
    for array in (features, labels, components):
        digest.update(np.ascontiguousarray(array).data)
    digest.update("\n".join(ids).encode())
    return digest.hexdigest()


def _meta(probe: Probe) -> dict[str, Any]:
    return {"kind": probe.head.kind, "choices": probe.choices, "search": asdict(probe.search)}


def _from_kept(arrays: Arrays, meta: dict[str, Any]) -> Probe:
    stored = meta["search"]
    tried = tuple(
        Tried(Setting(**one["setting"]), one["score"], one["error"], one["loss"])
        for one in stored["tried"]
    )
    found = Search(
        Setting(**stored["chosen"]),
        tried,
        stored["temperature"],
        stored["rows"],
        stored["folds"],
    )
    return Probe(LinearHead.from_arrays(meta["kind"], arrays), tuple(meta["choices"]), found)
