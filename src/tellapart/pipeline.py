"""The main job, from a folder of pictures to a run folder, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tellapart import choosing, precision, results, tuning
from tellapart.advice import Advice
from tellapart.advising import advise_on
from tellapart.auditing import (
    AuditSettings,
    audit_pictures,
    components_of,
    look_at,
)
from tellapart.audits import Audit
from tellapart.backbones import EMBEDDED, get_backbone
from tellapart.data import PictureSet, read
from tellapart.evaluating import (
    averaged_answers,
    check_evaluate,
    crossed_answers,
    held_out_answers,
    judge,
    tuned_answers,
)
from tellapart.evaluation import Evaluation
from tellapart.features import Look, open_cache
from tellapart.fitting import Job, learn
from tellapart.heads import check_asked, refit
from tellapart.likeness import look_for_copies
from tellapart.models.classifier import Classifier
from tellapart.progress import Progress
from tellapart.results import Fitted, Results
from tellapart.run_folder import building, default_place
from tellapart.settings import RunSettings
from tellapart.showing import show
from tellapart.splits import Split
from tellapart.splitting import check_split_options, split_pictures
from tellapart.stopwatch import Stopwatch


@dataclass(frozen=True)
class Run:
    """A finished run; everything it left stands in the folder `out`."""

    out: Path
    evaluation: Evaluation
    audit: Audit
    split: Split
    classifier: Classifier
    metrics: Mapping[str, Any]
    advice: Advice | None  # what would help most; None where it was not asked for
    words: tuple[str, ...]  # what a person should know first, a sentence each
    next_commands: tuple[str, ...]

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.out / "report.html"

    def _repr_html_(self) -> str:
        from tellapart.html import table

        return table(("run", str(self.out)), [("", line) for line in self.words])


def run(
    location: str | Path,
    out: str | Path | None = None,
    *,
    settings: RunSettings | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Do the main job on the pictures at `location` and leave a run folder at `out`.

    out    None: runs/<data>-<n>. An older run there is replaced once the new one is whole.
    cache  a folder for what can be kept; None: TELLAPART_CACHE or the user's cache folder.

    Raises a TellapartError, in one line, for whatever is wrong with the input.
    """
    settings, progress = precision.checked(settings or RunSettings()), progress or Progress()
    check_asked(settings.head, settings.search)
    tuning.check(settings)
    check_evaluate(settings)
    place = Path(out) if out is not None else default_place(location)
    watch = Stopwatch()
    partial = building(place, resume=settings.finetune.resume, force=settings.force)
    with partial as folder, open_cache(cache, progress) as store:
        ways, base = choosing.open_ways(settings, store), get_backbone(EMBEDDED)
        with watch("read"):
            pictures = read(location, settings.read, progress)
            check_split_options(pictures, settings)
        with watch("look"):
            seen = look_at(
                pictures, base, settings.engine, settings.decoding, store, progress,
                rehash=settings.rehash, also=choosing.first_recipes(ways),
            )  # fmt: skip
            choosing.refuse_missing_bands(pictures, seen, settings)
        usable = pictures.take(seen.usable.tolist())
        with watch("audit"):
            alike = look_for_copies(seen, store, progress, mirror=settings.mirror)
        with watch("split"):
            together = components_of(usable, seen, alike)
            split = split_pictures(pictures, usable, seen, alike, together, settings)
        with watch("audit"):
            audit = audit_pictures(
                pictures, seen, alike, split.components, split.sides_for_audit(),
                AuditSettings(mirror=settings.mirror, seed=settings.seed), store, progress,
                given_split=split.given or settings.split.order_column is not None,
            )  # fmt: skip
        job = Job(
            pictures, usable, seen, base, split.components, ways, settings, store, progress, watch
        )
        learned, tuned = learn(job, split.rows("train")), None
        probe, looked = learned.fitted, learned.look
        if settings.finetune.mode != "no":
            with watch("finetune"):
                tuned = tuning.tune(
                    usable, looked, split, probe, learned.recipe, settings, folder, progress
                )
        if tuned is not None and tuned.head is not None:
            learned, answers, tuned = tuned_answers(job, learned, split, tuned)
        elif split.folds is not None:
            learned, answers = crossed_answers(job, learned, split)
        else:
            answers = held_out_answers(learned, split)
        if tuned is not None:
            answers = averaged_answers(job, learned, answers)
        fitted, looked = learned.fitted, learned.look
        with watch("evaluate"):
            judged = judge(usable, split, fitted, answers, settings)
        advice, advised = None, 0
        if settings.advice:
            with watch("advise"):
                advice, advised = advise_on(
                    usable, looked, split, probe, audit, settings, store, progress
                )
        if settings.refit:
            with watch("fit"):
                fitted = _refit(usable, looked, fitted, settings)
        found = Results(
            location=str(location), pictures=pictures, usable=usable, look=looked, split=split,
            audit=audit, fitted=fitted, judged=judged, recipe=learned.recipe, settings=settings,
            advice=advice, advised=advised, tuned=tuned,
        )  # fmt: skip
        with watch("keep"):
            classifier = results.keep(found, folder, store)
        with watch("show"):
            show(found, folder, store, place, watch.seconds())
        results.record(found, folder, watch.seconds(), progress.lines)
    return Run(
        out=place,
        evaluation=judged.evaluation,
        audit=audit,
        split=split,
        classifier=classifier.moved_to(place / "model"),
        metrics=results.metrics(found),
        advice=advice,
        words=results.words(found),
        next_commands=results.next_commands(found, place),
    )


def finetune(
    location: str | Path,
    out: str | Path | None = None,
    *,
    settings: RunSettings | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Do what `run` does and train the network itself on, as `tellapart finetune` does.

    settings  settings.finetune says how; its mode "no" means "yes" here

    Needs the extra [finetune]. Raises a TellapartError, in one line, for whatever is wrong with the
    input.
    """
    settings = settings or RunSettings()
    if settings.finetune.mode == "no":
        settings = replace(settings, finetune=replace(settings.finetune, mode="yes"))
    return run(location, out, settings=settings, cache=cache, progress=progress)


def _refit(usable: PictureSet, seen: Look, fitted: Fitted, settings: RunSettings) -> Fitted:
    """Fit the head again on every usable picture of the classes it knows, each copy once."""
    codes = {name: code for code, name in enumerate(fitted.classes)}
    ids = [seen.ids[row] for row in seen.usable]
    first = {
        (id_, label): row for row, (id_, label) in enumerate(zip(ids, usable.labels, strict=True))
    }
    rows = [row for (_, label), row in first.items() if label in codes]
    labels = np.array([codes[usable.labels[row]] for row in rows])
    head = refit(
        fitted.probe, seen.features[rows], labels, [ids[row] for row in rows], seed=settings.seed
    )
    return replace(fitted, head=head, rows=np.array(rows, np.intp))
