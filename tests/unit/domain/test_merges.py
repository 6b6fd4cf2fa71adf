"""Merges among several streams, whoever was faster: a duplicate is off only while what it was merged into is not."""

from datetime import timedelta
from itertools import permutations

import pytest

from domain.acts import Act, Merged, Undone
from domain.events import Stream
from domain.licensing.overrides import Overrides, overrides_of
from domain.subscription import Subscription
from tests.stories import JANUARY, STREAM, acted, paying

A, B, C, D = (Stream(f"acme/subscription/{name}") for name in "abcd")
PAIRS = tuple(permutations((A, B, C, D), 2))


def merges(*pairs: tuple[Stream, Stream]) -> list[Act]:
    """Merges of the first into the second of each pair, in that order of time."""
    return [
        Act(
            id=f"act_{number}",
            at=JANUARY + timedelta(hours=number),
            author="ada",
            reason="the same",
            deed=Merged(duplicate=duplicate, kept=kept),
        )
        for number, (duplicate, kept) in enumerate(pairs)
    ]


def seen_by(stream: Stream, acts: list[Act]) -> Overrides:
    """What a stream makes of the acts that stand in it."""
    own = [act for act in acts if not isinstance(act.deed, Merged) or stream in {act.deed.duplicate, act.deed.kept}]
    return overrides_of(stream, Subscription(acts={act.id: act for act in own})) or Overrides({})


def off(acts: list[Act]) -> set[Stream]:
    return {stream for stream in (A, B, C, D) if seen_by(stream, acts).merged is not None}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_whatever_is_merged_into_whatever_a_duplicate_is_off_only_while_what_it_was_merged_into_is_not(
    count: int,
) -> None:
    for pairs in permutations(PAIRS, count):
        acts = merges(*pairs)
        for stream in off(acts):
            merge = seen_by(stream, acts).merged
            assert merge is not None
            assert isinstance(merge.deed, Merged)
            assert merge.deed.kept not in off(acts), pairs


def test_a_circle_of_merges_switches_nobody_off_and_each_says_which_to_undo() -> None:
    circle = merges((A, B), (B, C), (C, A))
    assert off(circle) == set()
    for stream in (A, B, C):
        chained = seen_by(stream, circle).chained
        assert chained is not None
        assert isinstance(chained.deed, Merged)
        assert chained.deed.duplicate == stream
    undone = Act(id="act_9", at=JANUARY + timedelta(days=1), author="ada", reason="x", deed=Undone(undoes="act_2"))
    assert off([*circle, undone]) == {A}


def test_of_a_chain_the_one_in_the_middle_goes_on_until_its_own_duplicate_is_none_any_more() -> None:
    assert off(merges((C, A), (A, B))) == {C}
    assert off(merges((A, B))) == {A}


def test_a_merge_that_does_not_count_is_a_problem_that_names_what_to_undo() -> None:
    other, third = "acme/subscription/sub_2", "acme/subscription/sub_3"
    kept = acted(JANUARY + timedelta(days=3), Merged(duplicate=other, kept=STREAM), named="act_1")
    away = acted(JANUARY + timedelta(days=4), Merged(duplicate=STREAM, kept=third), named="act_2")
    for story in (paying().when(kept, away), paying().when(away, kept)):
        assert story.license().enabled is True
        (problem,) = story.entitlement.problems
        assert f"merged into {third}, which does not count while it is kept for {other}" in problem
        assert "undo act_2, or act_1" in problem
