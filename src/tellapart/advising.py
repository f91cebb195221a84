"""From what a run found to advice: which labels are suspected, which backbone is at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.advice import Advice, Suspect
from tellapart.advice.advise import Larger, advise, backbone_rows
from tellapart.auditing import look_at
from tellapart.audits import Audit
from tellapart.backbones import get_backbone
from tellapart.data import PictureSet
from tellapart.errors import MissingExtra
from tellapart.features import Cache, Look
from tellapart.progress import Progress
from tellapart.results import Fitted
from tellapart.settings import RunSettings
from tellapart.splits import Split

# What is tried after a backbone, by its name up to a colon: the next larger one that the core
# install can run, of those whose weights are there.
LARGER: dict[str, tuple[str, ...]] = {
    "color": ("lite0",),
    "hog": ("lite0",),
    "pca": ("lite0",),
    "lite0": ("lite1", "lite2"),
    "lite1": ("lite2",),
}


def advise_on(
    usable: PictureSet, seen: Look, split: Split, fitted: Fitted, audit: Audit,
    settings: RunSettings, cache: Cache, progress: Progress,
) -> tuple[Advice, int]:  # fmt: skip
    """Return what would help the probe most, from its training pictures alone.

    The second value is 1 where it was computed, 0 where the cache had it.
    """
    rows = split.rows("train")
    place = {name: code for code, name in enumerate(fitted.classes)}
    labels = np.array([place[usable.labels[row]] for row in rows])
    ids = [seen.ids[row] for row in seen.usable[rows]]
    components = split.components[rows]
    larger, note = _larger(usable, rows, labels, components, ids, settings, cache, progress)
    return advise(
        seen.features[rows], labels, fitted.classes, components, ids,
        setting=fitted.probe.search.chosen,
        suspects=_suspects(audit, [usable.paths[row] for row in rows], place),
        larger=larger,
        notes=(note,) if note else (),
        seed=settings.seed,
        cache=cache,
        progress=progress,
    )  # fmt: skip


def _suspects(audit: Audit, paths: list[str], place: dict[str, int]) -> list[Suspect]:
    """Return the training pictures that the audit calls mislabeled, with the class it proposes."""
    row_of = {path: row for row, path in enumerate(paths)}
    return [
        Suspect(row_of[finding.pictures[0].path], place[finding.labels[-1]])
        for finding in audit.findings
        if finding.kind == "mislabeled"
        and finding.pictures[0].path in row_of
        and finding.labels[-1] in place
    ]


def _larger(
    usable: PictureSet, rows: NDArray[np.intp], labels: NDArray[np.intp],
    components: NDArray[np.intp], ids: list[str], settings: RunSettings, cache: Cache,
    progress: Progress,
) -> tuple[Larger | None, str]:  # fmt: skip
    """Return the next larger backbone's features of a few hundred training pictures, or why not."""
    names = LARGER.get(settings.backbone.partition(":")[0], ())
    if not names:
        return None, f"No larger backbone than {settings.backbone} was measured: none is at hand."
    missing = None
    for name in names:
        try:
            backbone = get_backbone(name)
        except MissingExtra as problem:
            missing = missing or str(problem).rpartition(": ")[2]
            continue
        chosen = backbone_rows(labels, components, ids, int(labels.max()) + 1, settings.seed)
        seen = look_at(
            usable.take(rows[chosen].tolist()), backbone, settings.engine, settings.decoding, cache,
            progress, rehash=False,
        )  # fmt: skip
        return Larger(name, chosen[seen.usable], seen.features), ""
    return None, (
        f"A larger backbone was not measured: {' and '.join(names)} would be next, and"
        f" {'is' if len(names) == 1 else 'are'} not installed ({missing})."
    )
