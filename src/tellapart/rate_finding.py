"""The learning rate range test on a set of pictures: `tellapart lr-find`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart import choosing, tuning
from tellapart.auditing import components_of, look_at
from tellapart.backbones import EMBEDDED, get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.fitting import Job, learn
from tellapart.likeness import look_for_copies
from tellapart.places import write_bytes
from tellapart.progress import Progress
from tellapart.settings import RunSettings
from tellapart.splitting import check_split_options, split_pictures
from tellapart.stopwatch import Stopwatch

if TYPE_CHECKING:
    from tellapart.finetuning.lr_find import RateCurve


def lr_find(
    location: str | Path,
    out: str | Path | None = None,
    *,
    settings: RunSettings | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[RateCurve, float]:
    """Train for a hundred steps at a growing learning rate, on the training pictures alone.

    Returns the curve with its suggestions and the rate that the recipe would take; the curve's
    picture, an SVG, is written to `out` where one is named. Nothing else stays. Raises a
    TellapartError, in one line, for whatever is wrong with the input.
    """
    settings, progress = settings or RunSettings(), progress or Progress()
    settings = replace(settings, finetune=replace(settings.finetune, mode="yes"))
    tuning.check(settings)
    with open_cache(cache, progress) as store, tempfile.TemporaryDirectory() as folder:
        ways, base = choosing.open_ways(settings, store), get_backbone(EMBEDDED)
        pictures = read(location, settings.read, progress)
        check_split_options(pictures, settings)
        seen = look_at(
            pictures, base, settings.engine, settings.decoding, store, progress,
            rehash=settings.rehash, also=choosing.first_recipes(ways),
        )  # fmt: skip
        choosing.refuse_missing_bands(pictures, seen, settings)
        usable = pictures.take(seen.usable.tolist())
        alike = look_for_copies(seen, store, progress, mirror=settings.mirror)
        together = components_of(usable, seen, alike)
        split = split_pictures(pictures, usable, seen, alike, together, settings)
        job = Job(
            pictures, usable, seen, base, split.components, ways, settings, store, progress,
            Stopwatch(),
        )  # fmt: skip
        learned = learn(job, split.rows("train"))
        found, usual = tuning.find_rate(
            usable, learned.look, split, learned.fitted, learned.recipe, settings, Path(folder),
            progress,
        )  # fmt: skip
    if out is not None:
        from tellapart.reports.rates import rate_picture

        write_bytes(Path(out), rate_picture(found))
    return found, usual
