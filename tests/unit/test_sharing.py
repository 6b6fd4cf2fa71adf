"""Asking at the same time: one statement for all, and none has to suffer for another."""

import asyncio
from collections.abc import Sequence

import pytest

from projections.sharing import MOST, Shared

pytestmark = pytest.mark.anyio


class Doubling:
    """Answers with the double, once it is let; odd numbers it cannot bear."""

    def __init__(self) -> None:
        self.let, self.begun = asyncio.Event(), asyncio.Event()
        self.asked: list[list[int]] = []
        self.shared = Shared(self._answer)

    async def _answer(self, asked: Sequence[int]) -> list[int]:
        self.asked.append(list(asked))
        self.begun.set()
        await self.let.wait()
        if any(each % 2 for each in asked):
            raise ValueError("odd")
        return [2 * each for each in asked]


async def test_all_who_ask_at_the_same_time_are_answered_in_one() -> None:
    doubling = Doubling()
    doubling.let.set()
    assert await asyncio.gather(*(doubling.shared(each) for each in (2, 4, 6))) == [4, 8, 12]
    assert doubling.asked == [[2, 4, 6]]


async def test_who_asks_while_others_are_answered_is_answered_next_with_all_who_gathered() -> None:
    doubling = Doubling()
    first = asyncio.create_task(doubling.shared(2))
    await doubling.begun.wait()
    later = [asyncio.create_task(doubling.shared(each)) for each in (4, 6)]
    await asyncio.sleep(0)
    doubling.let.set()
    assert await asyncio.gather(first, *later) == [4, 8, 12]
    assert doubling.asked == [[2], [4, 6]]


async def test_only_who_is_why_it_fails_is_told_so() -> None:
    doubling = Doubling()
    doubling.let.set()
    answers = await asyncio.gather(*(doubling.shared(each) for each in (2, 3, 4)), return_exceptions=True)
    assert [repr(each) for each in answers] == ["4", "ValueError('odd')", "8"]


async def test_no_more_than_a_bounded_number_is_asked_at_once() -> None:
    doubling = Doubling()
    doubling.let.set()
    await asyncio.gather(*(doubling.shared(2 * each) for each in range(MOST + 1)))
    assert [len(each) for each in doubling.asked] == [MOST, 1]


async def test_who_gave_up_does_not_take_the_others_answers_away() -> None:
    doubling = Doubling()
    tasks = [asyncio.create_task(doubling.shared(each)) for each in (2, 4)]
    await doubling.begun.wait()
    tasks[0].cancel()
    doubling.let.set()
    assert await tasks[1] == 8
    assert await doubling.shared(6) == 12
