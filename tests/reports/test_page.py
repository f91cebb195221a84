from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tellapart.audits.records import Audit
from tellapart.errors import OutputError
from tellapart.reports import ReportData, write_report
from tellapart.reports.page import report_html
from tellapart.reports.records import Pictures, Predictions

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "=1+1",
    "long " * 30,
    "شجرة الزيتون",
    "🐝 <b>&amp;",
    "a.b[0]\\'\"${x}\u2028{{ 7 * 7 }}",
)
Make = Callable[..., ReportData]


class Page(HTMLParser):
    """What stands on a page: elements with attributes, visible text, scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.text: list[str] = []
        self._open: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = [] if tag in ("script", "style") else None
        if self._open is not None:
            self.inside.append((tag, dict(attrs), self._open))

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        (self.text if self._open is None else self._open).append(data)

    def contents(self, tag: str, *, data: bool = False) -> list[str]:
        """The contents of script or style elements: those that hold JSON, or the others."""
        return [
            "".join(parts)
            for name, attributes, parts in self.inside
            if name == tag and (attributes.get("type") == "application/json") == data
        ]

    def specs(self) -> list[dict[str, Any]]:
        return [json.loads(one) for one in self.contents("script", data=True)]

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of scripts that the tests of this file share, as it takes a second to fill."""
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture
def page(scripts: Path) -> Callable[[ReportData], Page]:
    return lambda data: Page(report_html(data, scripts))


def test_the_page_says_what_a_reader_came_for(make_data: Make, page: Any) -> None:
    data = make_data(pictures=120)
    words = page(data).words()
    assert data.headline_sentence in words
    assert "always saying “ants”" in words
    assert "with them it would read 97 % (93 to 99 %)" in words
    assert "No picture, copy or group stands on two sides." in words
    assert "Dealt by content: 80 pictures to train on and 40 pictures to test on." in words
    assert "A class's share differs by 1.2 points at most." in words
    assert "pairs › same file › train-test 0" in words
    assert "ants 25.0 % 25.0 %" in words
    assert "The same picture stands under ants and under bees." in words
    assert "and 6 more findings of this kind in audit.json" in words
    assert "the simplest within one error" in words
    assert "tellapart predict runs/ants/model photos/" in words
    assert "12 more pictures of 'ants' are worth about +4 points (1 to 7)." in words
    assert "Then: the backbone lite1 may be worth about +1 point (-1 to 3)" in words
    assert "measured by cross-validation on the 40 training pictures alone" in words
    assert "a stratified share of 40 of 90 training pictures" in words


@pytest.mark.parametrize("number", [2, 3, 12, 13, 100])
def test_every_number_of_classes_has_all_charts(number: int, make_data: Make, page: Any) -> None:
    made = page(make_data([f"class {i}" for i in range(number)], 6 * number))
    charts = {attributes.get("data-chart") for _, attributes in made.elements} - {None}
    assert charts == {
        f"spec-{name}"
        for name in (
            "confusion",
            "per-class",
            "curve-roc",
            "curve-precision-recall",
            "curve-calibration",
            "learning",
            "landscape",
        )
    }
    assert len(made.specs()) == len(charts)


def test_each_error_stands_above_the_training_pictures_nearest_to_it(
    make_data: Make, page: Any
) -> None:
    made = page(make_data(pictures=120, accuracy=0.7))
    near = [one for tag, one in made.elements if tag == "div" and one.get("class") == "near"]
    errors = [
        one for tag, one in made.elements if tag == "figure" and one.get("class") == "card bad"
    ]
    assert 0 < len(near) <= len(errors)
    assert {" ".join(made.words().split("nearest: ")[1].split()[:1])} <= {"ants", "bees"}
    assert "good" in {one.get("class") for tag, one in made.elements if tag == "img"}


def test_hostile_names_stay_text(make_data: Make, page: Any) -> None:
    made = page(make_data(HOSTILE, 90, title=HOSTILE[0]))
    for tag, attributes in made.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert attributes.get("src", "data:").startswith("data:image/jpeg;base64,") or (
            tag != "img" and "src" not in attributes
        )
    text = "".join(made.text)
    for name in HOSTILE:
        assert name in text
    assert "49" not in [part.strip() for part in made.text]


def test_the_title_is_escaped_in_the_source(make_data: Make, scripts: Path) -> None:
    html = report_html(make_data(HOSTILE, 60, title=HOSTILE[0]), scripts)
    assert "<img src=x" not in html
    assert html.count("</script>") == html.count("<script")


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    for key, one in value.items() if isinstance(value, dict) else ():
        yield key, one
        yield from _walk(one)
    for one in value if isinstance(value, list) else ():
        yield from _walk(one)


def test_class_names_are_never_fields_or_expressions(make_data: Make, page: Any) -> None:
    made, plain = (page(make_data(names, 90)).specs() for names in (HOSTILE, list("abcdef")))
    for hostile, harmless in zip(made, plain, strict=True):
        assert _meaning(hostile) == _meaning(harmless)


def _meaning(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """All keys outside the data, with the value of those that Vega evaluates."""
    spec = {**spec, "datasets": {}}
    assert "sort" not in {key for key, _ in _walk(spec)}  # its values end up in an expression
    evaluated = ("field", "test", "filter", "expr", "format", "labelExpr", "fields")
    return [(key, str(one) if key in evaluated else "") for key, one in _walk(spec)]


def test_nothing_is_loaded_from_anywhere(make_data: Make, page: Any) -> None:
    made = page(make_data(["a", "b", "c"], 60))
    for tag, attributes in made.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "data", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/jpeg;base64,")), (tag, value)
    for style in made.contents("style"):
        assert "url(" not in style
        assert "@import" not in style
    for spec in made.specs():
        assert "http" not in json.dumps(spec)
        assert "url" not in {key for key, _ in _walk(spec)}


def test_the_policy_admits_exactly_the_scripts_and_styles_of_the_page(
    make_data: Make, page: Any
) -> None:
    made = page(make_data())
    (policy,) = (
        attributes["content"]
        for tag, attributes in made.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        hashes = [
            base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()
            for one in made.contents(tag)
        ]
        assert rules[f"{tag}-src"].split() == [f"'sha256-{one}'" for one in hashes]


def _noise(ids: Any) -> dict[str, bytes]:
    """Thumbnails that are hard to compress: at least as large as those of photographs."""
    found = {}
    for one in ids:
        rng = np.random.default_rng(int(one[:8], 16))
        small = Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).resize((96, 96))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=85)
        found[one] = written.getvalue()
    return found


@pytest.mark.parametrize("number", [10, 100])
def test_ten_thousand_pictures_stay_below_five_megabytes(
    number: int, make_data: Make, scripts: Path
) -> None:
    names = [f"class {i}" for i in range(number)]
    html = report_html(make_data(names, 10_000, thumbnails=_noise), scripts)
    assert len(html.encode()) < 5_000_000


def test_equal_data_give_equal_pages_whatever_the_order(make_data: Make, scripts: Path) -> None:
    data = make_data(["a", "b", "c"], 90)
    page = report_html(data, scripts)
    assert page == report_html(make_data(["a", "b", "c"], 90), scripts)
    assert page == report_html(_shuffled(data), scripts)


def _shuffled(data: ReportData) -> ReportData:
    rng = np.random.default_rng(1)
    one, two = data.pictures, data.predictions
    order, judged = rng.permutation(len(one.paths)), rng.permutation(len(two.paths))

    def pick(values: Any, rows: Any) -> list[Any]:
        return [values[row] for row in rows]

    pictures = Pictures(
        *(pick(column, order) for column in (one.paths, one.ids, one.labels, one.sides)),
        one.features[order],
    )
    predictions = Predictions(
        *(pick(column, judged) for column in (two.paths, two.ids)),
        two.truth[judged],
        two.probabilities[judged],
    )
    return replace(data, pictures=pictures, predictions=predictions)


def test_no_errors_and_no_findings_are_said(make_data: Make, page: Any) -> None:
    data = make_data(pictures=60, accuracy=1.0, audit=Audit(60, ()), with_leaked=None, notes=())
    words = page(data).words()
    assert "No mistake in 20 pictures." in words
    assert "found nothing to report" in words
    assert "the audit has found nothing" in words
    assert "Surest errors" not in words
    assert "also stand on another side" not in words


@pytest.mark.parametrize("sides", [["train", "train", "test", "train"], ["test"], ["train"] * 3])
def test_a_handful_of_pictures_still_makes_a_page(
    sides: list[str], make_data: Make, page: Any
) -> None:
    words = page(make_data(pictures=len(sides), sides=sides)).words()
    judged = sides.count("test")
    assert "balanced accuracy on" in words
    assert ("No picture was judged" in words) == (not judged)


def test_bare_data_leave_their_sections_out(make_data: Make, page: Any) -> None:
    data = make_data(
        settings=None, versions=None, seconds=None, choices=(), commands=(),
        split_proof={}, split_left_out=(), thumbnails=lambda ids: {}, advice=None,
    )  # fmt: skip
    made = page(data)
    assert "Seconds per stage" not in made.words()
    assert "What to try next" not in made.words()
    assert "What would help most" not in made.words()
    assert not [one for one in made.elements if one[0] == "img"]


def test_few_pictures_are_counted_not_given_in_percent(make_data: Make, page: Any) -> None:
    data = make_data(pictures=60)
    found = data.evaluation.per_class[0].recall
    assert f"{round(found.value * 10)} of 10 (" in page(data).words()


def test_every_picture_and_chart_has_a_name(make_data: Make, page: Any) -> None:
    made = page(make_data())
    for tag, attributes in made.elements:
        if tag == "img":
            assert attributes.get("alt") or "hidden" in attributes
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden")
    assert all(spec["description"] for spec in made.specs())


def test_a_place_that_cannot_be_written_gives_one_line(
    make_data: Make, tmp_path: Path, scripts: Path
) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*report\.html"):
        write_report(tmp_path / "missing" / "report.html", make_data(), scripts)


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.skip("no Chromium on this machine: the page is not opened in a browser")
    return found


@pytest.mark.parametrize("names", [("ants", "bees"), HOSTILE])
def test_a_browser_draws_every_chart_under_the_policy(
    names: tuple[str, ...], make_data: Make, scripts: Path, tmp_path: Path
) -> None:
    browser = _chromium()
    place = tmp_path / "report.html"
    write_report(place, make_data(names, 90), scripts)
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr", "--v=0", "--virtual-time-budget=8000", "--dump-dom",
    ]  # fmt: skip
    done = subprocess.run(
        [browser, *options, place.as_uri()],
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=120,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    assert not said
    drawn = [one for one in Page(done.stdout).elements if one[1].get("class") == "marks"]
    assert len(drawn) == 7
    tiles = [one for tag, one in Page(done.stdout).elements if one.get("class") == "tile"]
    assert 5 < len(tiles) <= 90  # the map drawn with the pictures, one a place
    assert "could not be drawn" not in " ".join(Page(done.stdout).text)


def test_a_reason_is_said_once_and_numbers_stay_with_their_sign(
    make_data: Make, page: Any, scripts: Path
) -> None:
    choices = [
        {"what": what, "chosen": "1", "why": why}
        for what, why in (("C", "the best"), ("class_weights", "the best"), ("bands", "other"))
    ]
    data = make_data(choices=choices, headline_sentence="About 9 of 10 right (81 to 97 %).")
    assert "C 1 the best class weights 1 likewise bands 1 other" in page(data).words()
    assert "(81 to 97\u00a0%)" in report_html(data, scripts)
