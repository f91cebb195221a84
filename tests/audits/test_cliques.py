"""Cliques, not chains."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tellapart.audits.cliques import cliques_of


def test_a_chain_is_two_cliques_and_a_triangle_is_one():
    assert cliques_of([("a", "b"), ("b", "c")]) == [("a", "b"), ("b", "c")]
    assert cliques_of([("a", "b"), ("b", "c"), ("a", "c")]) == [("a", "b", "c")]
    assert cliques_of([]) == []


names = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(names, names).filter(lambda pair: pair[0] < pair[1]), unique=True))
def test_every_link_is_held_and_every_member_is_linked_to_all(links):
    cliques = cliques_of(links)
    held = {frozenset(pair) for clique in cliques for pair in combinations(clique, 2)}
    assert held == {frozenset(pair) for pair in links}
    assert all(len(set(clique)) == len(clique) for clique in cliques)
