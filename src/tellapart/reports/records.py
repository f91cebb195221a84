"""What the report shows: values that the pipeline fills in, and nothing that computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.records import Advice
from tellapart.audits.records import Audit
from tellapart.data.pictures import Note
from tellapart.evaluation.pretraining import PretrainingEffect
from tellapart.evaluation.records import Estimate, Evaluation
from tellapart.finetuning.records import History
from tellapart.heads.search import Search

Thumbnails = Callable[[Sequence[str]], Mapping[str, bytes]]  # ids -> JPEG bytes, 96 px long side


@dataclass(frozen=True)
class Pictures:
    """The usable pictures of a set, m of them: for the samples and the map of features.

    sides     "train", "val", "test", "cv" or "" (left out; neither sampled nor on the map)
    features  [m, d] floats of any width; only the rows on the map are copied
    folds     [m] the fold that judges each picture, trained on those of all others; None where
              one side trains
    """

    paths: Sequence[str]
    ids: Sequence[str]
    labels: Sequence[str]
    sides: Sequence[str]
    features: NDArray[np.floating[Any]]
    folds: NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Predictions:
    """What the classifier said of the n pictures that judge it.

    truth          [n] int, index into the classes of the evaluation
    probabilities  [n, k] float, 0..1
    """

    paths: Sequence[str]
    ids: Sequence[str]
    truth: NDArray[np.integer[Any]]
    probabilities: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class WithLeaked:
    """The headline as it would stand with the leaked evaluation pictures counted in."""

    headline: Estimate
    leaked: int


@dataclass(frozen=True)
class Finetuning:
    """How the network was trained on.

    words        sentences: what was kept and why, what the curves say
    samples      a JPEG with rows of a picture and its augmented views; b"" for none
    pretraining  what it is worth, of a network trained from scratch
    """

    histories: Sequence[History]
    words: Sequence[str]
    samples: bytes = b""
    pretraining: PretrainingEffect | None = None


@dataclass(frozen=True)
class Drawn:
    """A picture as features were made of it, and what they keep of it, both as JPEG bytes."""

    path: str
    label: str
    picture: bytes
    kept: bytes


@dataclass(frozen=True)
class Drawings:
    """A few pictures beside a drawing of what classical features keep of them.

    kept   what the drawing is, in a few words
    words  how to read it, and how much is kept
    """

    title: str
    kept: str
    words: str
    pictures: tuple[Drawn, ...]


@dataclass(frozen=True)
class ReportData:
    """Everything that stands on the page of a run.

    headline_sentence  the number in plain words (evaluation/words.py)
    class_counts       class -> side -> pictures, in class order; sides in the order to show
    split_proof        what was checked and found, as in run.json: values or dicts of values
    split_left_out     one line for every reason why pictures were left out
    settings, versions as in run.json (settings may nest); seconds a stage; choices with "what",
                       "chosen", "why"
    commands           command lines to try next
    advice             what would help most; None where it was not measured
    finetuning         how the network was trained on; None where it was not
    search             how the head was chosen; its trials are shown where there are any
    calibration        as in metrics.json: temperature, ece_before, ece_after, split, pictures
    drawings           what classical features keep of pictures; () for those of networks
    """

    title: str
    date: str
    headline_sentence: str
    headline_split: str
    evaluation: Evaluation
    audit: Audit
    class_counts: Mapping[str, Mapping[str, int]]
    pictures: Pictures
    predictions: Predictions
    thumbnails: Thumbnails
    split_proof: Mapping[str, Any]
    split_left_out: Sequence[str] = ()
    with_leaked: WithLeaked | None = None
    notes: Sequence[Note] = ()
    settings: Mapping[str, Any] | None = None
    versions: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] | None = None
    choices: Sequence[Mapping[str, Any]] = ()
    commands: Sequence[str] = ()
    advice: Advice | None = None
    search: Search | None = None
    finetuning: Finetuning | None = None
    calibration: Mapping[str, Any] | None = None
    drawings: Sequence[Drawings] = ()


@dataclass(frozen=True)
class AuditData:
    """Everything that stands on the page of an audit.

    labels    path -> label, of all pictures
    notes     what reading said
    commands  command lines to try next
    """

    title: str
    date: str
    audit: Audit
    class_counts: Mapping[str, int]
    labels: Mapping[str, str]
    thumbnails: Thumbnails
    notes: Sequence[Note] = ()
    commands: Sequence[str] = ()


@dataclass(frozen=True)
class BackboneMap:
    """One backbone on the page of a comparison: its name and features [m, d] of the pictures."""

    name: str
    features: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ProbeData:
    """Everything that stands on the page of a comparison of backbones.

    words     what the table means, then what is known of the best one, a sentence or more each
    columns   of the table; rows: one a backbone, the best first
    paths, ids, labels  of the m training pictures on the maps
    classes   in class order
    maps      of the best backbones, the best first
    commands  command lines to try next
    """

    title: str
    date: str
    words: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    paths: Sequence[str]
    ids: Sequence[str]
    labels: Sequence[str]
    classes: Sequence[str]
    maps: Sequence[BackboneMap]
    thumbnails: Thumbnails
    commands: Sequence[str] = ()
