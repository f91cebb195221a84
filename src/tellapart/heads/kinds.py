"""The heads that there are, one a line, and what each of them can be set to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tellapart.errors import OptionError, did_you_mean
from tellapart.heads.knn import FORMS as KNN_FORMS
from tellapart.heads.knn import fit_knn
from tellapart.heads.lda import fit_lda
from tellapart.heads.logistic import fit_logistic
from tellapart.heads.mean import FORMS as MEAN_FORMS
from tellapart.heads.mean import fit_mean
from tellapart.heads.mlp import FORMS as MLP_FORMS
from tellapart.heads.mlp import fit_mlp
from tellapart.heads.prepare import Rows, Table
from tellapart.heads.ridge import fit_ridge
from tellapart.heads.saved import Head
from tellapart.heads.settings import Setting
from tellapart.heads.svm import fit_svm

Fit = Callable[[Table, Rows, int, Sequence[Setting], int], Sequence[Head]]
MANY_ROWS = 50_000  # heads that hold every row in memory at once take no more


@dataclass(frozen=True)
class Kind:
    """A head: how it is fitted, and what may be chosen.

    fit        (table, labels [n] in 0..k-1 with every class present, k, settings, seed) -> heads;
               the settings differ in strength alone
    strength   what its one parameter is called; strengths are the values that are tried together,
               usual is the one where nothing can be validated
    components numbers of principal components worth trying; 0: the features themselves
    forms      see Setting.form
    weighted   whether class weights have an effect
    streams    whether it is fitted a chunk of rows at a time
    """

    fit: Fit
    strength: str
    strengths: tuple[float, ...]
    usual: float
    components: tuple[int, ...]
    forms: tuple[str, ...] = ("",)
    weighted: bool = True
    streams: bool = True


_C = tuple(10.0**power for power in range(-5, 4))
_SHARES = (1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # of the mean eigenvalue
_SHRUNK = (0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
_NEAR = (1, 3, 5, 10, 20, 50)

HEADS: dict[str, Kind] = {
    "logistic": Kind(fit_logistic, "C", _C, 1.0, (0, 64, 256)),
    "ridge": Kind(fit_ridge, "penalty", _SHARES, 1.0, (0, 64, 256)),
    "lda": Kind(fit_lda, "shrinkage", _SHRUNK, 0.5, (0, 64, 256)),
    "svm": Kind(fit_svm, "C", (0.01, 0.1, 1.0, 10.0), 1.0, (0, 256), streams=False),
    "mlp": Kind(fit_mlp, "passes", (5, 10, 20), 20, (256, 64), MLP_FORMS, weighted=False),
    "knn": Kind(fit_knn, "neighbours", _NEAR, 1, (0, 64, 256), KNN_FORMS, streams=False),
    "mean": Kind(fit_mean, "", (0.0,), 0.0, (0, 64), MEAN_FORMS, weighted=False),
}


def check_head(name: str) -> None:
    """Raise OptionError where no head has this name."""
    if name not in HEADS:
        raise OptionError(
            f"unknown head {name!r}{did_you_mean(name, HEADS)} (known: {', '.join(HEADS)})"
        )


def families(kind: str, pca: int = 0, *, weighted: bool = True) -> list[Setting]:
    """Return every combination that a head can be tried in, each with its first strength.

    pca       fixes the components; 0: all numbers in the table
    weighted  False: without class weights, where they would change nothing
    """
    one = HEADS[kind]
    return [
        Setting(one.strengths[0], balanced, standardised, kind, components, form)
        for form in one.forms
        for components in ((pca,) if pca else one.components)
        for balanced in ((False, True) if one.weighted and weighted else (False,))
        for standardised in (False, True)
    ]


def strengths_of(family: Setting) -> list[Setting]:
    """Return a family's settings, one for each of its head's strengths."""
    return [replace(family, strength=one) for one in HEADS[family.kind].strengths]


def usual_setting(kind: str, pca: int = 0) -> Setting:
    """Return what a head is set to where nothing can be validated."""
    return replace(families(kind, pca)[0], strength=HEADS[kind].usual)


def in_words(setting: Setting) -> str:
    """Return "lda, shrinkage 0.5, 64 components, standardised, class weights"."""
    kind = HEADS[setting.kind]
    parts = [
        setting.kind,
        f"{kind.strength} {setting.strength:g}" if kind.strength else "",
        f"{setting.form} hidden units" if setting.kind == "mlp" else setting.form,
        f"{setting.pca} components" if setting.pca else "",
        "standardised" if setting.standardised else "",
        "class weights" if setting.balanced else "",
    ]
    return ", ".join(part for part in parts if part)
