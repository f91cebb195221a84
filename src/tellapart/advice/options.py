"""The things that can be done, each measured out of fold on the training pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.measure import (
    REPEATS,
    Part,
    Sample,
    answers,
    draw,
    in_threads,
    parts_of,
)
from tellapart.advice.records import ClassCurve, Guess, Option
from tellapart.advice.resampling import (
    Numbers,
    Replicates,
    carried_on,
    guess,
    replicates,
    share_learned,
)
from tellapart.audits.mislabeled import label_scores
from tellapart.audits.ridge import coordinates
from tellapart.heads.logistic import one_thread_quietly
from tellapart.heads.prepare import Floats, Rows
from tellapart.heads.settings import Setting

MOST_CLASSES = 12  # classes that are measured one by one: those with the most errors
SIBLINGS = 4  # larger classes that are cut to the size of a small one
SHARES = (0.25, 0.5)  # of every class's pictures

Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """The head as it is: its answers out of fold, and what every option is held against.

    hits    [n] whether a picture was answered rightly
    total   all training pictures; the sample may be a share of them
    counts  [k] training pictures of each class, all of them
    """

    sample: Sample
    names: Sequence[str]
    parts: list[Part]
    by: Replicates
    hits: Hits
    total: int
    counts: Rows

    def gather(self, found: Sequence[Rows]) -> Hits:
        """Return [n] whether the answers of each part, in order, are right."""
        hits = np.zeros(len(self.sample.labels), bool)
        for part, said in zip(self.parts, found, strict=True):
            hits[part.held] = said == self.sample.labels[part.held]
        return hits

    def few(self) -> Rows:
        """Return the codes of classes of less than half the typical (median) size, smallest first.

        With two classes there is no typical size.
        """
        if self.sample.k < 3:
            return np.zeros(0, np.intp)
        few = np.flatnonzero(self.counts < np.median(self.counts) / 2)
        return few[np.argsort(self.counts[few], kind="stable")]

    def hardest(self) -> list[int]:
        """Return the codes of the classes to measure: the small ones, then by share of errors."""
        labels = self.sample.labels
        sizes = np.bincount(labels, minlength=self.sample.k)
        wrong = np.bincount(labels, ~self.hits, minlength=self.sample.k) / np.maximum(sizes, 1)
        small = self.few().tolist()
        rest = [code for code in np.argsort(-wrong, kind="stable").tolist() if code not in small]
        return [*small, *rest][:MOST_CLASSES]


def measured(
    sample: Sample, names: Sequence[str], setting: Setting, counts: Rows, seed: int
) -> Measured | None:
    """Return the head's answers out of fold; None where nothing can be held out."""
    independent = [
        len(np.unique(sample.components[sample.labels == code])) for code in range(sample.k)
    ]
    if sum(one >= 2 for one in independent) < 2:
        return None
    parts = parts_of(sample, setting, seed)
    if not parts:
        return None
    hits = np.zeros(len(sample.labels), bool)
    for part in parts:
        hits[part.held] = answers(part, sample.k) == sample.labels[part.held]
    by = replicates(sample, parts, seed)
    return Measured(sample, names, parts, by, hits, int(counts.sum()), counts)


@dataclass(frozen=True)
class Pictures:
    """What more pictures bring: an option a class, all classes together, the learning curves."""

    options: tuple[Option, ...]
    doubling: Guess
    curves: tuple[ClassCurve, ...]


def more_pictures(found: Measured, seed: int) -> Pictures:
    """Measure what more pictures of one class bring, and of all.

    With a quarter and with half of every class's pictures, one class at a time gets twice as many:
    the same change of balance as doubling it now, only at a smaller size; two sizes show how such a
    gain wanes. A class of less than half the typical size is also held against larger ones that
    are cut to its size: what they lose by it, it may win.
    """
    codes = found.hardest()
    small = [code for code in found.few().tolist() if code in codes]
    hits = _hits_with_fewer(found, codes, small, seed)
    now = found.by.score(found.hits)
    scores = {key: found.by.score(one) for key, one in hits.items()}
    options = [
        _filled_up(found, code, hits, now) if code in small else _doubled(found, code, scores)
        for code in codes
    ]
    share = share_learned(len(found.sample.labels), found.total)
    curves = tuple(_curve(found, code, hits, share) for code in codes)
    return Pictures(tuple(options), _all_doubled(found, hits), curves)


def doubling(found: Measured, seed: int) -> Guess:
    """Measure what twice the pictures of every class bring, without looking at any one class."""
    return _all_doubled(found, _hits_with_fewer(found, [], [], seed))


def _all_doubled(found: Measured, hits: dict[Any, Hits]) -> Guess:
    now, quarter, half = (found.by.score(one) for one in (found.hits, hits[None, 0], hits[None, 1]))
    share = share_learned(len(found.sample.labels), found.total)
    unchanged = found.by.unchanged(range(found.by.k))
    return guess(carried_on(half - quarter, now - half + unchanged, found.by.steepness, 2 * share))


def _hits_with_fewer(
    found: Measured, codes: list[int], small: list[int], seed: int
) -> dict[Any, Hits]:
    """Return what `_with_fewer` answers rightly, [REPEATS, n], under its keys."""
    tasks = [(part, repeat) for part in found.parts for repeat in range(REPEATS)]
    made = in_threads(lambda task: _with_fewer(found, task[0], codes, small, seed, task[1]), tasks)
    hits: dict[Any, Hits] = {}
    for (part, repeat), said in zip(tasks, made, strict=True):
        for key, one in said.items():
            both = hits.setdefault(key, np.zeros((REPEATS, len(found.sample.labels)), bool))
            both[repeat, part.held] = one == found.sample.labels[part.held]
    return hits


def _with_fewer(
    found: Measured, part: Part, codes: list[int], small: list[int], seed: int, repeat: int
) -> dict[Any, Rows]:
    """Return answers by what was learned from: (class doubled or None, 0 or 1 for the share), or
    ("cut", sibling, small class).
    """
    drawn, k = draw(found.sample, part, seed, repeat), found.sample.k
    said: dict[Any, Rows] = {}
    for at, share in enumerate(SHARES):
        few = drawn.first(share * drawn.size)
        more = drawn.first(np.maximum(2.0, 2 * share * drawn.size))
        said[None, at] = answers(part, k, few)
        for code in codes:
            if code not in small:
                said[code, at] = answers(part, k, np.where(part.labels == code, more, few))
    for code in small:
        cut = drawn.first(float((part.labels == code).sum()))
        for other in _siblings(found, small):
            said["cut", other, code] = answers(part, k, cut | (part.labels != other))
    return said


def _siblings(found: Measured, small: list[int]) -> list[int]:
    """Return the largest classes: what they lose when they are cut is what smallness costs."""
    order = np.argsort(-found.counts, kind="stable").tolist()
    return [code for code in order if code not in small][:SIBLINGS]


def _doubled(found: Measured, code: int, scores: dict[Any, Numbers]) -> Option:
    share = share_learned(len(found.sample.labels), found.total)
    gain = carried_on(
        scores[code, 0] - scores[None, 0],
        scores[code, 1] - scores[None, 1] + found.by.unchanged([code]),
        found.by.steepness,
        share,
    )
    return Option("more_pictures", found.names[code], int(found.counts[code]), guess(gain), "")


def _filled_up(found: Measured, code: int, hits: dict[Any, Hits], now: Numbers) -> Option:
    """Return what it brings to have as many pictures of a small class as of a typical one.

    Two guides, and every mixture of them counts as equally likely: what larger classes lose when
    they are cut to its size, and what its recall lacks to theirs (the most that it can be).
    """
    by, labels = found.by, found.sample.labels
    small = found.few().tolist()
    siblings = _siblings(found, small)
    lost = np.stack([now - by.score(hits["cut", other, code]) for other in siblings])
    theirs = np.mean([by.recall(found.hits, labels == other) for other in siblings], axis=0)
    room = np.maximum(theirs - by.recall(found.hits, labels == code), 0) / by.k
    of = np.arange(lost.shape[1])
    likely = np.clip(lost[of % len(siblings), of], 0, room)  # a sibling a replicate: they differ
    gain = likely + by.mixture * (room - likely)
    wanted = int(np.median(np.delete(found.counts, small))) - int(found.counts[code])
    why = "between what larger classes lose, cut to its size, and what its recall lacks to theirs"
    return Option("more_pictures", found.names[code], wanted, guess(gain), why)


def _curve(found: Measured, code: int, hits: dict[Any, Hits], share: float) -> ClassCurve:
    own = found.sample.labels == code
    learned = round(float(np.mean([(part.labels == code).sum() for part in found.parts])))
    recalls = [found.by.recall(hits[None, at], own) for at in range(len(SHARES))]
    now = found.by.recall(found.hits, own)
    gains = carried_on(recalls[1] - recalls[0], now - recalls[1], found.by.steepness, 2 * share)
    sizes = (*(max(1, round(one * learned)) for one in SHARES), learned)
    plain = [float(hits[None, at][:, own].mean()) for at in range(len(SHARES))]
    return ClassCurve(
        found.names[code],
        sizes,
        tuple(round(one, 4) for one in (*plain, float(found.hits[own].mean()))),
        int(found.counts[code]),
        guess(np.clip(now + gains, 0, 1)),
    )


def relabelled(found: Measured, suspects: Rows, proposed: Rows, audited: int) -> Option:
    """Measure what it brings to give suspected pictures the label that is proposed.

    suspects  rows of the sample; proposed  their classes; audited  suspects in all of training

    Two gains add up: the head learns better (judged on pictures that nobody suspects), and right
    answers that a wrong label counts as errors now are counted rightly. The second holds only as
    far as the labels are wrong and the pictures not merely hard, which `truly_wrong` estimates.
    """
    sample, by = found.sample, found.by
    labels = sample.labels.copy()
    labels[suspects] = proposed
    tasks = found.parts
    said = np.zeros(len(labels), np.intp)
    for part, one in zip(
        tasks, in_threads(lambda part: answers(part, sample.k, None, labels[part.learned]), tasks),
        strict=True,
    ):  # fmt: skip
        said[part.held] = one
    trusted = np.ones(len(labels), bool)
    trusted[suspects] = False
    learns = _score_on(by, said == sample.labels, trusted) - _score_on(by, found.hits, trusted)
    jump = by.score(said == labels, labels) - by.score(found.hits)
    wrong = truly_wrong(found, suspects, proposed)
    gain = learns + wrong * np.maximum(jump - learns, 0)
    likely = round(guess(wrong).value * audited)
    better = f"{100 * guess(learns).value:+.1f} because it learns better"
    why = (
        f"{better}; the pictures look hard rather than wrong"
        if not likely
        else f"{better}, the rest because right answers count as errors now: about {likely:,} of"
        f" the {audited:,} look truly wrong"
    )
    return Option("relabel", "", audited, guess(gain), why)


def _score_on(by: Replicates, hits: Hits, rows: Hits) -> Numbers:
    """Return [r] balanced accuracy on some rows alone."""
    recalls = np.stack([by.recall(hits, rows & (by.labels == code)) for code in range(by.k)])
    return np.asarray(np.nanmean(recalls, axis=0))


def truly_wrong(found: Measured, suspects: Rows, proposed: Rows) -> Numbers:
    """Return [r] the share of the suspects, 0..1, whose label is wrong and not the picture hard.

    A picture with a wrong label is as typical of its true class as that class's own: half of such
    pictures lie past the median of its margins, so twice those that do are wrong. And where classes
    overlap, hard pictures thin out steadily: as many as lie between 0 and the margin from which the
    audit suspects are taken off. The lesser of the two counts.
    """
    sample, by = found.sample, found.by
    with one_thread_quietly():
        margin = label_scores(coordinates(sample.features), sample.labels, sample.k).margin
    trusted = np.ones(len(margin), bool)
    trusted[suspects] = False
    middle = np.full(sample.k, np.inf)
    for code in range(sample.k):
        own = margin[trusted & (sample.labels == code)]
        middle[code] = np.median(own) if len(own) else np.inf
    typical = -margin[suspects] > middle[proposed]
    among = by.weights[:, suspects]
    drawn = among.sum(axis=1)
    hard = by.weights[:, trusted & (margin < 0)].sum(axis=1)
    wrong = np.minimum(2 * (among * typical).sum(axis=1), drawn - hard)
    return np.asarray(np.clip(wrong / np.maximum(drawn, 1), 0, 1))


def other_backbone(
    found: Measured, name: str, rows: Rows, features: Floats, setting: Setting, seed: int
) -> Option:
    """Measure another backbone's features [m, d] of some rows against ours, with the same head.

    They are brought to the same total variance, so that the penalty means the same.
    """
    own = _of(found.sample, rows, found.sample.features[rows])
    spread = float(np.var(own.features, axis=0).sum() / max(np.var(features, axis=0).sum(), 1e-30))
    other = _of(found.sample, rows, np.asarray(features * np.sqrt(spread), np.float32))
    hits = []
    for sample in (own, other):
        parts = parts_of(sample, setting, seed)
        right = np.zeros(len(rows), bool)
        for part in parts:
            right[part.held] = answers(part, sample.k) == sample.labels[part.held]
        hits.append(right)
    by = replicates(own, parts, seed)
    why = f"measured out of fold on {len(rows):,} training pictures"
    return Option("backbone", name, 0, guess(by.score(hits[1]) - by.score(hits[0])), why)


def _of(sample: Sample, rows: Rows, features: Floats) -> Sample:
    ids = [sample.ids[row] for row in rows]
    return Sample(features, sample.labels[rows], sample.components[rows], ids, sample.k)
