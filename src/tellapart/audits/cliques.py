"""Cliques of pictures that were each found alike: no chains in which A is like B is like C."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

Link = tuple[str, str]


def cliques_of(links: Iterable[Link]) -> list[tuple[str, ...]]:
    """Return cliques that together hold every link, each member linked to all the others.

    Greedy, strongest link first (the order of `links`): a link that no clique holds yet grows by
    the members that are linked to all so far. Members are in the order in which they joined.
    """
    ordered = list(links)
    beside: dict[str, set[str]] = defaultdict(set)
    for one, other in ordered:
        beside[one].add(other)
        beside[other].add(one)
    held: set[frozenset[str]] = set()
    cliques = []
    for one, other in ordered:
        if one == other or frozenset((one, other)) in held:
            continue
        members = [one, other]
        common = beside[one] & beside[other]
        while common:
            joining = min(common)
            members.append(joining)
            common &= beside[joining]
        held.update(frozenset((a, b)) for a in members for b in members if a != b)
        cliques.append(tuple(members))
    return cliques
