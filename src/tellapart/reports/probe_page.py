"""The page of a comparison of backbones: the table, and how the two best see the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from tellapart.evaluation.words import percent
from tellapart.html import data_uri, table
from tellapart.reports import landscape
from tellapart.reports.figures import Figure
from tellapart.reports.page import render
from tellapart.reports.records import ProbeData

Places = NDArray[np.float64]


def probe_html(data: ProbeData, cache_folder: Path | None = None) -> str:
    """Return the page of a comparison; equal data give equal text."""
    sheet, tiles = landscape.tile_sheet(data.ids, data.thumbnails(data.ids))
    charts = _maps(data, tiles) if len(data.ids) > 2 else []
    return render(
        "probe.html",
        data.title,
        cache_folder,
        data=data,
        table=Markup(table(data.columns, data.rows)),
        charts=charts,
        tiles=data_uri(sheet) if sheet and charts else "",
    )


def _maps(data: ProbeData, tiles: Sequence[Any]) -> list[Figure]:
    """Return a map of each backbone: the same pictures in the same colours."""
    names, other = landscape.coloured(data.labels, data.classes)
    found = [landscape.two_components(one.features) for one in data.maps]
    maps = []
    for number, (one, (places, share)) in enumerate(zip(data.maps, found, strict=True), 1):
        turned = turned_like(places, found[0][0])
        rows = [
            {
                "x": x, "y": y, "at": at, "role": "trained on",
                "class": label if label in names else other,
                "tip": [label, path],
                **({"tile": tile} if tile else {}),
            }
            for at, ((x, y), label, path, tile) in enumerate(
                zip(turned.tolist(), data.labels, data.paths, tiles, strict=True)
            )
        ]  # fmt: skip
        rows.sort(key=lambda row: row["class"] != other)  # the named classes on top
        caption = f"The two axes hold {percent(share)} of what differs to {one.name}."
        chart = landscape.chart(
            rows, names, other, caption, name=f"map-{number}", title=f"As {one.name} sees them"
        )
        maps.append(chart)
    return maps


def turned_like(places: Places, first: Places) -> Places:
    """Return places [m, 2] in 0..1 with each axis mirrored where it runs against the first map's.

    The direction of a principal component means nothing, and maps are compared by eye.
    """
    against = ((places - places.mean(axis=0)) * (first - first.mean(axis=0))).sum(axis=0) < 0
    return np.where(against, np.round(1 - places, 4), places)
