"""What would help most, as the page shows it: options on one scale, and the learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt

from tellapart.advice.records import LEAST, Advice, ClassCurve, Guess
from tellapart.advice.words import action, advice_lines, points
from tellapart.errors import counted
from tellapart.evaluation.words import percent
from tellapart.reports.figures import HOVER, Figure, axis, base, colours, finish

ROOM = 0.02  # the scale of gains is at least so wide
WHOLE = "datum.value % 1 == 0 ? datum.label : ''"  # there is no half a picture


@dataclass(frozen=True)
class Step:
    """One option on the common scale: positions per cent of its width."""

    what: str
    gain: str
    why: str
    value: float
    low: float
    high: float
    helps: bool


@dataclass(frozen=True)
class Steps:
    """The section: a sentence, the options, where no gain lies on their scale, and the notes."""

    lead: str
    more: tuple[str, ...]
    steps: tuple[Step, ...]
    zero: float
    notes: tuple[str, ...]


def steps(advice: Advice | None) -> Steps | None:
    """Return the section on what would help most; None where there is nothing to say."""
    if advice is None:
        return None
    lead, *more = advice_lines(advice) or ("Nothing could be measured.",)
    shown = [(action(one), one.gain, one.why) for one in advice.options]
    if advice.doubling is not None:
        shown.append(("twice the pictures of every class", advice.doubling, "for comparison"))
    low = min([0.0, *(gain.low for _, gain, _ in shown)])
    high = max([low + ROOM, *(gain.high for _, gain, _ in shown)])

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    made = tuple(
        Step(
            what, points(gain), why,
            value=place(gain.value), low=place(gain.low), high=place(gain.high),
            helps=gain.value >= LEAST,
        )
        for what, gain, why in shown
    )  # fmt: skip
    return Steps(lead, tuple(more), made, place(0.0), advice.notes)


def learning_curves(advice: Advice | None) -> list[Figure]:
    """Return the chart of how often each class is found with fewer pictures, carried on to twice
    as many; none where nothing was measured.
    """
    if advice is None or not advice.curves:
        return []
    names = [one.name for one in advice.curves]
    rows = [row for one in advice.curves for row in _rows(one)]
    colour = alt.Color(
        "class:N",
        scale=alt.Scale(domain=names, range=colours(len(names))),
        legend=alt.Legend(title=None, orient="bottom", symbolType="stroke"),
    )
    x = alt.X(
        "size:Q",
        title="pictures of the class (each step twice as many)",
        scale=alt.Scale(type="log", base=2, nice=False, padding=12),
        axis=axis(grid=False, labelOverlap=True, format=",d", labelExpr=WHOLE),
    )
    y = alt.Y(
        "recall:Q", title="found", scale=alt.Scale(zero=False), axis=axis(format="%", tickCount=5)
    )
    pick = alt.selection_point(fields=["class"], bind="legend", name="pickclass")
    faded = alt.condition(pick, alt.value(0.95), alt.value(0.08))
    lines = base().encode(x=x, y=y, color=colour, opacity=faded)
    measured = lines.mark_line(strokeWidth=2).transform_filter("datum.measured")
    ahead = lines.mark_line(strokeWidth=1.5, strokeDash=[4, 4]).transform_filter("datum.ahead")
    spans = (
        lines.mark_rule(strokeWidth=1.5, tooltip=HOVER)
        .encode(y=alt.Y("low:Q", title="found"), y2="high:Q")
        .transform_filter("isValid(datum.low)")
    )
    dots = lines.mark_circle(size=55, tooltip=HOVER)
    title = "What more pictures would bring"
    chart = alt.layer(measured, ahead, spans, dots).add_params(pick)
    caption = (
        "How often a picture of each class is found out of fold, after learning from a quarter,"
        " half and all of a fold's pictures; dashed, carried on to twice the pictures there are,"
        " with a 95 % interval. Choose a class in the legend to single it out."
    )
    sized = chart.properties(width="container", height=300)
    return [Figure("learning", finish(sized, rows, title), title, caption, 760)]


def _rows(curve: ClassCurve) -> list[dict[str, Any]]:
    last = len(curve.sizes) - 1
    rows = [
        {
            "class": curve.name,
            "size": size,
            "recall": recall,
            "measured": True,
            "ahead": at == last,
            "tip": [curve.name, f"found {percent(recall)} with {counted(size, 'picture')}"],
        }
        for at, (size, recall) in enumerate(zip(curve.sizes, curve.recalls, strict=True))
    ]
    return [*rows, _ahead(curve.name, 2 * curve.pictures, curve.doubled)]


def _ahead(name: str, size: int, found: Guess) -> dict[str, Any]:
    span = f"{percent(found.low)} to {percent(found.high)}"
    return {
        "class": name,
        "size": size,
        "recall": found.value,
        "low": found.low,
        "high": found.high,
        "measured": False,
        "ahead": True,
        "tip": [name, f"about {percent(found.value)} with {counted(size, 'picture')}", span],
    }
