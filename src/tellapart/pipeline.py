"""The main job, from a folder of pictures to a run folder, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from tellapart.errors import DataError, OptionError
from tellapart.evaluation import Evaluation, evaluate
from tellapart.evaluation.calibration import calibration
from tellapart.features import Cache, Look, open_cache
from tellapart.gone import Gone, look_for_gone
from tellapart.heads import check_asked, fit_probe, refit
from tellapart.likeness import Likeness, look_for_copies
from tellapart.models.classifier import Classifier
from tellapart.progress import Progress
from tellapart.results import Fitted, Judged, Results
from tellapart.run_folder import building, default_place
from tellapart.settings import RunSettings, SplitSettings
from tellapart.showing import show
from tellapart.splits import Split, make_split, read_known_sides, read_order
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
    place = Path(out) if out is not None else default_place(location)
    watch = Stopwatch()
    partial = building(place, resume=settings.finetune.resume, force=settings.force)
    with partial as folder, open_cache(cache, progress) as store:
        ways, base = choosing.open_ways(settings), get_backbone(EMBEDDED)
        with watch("read"):
            pictures = read(location, settings.read, progress)
            _check_split_options(pictures, settings.split)
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
            split = _split(pictures, usable, seen, alike, together, settings)
        with watch("audit"):
            audit = audit_pictures(
                pictures, seen, alike, split.components, split.sides.tolist(),
                AuditSettings(mirror=settings.mirror, seed=settings.seed), progress,
                given_split=split.given or settings.split.order_column is not None,
            )  # fmt: skip
        train = split.rows("train")
        with watch("look"):
            options = choosing.all_options(
                pictures, seen, base, train, ways, settings, store, progress
            )
        with watch("fit"):
            fits = [
                _fit(usable, one.look, split, settings, store, progress, one.components)
                for one in options
            ]
            chosen, fitted = choosing.choose(options, fits)
        recipe, looked = chosen.candidate.recipe, chosen.look
        if settings.precision == "int8":
            with watch("look"):
                quantised = precision.quantise(
                    pictures, looked, train, recipe, settings, store, progress
                )
            with watch("fit"):
                again = _fit(
                    usable, quantised.look, split, settings, store, progress, chosen.components
                )
                fitted = precision.told(quantised, looked, fitted, again)
            recipe, looked = quantised.recipe, quantised.look
        probe, tuned = fitted, None
        if settings.finetune.mode != "no":
            with watch("finetune"):
                tuned = tuning.tune(
                    usable, looked, split, fitted, recipe, settings, folder, progress
                )
        with watch("evaluate"):
            judging = judging_rows(split)
            if tuned is not None and tuned.head is not None and tuned.backbone is not None:
                recipe, fitted = tuning.recipe(tuned, settings), replace(fitted, head=tuned.head)
                answers, tuned = tuning.answers(
                    usable, judging, tuned.head, fitted.rows, tuned, settings, store, progress
                )
            else:
                answers = fitted.head.probabilities(looked.features[judging])
            judged = _judge(usable, split, fitted, answers, settings)
            if probe is fitted:
                judged = _with_uncalibrated(usable, looked, split, fitted, judged)
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
            audit=audit, fitted=fitted, judged=judged, recipe=recipe, settings=settings,
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


def _check_split_options(pictures: PictureSet, settings: SplitSettings) -> None:
    if pictures.has_given_split and settings != SplitSettings(seed=settings.seed):
        raise OptionError(
            "--test, --val, --split-from and --order-column have no effect here: the data gives its"
            " own split"
        )
    if settings.split_from and settings.order_column:
        raise OptionError("--split-from and --order-column both say the sides: give one of them")


def _split(
    pictures: PictureSet,
    usable: PictureSet,
    seen: Look,
    alike: Likeness,
    together: NDArray[np.intp],
    settings: RunSettings,
) -> Split:
    ids = [seen.ids[row] for row in seen.usable]
    known = order = None
    gone: Gone | None = None
    if settings.split.split_from:
        sides = read_known_sides(settings.split.split_from)
        known = sides.sides_of(usable.paths, ids)
        gone = look_for_gone(settings.split.split_from, sides, pictures.paths, seen.ids)
    if settings.split.order_column:
        order = read_order(settings.split.order_column, usable.columns, usable.paths)
    split = make_split(
        usable.codes(),
        usable.classes,
        ids,
        together,
        usable.groups,
        usable.splits if usable.has_given_split else None,
        settings.split,
        known,
        alike.pairs[alike.copies()],
        order,
    )
    if gone is None:
        return split
    return replace(
        split,
        left_out=(*gone.lines(), *split.left_out),
        proof={**split.proof, "gone": gone.to_json()},
    )


def _fit(
    usable: PictureSet, seen: Look, split: Split, settings: RunSettings, cache: Cache,
    progress: Progress, pca: int = 0,
) -> Fitted:  # fmt: skip
    """Fit the probe on the training pictures, with the classes that stand there."""
    rows = split.rows("train")
    codes = usable.codes()
    learned = np.unique(codes[rows])
    if len(learned) < 2:
        only = usable.classes[learned[0]] if len(learned) else "none"
        raise DataError(
            f"the training pictures hold one class only ({only}): a classifier needs two or more"
        )
    probe, computed = fit_probe(
        seen.features[rows],
        np.searchsorted(learned, codes[rows]),
        len(learned),
        split.components[rows],
        [seen.ids[row] for row in seen.usable[rows]],
        seed=settings.seed,
        cache=cache,
        progress=progress,
        pca=pca,
        head=settings.head,
        trials=settings.search,
    )
    classes = tuple(usable.classes[code] for code in learned)
    return Fitted(probe=probe, head=probe.head, classes=classes, rows=rows, computed=computed)


def judging_rows(split: Split) -> NDArray[np.intp]:
    """Return the rows on evaluation sides, those that do not count in."""
    return np.flatnonzero((split.sides != "train") & (split.sides != ""))


def _judge(
    usable: PictureSet, split: Split, fitted: Fitted, probabilities: NDArray[np.float32],
    settings: RunSettings,
) -> Judged:  # fmt: skip
    """Measure the classifier on the side that judges, once."""
    everything = judging_rows(split)
    place = {name: code for code, name in enumerate(fitted.classes)}
    truth = np.array([place.get(usable.labels[row], -1) for row in everything])

    def measured(rows: NDArray[np.intp]) -> Evaluation:
        chosen = np.isin(everything, rows) & (truth >= 0)
        if not chosen.any():
            raise DataError(
                f"no {split.headline} picture is left to judge on: every one of them leaks, or is"
                " of a class without training pictures"
            )
        return evaluate(
            probabilities[chosen],
            truth[chosen],
            classes=fitted.classes,
            components=split.components[everything][chosen],
            baseline_class=fitted.largest_class(usable),
            seed=settings.seed,
        )

    counting, leaked = split.rows(split.headline), split.rows(split.headline, with_leaked=True)
    return Judged(
        rows=everything,
        probabilities=probabilities,
        evaluation=measured(counting),
        with_leaked=measured(leaked) if len(leaked) > len(counting) else None,
    )


def _with_uncalibrated(
    usable: PictureSet, seen: Look, split: Split, fitted: Fitted, judged: Judged
) -> Judged:
    """Add the calibration error that the head has without its temperature on what counts."""
    place = {name: code for code, name in enumerate(fitted.classes)}
    rows = [row for row in split.rows(split.headline) if usable.labels[row] in place]
    truth = np.array([place[usable.labels[row]] for row in rows], np.intp)
    return replace(judged, ece_before=_uncalibrated_error(fitted, seen.features[rows], truth))


def _uncalibrated_error(
    fitted: Fitted, features: NDArray[np.floating], truth: NDArray[np.intp]
) -> float:
    """Return the calibration error [0, 1] that the head has without its temperature."""
    plain = fitted.head.tempered(1 / fitted.probe.search.temperature)
    probabilities = plain.probabilities(features)
    return calibration(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)[0]


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
