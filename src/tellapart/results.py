"""What a run found, and how it is written: the files of the run folder but for the page."""

from __future__ import annotations

import io
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice import Advice
from tellapart.advice.words import advice_lines
from tellapart.audits import Audit
from tellapart.command_lines import bands_option, drawing_options, quoted, reading_options
from tellapart.data import PictureSet
from tellapart.data.names import key_of
from tellapart.engines.openvino import XML, network_folder
from tellapart.evaluation import (
    Evaluation,
    headline_lines,
    predictions_table,
    to_metrics_json,
    write_predictions,
)
from tellapart.evaluation.pretraining import PretrainingEffect, pretraining_words
from tellapart.evaluation.views import ViewsEffect, views_words
from tellapart.features import Cache, Look
from tellapart.features.parts import Recipe
from tellapart.finetuning.records import Tuned
from tellapart.heads import Probe
from tellapart.heads.saved import Head
from tellapart.heads.trials import made_by, to_json
from tellapart.models.classifier import Classifier, ModelPart
from tellapart.models.folder import NETWORKS
from tellapart.optional import installed_version
from tellapart.places import write_bytes, write_json
from tellapart.settings import RunSettings
from tellapart.splits import Split

TOLD = {  # choices that are said at once, not only in the report
    "precision": "The network runs in {chosen}, {why}.",
    "input size": "Input size {chosen}: {why}.",
    "bands": "The bands are seen as {chosen}: {why}.",
}
LIBRARIES = ("numpy", "pillow", "openvino", "scikit-learn", "scipy", "polars")


@dataclass(frozen=True)
class Fitted:
    """The head that judges and predicts, and what it was fitted on.

    head      the probe's, or with --refit the one fitted on every picture (`keep` saves it)
    classes   the classes that stand in the training pictures, in class order: what head predicts
    rows      [n] rows of the usable pictures that the head was fitted on, each copy once
    computed  number of fits made now; 0 where the cache had the probe
    folds     what was chosen in each fold of a cross-validation, as it stands in run.json
    """

    probe: Probe
    head: Head
    classes: tuple[str, ...]
    rows: NDArray[np.intp]
    computed: int
    folds: tuple[dict[str, Any], ...] = ()

    def largest_class(self, usable: PictureSet) -> str:
        """Return the class with most training pictures, the first of equals in class order."""
        counts = Counter(usable.labels[row] for row in self.rows)
        return max(self.classes, key=lambda name: counts[name])


@dataclass(frozen=True)
class Judged:
    """The pictures that judge, what the head said of them, and how it did.

    rows           [n] rows of the usable pictures on evaluation sides, those that do not count in
    probabilities  float32 [n, k], in the order of Fitted.classes
    evaluation     on the counted, unleaked pictures of the headline side
    with_leaked    the same with the leaked ones counted in; None where nothing leaks
    ece_before     the calibration error on the pictures of `evaluation` without the temperature
    views          what test-time views bring and cost, on the pictures of `evaluation`
    pretraining    what pretraining is worth, likewise, of a network trained from scratch
    """

    rows: NDArray[np.intp]
    probabilities: NDArray[np.float32]
    evaluation: Evaluation
    with_leaked: Evaluation | None
    ece_before: float | None = None
    views: ViewsEffect | None = None
    pretraining: PretrainingEffect | None = None


@dataclass(frozen=True)
class Results:
    """Everything a run found. `usable` are the pictures of `pictures` that have features.

    `backbone` is what the classifier holds; `tuned` what came of fine-tuning, None without it.
    """

    location: str
    pictures: PictureSet
    usable: PictureSet
    look: Look
    split: Split
    audit: Audit
    fitted: Fitted
    judged: Judged
    recipe: Recipe
    settings: RunSettings
    advice: Advice | None = None  # None where it was not asked for
    advised: int = 0  # 0 where the cache had the advice, or none was asked for
    tuned: Tuned | None = None

    def ids(self) -> list[str]:
        """Return the ids of the usable pictures."""
        return [self.look.ids[row] for row in self.look.usable]


def words(found: Results) -> tuple[str, ...]:
    """Return what a person should know first, a sentence each."""
    evaluation = found.judged.evaluation
    lines = list(headline_lines(evaluation, found.split.headline))
    if found.judged.with_leaked:
        leaked = found.judged.with_leaked
        count = leaked.pictures - evaluation.pictures
        these, them = ("picture that leaks", "it") if count == 1 else ("pictures that leak", "them")
        lines.append(
            f"Left out: {count:,} {these} from training; with {them} the number would be"
            f" {leaked.headline.value:.3f}."
        )
    if found.split.folds is not None:
        lines.append(
            f"The model that is kept learned from all {len(found.fitted.rows):,} pictures; the"
            f" number comes from {len(found.split.folds.train)} others, each made the same way from"
            " the other folds' pictures."
        )
    if found.settings.split.order_column:
        lines.append(f"Split {found.split.proof['origin']}.")
    lines += found.split.left_out
    lines += [
        TOLD[one["what"]].format(**one) for one in found.fitted.probe.choices if one["what"] in TOLD
    ]
    if found.tuned:
        lines += found.tuned.words
    if found.judged.pretraining:
        lines.append(pretraining_words(found.judged.pretraining))
    if found.judged.views:
        lines.append(views_words(found.judged.views))
    lines += _finding_words(found.audit)
    lines += advice_lines(found.advice) if found.advice else ()
    return tuple(lines)


def _finding_words(audit: Audit) -> list[str]:
    """One line a severity that occurs, naming the kinds; notes stay for the report."""
    lines = []
    for severity in ("error", "warning"):
        kinds = Counter(one.kind for one in audit.findings if one.severity == severity)
        if kinds:
            total = sum(kinds.values())
            named = ", ".join(
                f"{count:,} {kind.replace('_', ' ')}" for kind, count in kinds.most_common()
            )
            many = "" if total == 1 else "s"
            lines.append(f"The audit found {total:,} {severity}{many}: {named}.")
    return lines


def next_commands(found: Results, place: Path) -> tuple[str, ...]:
    """Return the command lines to try next."""
    commands = [f"tellapart predict {quoted(place)} YOUR_PICTURES"]
    if any(one.severity != "note" for one in found.audit.findings):
        settings = found.settings
        bands = bands_option((settings.decoding.bands or ())[:3])  # an audit sees three
        drawn = drawing_options(mirror=settings.mirror, seed=settings.seed)
        data = f"{quoted(found.location)}{reading_options(settings.read)}{bands}{drawn}"
        commands.append(f"tellapart audit {data} --out audit")
    return tuple(commands)


def metrics(found: Results) -> dict[str, Any]:
    """Return the object that stands in metrics.json."""
    judged = found.judged
    value = to_metrics_json(judged.evaluation, found.split.headline)
    ece = judged.evaluation.metrics.get("ece")
    value["calibration"] = {
        "temperature": found.fitted.probe.search.temperature,
        "ece_before": judged.ece_before,
        "ece_after": ece.value if ece else None,
        "split": found.split.headline,
        "pictures": judged.evaluation.pictures,
    }
    if judged.with_leaked:
        value["with_leaked"] = to_metrics_json(judged.with_leaked, found.split.headline)["headline"]
    return value


def keep(found: Results, folder: Path, cache: Cache) -> Classifier:
    """Write the model folder and the tables of a run; return the classifier."""
    write_json(folder / "metrics.json", metrics(found))
    write_json(folder / "audit.json", found.audit.to_json())
    _write_split(found, folder / "split.parquet")
    ids, rows = found.ids(), found.judged.rows
    table = predictions_table(
        paths=[found.usable.paths[row] for row in rows],
        ids=[ids[row] for row in rows],
        labels=[found.usable.labels[row] for row in rows],
        splits=found.split.sides[rows].tolist(),
        probabilities=found.judged.probabilities,
        classes=found.fitted.classes,
    )
    write_predictions(folder, table)
    classifier = _classifier(found, cache)
    classifier.save(folder / "model")
    return classifier.moved_to(folder / "model")


def _write_split(found: Results, path: Path) -> None:
    import polars as pl

    usable, split = found.usable, found.split
    table = pl.DataFrame(
        {
            "path": usable.paths,
            "id": found.ids(),
            "label": usable.labels,
            "group": usable.groups,
            "component": split.components,
            "split": split.sides.tolist(),
            "counted": split.counted,
            "leaked": split.leaked,
            "fold": None if split.folds is None else split.folds.of,
        },
        schema_overrides={"group": pl.String, "fold": pl.Int64},
    )
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    write_bytes(path, buffer.getvalue())


def _classifier(found: Results, cache: Cache) -> Classifier:
    settings = found.settings
    networks = [
        one for one in dict.fromkeys(part.backbone for part in found.recipe) if one.is_network
    ]
    names = dict(zip(networks, NETWORKS, strict=False))
    headline = {**metrics(found)["headline"], "split": found.split.headline}
    ids = found.ids()
    return Classifier(
        classes=found.fitted.classes,
        decoding=settings.decoding,
        parts=tuple(
            ModelPart(
                name=part.backbone.name,
                weights_digest=part.backbone.weights_digest,
                licence=part.backbone.licence,
                network=names.get(part.backbone),
                transform=part.backbone.transform,
                bands=part.bands,
                views=part.views,
                features=part.backbone.features,
            )
            for part in found.recipe
        ),
        networks={name: network_folder(one, cache) / XML for one, name in names.items()},
        head=found.fitted.head,
        checked_with=asdict(found.look.engine),
        headline=headline,
        trained_on=frozenset(ids[row][:16] for row in found.fitted.rows),
        card={
            "data": key_of(Path(found.location).absolute().name),
            "train_pictures": len(found.fitted.rows),
            "refit": settings.refit,
            "settings": ", ".join(
                f"{one['what']} {one['chosen']}" for one in found.fitted.probe.choices
            ),
            "per_class": metrics(found)["per_class"],
        },
        weights=(found.tuned.weights or None) if found.tuned else None,
        tta=found.judged.views.views if found.judged.views else (),
        mirror=settings.mirror,
    )


def run_json(found: Results, seconds: dict[str, float]) -> dict[str, Any]:
    """Return the object that stands in run.json."""
    return {
        "location": str(Path(found.location).absolute()),
        "root": found.pictures.root,
        "settings": asdict(found.settings),
        "versions": versions(),
        "engine": asdict(found.look.engine),
        "backbone": _about_backbones(found.recipe),
        "parts": [
            {
                "backbone": part.backbone.name,
                "image_size": part.backbone.transform.size,
                "bands": list(part.bands),
                "views": list(part.views),
                "features": part.backbone.features,
            }
            for part in found.recipe
        ],
        "seconds": {"finetune": None, **seconds},
        "computed": {
            "decoded": found.look.decoded,
            "embedded": found.look.embedded,
            "fitted": found.fitted.computed,
            "advised": found.advised,
        },
        "split": {"given": found.split.given, "proof": found.split.proof},
        "folds": list(found.fitted.folds) or None,
        "search": _search_json(found),
        "advice": found.advice.to_json() if found.advice else None,
        "choices": [*found.fitted.probe.choices, *(found.tuned.choices if found.tuned else ())],
        "finetune": _finetune_json(found.tuned, found.judged),
        "notes": [asdict(note) for note in found.pictures.notes],
        "classes": list(found.fitted.classes),
        "pictures": {"read": len(found.pictures), "usable": len(found.usable)},
    }


def _about_backbones(recipe: Recipe) -> dict[str, str]:
    """Return name, weights digest and licence of a recipe's backbones, each joined with +."""
    backbones = list(dict.fromkeys(part.backbone for part in recipe))
    return {
        "name": "+".join(one.name for one in backbones),
        "weights_digest": "+".join(one.weights_digest for one in backbones),
        "licence": "+".join(dict.fromkeys(one.licence for one in backbones)),
    }


def _search_json(found: Results) -> dict[str, Any] | None:
    """Return what a search over heads tried, None where there was none."""
    search = found.fitted.probe.search
    if not search.trials:
        return None
    return {
        "pictures": search.rows,
        "folds": search.folds,
        "chosen": made_by(search.trials, search.chosen),
        "ended": search.ended,
        "trials": [to_json(one) for one in search.trials],
    }


def _finetune_json(tuned: Tuned | None, judged: Judged) -> dict[str, Any] | None:
    if tuned is None:
        return None
    return {
        "kept": "probe" if tuned.head is None else "network",
        "alpha": tuned.alpha,
        "mixes": [asdict(one) for one in tuned.mixes],
        "histories": [asdict(one) for one in tuned.histories],
        "tta": judged.views.to_json() if judged.views else None,
        "pretrained": judged.pretraining.to_json() if judged.pretraining else None,
    }


def record(found: Results, folder: Path, seconds: dict[str, float], lines: Sequence[str]) -> None:
    """Write run.json and log.txt."""
    write_json(folder / "run.json", run_json(found, seconds))
    text = "".join(f"{line}\n" for line in lines)
    write_bytes(folder / "log.txt", text.encode("utf-8", "backslashreplace"))


def versions() -> dict[str, str]:
    """Return the versions of what computed: Python, tellapart's libraries."""
    found = {name: installed_version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), **{k: v for k, v in found.items() if v}}
