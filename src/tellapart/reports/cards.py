"""Pictures as the pages show them: a thumbnail, a name, a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.evaluation.words import percent
from tellapart.html import data_uri
from tellapart.reports.landscape import small_jpeg
from tellapart.reports.neighbours import Neighbour, neighbours, told
from tellapart.reports.records import Pictures, Predictions


@dataclass(frozen=True)
class Card:
    """One picture as the page shows it; `image` is a data URI, "" where there is none to show."""

    image: str
    path: str
    heading: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()  # what stands before a name, the name, and after
    tone: str = ""  # "", "good" or "bad"
    near: tuple[Neighbour, ...] = ()  # training pictures that look most like it
    near_labels: tuple[tuple[str, str], ...] = ()  # their labels, and how often each


class Shelf:
    """Turns ids into cards with the thumbnails that were fetched."""

    def __init__(self, thumbnails: Mapping[str, bytes]) -> None:
        self._thumbnails = thumbnails

    def card(self, path: str, picture_id: str, **said: Any) -> Card:
        """Return the picture's card."""
        return Card(image=self.image(picture_id), path=path, **said)

    def small(self, picture_id: str) -> str:
        """Return a picture at half the thumbnail's size as a data URI, "" where there is none."""
        content = self._thumbnails.get(picture_id, b"")
        return data_uri(small_jpeg(content)) if content else ""

    def image(self, picture_id: str) -> str:
        """Return a picture's thumbnail as a data URI, "" where there is none."""
        content = self._thumbnails.get(picture_id, b"")
        return data_uri(content) if content else ""


def error_cards(
    rows: Sequence[int],
    predictions: Predictions,
    classes: Sequence[str],
    shelf: Shelf,
    pictures: Pictures,
    near: Mapping[str, Sequence[int]],
) -> list[Card]:
    """Return cards of wrong answers: what it is, what was said, how surely, and what is near.

    near  path -> rows of `pictures`, the nearest training pictures
    """
    cards = []
    for row in rows:
        chances = predictions.probabilities[row]
        answer = int(chances.argmax())
        path, truth = predictions.paths[row], classes[int(predictions.truth[row])]
        close = neighbours(pictures, near.get(path, ()), truth, classes[answer], shelf.small)
        cards.append(
            shelf.card(
                path,
                predictions.ids[row],
                heading=truth,
                near=close,
                near_labels=told(close),
                lines=(("called ", classes[answer], f", {percent(float(chances[answer]))} sure"),),
                tone="bad",
            )
        )
    return cards


def unsure_cards(
    rows: Sequence[int], predictions: Predictions, classes: Sequence[str], shelf: Shelf
) -> list[Card]:
    """Return cards of narrow decisions: the truth and the two likeliest classes."""
    cards = []
    for row in rows:
        chances = predictions.probabilities[row]
        first, second = (int(one) for one in (-chances).argsort(kind="stable")[:2])
        truth = int(predictions.truth[row])
        cards.append(
            shelf.card(
                predictions.paths[row],
                predictions.ids[row],
                heading=classes[truth],
                lines=tuple(
                    (f"{percent(float(chances[at]))} ", classes[at], "") for at in (first, second)
                ),
                tone="good" if first == truth else "bad",
            )
        )
    return cards
