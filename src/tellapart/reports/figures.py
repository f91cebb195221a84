"""The charts, as Vega-Lite specs made with altair.

Class names are data in every chart: a name never becomes a field, so none can break a spec. Rows
carry their own hover text (`tip`), which the page shows as text. Colours are CSS variables, so
light, dark and print come from the style sheet alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from tellapart.evaluation.records import ClassScores, Curve, Estimate, Evaluation
from tellapart.reports.wording import counted, percent, with_interval

ROWS = "rows"
HOVER = alt.TooltipContent("data")
COLOURS = 10  # the style sheet's --c0 to --c9
OTHER = "var(--other)"
NUMBERED_CLASSES = 24  # up to so many classes the matrix shows its numbers
WIDE_CLASSES = 12  # up to so many the matrix grows and shrinks with the page
CURVES = 9  # classes with a curve of their own

CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 120,
        "titlePadding": 8,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--muted)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 150,
        "symbolOpacity": 1,
    },
    "text": {"color": "var(--ink)"},
}


@dataclass(frozen=True)
class Figure:
    """One chart of the page.

    name      its id on the page
    spec      Vega-Lite, complete
    title     what it shows; also its accessible name
    caption   how to read it, a sentence
    most      CSS pixels it may be wide; 0 where it takes what there is
    """

    name: str
    spec: dict[str, Any]
    title: str
    caption: str
    most: int = 0


def _finish(chart: Any, rows: Sequence[dict[str, Any]], description: str) -> dict[str, Any]:
    spec: dict[str, Any] = chart.properties(description=description).to_dict()
    return {**spec, "config": CONFIG, "datasets": {ROWS: list(rows)}}


def _base() -> Any:
    return alt.Chart(alt.NamedData(name=ROWS))


def _axis(**options: Any) -> Any:
    return alt.Axis(**{"ticks": False, "domain": False, **options})


def confusion(evaluation: Evaluation) -> Figure:
    """Return the confusion matrix: rows are the truth, colour is the share of the row."""
    classes = list(evaluation.classes)
    rows = _confusion_rows(evaluation)
    wide = len(classes) <= WIDE_CLASSES
    numbered = len(classes) <= NUMBERED_CLASSES
    cell = 64 if len(classes) <= 4 else 40 if wide else 28 if numbered else 13
    small = {} if numbered else {"labelFontSize": 9, "labelOverlap": False}
    x = alt.X(
        "answer:N",
        scale=alt.Scale(domain=classes, paddingInner=0.04),
        title="answered",
        axis=_axis(orient="top", labelAngle=0 if len(classes) <= 3 else -45, **small),
    )
    y = alt.Y(
        "truth:N",
        scale=alt.Scale(domain=classes, paddingInner=0.04),
        title="truth",
        axis=_axis(**small),
    )
    cells = (
        _base()
        .mark_rect(tooltip=HOVER, cornerRadius=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(
                    domain=["right", "wrong", "none"],
                    range=["var(--accent)", "var(--bad)", "var(--line)"],
                ),
                legend=None,
            ),
            opacity=alt.Opacity(
                "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.3, 1]), legend=None
            ),
        )
    )
    text = (
        _base()
        .mark_text(fontSize=13 if wide else 10, tooltip=HOVER)
        .encode(
            x=x,
            y=y,
            text="count:Q",
            color=alt.condition(
                "datum.share > 0.5", alt.value("var(--paper)"), alt.value("var(--ink)")
            ),
        )
        .transform_filter("datum.count > 0")
    )
    layers = alt.layer(cells, text) if numbered else cells
    width: Any = "container" if wide else alt.Step(cell)
    title = "What was answered for each class"
    return Figure(
        name="confusion",
        spec=_finish(
            layers.properties(width=width, height=alt.Step(cell)), rows, f"{title} (matrix)"
        ),
        title=title,
        caption="Each row is a true class and adds up to its pictures; the diagonal is right,"
        " everything beside it is a mix-up, the stronger the more often.",
        most=150 + 110 * len(classes) if wide else 0,
    )


def _confusion_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    rows = []
    many = len(evaluation.classes) > NUMBERED_CLASSES
    for t, truth in enumerate(evaluation.classes):
        of = int(evaluation.confusion[t].sum())
        for a, answer in enumerate(evaluation.classes):
            count = int(evaluation.confusion[t, a])
            if many and not count:
                continue
            kind = "none" if not count else "right" if t == a else "wrong"
            share = round(count / of, 4) if of else 0
            tip = [f"{truth} → {answer}", f"{count:,} of {counted(of, 'picture')} of {truth}"]
            row = {"truth": truth, "answer": answer, "count": count, "share": share}
            rows.append({**row, "kind": kind, "tip": tip})
    return rows


MEASURES: tuple[tuple[str, str, str], ...] = (
    ("recall", "found (recall)", "of those that are {0}"),
    ("precision", "right when named (precision)", "of those that were called {0}"),
)


def per_class(evaluation: Evaluation) -> Figure:
    """Return bars of recall and precision with their intervals, the worst found class first."""
    ordered = sorted(evaluation.per_class, key=lambda one: _value(one.recall))
    names = [one.name for one in ordered]
    rows = [row for one in ordered for row in _class_rows(one)]
    words = [word for _, word, _ in MEASURES]
    height = alt.Step(17 if len(names) <= WIDE_CLASSES else 11)
    y = alt.Y(
        "class:N",
        sort=names,
        scale=alt.Scale(domain=names, paddingInner=0.3),
        title=None,
        axis=_axis(),
    )
    offset = alt.YOffset("measure:N", scale=alt.Scale(domain=words, paddingInner=0.15))
    x_scale = alt.Scale(domain=[0, 1])
    x_axis = _axis(format="%", tickCount=5)
    colour = alt.Color(
        "measure:N",
        scale=alt.Scale(domain=words, range=["var(--accent)", "var(--second)"]),
        legend=alt.Legend(title=None, orient="top", symbolType="square", columns=1, labelLimit=240),
    )
    bars = (
        _base()
        .mark_bar(tooltip=HOVER, opacity=0.55, cornerRadiusEnd=2)
        .encode(
            x=alt.X("value:Q", scale=x_scale, title=None, axis=x_axis),
            y=y,
            yOffset=offset,
            color=colour,
        )
    )
    intervals = (
        _base()
        .mark_rule(tooltip=HOVER, strokeWidth=1.5, color="var(--ink)")
        .encode(
            x=alt.X("low:Q", scale=x_scale, title=None, axis=x_axis),
            x2="high:Q",
            y=y,
            yOffset=offset,
        )
        .transform_filter("isValid(datum.low)")
    )
    title = "How each class fares"
    chart = alt.layer(bars, intervals).properties(width="container", height=height)
    return Figure(
        name="per-class",
        spec=_finish(chart, rows, title),
        title=title,
        caption="Bars are measured shares; the dark lines are 95 % intervals: a long line means"
        " few pictures. The class that is found least often stands first.",
    )


def _value(estimate: Estimate) -> float:
    return -1.0 if estimate.value is None else estimate.value


def _class_rows(scores: ClassScores) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for field, word, basis in MEASURES:
        one: Estimate = getattr(scores, field)
        tip = [scores.name, f"{word}: {with_interval(one)}", basis.format(scores.name)]
        rows.append(
            {
                "class": scores.name,
                "measure": word,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "tip": tip,
            }
        )
    return rows


Kept = Callable[[Evaluation, Sequence[Curve]], list[Curve]]


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
    area = {one.name: _value(one.average_precision) for one in evaluation.per_class}
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
        _base()
        .mark_line(strokeWidth=1.8, tooltip=HOVER, clip=True)
        .encode(
            x=_unit_axis("x:Q", x_title, alt.X),
            y=_unit_axis("y:Q", y_title, alt.Y),
            order="at:Q",
            color=alt.Color(
                "class:N",
                scale=alt.Scale(domain=names, range=_colours(len(names))),
                legend=alt.Legend(title=None, orient="bottom", columns=2, symbolType="stroke"),
            ),
        )
    )
    layers = alt.layer(_diagonal(), lines) if kind == "roc" else lines
    if len(shown) > CURVES:
        caption += f" The {CURVES} hardest classes are shown."
    chart = layers.properties(width="container", height=240)
    return Figure(
        f"curve-{kind.replace('_', '-')}", _finish(chart, rows, title), title, caption, 420
    )


def _curve_tip(name: str, x: float, y: float) -> list[str]:
    return [name, f"across {percent(x)}, up {percent(y)}"]


def _unit_axis(field: str, title: str, channel: Any) -> Any:
    return channel(
        field,
        title=title,
        scale=alt.Scale(domain=[0, 1]),
        axis=_axis(format="%", tickCount=3, values=[0, 0.5, 1]),
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
    line = _base().mark_line(color="var(--accent)", strokeWidth=1, opacity=0.5).encode(x=x, y=y)
    points = (
        _base()
        .mark_circle(color="var(--accent)", opacity=0.85, tooltip=HOVER)
        .encode(
            x=x,
            y=y,
            size=alt.Size("weight:Q", scale=alt.Scale(rangeMin=20, rangeMax=400), legend=None),
        )
    )
    title = "Is it as right as it is sure?"
    chart = alt.layer(_diagonal(), line, points).properties(width="container", height=240)
    caption = (
        "Calibration: on the dashes it is right as often as it says; below them it is too"
        " sure of itself. Larger dots stand for more pictures."
    )
    return Figure("curve-calibration", _finish(chart, rows, title), title, caption, 420)


def _bin_tip(x: float, y: float, weight: int) -> list[str]:
    return [
        counted(weight, "picture"),
        f"said {percent(x)} on average",
        f"right in {round(y * weight):,} of {weight:,}",
    ]


def _colours(number: int) -> list[str]:
    return [f"var(--c{one})" if one < COLOURS else OTHER for one in range(number)]


ROLES: tuple[tuple[str, str], ...] = (
    ("trained on", "circle"),
    ("judged, right", "diamond"),
    ("judged, wrong", "cross"),
    ("not used", "triangle-up"),
)


def landscape(
    rows: Sequence[dict[str, Any]], names: Sequence[str], other: str | None, caption: str
) -> Figure:
    """Return the map: `rows` have x, y, class (one of `names` or `other`), role, tip and tile."""
    domain = [*names, *([other] if other is not None else [])]
    present = {row["role"] for row in rows}
    roles = [(role, shape) for role, shape in ROLES if role in present]
    scale = alt.Scale(domain=[-1.05, 1.05], nice=False)
    legend = alt.Legend(title=None, orient="top", columns=5, symbolType="circle", symbolSize=70)
    pick = alt.selection_point(fields=["class"], bind="legend", name="pick")
    points = (
        _base()
        .mark_point(filled=True, tooltip=HOVER, cursor="crosshair")
        .encode(
            x=alt.X("x:Q", scale=scale, axis=None),
            y=alt.Y("y:Q", scale=scale, axis=None),
            color=alt.Color(
                "class:N",
                scale=alt.Scale(
                    domain=domain,
                    range=_colours(len(names)) + ([OTHER] if other is not None else []),
                ),
                legend=legend,
            ),
            shape=alt.Shape(
                "role:N",
                scale=alt.Scale(
                    domain=[role for role, _ in roles], range=[shape for _, shape in roles]
                ),
                legend=alt.Legend(
                    title=None, orient="bottom", symbolFillColor="var(--muted)", columns=4
                ),
            ),
            size=alt.condition("datum.role == 'trained on'", alt.value(34), alt.value(70)),
            opacity=alt.condition(pick, alt.value(0.82), alt.value(0.08)),
        )
        .add_params(pick)
        .properties(width="container", height=460)
    )
    title = "How the network sees the pictures"
    return Figure("landscape", _finish(points, rows, title), title, caption)
