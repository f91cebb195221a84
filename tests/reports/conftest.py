"""Report data made by rule: plausible answers of any number of classes, without a classifier."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tellapart.advice import Advice, ClassCurve, Guess, Option
from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.data.pictures import Note
from tellapart.evaluation.records import ClassScores, Curve, Estimate, Evaluation
from tellapart.reports.records import Pictures, Predictions, ReportData, WithLeaked


@pytest.fixture
def make_data() -> Callable[..., ReportData]:
    """A function (classes, pictures, **changes) -> ReportData."""
    return report_data


def report_data(
    classes: Sequence[str] = ("ants", "bees"),
    pictures: int = 60,
    *,
    accuracy: float = 0.85,
    paths: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    sides: Sequence[str] | None = None,
    **changes: Any,
) -> ReportData:
    rng = np.random.default_rng(5)
    labels = labels or [classes[i % len(classes)] for i in range(pictures)]
    paths = paths or [f"{label[:20]}/{i:05}.jpg" for i, label in enumerate(labels)]
    sides = sides or ["test" if (i // len(classes)) % 3 == 0 else "train" for i in range(pictures)]
    ids = [hashlib.blake2b(path.encode(), digest_size=16).hexdigest() for path in paths]
    truth = np.array([classes.index(label) for label in labels])
    features = rng.normal(size=(pictures, 16)) + 2 * rng.normal(size=(len(classes), 16))[truth]
    judged = [i for i, side in enumerate(sides) if side == "test"]
    probabilities = _answers(rng, truth[judged], len(classes), accuracy)
    counts = {
        name: {
            side: sum(one == name and at == side for one, at in zip(labels, sides, strict=True))
            for side in ("train", "test")
        }
        for name in classes
    }
    made = {
        "title": "ants_bees",
        "date": "21 November 2026",
        "headline_sentence": "About 17 of 20 right, judged on pictures it never saw.",
        "headline_split": "test",
        "evaluation": evaluation_of(list(classes), truth[judged], probabilities),
        "audit": Audit(pictures, some_findings(paths, ids, sides, labels)),
        "class_counts": counts,
        "pictures": Pictures(paths, ids, labels, sides, features.astype(np.float16)),
        "predictions": Predictions(
            [paths[i] for i in judged], [ids[i] for i in judged], truth[judged], probabilities
        ),
        "thumbnails": thumbnails,
        "split_proof": {
            "holds": True,
            "sentence": "No picture, copy or group stands on two sides.",
            "given": False,
            "pairs": {"same_file": {"train-test": 0}},
            "class_shares": {side: dict.fromkeys(classes, 0.25) for side in ("train", "test")},
            "worst_deviation": 0.0123,
        },
        "split_left_out": ("2 pictures cannot be read.",),
        "with_leaked": WithLeaked(Estimate(0.97, 0.93, 0.99, len(judged) + 4), 4),
        "notes": (Note("left_out", "3 files are no pictures (.txt) and were left out."),),
        "settings": {"backbone": "lite0", "split": {"test": 0.2, "seed": 0}, "refit": False},
        "versions": {"tellapart": "0.1.0", "openvino": "2026.1"},
        "seconds": {"read": 0.02, "look": 1.9, "fit": 0.6, "evaluate": 0.1, "total": 2.7},
        "choices": [{"what": "C", "chosen": "0.01", "why": "the simplest within one error"}],
        "commands": ["tellapart predict runs/ants/model photos/"],
        "advice": some_advice(classes),
    }
    return ReportData(**{**made, **changes})


def some_advice(classes: Sequence[str]) -> Advice:
    few = list(classes)[:12]
    gain = Guess(0.04, 0.01, 0.07)
    more = [
        Option("more_pictures", name, 12 + at, gain if not at else Guess(-0.001, -0.003, 0.002), "")
        for at, name in enumerate(few)
    ]
    curves = [
        ClassCurve(name, (8, 16, 32), (0.5, 0.7, 0.8 + at / 100), 40, Guess(0.86, 0.8, 0.93))
        for at, name in enumerate(few)
    ]
    backbone = Option("backbone", "lite1", 0, Guess(0.012, -0.01, 0.03), "measured on 300")
    return Advice(
        (more[0], backbone, *more[1:]), Guess(0.02, 0.01, 0.03), tuple(curves), 0.85, 40,
        ("Measured on a stratified share of 40 of 90 training pictures.",),
    )  # fmt: skip


def _answers(rng: Any, truth: Any, classes: int, accuracy: float) -> Any:
    answers = np.where(rng.random(len(truth)) < accuracy, truth, (truth + 1) % classes)
    scores = rng.normal(size=(len(truth), classes))
    scores[np.arange(len(truth)), answers] = scores.max(axis=1) + rng.gamma(2, 1.5, len(truth))
    shares = np.exp(scores)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def proportion(hits: int, of: int) -> Estimate:
    """A Wilson interval, written out for the tests."""
    if not of:
        return Estimate(None, None, None, 0)
    share, z = hits / of, 1.96
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Estimate(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)), of)


def evaluation_of(classes: list[str], truth: Any, probabilities: Any) -> Evaluation:
    answers = probabilities.argmax(axis=1) if len(truth) else np.zeros(0, int)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (truth, answers), 1)
    per_class = tuple(_class_scores(classes, confusion, at) for at in range(len(classes)))
    recalls = [one.recall.value for one in per_class if one.recall.value is not None]
    n = len(truth)
    right = int(np.trace(confusion))
    accuracy = proportion(right, n)
    mean = float(np.mean(recalls)) if recalls else None
    largest = int(confusion.sum(axis=1).argmax())
    return Evaluation(
        classes=tuple(classes),
        pictures=n,
        groups=n,
        headline=Estimate(mean, accuracy.low, accuracy.high, n),
        metrics={
            "accuracy": accuracy,
            "macro_f1": Estimate(0.9, 0.85, 0.94, n),
            "log_loss": Estimate(0.21, 0.15, 0.3, n),
            "ece": Estimate(0.03, None, None, n),
        },
        baseline_class=classes[largest],
        baseline_accuracy=float(confusion[largest].sum() / n) if n else 0.0,
        per_class=per_class,
        confusion=confusion,
        curves=tuple(_curves(classes)) if n > 1 else (),
    )


def _class_scores(classes: list[str], confusion: Any, at: int) -> ClassScores:
    hits, of, said = int(confusion[at, at]), int(confusion[at].sum()), int(confusion[:, at].sum())
    none = Estimate(None, None, None, 0)
    area = Estimate(0.95 - 0.002 * at, 0.9, 0.99, of) if of else none
    f1 = Estimate(2 * hits / (of + said) if of + said else None, None, None, of)
    recall, precision = proportion(hits, of), proportion(hits, said)
    return ClassScores(classes[at], of, said, precision, recall, f1, recall, area, area)


def _curves(classes: list[str]) -> list[Curve]:
    x = tuple(np.linspace(0, 1, 40).tolist())
    found = []
    for at, name in enumerate(["", *classes]):
        bend = 0.1 + 0.15 * at / len(classes)
        found.append(Curve("roc", name, x, tuple(one**bend for one in x)))
        found.append(Curve("precision_recall", name, x, tuple(1 - one ** (4 - bend) for one in x)))
    bins, weight = (0.55, 0.65, 0.75, 0.85, 0.97), (4, 6, 9, 20, 60)
    return [*found, Curve("calibration", "", bins, (0.5, 0.7, 0.71, 0.88, 0.98), weight)]


def some_findings(paths: Any, ids: Any, sides: Any, labels: Any) -> tuple[Finding, ...]:
    if len(paths) < 4:
        return ()
    refs = [PictureRef(*one) for one in zip(paths, ids, sides, strict=True)]
    advice = "Drop one of the two, or decide which label is right."
    copies = tuple(
        Finding(
            "duplicate_exact",
            "warning",
            0.5,
            (refs[i], refs[i + 1]),
            (labels[i],),
            "Two files hold the same picture.",
            "Keep one of them.",
        )
        for i in range(0, min(24, len(refs) - 1), 2)
    )
    return (
        Finding(
            "label_conflict",
            "error",
            1.0,
            (refs[0], refs[1]),
            (labels[0], labels[1]),
            f"The same picture stands under {labels[0]} and under {labels[1]}.",
            advice,
        ),
        Finding(
            "unreadable",
            "error",
            0.9,
            (PictureRef("ants/broken.jpg", "", None),),
            (),
            "ants/broken.jpg: the file ends after 1,204 bytes.",
            "Fetch the file again.",
        ),
        *copies,
        Finding(
            "imbalance",
            "note",
            0.2,
            (),
            (),
            "The largest class has 1.4 times the pictures of the smallest.",
            "Read the balanced accuracy.",
        ),
    )


def thumbnails(ids: Sequence[str]) -> dict[str, bytes]:
    """Pictures of noise over a colour: larger as files than nearly all photographs."""
    return {one: _thumbnail(one) for one in ids if one}


def _thumbnail(one: str) -> bytes:
    rng = np.random.default_rng(int(one[:8], 16))
    coarse = Image.fromarray(rng.integers(0, 256, (24, 18, 3), np.uint8)).resize((72, 96))
    written = io.BytesIO()
    coarse.save(written, "JPEG", quality=85)
    return written.getvalue()
