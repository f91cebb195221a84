"""The charts, as Vega-Lite specs made with altair.

Class names are data in every chart: a name never becomes a field, so none can break a spec. Rows
carry their own hover text (`tip`), which the page shows as text. Colours are CSS variables, so
light, dark and print come from the style sheet alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from tellapart.errors import counted
from tellapart.evaluation.records import ClassScores, Estimate, Evaluation
from tellapart.evaluation.words import estimate_words

ROWS = "rows"
FIT = {"type": "fit-x", "contains": "padding"}  # the width is the page's, the height the chart's
HOVER = alt.TooltipContent("data")
COLOURS = 10  # the style sheet's --c0 to --c9
OTHER = "var(--other)"
NUMBERED_CLASSES = 24  # up to so many classes the matrix shows its numbers
WIDE_CLASSES = 12  # up to so many the matrix grows and shrinks with the page

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


def finish(
    chart: Any, rows: Sequence[dict[str, Any]], description: str, *, room_right: int = 5,
    label_limit: int = 120,
) -> dict[str, Any]:  # fmt: skip
    """Return the spec of a chart made on `base`, with its rows, our colours and its name.

    label_limit  CSS pixels of an axis label; less where the page is narrow
    """
    spec: dict[str, Any] = chart.properties(description=description).to_dict()
    autosize = FIT if spec["width"] == "container" else {"type": "pad"}
    del spec["$schema"]  # the page says that it is Vega-Lite, and names no host
    padding = {"left": 5, "top": 5, "right": room_right, "bottom": 5}
    datasets = {**spec.get("datasets", {}), ROWS: list(rows)}
    return {
        **spec,
        "config": {**CONFIG, "axis": {**CONFIG["axis"], "labelLimit": label_limit}},
        "datasets": datasets,
        "autosize": autosize,
        "padding": padding,
    }


def base() -> Any:
    """Return a chart on rows that `finish` puts in later, so that altair need not check them."""
    return alt.Chart(alt.NamedData(name=ROWS))


def axis(**options: Any) -> Any:
    """Return an axis without line and ticks."""
    return alt.Axis(**{"ticks": False, "domain": False, **options})


def confusion(
    evaluation: Evaluation,
    name: str = "confusion",
    title: str = "What was answered for each class",
) -> Figure:
    """Return the confusion matrix: rows are the truth, colour is the share of the row."""
    number = len(evaluation.classes)
    wide, numbered = number <= WIDE_CLASSES, number <= NUMBERED_CLASSES
    cell = 64 if number <= 4 else 40 if wide else 28 if numbered else 13
    x, y = _matrix_axes(list(evaluation.classes), small=not numbered)
    cells = (
        base()
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
    layers = alt.layer(cells, _matrix_numbers(x, y, 13 if wide else 10)) if numbered else cells
    sized = layers.properties(
        width="container" if wide else cell * number,
        height=cell * number,
        view=alt.ViewBackground(stroke=None, fill=None if numbered else "var(--sheet)"),
    )
    return Figure(
        name=name,
        spec=finish(
            sized,
            _confusion_rows(evaluation),
            f"{title} (matrix)",
            room_right=60 if number > 3 else 5,
        ),
        title=title,
        caption="Each row is a true class and adds up to its pictures; the diagonal is right,"
        " everything beside it is a mix-up, the stronger the more often.",
        most=210 + 110 * number if wide else 0,
    )


def _matrix_axes(classes: list[str], *, small: bool) -> tuple[Any, Any]:
    size = {"labelFontSize": 9, "labelOverlap": False, "titleAnchor": "start"} if small else {}
    angle = 0 if len(classes) <= 3 else -90 if small else -45
    scale = alt.Scale(domain=classes, paddingInner=0.04)
    across = axis(orient="top", labelAngle=angle, **size)
    return (
        alt.X("answer:N", scale=scale, title="answered", axis=across),
        alt.Y("truth:N", scale=scale, title="truth", axis=axis(**size)),
    )


def _matrix_numbers(x: Any, y: Any, size: int) -> Any:
    return (
        base()
        .mark_text(fontSize=size, tooltip=HOVER)
        .encode(
            x=x,
            y=y,
            text="count:Q",
            color=alt.condition(
                "datum.share > 0.6", alt.value("var(--paper)"), alt.value("var(--ink)")
            ),
        )
        .transform_filter("datum.count > 0")
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
    ("recall", "found", "of those that are {0}"),
    ("precision", "right when named", "of those that were called {0}"),
)


def per_class(evaluation: Evaluation) -> Figure:
    """Return bars of recall and precision with their intervals, the worst found class first."""
    ordered = sorted(evaluation.per_class, key=lambda one: _value(one.recall))
    names = [one.name for one in ordered]
    rows = [row for one in ordered for row in _class_rows(one)]
    words = [word for _, word, _ in MEASURES]
    height = len(names) * (48 if len(names) <= WIDE_CLASSES else 30)
    y = alt.Y(
        "class:N",
        scale=alt.Scale(domain=names, paddingInner=0.3),
        title=None,
        axis=axis(),
    )
    offset = alt.YOffset("measure:N", scale=alt.Scale(domain=words, paddingInner=0.15))
    x_scale = alt.Scale(domain=[0, 1])
    x_axis = axis(format="%", tickCount=5, orient="bottom" if len(names) <= WIDE_CLASSES else "top")
    colour = alt.Color(
        "measure:N",
        scale=alt.Scale(domain=words, range=["var(--accent)", "var(--second)"]),
        legend=alt.Legend(title=None, orient="top", symbolType="square"),
    )
    bars = (
        base()
        .mark_bar(tooltip=HOVER, opacity=0.55, cornerRadiusEnd=2)
        .encode(
            x=alt.X("value:Q", scale=x_scale, title=None, axis=x_axis),
            y=y,
            yOffset=offset,
            color=colour,
        )
    )
    intervals = (
        base()
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
        spec=finish(chart, rows, title),
        title=title,
        caption="Found is also called recall, right when named precision. The thin lines are 95 %"
        " intervals: a long line means few pictures. The class found least often stands first.",
    )


def _value(estimate: Estimate) -> float:
    return -1.0 if estimate.value is None else estimate.value


def _class_rows(scores: ClassScores) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for field, word, basis in MEASURES:
        one: Estimate = getattr(scores, field)
        tip = [scores.name, f"{word}: {estimate_words(one)}", basis.format(scores.name)]
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


def colours(number: int) -> list[str]:
    """Return the colours of so many classes; past the style sheet's ten all are alike."""
    return [f"var(--c{one})" if one < COLOURS else OTHER for one in range(number)]
