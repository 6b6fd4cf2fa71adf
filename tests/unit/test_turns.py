"""Long work lets others have their turn."""

import asyncio
from time import perf_counter

import pytest

from projections.turns import LONGEST, Turns

pytestmark = pytest.mark.anyio


async def test_who_waits_has_a_turn_when_a_stretch_of_work_was_long() -> None:
    had_turn: list[int] = []
    turns = Turns()
    for piece in range(3):
        asyncio.get_running_loop().call_soon(had_turn.append, piece)
        begun = perf_counter()
        while perf_counter() - begun < LONGEST:
            pass
        await turns.pass_on()
        assert had_turn == list(range(piece + 1))
