"""Advice in words: for the command line and the page."""

from __future__ import annotations

from collections.abc import Sequence

from tellapart.advice.records import LEAST, Advice, Guess, Option

NAMED = 3  # classes named one by one among those that more pictures would not help


def advice_lines(advice: Advice) -> tuple[str, ...]:
    """Return one or two sentences: what would help most, what next, and what would not."""
    if not advice.options:
        return ()
    helping = [one for one in advice.options if one.gain.value >= LEAST]
    nothing = _nothing(advice.options)
    doubled = _doubling(advice)
    if not helping and doubled:
        return (
            f"What would help most: {doubled}; nothing else that was measured is worth half a"
            f" point{nothing}.",
        )
    if not helping:
        return (f"What would help most: nothing that was measured is worth half a point{nothing}.",)
    rest = "; ".join([worth(one) for one in helping[1:2]] + ([doubled] if doubled else []))
    first = f"What would help most: {worth(helping[0])}"
    return (f"{first}.", f"Then: {rest}{nothing}.") if rest else (f"{first}{nothing}.",)


def action(option: Option) -> str:
    """Return what can be done: '12 more pictures of 'barren''."""
    s = "" if option.pictures == 1 else "s"
    if option.kind == "more_pictures":
        return f"{option.pictures:,} more picture{s} of '{option.name}'"
    if option.kind == "relabel":
        return f"looking at the {option.pictures:,} suspected label{s}"
    return f"the backbone {option.name}"


def worth(option: Option) -> str:
    """Return what can be done and what it is worth, as a sentence without its full stop."""
    many = option.kind == "more_pictures" and option.pictures != 1
    if option.gain.value < LEAST:
        return f"{action(option)} {'are' if many else 'is'} worth nothing that can be measured"
    verb = "may be" if option.gain.low <= 0 else "are" if many else "is"
    return f"{action(option)} {verb} worth about {points(option.gain)}"


def points(gain: Guess) -> str:
    """Return a gain in points of balanced accuracy: '+4 points (1 to 7)'."""
    value, low, high = (100 * one for one in (gain.value, gain.low, gain.high))
    digits = 1 if max(abs(value), abs(high - low)) < 3 else 0
    value, low, high = (round(one, digits) + 0.0 for one in (value, low, high))  # no -0.0
    shown = f"{value:+.{digits}f}"
    unit = "point" if shown == "+1" else "points"
    return f"{shown} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def _doubling(advice: Advice) -> str:
    gain = advice.doubling
    if gain is None or gain.value < LEAST:
        return ""
    return f"twice the pictures of every class, about {points(gain)}"


def _nothing(options: Sequence[Option]) -> str:
    """Return '; more 'trees' and 'roads': nothing', for classes that gain next to nothing."""
    names = [
        f"'{one.name}'"
        for one in options
        if one.kind == "more_pictures" and one.gain.value < LEAST and one.gain.high < 3 * LEAST
    ]
    if not names:
        return ""
    if len(names) > NAMED:
        names = [*names[:NAMED], f"{len(names) - NAMED} others"]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"; more pictures of {listed}: nothing"
