"""The probe: the best head found on frozen features, kept in the cache by all it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import BackboneError, OptionError, counted
from tellapart.heads.fitting import check_rows, fit_setting
from tellapart.heads.kinds import HEADS, MANY_ROWS, check_head
from tellapart.heads.logistic import (
    CHOOSING_STEPS,
    CHOOSING_TOLERANCE,
    MOST_STEPS,
    TOLERANCE,
)
from tellapart.heads.saved import Head, head_from
from tellapart.heads.search import (
    C_PATH,
    FOLDS,
    MOST_ROWS,
    PATIENCE,
    Asked,
    Search,
    Tried,
    search,
)
from tellapart.heads.settings import Setting
from tellapart.heads.trials import STARTS, Trial
from tellapart.optional import installed_version, need
from tellapart.progress import Progress
from tellapart.splits.components import numbered

FIT_VERSION = 6  # raise it whenever a fit changes its meaning: kept fits are then made anew
FORM_NAMES = {"mlp": "hidden units", "knn": "distance", "mean": "distance"}

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

    head: Head
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
    head: str | None = None,
    trials: int = 0,
) -> tuple[Probe, int]:
    """Return the probe for features [n, d] with labels [n] in 0..k-1, and the fits made (0 or 1).

    pca     principal components that are kept of the features, 0: all features. They are learned
            from these rows alone, within cross-validation from each fold's training part.
    head    a name in HEADS, whose settings are chosen; None: logistic, with `trials` any of them
    trials  how many combinations of head and settings Optuna tries, beside the plain logistic path

    Nothing but these rows takes part in any choice. The order of rows does not matter.
    """
    asked = Asked(head, trials, pca)
    check_asked(asked.head, asked.trials)
    check_rows(head or "logistic", len(labels))
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    ids = [ids[row] for row in order]
    features, labels = features[order], labels[order]
    components = numbered(components[order], ids)  # numbers that hang on the pictures alone
    _check_finite(features)
    key = _key(features, labels, k, components, ids, seed, asked)
    kept = cache.load_arrays(key)
    if kept is not None:
        return _from_kept(*kept), 0
    if len(labels) <= MANY_ROWS:
        features = np.asarray(features, np.float32)  # the same name, to be rid of the other array
    found = search(features, labels, k, components, ids, seed=seed, progress=progress, asked=asked)
    with progress.stage("fit", len(labels)) as stage:
        fitted = fit_setting(features, labels, k, found.chosen, found.temperature, seed)
        stage.advance(len(labels))
    probe = Probe(fitted, _choices(found, len(labels), asked), found)
    cache.save_arrays(key, fitted.arrays(), _meta(probe))
    return probe, 1


def check_asked(head: str | None, trials: int) -> None:
    """Raise OptionError for a head that there is not, or a search that cannot be."""
    if head is not None:
        check_head(head)
    if trials:
        need("optuna", "search")
    if trials and head == "mean":
        raise OptionError(
            "--search has little to search in --head mean, which has no parameter: leave one of"
            " them out"
        )


def refit(
    probe: Probe,
    features: NDArray[np.floating[Any]],
    labels: Rows,
    ids: Sequence[str],
    *,
    seed: int = 0,
) -> Head:
    """Return the head with the probe's settings, fitted on other rows (`run --refit`).

    labels [n] in 0..k-1, where k are the classes of the probe.
    """
    _check_finite(features)
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    found = probe.search
    return fit_setting(
        features[order], labels[order], int(labels.max()) + 1, found.chosen, found.temperature, seed
    )


def _check_finite(features: NDArray[np.floating[Any]]) -> None:
    bad = int((~np.isfinite(features).all(axis=1)).sum())
    if bad:
        raise BackboneError(
            f"the backbone gives numbers that are not finite for {bad:,} of {len(features):,}"
            " pictures, and nothing can be fitted on them: try another --engine or --backbone"
        )


def _choices(found: Search, rows: int, asked: Asked) -> tuple[dict[str, str], ...]:
    why, chosen = _why(found, rows), found.chosen
    strength = HEADS[chosen.kind].strength
    named = [
        ("head", chosen.kind, _why_head(found, asked)),
        *([(strength, f"{chosen.strength:g}", why)] if strength else []),
        *([(FORM_NAMES[chosen.kind], chosen.form, why)] if chosen.form else []),
        *(
            [("class weights", "balanced" if chosen.balanced else "none", why)]
            if HEADS[chosen.kind].weighted
            else []
        ),
        ("standardising", "yes" if chosen.standardised else "no", why),
        *_components_choice(chosen, asked, why),
        (
            "temperature",
            f"{found.temperature:.3g}",
            _why_temperature(found, rows) if found.rows else why,
        ),
    ]
    return tuple({"what": what, "chosen": one, "why": because} for what, one, because in named)


def _why_head(found: Search, asked: Asked) -> str:
    if found.trials and not (asked.head and not asked.trials):
        return f"the choice of {counted(len(found.trials), 'trial')}; {found.ended}"
    if asked.head:
        return "as asked"
    if found.ended:
        return found.ended
    if not found.rows:
        return "the nearest mean, which does best with a picture or two a class"
    return "the head that tellapart fits"


def _why(found: Search, rows: int) -> str:
    if not found.rows:
        return "no class but one has two independent pictures: nothing can be validated"
    on = f"{found.rows:,} training pictures"
    if found.rows < rows:
        on = f"a stratified subsample of {found.rows:,} of {rows:,} training pictures"
    best = max(found.tried, key=lambda one: one.score)
    mine = next(one for one in found.tried if one.setting == found.chosen)
    return (
        f"balanced accuracy {mine.score:.4f} in {found.folds}-fold cross-validation on {on};"
        f" the best of {len(found.tried)} settings has {best.score:.4f}, and of those within"
        " one standard error of it the one with the least log loss is taken"
    )


def _components_choice(chosen: Setting, asked: Asked, why: str) -> list[tuple[str, str, str]]:
    if not chosen.pca:
        return []
    if asked.pca:
        why = "as asked; fewer where the training pictures do not span so many"
    return [("principal components", f"{chosen.pca:,}", why)]


def _why_temperature(found: Search, rows: int) -> str:
    if found.rows < rows:
        return "least log loss on a fifth of the training pictures, fitted on the others"
    return "least log loss of the out-of-fold scores"


def _key(
    features: NDArray[Any], labels: Rows, k: int, components: Rows, ids: Sequence[str], seed: int,
    asked: Asked,
) -> str:  # fmt: skip
    """Return the digest of everything that a fit depends on."""
    heads = [  # what can be tried
        (name, one.strengths, one.usual, one.components, one.forms) for name, one in HEADS.items()
    ]
    settings = (
        FIT_VERSION, k, seed, asked, heads, STARTS, installed_version("optuna"),
        features.shape, str(features.dtype), C_PATH, FOLDS,
        MOST_ROWS, PATIENCE, CHOOSING_TOLERANCE, CHOOSING_STEPS, TOLERANCE, MOST_STEPS, MANY_ROWS,
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
    found = Search(
        **{
            **stored,
            "chosen": Setting(**stored["chosen"]),
            "tried": tuple(_with_setting(Tried, one) for one in stored["tried"]),
            "trials": tuple(_with_setting(Trial, one) for one in stored["trials"]),
        }
    )
    return Probe(head_from(meta["kind"], arrays), tuple(meta["choices"]), found)


def _with_setting(record: type[Any], stored: dict[str, Any]) -> Any:
    return record(**{**stored, "setting": Setting(**stored["setting"])})
