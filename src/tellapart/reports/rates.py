"""The picture of a learning rate range test."""

from __future__ import annotations

import altair as alt

from tellapart.finetuning.lr_find import RateCurve

SUGGESTIONS = (("valley", "valley"), ("steepest", "steepest"), ("minimum/10", "tenth"))


def rate_picture(curve: RateCurve) -> bytes:
    """Return an SVG: the smoothed loss by learning rate, the suggestions marked."""
    import vl_convert

    points = [
        {"rate": rate, "loss": loss} for rate, loss in zip(curve.rates, curve.losses, strict=True)
    ]
    marks = [
        {"rate": getattr(curve, field), "what": f"{name} {getattr(curve, field):.2g}"}
        for name, field in SUGGESTIONS
    ]
    x = alt.X(
        "rate:Q",
        title="learning rate",
        scale=alt.Scale(type="log", nice=False, padding=12),
        axis=alt.Axis(format=".0e", tickCount=8, labelOverlap=True),
    )
    line = (
        alt.Chart(alt.InlineData(values=points))
        .mark_line(color="#1f5fa8")
        .encode(x=x, y=alt.Y("loss:Q", title="loss (smoothed)", scale=alt.Scale(zero=False)))
    )
    colour = alt.Color("what:N", title="suggested", legend=alt.Legend(orient="bottom"))
    rules = (
        alt.Chart(alt.InlineData(values=marks))
        .mark_rule(strokeDash=[4, 3], size=2)
        .encode(x=x, color=colour)
    )
    chart = alt.layer(line, rules).properties(
        width=560, height=300, title="Where does the loss fall?", background="white"
    )
    picture: str = vl_convert.vegalite_to_svg(chart.to_json())
    return picture.encode("utf-8")
