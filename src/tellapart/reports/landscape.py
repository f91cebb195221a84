"""The map of the features: two principal components, small pictures for the pointer, the chart."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from tellapart.reports.figures import COLOURS, HOVER, OTHER, Figure, base, colours, finish

TILE = 48  # pixels: the side of a small picture on the sheet
SHEET_QUALITY = 72


def two_components(features: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], float]:
    """Return [m, 2] principal components, each scaled to 0..1, and their share of the variance.

    The sign is fixed (the largest weight is positive), so that equal features give equal maps.
    """
    centred = np.asarray(features, dtype=np.float64)
    centred = centred - centred.mean(axis=0) if len(centred) else centred
    places = np.zeros((len(centred), 2))
    total = float((centred**2).sum())
    if total == 0:
        return places + 0.5, 0.0
    by_row = len(centred) <= centred.shape[1]
    square = centred @ centred.T if by_row else centred.T @ centred
    values, vectors = _largest_two(square)
    found = vectors * np.sqrt(values) if by_row else centred @ vectors
    places[:, : found.shape[1]] = found * _signs(found)
    share = float(values.sum()) / total
    return np.round(_unit(places), 4), min(share, 1.0)


def _largest_two(
    square: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two largest eigenvalues (one of a 1 x 1 matrix) and their vectors as columns.

    In one thread: on a busy machine the threads of LAPACK wait seconds for each other over what
    takes 0.05 s, and rounding then differs with their number. (scikit-learn brings threadpoolctl.)
    """
    from scipy.linalg import eigh
    from threadpoolctl import threadpool_limits

    size = len(square)
    with threadpool_limits(1, user_api="blas"):
        values, vectors = eigh(square, subset_by_index=(max(0, size - 2), size - 1))
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _unit(places: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = places.min(axis=0), places.max(axis=0)
    wide = high > low
    return np.where(wide, (places - low) / np.where(wide, high - low, 1.0), 0.5)


def _signs(found: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)


def tile_sheet(
    ids: Sequence[str], thumbnails: Mapping[str, bytes]
) -> tuple[bytes, list[tuple[int, int, int, int] | None]]:
    """Put small pictures on one JPEG sheet; one file is half the size of a thousand.

    Returns the sheet (b"" where there is no picture) and, for every id, left, top, width and height
    of its tile in pixels, None where no thumbnail is to be had.
    """
    from PIL import Image

    small = {one: _small(thumbnails[one]) for one in dict.fromkeys(ids) if thumbnails.get(one)}
    if not small:
        return b"", [None] * len(ids)
    across = int(np.ceil(np.sqrt(len(small))))
    down = -(-len(small) // across)
    sheet = Image.new("RGB", (across * TILE, down * TILE), "white")
    places: dict[str, tuple[int, int, int, int]] = {}
    for position, (one, tile) in enumerate(small.items()):
        left, top = position % across * TILE, position // across * TILE
        sheet.paste(tile, (left, top))
        places[one] = (left, top, *tile.size)
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=SHEET_QUALITY)
    return written.getvalue(), [places.get(one) for one in ids]


def small_jpeg(thumbnail: bytes) -> bytes:
    """Return a thumbnail as a JPEG of TILE pixels at most."""
    written = io.BytesIO()
    _small(thumbnail).save(written, "JPEG", quality=SHEET_QUALITY)
    return written.getvalue()


def _small(thumbnail: bytes) -> Any:
    from PIL import Image

    with Image.open(io.BytesIO(thumbnail)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((TILE, TILE))
    return picture


ROLES: tuple[tuple[str, str], ...] = (
    ("trained on", "circle"),
    ("judged, right", "diamond"),
    ("judged, wrong", "cross"),
    ("not used", "triangle-up"),
)


def coloured(labels: Sequence[str], classes: Iterable[str]) -> tuple[list[str], str | None]:
    """Return the classes with a colour of their own in class order, and a name for the others.

    labels  of the pictures on the map; where they are of too many classes, the largest are named
    """
    counts = Counter(labels)
    present = [name for name in classes if counts[name]]
    if len(present) <= COLOURS:
        return present, None
    largest = sorted(present, key=lambda name: -counts[name])[: COLOURS - 1]
    other = f"{len(present) - len(largest)} other classes"
    return [name for name in present if name in largest], other + " " * (other in present)


def chart(
    rows: Sequence[dict[str, Any]], names: Sequence[str], other: str | None, caption: str,
    *, name: str = "landscape", title: str = "How the network sees the pictures",
) -> Figure:  # fmt: skip
    """Return the map: `rows` have x, y, class (one of `names` or `other`), role, tip and tile.

    Rows may have a number `at`: that of a picture pointed at, which every map on the page rings.
    """
    domain = [*names, *([other] if other is not None else [])]
    present = {row["role"] for row in rows}
    roles = [(role, shape) for role, shape in ROLES if role in present]
    scale = alt.Scale(domain=[-0.02, 1.02], nice=False)
    legend = alt.Legend(title=None, orient="top", symbolType="circle", symbolSize=70)
    pick = alt.selection_point(fields=["class"], bind="legend", name="pick")
    lit = alt.param(name="lit", value=-1)
    is_lit = "datum.at === lit"
    points = (
        base()
        .mark_point(filled=True, strokeWidth=1.2, tooltip=HOVER, cursor="crosshair")
        .encode(
            x=alt.X("x:Q", scale=scale, axis=None),
            y=alt.Y("y:Q", scale=scale, axis=None),
            color=alt.Color(
                "class:N",
                scale=alt.Scale(
                    domain=domain,
                    range=colours(len(names)) + ([OTHER] if other is not None else []),
                ),
                legend=legend,
            ),
            shape=alt.Shape(
                "role:N",
                scale=alt.Scale(
                    domain=[role for role, _ in roles], range=[shape for _, shape in roles]
                ),
                legend=alt.Legend(title=None, orient="bottom", symbolFillColor="var(--muted)")
                if len(roles) > 1
                else None,
            ),
            size=alt.when(is_lit).then(alt.value(260))
            .when("datum.role == 'trained on'").then(alt.value(34))
            .otherwise(alt.value(75)),
            stroke=alt.condition(
                f"datum.role == 'judged, wrong' || {is_lit}",
                alt.value("var(--ink)"), alt.value(None),
            ),
            opacity=alt.condition(pick, alt.value(0.82), alt.value(0.08)),
        )
        .add_params(pick, lit)
        .properties(width="container", height=460)
    )  # fmt: skip
    return Figure(name, finish(points, rows, title), title, caption)
