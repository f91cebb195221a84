"""The curves of an evaluation: ROC, precision-recall, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from tellapart.errors import counted
from tellapart.evaluation.records import Curve, Evaluation
from tellapart.evaluation.words import percent
from tellapart.reports.figures import HOVER, Figure, axis, base, colours, finish

CURVES = 9  # classes with a curve of their own


def curves(evaluation: Evaluation) -> list[Figure]:
    """Return the ROC, precision-recall and calibration curves that the evaluation holds."""
    figures = []
    for kind, title, x, y, caption in CURVE_WORDS:
        found = [one for one in evaluation.curves if one.kind == kind and len(one.x) > 1]
        if found:
            figures.append(_curve(kind, title, x, y, caption, _told_apart(evaluation, found)))
    calibration = [one for one in evaluation.curves if one.kind == "calibration" and one.x]
    return [*figures, *map(_calibration, calibration[:1])]


CURVE_WORDS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "roc",
        "Finding against false alarms",
        "false alarms (share of the other classes)",
        "found",
        "ROC curve: the nearer to the upper left corner, the better; the dashes are guessing.",
    ),
    (
        "precision_recall",
        "Finding against being right",
        "found (recall)",
        "right when named (precision)",
        "Precision-recall curve: the nearer to the upper right corner, the better.",
    ),
)


def _told_apart(evaluation: Evaluation, found: Sequence[Curve]) -> list[Curve]:
    """With many classes keep the curves of the hardest ones, and the one of all together."""
    if len(found) <= CURVES + 1:
        return list(found)
    area = {one.name: one.average_precision.value or 0.0 for one in evaluation.per_class}
    hardest = sorted((one for one in found if one.name), key=lambda one: area.get(one.name, 1.0))
    return [one for one in found if not one.name] + hardest[:CURVES]


def _curve(
    kind: str, title: str, x_title: str, y_title: str, caption: str, shown: Sequence[Curve]
) -> Figure:
    names = [one.name or "all together" for one in shown]
    rows = [
        {"class": name, "x": round(x, 4), "y": round(y, 4), "at": at, "tip": _curve_tip(name, x, y)}
        for name, one in zip(names, shown, strict=True)
        for at, (x, y) in enumerate(zip(one.x, one.y, strict=True))
        if np.isfinite(x) and np.isfinite(y)
    ]
    lines = (
        base()
        .mark_line(strokeWidth=1.8, tooltip=HOVER, clip=True)
        .encode(
            x=_unit_axis("x:Q", x_title, alt.X),
            y=_unit_axis("y:Q", y_title, alt.Y),
            order="at:Q",
            color=alt.Color(
                "class:N",
                scale=alt.Scale(domain=names, range=colours(len(names))),
                legend=alt.Legend(title=None, orient="bottom", symbolType="stroke"),
            ),
        )
    )
    layers = alt.layer(_diagonal(), lines) if kind == "roc" else lines
    if len(shown) > CURVES:
        caption += f" The {CURVES} hardest classes are shown."
    chart = layers.properties(width="container", height=240)
    return Figure(
        f"curve-{kind.replace('_', '-')}", finish(chart, rows, title), title, caption, 420
    )


def _curve_tip(name: str, x: float, y: float) -> list[str]:
    return [name, f"across {percent(x)}, up {percent(y)}"]


def _unit_axis(field: str, title: str, channel: Any) -> Any:
    return channel(
        field,
        title=title,
        scale=alt.Scale(domain=[0, 1]),
        axis=axis(format="%", tickCount=3, values=[0, 0.5, 1]),
    )


def _diagonal() -> Any:
    ends = alt.InlineData(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    return (
        alt.Chart(ends)
        .mark_line(color="var(--muted)", strokeDash=[3, 4], strokeWidth=1)
        .encode(x="x:Q", y="y:Q")
    )


def _calibration(curve: Curve) -> Figure:
    weights = curve.weight or (1,) * len(curve.x)
    rows = [
        {"x": round(x, 4), "y": round(y, 4), "weight": weight, "tip": _bin_tip(x, y, weight)}
        for x, y, weight in zip(curve.x, curve.y, weights, strict=True)
        if weight and np.isfinite(x) and np.isfinite(y)
    ]
    x = _unit_axis("x:Q", "how sure it was", alt.X)
    y = _unit_axis("y:Q", "how often it was right", alt.Y)
    line = base().mark_line(color="var(--accent)", strokeWidth=1, opacity=0.5).encode(x=x, y=y)
    points = base().mark_circle(color="var(--accent)", size=60, opacity=0.8, tooltip=HOVER)
    each = round(sum(weights) / len(weights))
    title = "Is it as right as it is sure?"
    chart = alt.layer(_diagonal(), line, points.encode(x=x, y=y)).properties(
        width="container", height=240
    )
    caption = (
        "Calibration: on the dashes it is right as often as it says; below them it is too"
        f" sure of itself. A dot stands for about {counted(each, 'picture')}."
    )
    return Figure("curve-calibration", finish(chart, rows, title), title, caption, 420)


def _bin_tip(x: float, y: float, weight: int) -> list[str]:
    return [
        counted(weight, "picture"),
        f"said {percent(x)} on average",
        f"right in {round(y * weight):,} of {weight:,}",
    ]
