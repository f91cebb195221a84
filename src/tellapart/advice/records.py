"""What advice is: options with their gains, ranked, and the learning curves behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LEAST = 0.005  # half a point of balanced accuracy: less is not worth a sentence of praise


@dataclass(frozen=True)
class Guess:
    """An estimate with its 95 % interval, as a share: 0.04 are 4 points of balanced accuracy."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Option:
    """One thing that can be done, and what it is worth.

    kind      "more_pictures" (of one class), "relabel" or "backbone"
    name      the class or the backbone; "" for relabelling
    pictures  how many more of the class, or how many suspected labels; 0 for a backbone
    gain      of balanced accuracy
    why       what it rests on; "" for doubling a class (see more_pictures)
    """

    kind: str
    name: str
    pictures: int
    gain: Guess
    why: str


@dataclass(frozen=True)
class ClassCurve:
    """How often a class is found (recall, out of fold) with fewer pictures of every class.

    sizes    pictures of the class that were learned from, ascending; recalls [same]
    doubled  (pictures, recall) carried on to twice the pictures there are
    """

    name: str
    sizes: tuple[int, ...]
    recalls: tuple[float, ...]
    pictures: int
    doubled: Guess


@dataclass(frozen=True)
class Advice:
    """What would help most: options by gain, the best first.

    options   measured; empty where nothing could be
    doubling  twice the pictures of every class, for comparison; None where not measured
    curves    one a class, those found least often first, at most MOST_CLASSES
    score     balanced accuracy of the head out of fold on the training pictures
    pictures  training pictures that it was measured on
    notes     what was not measured, and why, a sentence each
    """

    options: tuple[Option, ...]
    doubling: Guess | None
    curves: tuple[ClassCurve, ...]
    score: float | None
    pictures: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in run.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Advice:
        """Return the advice that `to_json` made an object of."""
        doubling = value["doubling"]
        return cls(
            tuple(Option(**{**one, "gain": Guess(**one["gain"])}) for one in value["options"]),
            None if doubling is None else Guess(**doubling),
            tuple(
                ClassCurve(
                    one["name"],
                    tuple(one["sizes"]),
                    tuple(one["recalls"]),
                    one["pictures"],
                    Guess(**one["doubled"]),
                )
                for one in value["curves"]
            ),
            value["score"],
            value["pictures"],
            tuple(value["notes"]),
        )


@dataclass(frozen=True)
class Suspect:
    """A training picture whose label the audit distrusts: its row, and the class proposed."""

    row: int
    proposed: int
