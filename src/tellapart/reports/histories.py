"""The curves of a fine-tuning: losses, accuracy, and the learning rate under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from tellapart.finetuning.records import Epoch, History
from tellapart.reports.figures import HOVER, Figure, axis, base, finish

COLOURS = ("var(--muted)", "var(--accent)")
LEARNED, HELD = "learned from", "held out"
TICKS = 10  # epochs that are numbered
MEASURES: tuple[tuple[str, str, str, int, tuple[tuple[str, str], ...]], ...] = (
    # name, title, caption, height, (field of Epoch, line)
    (
        "history-loss",
        "Loss by epoch",
        "Lower is better. One line a training; what it held out chooses how much of it is kept."
        " Held-out losses that rise while the others fall mean overfitting.",
        200,
        (("train_loss", LEARNED), ("held_loss", HELD)),
    ),
    (
        "history-accuracy",
        "Balanced accuracy by epoch",
        "On training pictures that were held out: those that judge take no part.",
        160,
        (("held_accuracy", HELD),),
    ),
    (
        "history-rate",
        "Learning rate by epoch",
        "Of the head, at the end of each epoch; lower layers learn slower.",
        110,
        (("rate", "learning rate"),),
    ),
)


def histories(found: Sequence[History]) -> list[Figure]:
    """Return the curves of all trainings; none where no training has two epochs."""
    if max((len(one.epochs) for one in found), default=0) < 2:
        return []
    figures = [_figure(found, *measure) for measure in MEASURES]
    return [one for one in figures if one is not None]


def _figure(
    found: Sequence[History], name: str, title: str, caption: str, height: int,
    lines: tuple[tuple[str, str], ...],
) -> Figure | None:  # fmt: skip
    rows = [
        _row(history, epoch, field, line)
        for history in found
        for epoch in history.epochs
        for field, line in lines
        if getattr(epoch, field) is not None
    ]
    if not rows:
        return None
    names = [line for _, line in lines]
    last = max(row["epoch"] for row in rows)
    whole = list(range(1, last + 1, -(-last // TICKS)))  # a tick between two epochs means nothing
    chart = (
        base()
        .mark_line(
            strokeWidth=1.6,
            tooltip=HOVER,
            point=alt.OverlayMarkDef(size=24, filled=True, tooltip=HOVER),
        )
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=axis(values=whole, format="d")),
            y=alt.Y(
                "value:Q", title=None, axis=axis(tickCount=4, format="~g"),
                scale=alt.Scale(zero=False),
            ),
            detail="training:N",
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=names, range=COLOURS[-len(names) :]),
                legend=alt.Legend(title=None, orient="top", symbolType="stroke")
                if len(names) > 1
                else None,
            ),
        )
        .properties(width="container", height=height)
    )  # fmt: skip
    return Figure(name, finish(chart, rows, title), title, caption)


def _row(history: History, epoch: Epoch, field: str, line: str) -> dict[str, Any]:
    value = float(getattr(epoch, field))
    return {
        "training": f"{history.name} {line}",
        "line": line,
        "epoch": epoch.number,
        "value": round(value, 6),
        "tip": [f"{history.name}, epoch {epoch.number}", f"{line}: {value:.4g}"],
    }
