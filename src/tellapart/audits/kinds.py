"""The kinds of findings: how grave each is, and why it matters. The order is the order of cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tellapart.audits.records import SEVERITIES, Audit, Finding, Severity
from tellapart.errors import OptionError, did_you_mean


class Kind(NamedTuple):
    """How grave a kind is unless a check says otherwise, and one sentence on why it matters."""

    severity: Severity
    why: str


# Costliest first: what makes the number untrue, then what spoils the classifier, then what to know.
KINDS: dict[str, Kind] = {
    "leak_duplicate": Kind(
        "error", "a picture that was trained on also judges, so the score is too good to be true"
    ),
    "leak_group": Kind(
        "error", "one group trains and judges, so the score says nothing about new groups"
    ),
    "label_conflict": Kind(
        "error", "the same picture has two labels, so one of them teaches or judges wrongly"
    ),
    "missing_class": Kind("error", "a side without a class can neither teach nor judge it"),
    "unreadable": Kind("error", "the file cannot be opened, so the picture is not used at all"),
    "truncated": Kind("error", "the file ends too early, so part of the picture is lost"),
    "not_an_image": Kind("error", "the file holds no picture, whatever its name says"),
    "shortcut": Kind(
        "warning", "the files give the label away, so a classifier may learn them, not the content"
    ),
    "mislabeled": Kind(
        "warning", "a wrong label teaches the wrong thing and counts right answers as errors"
    ),
    "placeholder": Kind(
        "warning", "a web server's stand-in picture is taught as if it were the class"
    ),
    "label_spelling": Kind(
        "warning", "one class under two spellings is learned as two, each from fewer pictures"
    ),
    "empty_class": Kind("warning", "a class without pictures can be neither learned nor judged"),
    "small_class": Kind(
        "warning", "a class with few independent pictures is judged on next to nothing"
    ),
    "group_only_class": Kind(
        "warning", "a class that stands in one group only cannot be told from that group"
    ),
    "class_overlap": Kind("warning", "two classes that look like one cannot be told apart"),
    "split_shift": Kind(
        "warning", "training and judging pictures differ, so the score is about other pictures"
    ),
    "duplicate_exact": Kind("warning", "copies weigh double and add nothing new"),
    "duplicate_near": Kind("warning", "altered copies weigh double and leak when they are split"),
    "dropped_band": Kind("warning", "a band of the file is dropped without a word when it is read"),
    "low_information": Kind("warning", "a picture with hardly any content cannot show its class"),
    "dark": Kind("warning", "so dark that little can be seen"),
    "light": Kind("warning", "so bright that little can be seen"),
    "blurry": Kind("warning", "so blurred that details which tell classes apart are gone"),
    "tiny": Kind("warning", "so small that it must be blown up, which shows nothing new"),
    "group_hint": Kind(
        "note", "if pictures of one place or moment stand on two sides, the score is too good"
    ),
    "outlier": Kind("note", "unlike every class: perhaps it does not belong here"),
    "imbalance": Kind("note", "plain accuracy flatters whoever always guesses the largest class"),
    "wrong_extension": Kind("note", "programs that trust the file's name fail on it"),
    "exif_rotated": Kind(
        "note", "programs that ignore the EXIF orientation see the picture lying on its side"
    ),
    "odd_mode": Kind("note", "another colour mode than the rest: another source, perhaps"),
    "odd_size": Kind("note", "a size far from the rest: another source, perhaps"),
    "odd_aspect": Kind("note", "a shape far from the rest: squeezing or cropping harms it most"),
    "stray_folder": Kind("note", "a tool's own folder is no class and was left out"),
}
COST: dict[str, int] = {kind: position for position, kind in enumerate(KINDS)}


def check_kinds(names: Iterable[str], option: str) -> None:
    """Raise OptionError for the first name that is no kind, naming the nearest."""
    for name in names:
        if name not in KINDS:
            raise OptionError(
                f"{option}: there is no kind of finding '{name}'{did_you_mean(name, KINDS)}"
            )


def wanted_kinds(only: tuple[str, ...] | None, skip: tuple[str, ...] | None) -> frozenset[str]:
    """Return the kinds that `only` and `skip` leave; OptionError for an unknown one or none."""
    check_kinds(only or (), "--only")
    check_kinds(skip or (), "--skip")
    wanted = frozenset(only if only is not None else KINDS) - frozenset(skip or ())
    if not wanted:
        raise OptionError("--only and --skip together leave nothing to look for: drop one of them")
    return wanted


def check_fail_on(
    fail_on: str | None,
    only: tuple[str, ...] | None = None,
    skip: tuple[str, ...] | None = None,
) -> None:
    """Raise OptionError where `fail_on` is neither a severity nor a kind that is looked for."""
    if fail_on is None or fail_on in SEVERITIES:
        return
    if fail_on not in KINDS:
        known = (*SEVERITIES, *KINDS)
        raise OptionError(
            f"--fail-on: '{fail_on}' is neither a severity ({', '.join(SEVERITIES)}) nor a kind "
            f"of finding{did_you_mean(fail_on, known)}"
        )
    if fail_on not in wanted_kinds(only, skip):
        raise OptionError(
            f"--fail-on {fail_on} has no effect: --only or --skip leaves that kind out"
        )


def fails(audit: Audit, fail_on: str) -> bool:
    """Whether `audit` holds a finding as grave as `fail_on`, or of the kind that it names.

    A kind counts too where it stands in a finding's `also`. Raises OptionError for a name that is
    neither a severity (error, warning, note) nor a kind.
    """
    check_fail_on(fail_on)
    if fail_on in SEVERITIES:
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return any(one.severity in grave for one in audit.findings)
    return any(fail_on == one.kind or fail_on in one.also for one in audit.findings)


def by_cost(finding: Finding) -> tuple[int, int, float, tuple[str, ...], tuple[str, ...]]:
    """Return the key that sorts findings: severity, kind, worst score, then paths and labels."""
    return (
        SEVERITIES.index(finding.severity),
        COST[finding.kind],
        -finding.score,
        tuple(one.path for one in finding.pictures),
        finding.labels,
    )
