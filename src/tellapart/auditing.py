"""Looking at a set before anything is trained: the stages that `run` and `audit` share, the audit
itself, the plan that people edit, and the clean table that it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tellapart.audits import Audit, AuditInput, run_audit
from tellapart.audits.clean import check_place, write_clean
from tellapart.audits.plan import apply_plan, propose, read_plan, write_plan
from tellapart.backbones import EMBEDDED, Backbone, get_backbone
from tellapart.command_lines import bands_option, drawing_options, quoted, reading_options
from tellapart.data import PictureSet, read
from tellapart.errors import DataError, OptionError, OutputError
from tellapart.features import Cache, Look, identify, look, open_cache
from tellapart.features.parts import Recipe
from tellapart.images import RGB
from tellapart.likeness import Likeness, look_for_copies
from tellapart.places import refuse_existing, write_json, writing
from tellapart.progress import Progress
from tellapart.reports import AuditData, write_audit_page
from tellapart.reports.wording import title_of
from tellapart.settings import Decoding, ReadSettings
from tellapart.splits import components, join_alike


@dataclass(frozen=True)
class AuditSettings:
    """What an audit looks for and how; None: everything."""

    read: ReadSettings = field(default_factory=ReadSettings)
    decoding: Decoding = field(default_factory=Decoding)
    only: tuple[str, ...] | None = None
    skip: tuple[str, ...] | None = None
    mirror: bool = True
    engine: str = "auto"
    rehash: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Cleaned:
    """A table that a plan left: its number of pictures, whether it has groups, what to know."""

    pictures: int
    grouped: bool
    notes: tuple[str, ...]


def audit(
    location: str | Path,
    *,
    out: str | Path | None = None,
    plan: str | Path | None = None,
    settings: AuditSettings | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Say what is wrong with the labelled pictures at `location`; nothing is trained or changed.

    out   a new or empty folder (or an older audit's) for audit.json and audit.html
    plan  a CSV file to write, with one proposed decision a picture concerned

    Raises a TellapartError, in one line, for whatever is wrong with the input.
    """
    settings, progress = settings or AuditSettings(), progress or Progress()
    bands = settings.decoding.bands or ()
    if len(bands) > len(RGB):
        raise OptionError(
            f"--bands {','.join(bands)}: an audit looks at three bands at most; name those that"
            " show most"
        )
    if plan is not None:
        refuse_existing(Path(plan), "--plan")  # now, not after minutes of work
    folder = _audit_folder(Path(out)) if out is not None else None
    with open_cache(cache, progress) as store:
        pictures = read(location, settings.read, progress)
        seen = look_at(
            pictures, get_backbone(EMBEDDED), settings.engine, settings.decoding, store, progress,
            rehash=settings.rehash,
        )  # fmt: skip
        usable = pictures.take(seen.usable.tolist())
        alike = look_for_copies(seen, store, progress, mirror=settings.mirror)
        together = components_of(usable, seen, alike)
        found = audit_pictures(
            pictures, seen, alike, together, usable.splits, settings, store, progress,
            given_split=usable.has_given_split,
        )  # fmt: skip
        if plan is not None:
            write_plan(propose(found, pictures, seen.ids), Path(plan))
        if folder is not None:
            write_json(folder / "audit.json", found.to_json())
            page = _page(location, found, pictures, seen, settings)
            write_audit_page(folder / "audit.html", page)
    return found


def next_commands(
    location: str | Path, found: Audit, settings: AuditSettings, plan: str | Path | None = None
) -> tuple[str, ...]:
    """Return the command lines to try next; `plan` is the one that was written."""
    data = f"{quoted(location)}{reading_options(settings.read)}"
    drawn = drawing_options(mirror=settings.mirror, seed=settings.seed)
    asked = f"{bands_option(settings.decoding.bands)}{drawn}"
    if not any(one.pictures for one in found.findings):
        return (f"tellapart run {data}{asked}",)
    named = quoted(plan or "plan.csv")
    apply = f"tellapart audit {data} --apply {named} --to clean.parquet"
    return (apply,) if plan else (f"tellapart audit {data}{asked} --plan {named}", apply)


def _page(
    location: str | Path, found: Audit, pictures: PictureSet, seen: Look, settings: AuditSettings
) -> AuditData:
    return AuditData(
        title=title_of(location),
        date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        audit=found,
        class_counts=pictures.class_counts(),
        labels=dict(zip(pictures.paths, pictures.labels, strict=True)),
        thumbnails=seen.thumbnails,
        notes=pictures.notes,
        commands=next_commands(location, found, settings),
    )


def clean(
    location: str | Path,
    plan: str | Path,
    to: str | Path,
    *,
    new_classes: bool = False,
    settings: AuditSettings | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Cleaned:
    """Apply an edited plan: write the table `to` (.parquet) of what it leaves; originals stay.

    Of `settings` only read and rehash, and the decoding's limit on file sizes, have an effect: no
    picture is decoded. Raises DataError, naming the plan's row, for what cannot be done; then
    nothing is written.
    """
    settings, progress = settings or AuditSettings(), progress or Progress()
    check_place(Path(to))
    decisions = read_plan(Path(plan))
    with open_cache(cache, progress) as store:
        pictures = read(location, settings.read, progress)
        ids = identify(
            pictures,
            cache=store,
            max_file_bytes=settings.decoding.max_file_bytes,
            progress=progress,
            rehash=settings.rehash,
        )
    left = apply_plan(decisions, pictures, ids, new_classes=new_classes, where=Path(plan).name)
    write_clean(left, pictures, Path(to))
    grouped = any(group is not None for group in left.groups)
    return Cleaned(len(left.rows), grouped, left.notes)


def look_at(
    pictures: PictureSet,
    backbone: Backbone,
    engine: str,
    decoding: Decoding,
    cache: Cache,
    progress: Progress,
    *,
    rehash: bool,
    also: Sequence[Recipe] = (),
) -> Look:
    """Look at every picture; raises DataError where none can be used."""
    seen = look(
        pictures, backbone, engine, decoding=decoding, cache=cache, progress=progress,
        also=also, rehash=rehash,
    )  # fmt: skip
    if not len(seen.usable):
        first = seen.facts[0].problem
        raise DataError(
            f"none of the {len(pictures):,} pictures can be used; {pictures.paths[0]}: {first}"
        )
    return seen


def components_of(usable: PictureSet, seen: Look, alike: Likeness) -> NDArray[np.intp]:
    """Return [m] what must stay together: exact copies, the user's groups, altered copies."""
    ids = [seen.ids[row] for row in seen.usable]
    copies = alike.copies()
    return join_alike(
        components(len(usable), ids, usable.groups),
        usable.codes(),
        ids,
        alike.pairs[copies],
        alike.scores[copies],
    )


def audit_pictures(
    pictures: PictureSet,
    seen: Look,
    alike: Likeness,
    together: NDArray[np.intp],
    sides: Sequence[str | None],
    settings: AuditSettings,
    cache: Cache,
    progress: Progress,
    *,
    given_split: bool,
) -> Audit:
    """Run the checks; `together` and `sides` are those of the m usable pictures."""
    everywhere: list[str | None] = [None] * len(pictures)
    # Pictures that cannot be used hang together with nothing: each gets a component of its own.
    parts = len(pictures) + np.arange(len(pictures))
    for place, row in enumerate(seen.usable.tolist()):
        everywhere[row] = sides[place]
        parts[row] = together[place]
    return run_audit(
        AuditInput(
            pictures=pictures,
            ids=seen.ids,
            facts=seen.facts,
            usable=seen.usable,
            features=seen.features,
            sides=everywhere,
            components=np.unique(parts, return_inverse=True)[1],
            near=alike,
            given_split=given_split,
            mirror=settings.mirror,
            seed=settings.seed,
        ),
        only=settings.only,
        skip=settings.skip,
        cache=cache,
        progress=progress,
    )


def _audit_folder(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file: name a folder with --out")
    foreign = {one.name for one in folder.iterdir()} if folder.exists() else set()
    if foreign - {"audit.json", "audit.html"}:
        raise OutputError(
            f"{folder} holds something that is no audit: name a new folder with --out"
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
