"""Fitting a head with given settings on all rows, however many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import OptionError
from tellapart.heads.kinds import HEADS, MANY_ROWS
from tellapart.heads.logistic import fit_head, one_thread_quietly
from tellapart.heads.prepare import Rows, Table, preparation
from tellapart.heads.saved import Head
from tellapart.heads.settings import Setting
from tellapart.heads.streamed import fit_streamed


def fit_setting(
    features: NDArray[np.floating[Any]],
    labels: Rows,
    k: int,
    setting: Setting,
    temperature: float,
    seed: int,
) -> Head:
    """Fit a head on features [n, d] as they come, preparing and temperature folded in.

    labels [n] in 0..k-1 with every class present. Past MANY_ROWS rows nothing of the size of all
    features is made: they are prepared a chunk or a mini-batch at a time, whatever the head.
    """
    kind = HEADS[setting.kind]
    if len(features) <= MANY_ROWS:
        if setting.kind == "logistic":
            return fit_head(np.asarray(features, np.float32), labels, k, setting, temperature)
        with one_thread_quietly():
            prepare = preparation(features, standardised=setting.standardised, pca=setting.pca)
            table = Table(prepare(features))
            head = kind.fit(table, labels, k, [setting], seed)[0]
        return head.on_raw(prepare).tempered(temperature)
    check_rows(setting.kind, len(features))
    with one_thread_quietly():
        prepare = preparation(features, standardised=setting.standardised, pca=setting.pca)
        fit = fit_streamed if setting.kind == "logistic" else kind.fit
        head = fit(Table(features, prepare), labels, k, [setting], seed)[0]
    return head.on_raw(prepare).tempered(temperature)


def check_rows(kind: str, rows: int) -> None:
    """Raise OptionError where a head cannot take so many rows."""
    if rows > MANY_ROWS and not HEADS[kind].streams:
        able = ", ".join(name for name, one in HEADS.items() if one.streams)
        raise OptionError(
            f"--head {kind} holds all its training pictures in memory and takes {MANY_ROWS:,} at"
            f" most; these are {rows:,}: choose one of {able}"
        )
