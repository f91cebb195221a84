"""The report: one HTML file that opens offline, and holds all it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tellapart.errors import counted
from tellapart.evaluation.pretraining import PretrainingEffect, pretraining_words
from tellapart.evaluation.words import percent
from tellapart.html import data_uri, json_for_script, table
from tellapart.reports import (
    cards,
    choose,
    curves,
    figures,
    findings,
    histories,
    landscape,
    neighbours,
    next_steps,
    sections,
    trials,
    wording,
)
from tellapart.reports.records import ReportData
from tellapart.reports.scripts import TEMPLATES, own_text, policy, vega_bundle
from tellapart.version import __version__

PER_CENT = re.compile(r"(?<=\d) %")


def report_html(data: ReportData, cache_folder: Path | None = None) -> str:
    """Return the page of a run; equal data give equal text."""
    values = _chosen(data)
    return render("report.html", data.title, cache_folder, charts=values.pop("charts"), **values)


def render(
    template: str,
    title: str,
    cache_folder: Path | None,
    *,
    charts: Sequence[figures.Figure] = (),
    **values: Any,
) -> str:
    """Return a page made from a template that extends base.html: styles, scripts and policy in it.

    Only a page with charts carries Vega.
    """
    styles = own_text("style.css")
    scripts = [vega_bundle(cache_folder), own_text("page.js")] if charts else []
    return (
        _templates()
        .get_template(template)
        .render(
            title=title,
            version=__version__,
            policy=Markup(policy(scripts, [styles])),
            styles=Markup(styles),
            scripts=[Markup(script) for script in scripts],
            specs={chart.name: Markup(json_for_script(chart.spec)) for chart in charts},
            charts={chart.name: chart for chart in charts},
            **values,
        )
    )


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.finalize = _unbroken
    environment.filters["counted"] = counted
    environment.filters["jpeg"] = data_uri
    return environment


def _unbroken(value: Any) -> Any:
    """Return what a template shows, a number never parted from its per cent sign."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return PER_CENT.sub("\u00a0%", value)
    return value


def _chosen(data: ReportData) -> dict[str, Any]:
    """Choose pictures, fetch their thumbnails in one go, and lay out every section."""
    classes = data.evaluation.classes
    samples = choose.sample_rows(data.pictures, list(data.class_counts))
    on_map = choose.map_rows(data.pictures, data.headline_split)
    wrong = choose.wrong_rows(data.predictions)
    unsure = choose.unsure_rows(data.predictions)[: choose.GALLERY].tolist()
    groups = choose.grouped_findings(data.audit)
    finding_ids = choose.finding_ids(groups)
    errors = wrong[: choose.GALLERY].tolist()
    near = neighbours.nearest_rows(data.pictures, [data.predictions.paths[row] for row in errors])
    thumbnails = data.thumbnails(
        sorted(
            {data.pictures.ids[row] for rows in samples.values() for row in rows}
            | {data.pictures.ids[row] for row in on_map}
            | {data.predictions.ids[row] for row in (*errors, *unsure)}
            | {data.pictures.ids[row] for rows in near.values() for row in rows}
            | set(finding_ids)
        )
    )
    shelf = cards.Shelf(thumbnails)
    number_charts = _number_charts(data)
    training = histories.histories(data.finetuning.histories) if data.finetuning else []
    map_chart, tiles = _map(data, on_map, thumbnails)
    return {
        "charts": [
            *number_charts,
            *training,
            *_ablation(data),
            *next_steps.learning_curves(data.advice),
            *trials.chart(data.search),
            *map_chart,
        ],
        "next_steps": next_steps.steps(data.advice),
        "training_names": [one.name for one in training],
        "samples": data_uri(data.finetuning.samples)
        if data.finetuning and data.finetuning.samples
        else "",
        "curve_names": [one.name for one in number_charts if one.name.startswith("curve-")],
        "tiles": data_uri(tiles) if tiles else "",
        "errors": cards.error_cards(errors, data.predictions, classes, shelf, data.pictures, near),
        "wrong": len(wrong),
        "unsure": cards.unsure_cards(unsure, data.predictions, classes, shelf),
        "class_rows": sections.class_rows(data, samples, shelf),
        "kinds": findings.kind_views(groups, shelf, set(finding_ids), _labels(data)),
        **_words(data),
        **_tables(data),
    }


def _labels(data: ReportData) -> dict[str, str]:
    return dict(zip(data.pictures.paths, data.pictures.labels, strict=True))


def _number_charts(data: ReportData) -> list[figures.Figure]:
    if not data.evaluation.pictures:
        return []
    return [
        figures.confusion(data.evaluation),
        figures.per_class(data.evaluation),
        *curves.curves(data.evaluation),
    ]


def _ablation(data: ReportData) -> list[figures.Figure]:
    """Return what pretraining is worth: two confusion matrices, to stand side by side."""
    effect = _pretraining(data)
    if effect is None:
        return []
    return [
        figures.confusion(effect.pretrained, "confusion-pretrained", "Pretrained"),
        figures.confusion(effect.scratch, "confusion-scratch", "From random weights"),
    ]


def _pretraining(data: ReportData) -> PretrainingEffect | None:
    return data.finetuning.pretraining if data.finetuning else None


def _words(data: ReportData) -> dict[str, Any]:
    pairs = sections.confused_pairs(data.evaluation)
    effect = _pretraining(data)
    return {
        "data": data,
        "headline": wording.big_number(data.evaluation.headline),
        "headline_note": sections.headline_note(data),
        "leaked": sections.leaked_line(data),
        "gauges": sections.gauges(data.evaluation),
        "metrics": sections.more_metrics(data.evaluation),
        "calibrated": sections.calibration_line(data.calibration),
        "pairs": pairs[: sections.PAIRS],
        "more_pairs": max(0, len(pairs) - sections.PAIRS),
        "predictions_total": len(data.predictions.paths),
        "side_names": [wording.side_words(side) for side in sections.sides_of(data)],
        "proof_sentences": sections.proof_sentences(data),
        "finding_counts": findings.finding_counts(data.audit),
        "pretraining": pretraining_words(effect) if effect else "",
    }


def _tables(data: ReportData) -> dict[str, Any]:
    slowest = max((data.seconds or {}).values(), default=0.0)
    return {
        "class_table": Markup(sections.class_table(data.evaluation)),
        "proof": Markup(sections.proof_table(data.split_proof)) if data.split_proof else "",
        "trials": Markup(trials.trial_table(data.search)),
        "trials_ended": data.search.ended if data.search else "",
        "settings": _value_table(("setting", "value"), data.settings),
        "versions": _value_table(("what", "version"), data.versions),
        "choices": Markup(sections.choice_table(data.choices)) if data.choices else "",
        "candidates": Markup("".join(_candidates(one) for one in data.choices)),
        "seconds": [
            (wording.words(name), f"{spent:.1f} s", round(100 * spent / slowest, 2))
            for name, spent in (data.seconds or {}).items()
            if slowest > 0
        ],
    }


def _candidates(choice: Mapping[str, Any]) -> str:
    """Return a table of what a choice was made among, "" where the choice does not tell."""
    rows = choice.get("candidates") or []
    columns = [name for name in (rows[0] if rows else {}) if any(one[name] for one in rows)]
    shown = [[sections.value_text(one[name]) for name in columns] for one in rows]
    return table(tuple(map(wording.words, columns)), shown) if rows else ""


def _value_table(columns: tuple[str, str], values: Mapping[str, Any] | None) -> Markup | str:
    return Markup(table(columns, sections.value_rows(values))) if values else ""


def _map(
    data: ReportData, on_map: Sequence[int], thumbnails: Mapping[str, bytes]
) -> tuple[list[figures.Figure], bytes]:
    """Return the map's chart (none with fewer than three pictures) and its sheet of tiles."""
    if len(on_map) < 3:
        return [], b""
    places, share = landscape.two_components(data.pictures.features[list(on_map)])
    ids = [data.pictures.ids[row] for row in on_map]
    sheet, tiles = landscape.tile_sheet(ids, thumbnails)
    labels = [data.pictures.labels[row] for row in on_map]
    names, other = landscape.coloured(labels, data.class_counts)
    answers = _answers(data)
    rows = []
    for row, (x, y), tile in zip(on_map, places.tolist(), tiles, strict=True):
        label = data.pictures.labels[row]
        answer = answers.get(data.pictures.paths[row])
        side = data.pictures.sides[row]
        tip = [label, f"called {answer}" if answer not in (None, label) else "", _place(data, row)]
        rows.append(
            {
                "x": x,
                "y": y,
                "class": label if label in names else other,
                "role": _role(side, label, answer),
                "tip": [line for line in tip if line],
                **({"tile": tile} if tile else {}),
            }
        )
    rows.sort(key=lambda one: (one["class"] != other, one["role"] == "judged, wrong"))  # on top
    caption = _map_caption(data, len(on_map), share, other)
    return [landscape.chart(rows, names, other, caption)], sheet


def _place(data: ReportData, row: int) -> str:
    side = data.pictures.sides[row]
    return f"{data.pictures.paths[row]} ({wording.side_words(side)})"


def _role(side: str, label: str, answer: str | None) -> str:
    if answer is not None:
        return "judged, right" if answer == label else "judged, wrong"
    return "trained on" if side == "train" else "not used"


def _answers(data: ReportData) -> dict[str, str]:
    if not len(data.predictions.paths):
        return {}
    answers = data.predictions.probabilities.argmax(axis=1)
    names = data.evaluation.classes
    return {path: names[at] for path, at in zip(data.predictions.paths, answers, strict=True)}


def _map_caption(data: ReportData, shown: int, share: float, other: str | None) -> str:
    of = sum(bool(side) for side in data.pictures.sides)
    drawn = (
        f"All {of:,} pictures."
        if shown == of
        else f"{shown:,} of {of:,} pictures: those that judge first, the rest drawn by content."
    )
    largest = " The largest classes have a colour of their own." if other else ""
    return (
        f"Pictures that lie together look alike to the network. {drawn} The two axes hold"
        f" {percent(share)} of what differs; point at one to see it, choose a class in"
        f" the legend to single it out.{largest}"
    )
