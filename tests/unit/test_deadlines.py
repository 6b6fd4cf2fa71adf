"""Deadlines of many futures on one timer."""

import asyncio

import pytest

from service.store.deadlines import Deadlines

pytestmark = pytest.mark.anyio


def future() -> "asyncio.Future[str]":
    return asyncio.get_running_loop().create_future()


async def test_what_is_not_done_in_time_fails_and_what_is_done_stays_as_it_is() -> None:
    deadlines = Deadlines(0.01, lambda: ValueError("too late"))
    early, late, later = future(), future(), future()
    for each in (early, late, later):
        deadlines.watch(each)
    early.set_result("in time")
    for each in (late, later):
        with pytest.raises(ValueError, match="too late"):
            await each
    assert await early == "in time"


async def test_one_that_comes_after_the_first_timer_has_rung_has_a_deadline_too() -> None:
    deadlines = Deadlines(0.01, lambda: ValueError("too late"))
    for _ in range(2):
        late = future()
        deadlines.watch(late)
        with pytest.raises(ValueError, match="too late"):
            await late


async def test_one_that_is_answered_late_and_one_that_is_given_up_do_not_keep_the_next_from_its_deadline() -> None:
    deadlines = Deadlines(0.01, lambda: ValueError("too late"))
    answered, given_up, late = future(), future(), future()
    for each in (answered, given_up, late):
        deadlines.watch(each)
    given_up.cancel()
    answered.set_result("")
    deadlines.forget_done()
    with pytest.raises(ValueError, match="too late"):
        await late
