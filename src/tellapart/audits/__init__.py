"""The audit: checks on a picture set, run together, each finding once, costliest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tellapart.audits import (
    duplicates,
    files,
    group_hints,
    labels,
    mislabeled,
    outliers,
    pixels,
    shift,
    shortcuts,
)
from tellapart.audits.inputs import AuditInput
from tellapart.audits.kept import audit_key
from tellapart.audits.kinds import (
    COST,
    KINDS,
    by_cost,
    check_fail_on,
    check_kinds,
    fails,
    wanted_kinds,
)
from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.progress import Progress


class Kept(Protocol):
    """Where findings are kept: the cache, seen from here."""

    def load_arrays(self, key: str) -> tuple[Any, dict[str, Any]] | None: ...

    def save_arrays(
        self, key: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
    ) -> None: ...


class Check(NamedTuple):
    """A check: the kinds of findings it can make, and the function that makes them."""

    kinds: tuple[str, ...]
    find: Callable[[AuditInput], list[Finding]]


CHECKS: tuple[Check, ...] = (
    Check(("unreadable", "truncated", "not_an_image"), files.problems),
    Check(("leak_duplicate", "label_conflict", "duplicate_exact"), duplicates.exact_copies),
    Check(("leak_duplicate", "label_conflict", "duplicate_near"), duplicates.near_copies),
    Check(("leak_group",), duplicates.leaking_groups),
    Check(("missing_class",), labels.missing_classes),
    Check(("empty_class",), labels.empty_classes),
    Check(("stray_folder",), labels.stray_folders),
    Check(("label_spelling",), labels.spellings),
    Check(("small_class",), labels.small_classes),
    Check(("group_only_class",), labels.group_only_classes),
    Check(("group_hint",), group_hints.group_hints),
    Check(("imbalance",), labels.imbalance),
    Check(("placeholder",), files.placeholders),
    Check(("wrong_extension",), files.wrong_extensions),
    Check(("dropped_band",), files.dropped_bands),
    Check(("exif_rotated",), pixels.exif_turned),
    Check(("dark",), pixels.dark),
    Check(("light",), pixels.light),
    Check(("blurry",), pixels.blurry),
    Check(("low_information",), pixels.low_information),
    Check(("tiny",), pixels.tiny),
    Check(("odd_size",), pixels.odd_size),
    Check(("odd_aspect",), pixels.odd_aspect),
    Check(("odd_mode",), pixels.odd_mode),
    Check(("mislabeled", "class_overlap"), mislabeled.labels_against_features),
    Check(("outlier",), outliers.far_from_all),
    Check(("shortcut",), shortcuts.giveaways),
    Check(("split_shift",), shift.split_shifts),
)


def run_audit(
    data: AuditInput,
    *,
    only: tuple[str, ...] | None = None,
    skip: tuple[str, ...] | None = None,
    cache: Kept | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Return what the checks find: each group of pictures once, under its costliest kind.

    only, skip  kinds of findings to look for or to leave out; None for no restriction. Raises
                OptionError for a kind that does not exist (naming the nearest), or if none is left.
    cache       where what was found is kept, so that the same pictures are checked once
    """
    wanted = wanted_kinds(only, skip)
    key = audit_key(data, sorted(wanted)) if cache is not None else ""
    kept = cache.load_arrays(key) if cache is not None else None
    if kept is not None:
        return Audit.from_json(kept[1])
    found = _checked(data, wanted, progress or Progress())
    if cache is None:
        return found
    stored = found.to_json()
    cache.save_arrays(key, {}, stored)
    return Audit.from_json(stored)  # the same as later from the cache, which rounds scores


def _checked(data: AuditInput, wanted: frozenset[str], progress: Progress) -> Audit:
    checks = [check for check in CHECKS if wanted.intersection(check.kinds)]
    found: list[Finding] = []
    # One thread: on 1,000 pictures many take longer (0.3 s against 2.6 s on two busy cores), and
    # the findings must not depend on their number.
    with (
        threadpool_limits(1, "blas"),
        progress.stage("audit", len(checks), "checks") as stage,
    ):
        for check in checks:
            found += [one for one in check.find(data) if one.kind in wanted]
            stage.advance()
    return Audit(pictures=len(data.pictures), findings=tuple(merge(found)))


def merge(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings by cost, those about the very same pictures joined into one.

    Findings that name no pictures (about classes or the whole set) stay as they are.
    """
    merged: dict[object, Finding] = {}
    for one in sorted(findings, key=by_cost):
        paths = frozenset(picture.path for picture in one.pictures)
        key: object = paths or (one.kind, one.labels, one.message)
        first = merged.get(key)
        if first is None:
            merged[key] = one
        elif one.kind != first.kind and one.kind not in first.also:
            merged[key] = replace(first, also=(*first.also, one.kind))
    return list(merged.values())


__all__ = [
    "CHECKS",
    "COST",
    "KINDS",
    "Audit",
    "AuditInput",
    "Check",
    "Finding",
    "PictureRef",
    "check_fail_on",
    "check_kinds",
    "fails",
    "merge",
    "run_audit",
    "wanted_kinds",
]
