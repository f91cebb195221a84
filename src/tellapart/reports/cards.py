"""Pictures as the pages show them: a thumbnail, a name, a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.evaluation.words import percent
from tellapart.html import data_uri
from tellapart.reports.records import Predictions


@dataclass(frozen=True)
class Card:
    """One picture as the page shows it; `image` is a data URI, "" where there is none to show."""

    image: str
    path: str
    heading: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()  # what stands before a name, the name, and after
    tone: str = ""  # "", "good" or "bad"


class Shelf:
    """Turns ids into cards with the thumbnails that were fetched."""

    def __init__(self, thumbnails: Mapping[str, bytes]) -> None:
        self._thumbnails = thumbnails

    def card(self, path: str, picture_id: str, **said: Any) -> Card:
        """Return the picture's card."""
        content = self._thumbnails.get(picture_id, b"")
        return Card(image=data_uri(content) if content else "", path=path, **said)


def error_cards(
    rows: Sequence[int], predictions: Predictions, classes: Sequence[str], shelf: Shelf
) -> list[Card]:
    """Return cards of wrong answers: what it is, what was said, and how surely."""
    cards = []
    for row in rows:
        chances = predictions.probabilities[row]
        answer = int(chances.argmax())
        cards.append(
            shelf.card(
                predictions.paths[row],
                predictions.ids[row],
                heading=classes[int(predictions.truth[row])],
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
