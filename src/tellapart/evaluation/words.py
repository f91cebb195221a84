"""The numbers in words: what the report and the command line say."""

from __future__ import annotations

import math

from tellapart.evaluation.groups import FEWEST_GROUPS
from tellapart.evaluation.records import Estimate, Evaluation

CROSSED = "cv"  # each picture judged by a model of the other folds
SMALL = 100  # shares of fewer pictures are shown as counts
_OUT_OF = (2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000)


def headline_words(evaluation: Evaluation, headline_split: str) -> str:
    """Return the headline as a sentence or more: how many right, how sure, what is mixed up.

    headline_split: "test", "val", "cv" for cross-validation, or "" for pictures that came from
    elsewhere.
    """
    sentences = [f"{_how_good(evaluation)}, {_judged_on(evaluation, headline_split)}"]
    if mixed := mixed_up_words(evaluation):
        sentences[0] += f"; {mixed}"
    sentences += [
        one for one in (_unreliable(evaluation, headline_split), _missing(evaluation)) if one
    ]
    return ". ".join(sentences) + "."


def headline_lines(evaluation: Evaluation, headline_split: str) -> tuple[str, ...]:
    """Return the number in words, in figures, and beside plain accuracy and plain guessing."""
    headline = evaluation.headline
    figures = f"Balanced accuracy {headline.value or 0.0:.3f}"
    if headline.low is not None and headline.high is not None:
        figures += f", 95 % interval {headline.low:.3f} to {headline.high:.3f}"
    words = headline_words(evaluation, headline_split)
    return words, f"{figures}.", baseline_words(evaluation)


def baseline_words(evaluation: Evaluation) -> str:
    """Return plain accuracy beside what always guessing the largest class would reach."""
    guessed = round(evaluation.baseline_accuracy * evaluation.pictures)
    return (
        f"Of all pictures alike, {estimate_words(evaluation.metrics['accuracy'])} are right;"
        f" always guessing '{evaluation.baseline_class}' would get"
        f" {share_words(guessed, evaluation.pictures)}."
    )


def mixed_up_words(evaluation: Evaluation) -> str:
    """Return which two classes are mixed up most, "" where every answer is right."""
    confusion = evaluation.confusion
    classes = range(len(evaluation.classes))
    pairs = [
        (int(confusion[i, j] + confusion[j, i]), i, j)
        for i in classes
        for j in classes
        if i < j and confusion[i, j] + confusion[j, i]
    ]
    if not pairs:
        return ""
    count, first, second = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
    if confusion[second, first] > confusion[first, second]:
        first, second = second, first
    names = f"'{evaluation.classes[first]}' with '{evaluation.classes[second]}'"
    times = "once" if count == 1 else f"{count:,} times"
    if len(pairs) == 1:
        return f"it mixes up {names} ({times})"
    if sum(pair[0] == count for pair in pairs) > 1:
        return f"it mixes up, among others, {names} ({times})"
    return f"it mixes up {names} most ({times})"


def _how_good(evaluation: Evaluation) -> str:
    """Return the share right; a mean over classes of unequal size is called one."""
    headline = evaluation.headline
    value = headline.value or 0.0
    interval = range_in_brackets(headline)
    if value == 1.0:
        return f"No mistake seen{interval}"
    if value == 0.0:
        return f"Not one right{interval}"
    about = about_of(value, (headline.high or 1.0) - (headline.low or 0.0))
    sizes = {one.pictures for one in evaluation.per_class if one.pictures}
    if len(sizes) > 1:
        return f"Averaged over the classes, about {about} right{interval}"
    if evaluation.pictures < SMALL:
        right = round(value * evaluation.pictures)
        return f"{right} of {evaluation.pictures} right{interval}"
    return f"About {about} right{interval}"


def _judged_on(evaluation: Evaluation, headline_split: str) -> str:
    noun = "picture" if evaluation.pictures == 1 else "pictures"
    grouped = evaluation.groups < evaluation.pictures
    inside = f" ({evaluation.groups:,} independent groups)" if grouped else ""
    if headline_split == CROSSED:
        return (
            f"judged on {evaluation.pictures:,} {noun}{inside}, each by a model that never saw it"
        )
    kind = f"{headline_split} {noun}" if headline_split else noun
    return f"judged on {evaluation.pictures:,} {kind}{inside} it never saw"


def _unreliable(evaluation: Evaluation, headline_split: str) -> str:
    if evaluation.headline.reliable:
        return ""
    groups = "one independent group" if evaluation.groups == 1 else f"{evaluation.groups} groups"
    crossed = headline_split == CROSSED
    advice = "" if crossed else ": judge by cross-validation over groups (--evaluate cv)"
    return f"The interval rests on {groups} and is not reliable (it needs {FEWEST_GROUPS}){advice}"


def _missing(evaluation: Evaluation) -> str:
    missing = evaluation.missing_classes
    if not missing:
        return ""
    names = ", ".join(f"'{one}'" for one in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return f"Not judged, for want of pictures: {names}{more}"


def about_of(value: float, width: float = 0.0) -> str:
    """Return a share strictly between 0 and 1 as the simplest fitting "a of b" ("19 of 20").

    The fraction is off by at most half a percentage point or a tenth of the interval's width,
    whichever is more, and by at most a third of the way to 0 or 1.
    """
    allowed = min(max(0.005, width / 10), value / 3, (1.0 - value) / 3)
    for whole in _OUT_OF:
        part = round(value * whole)
        if 0 < part < whole and abs(part / whole - value) <= allowed:
            return f"{part} of {whole:,}"
    return "more than 999 of 1,000" if value > 0.5 else "less than 1 of 1,000"


def share_words(part: int, whole: int) -> str:
    """Return a share as a count where the whole is small ("5 of 24"), else in percent ("95 %")."""
    if whole < SMALL:
        return f"{part} of {whole}"
    return percent(part / whole, digits=0 if whole < 1000 else 1)


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in percent; never "100 %" or "0 %" for one that is neither; "-" for None."""
    if value is None:
        return "-"
    text = f"{100 * value:.{digits}f}"
    if 0.0 < value < 1.0 and float(text) in (0.0, 100.0):
        step = 10.0**-digits
        return f"above {100 - step:.{digits}f} %" if value > 0.5 else f"below {step:.{digits}f} %"
    return f"{text} %"


def range_words(estimate: Estimate) -> str:
    """Return the interval rounded outwards ("91 to 98 %"), "" where there is none.

    With a decimal where the interval is narrower than 4 percentage points.
    """
    if estimate.low is None or estimate.high is None:
        return ""
    digits = 0 if estimate.high - estimate.low >= 0.04 else 1
    scale = 10**digits
    low = math.floor(100 * estimate.low * scale + 1e-9) / scale
    high = math.ceil(100 * estimate.high * scale - 1e-9) / scale
    return f"{low:.{digits}f} to {high:.{digits}f} %"


def range_in_brackets(estimate: Estimate) -> str:
    """Return " (91 to 98 %)", "" where there is no interval."""
    words = range_words(estimate)
    return f" ({words})" if words else ""


def estimate_words(estimate: Estimate) -> str:
    """Return a share with its interval for a table: "23 of 24 (80 to 100 %)", "95 % (91 to 98 %)".

    Only for shares of `estimate.pictures`: accuracy, recall, precision.
    """
    if estimate.value is None:
        return "-"
    part = round(estimate.value * estimate.pictures)
    return share_words(part, estimate.pictures) + range_in_brackets(estimate)
