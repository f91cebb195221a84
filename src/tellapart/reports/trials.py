"""What a search over heads tried, as a chart and a table."""

from __future__ import annotations

from typing import Any

import altair as alt

from tellapart.errors import counted
from tellapart.evaluation.words import percent
from tellapart.heads.kinds import in_words
from tellapart.heads.search import Search
from tellapart.heads.trials import Trial, made_by
from tellapart.html import table
from tellapart.reports.figures import HOVER, Figure, axis, base, finish

LIMIT = 400  # CSS pixels of a trial's name
KINDS = {
    "chosen": "var(--accent)",
    "judged on every fold": "var(--second)",
    "given up early": "var(--other)",
}


def chart(search: Search | None) -> list[Figure]:
    """Return the chart of all trials, a dot with one standard error each; none without trials."""
    if search is None or not search.trials:
        return []
    order = sorted(search.trials, key=lambda one: (-one.score, one.loss, one.number))
    rows = [_row(search, one) for one in order]
    y = alt.Y("name:N", title=None, axis=axis(), sort=[row["name"] for row in rows])
    x = alt.X(
        "score:Q", title="balanced accuracy out of fold", scale=alt.Scale(zero=False, nice=True),
        axis=axis(format=".1%", tickCount=5),
    )  # fmt: skip
    present = {row["kind"] for row in rows}
    kinds = [kind for kind in KINDS if kind in present]
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=[KINDS[kind] for kind in kinds]),
        legend=alt.Legend(title=None, orient="top", symbolType="circle", columns=1),
    )
    errors = base().mark_rule(strokeWidth=1.5).encode(x=x, x2="high:Q", y=y, color=colour)
    errors = errors.encode(x=alt.X("low:Q", title="balanced accuracy out of fold"))
    dots = base().mark_circle(size=70, opacity=1, tooltip=HOVER).encode(x=x, y=y, color=colour)
    title = "What the search tried"
    spec = alt.layer(errors, dots).properties(width="container", height=24 * len(rows))
    return [
        Figure(
            "trials",
            finish(spec, rows, title, label_limit=LIMIT),
            title,
            "Each line is a trial: a head and how features are prepared, at the best of its"
            " strengths; the thin line is one standard error to each side. Trials within one"
            " standard error of the best cannot be told apart; of these the one with the least"
            " log loss is taken. A trial given up early could no longer win after"
            " the folds that it had.",
        )
    ]


def _row(search: Search, one: Trial) -> dict[str, Any]:
    early = one.folds < search.folds
    kind = "given up early" if early else "judged on every fold"
    if not early and made_by(search.trials, search.chosen) == one.number:
        kind = "chosen"
    name = f"{one.number}: {in_words(one.setting)}"
    tip = [
        name,
        f"balanced accuracy {percent(one.score, 1)} ± {percent(one.error, 1)}",
        f"log loss {one.loss:.3f}",
        f"{one.folds} of {counted(search.folds, 'fold')}",
    ]
    return {
        "name": name, "score": round(one.score, 5), "low": round(one.score - one.error, 5),
        "high": round(one.score + one.error, 5), "kind": kind, "tip": tip,
    }  # fmt: skip


def trial_table(search: Search | None) -> str:
    """Return the trials as a table, in the order they were made; "" without any."""
    if search is None or not search.trials:
        return ""
    columns = ("trial", "head", "balanced accuracy", "standard error", "log loss", "folds")
    holder = made_by(search.trials, search.chosen)
    rows = [
        (
            f"{one.number} (chosen)" if one.number == holder else str(one.number),
            in_words(one.setting), f"{one.score:.4f}", f"{one.error:.4f}", f"{one.loss:.4f}",
            f"{one.folds} of {search.folds}",
        )
        for one in search.trials
    ]  # fmt: skip
    return table(columns, rows)
