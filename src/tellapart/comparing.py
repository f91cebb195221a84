"""Which backbone is best on a set: `tellapart probe`. The choice is made on training pictures; only
the best is then measured on the headline split, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tellapart import choosing, precision
from tellapart.auditing import components_of, look_at
from tellapart.backbones import EMBEDDED, get_backbone
from tellapart.command_lines import quoted, run_options
from tellapart.contest import BackboneScore, Contest, hold_contest
from tellapart.data import PictureSet, read
from tellapart.errors import OptionError, first_few
from tellapart.evaluating import held_out_answers, judge
from tellapart.evaluation import Evaluation, headline_lines, to_metrics_json
from tellapart.features import Look, open_cache
from tellapart.fitting import Job
from tellapart.heads import check_asked
from tellapart.likeness import look_for_copies
from tellapart.places import new_folder, write_json
from tellapart.progress import Progress
from tellapart.reports import BackboneMap, ProbeData, write_probe_page
from tellapart.reports.wording import title_of
from tellapart.settings import RunSettings
from tellapart.splitting import check_split_options, split_pictures
from tellapart.stopwatch import Stopwatch

MOST_NAMED = 12
MAPS = 2  # backbones whose maps stand on the page


@dataclass(frozen=True)
class BackboneComparison:
    """Backbones, the best first, and how the first one does on the headline split.

    pictures    training pictures that the comparison rests on, of `training` in all
    evaluation  of the best one, on the headline split
    """

    scores: tuple[BackboneScore, ...]
    pictures: int
    training: int
    evaluation: Evaluation
    headline_split: str
    words: tuple[str, ...]
    out: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in probe.json."""
        return {
            "backbones": [one.to_json() for one in self.scores],
            "best": self.scores[0].name,
            "compared_on": self.pictures,
            "training_pictures": self.training,
            **to_metrics_json(self.evaluation, self.headline_split),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table, its header first."""
        return [HEADER, *(_row(one) for one in self.scores)]

    def _repr_html_(self) -> str:
        from tellapart.html import table

        return table(HEADER, self.rows()[1:])


HEADER = (
    "backbone", "balanced accuracy", "to the best", "images/s", "features", "parameters", "licence"
)  # fmt: skip


def compare_backbones(
    location: str | Path,
    backbones: Sequence[str],
    *,
    settings: RunSettings | None = None,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> BackboneComparison:
    """Compare backbones on the training pictures of a set; measure the best one, once.

    backbones  names as `--backbone` takes them, sums A+B too
    settings   as of a run; its backbone, evaluate, refit, advice and fine-tuning have no effect
    out        a new or empty folder for probe.json and probe.html

    For each backbone the settings of the head are chosen by grouped cross-validation on the
    training pictures, whose out-of-fold answers are compared picture by picture. Raises a
    TellapartError, in one line, for whatever is wrong with the input.
    """
    settings = replace(precision.checked(settings or RunSettings()), evaluate="holdout")
    progress = progress or Progress()
    names = check_names(backbones)
    check_asked(settings.head, settings.search)
    with open_cache(cache, progress) as store:
        ways = {name: choosing.open_ways(replace(settings, backbone=name), store) for name in names}
        folder = new_folder(Path(out)) if out is not None else None
        pictures = read(location, settings.read, progress)
        check_split_options(pictures, settings)
        base = get_backbone(EMBEDDED)
        seen = look_at(
            pictures, base, settings.engine, settings.decoding, store, progress,
            rehash=settings.rehash,
            also=[one for some in ways.values() for one in choosing.first_recipes(some)],
        )  # fmt: skip
        choosing.refuse_missing_bands(pictures, seen, settings)
        usable = pictures.take(seen.usable.tolist())
        alike = look_for_copies(seen, store, progress, mirror=settings.mirror)
        together = components_of(usable, seen, alike)
        split = split_pictures(pictures, usable, seen, alike, together, settings)
        job = Job(
            pictures, usable, seen, base, split.components, (), settings, store, progress,
            Stopwatch(),
        )  # fmt: skip
        contest = hold_contest(job, split, ways)
        evaluation = judge(
            usable, split, contest.best.fitted, held_out_answers(contest.best, split), settings
        ).evaluation
        scores = contest.scores()
        words = _words(scores, contest, headline_lines(evaluation, split.headline))
        found = BackboneComparison(
            scores=scores, pictures=len(contest.rows), training=len(split.rows("train")),
            evaluation=evaluation, headline_split=split.headline, words=words, out=folder,
        )  # fmt: skip
        if folder is not None:
            write_json(folder / "probe.json", found.to_json())
            page = _page(found, contest, usable, seen, location, settings)
            write_probe_page(folder / "probe.html", page, store.scripts_folder())
    return found


def _page(
    found: BackboneComparison, contest: Contest, usable: PictureSet, seen: Look,
    location: str | Path, settings: RunSettings,
) -> ProbeData:  # fmt: skip
    """Return what stands on the page; the maps show training pictures only."""
    rows = contest.mapped.tolist()
    best = quoted(found.scores[0].name)
    return ProbeData(
        title=title_of(location),
        date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        words=found.words,
        columns=HEADER,
        rows=found.rows()[1:],
        paths=[usable.paths[row] for row in rows],
        ids=[seen.ids[seen.usable[row]] for row in rows],
        labels=[usable.labels[row] for row in rows],
        classes=usable.classes,
        maps=[BackboneMap(one.name, one.shown) for one in contest.entries[:MAPS]],
        thumbnails=seen.thumbnails,
        commands=(f"tellapart run {quoted(location)}{run_options(settings)} --backbone {best}",),
    )


def check_names(backbones: Iterable[str]) -> list[str]:
    """Return the names, trimmed; raises OptionError for an empty one or one that stands twice."""
    names = [name.strip() for name in backbones]
    if not names or not all(names):
        raise OptionError(
            "--backbone: name the backbones with a comma between, such as lite0,color"
        )
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise OptionError(f"--backbone: {first_few(twice)} is named twice; name it once")
    if len(names) > MOST_NAMED:
        raise OptionError(f"--backbone: {len(names)} are named, {MOST_NAMED} at most are compared")
    return names


def _words(
    scores: tuple[BackboneScore, ...], contest: Contest, headline: tuple[str, ...]
) -> tuple[str, ...]:
    """Return which is best, on what the table rests, then the headline of the best."""
    first = scores[0].name
    groups = len(np.unique(contest.components))
    inside = f" ({groups:,} independent groups)" if groups < len(contest.rows) else ""
    lines = []
    ties = [one.name for one in scores[1:] if one.tie]
    if ties:
        lines.append(
            f"{first} cannot be told apart from {' and '.join(ties)}: a tie, in which the speed may"
            " decide."
        )
    elif len(scores) > 1:
        lines.append(
            f"{first} is better than the others: the 95 % interval of each difference lies below 0."
        )
    return (
        *lines,
        f"Compared by grouped cross-validation on {len(contest.rows):,} training pictures{inside};"
        " the pictures that judge took no part in it.",
        f"Only {first} was then measured on the pictures that judge, once:",
        *headline,
    )


def _row(one: BackboneScore) -> tuple[str, ...]:
    """Return one row of the table for people, in points of 100."""
    score = one.balanced_accuracy
    range_ = "" if score.low is None else f" ({score.low:.3f} to {score.high:.3f})"
    return (
        one.name,
        f"{score.value or 0.0:.3f}{range_}",
        _difference(one),
        f"{one.pictures_a_second:,.0f}",
        f"{one.features:,}",
        f"{one.parameters / 1e6:,.1f} M" if one.parameters else "-",
        one.licence,
    )


def _difference(one: BackboneScore) -> str:
    if one.difference is None or one.difference.value is None:
        return "best"
    low, high = one.difference.low or 0.0, one.difference.high or 0.0
    tie = ", tie" if one.tie else ""
    return f"{100 * one.difference.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}){tie}"
