"""When the pusher must not push: what is desired is not known well enough, or is no longer its business."""

import msgspec
import pytest

from domain.policy import Policy
from projections.folding import digest_of
from projections.pusher import PusherSettings
from tests.pushing import ENDED, RENEWED, bought, live, pushing, pushing_to
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    activated,
    described,
    happened,
    line,
    muttered,
)

pytestmark = pytest.mark.anyio


async def test_nothing_is_pushed_of_a_stream_of_which_more_has_happened_than_is_folded(database: str) -> None:
    """Above all while history is projected again: yesterday's dates must not reach the license server."""
    async with pushing(database) as pushed:
        await pushed.projected.take([bought()])
        await pushed.projected.append([RENEWED])
        (claim,) = await pushed.pusher._claim(1)
        await pushed.pusher._push(claim)
        assert pushed.sandbox.control.calls() == []
        await pushed.settle()
        assert {held["validity_period"][:10] for held in pushed.held()} == {"2026-03-01"}


async def test_a_pusher_whose_claim_was_taken_over_while_it_waited_makes_no_call(database: str) -> None:
    asleep = PusherSettings(first_delay=0, longest_delay=0, lease=0.000001)
    async with pushing(database) as one, pushing_to(database, one.sandbox, owner="pusher-2") as two:
        await one.projected.take([bought()])
        one.pusher._settings = asleep
        (claim,) = await one.pusher._claim(1)
        (_taken_over,) = await two.pusher._claim(1)
        await one.pusher._push(claim)
        assert one.sandbox.control.calls() == []


async def test_runner_and_pusher_see_the_same_work_in_the_same_rows(database: str) -> None:
    quantities = [happened(JANUARY, described(line(quantity=12, start=JANUARY, end=FEBRUARY)), named="twelve")]
    async with pushing(database) as pushed:
        for events in ([bought(3)], quantities, [RENEWED], [ENDED]):
            await pushed.projected.take(events)
            for claim in await pushed.pusher._claim(10):
                work = await pushed.pusher._load(claim)
                assert work is not None
                calls = work.account.target.plan(work.desired, work.held)
                statement = "select digest from projection_1.push where stream = %s"
                async with pushed.projected.pool.connection() as connection:
                    (digest,) = await (await connection.execute(statement, [claim.stream])).fetchone() or ("",)
                assert digest == digest_of(calls)
                await pushed.pusher._push(claim)
            await pushed.settle()


async def test_a_stream_that_stops_after_it_was_claimed_keeps_what_it_has(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        await pushed.projected.take([RENEWED])
        (claim,) = await pushed.pusher._claim(1)
        await pushed.projected.take([muttered(JANUARY.replace(year=2025))])
        await pushed.pusher._push(msgspec.structs.replace(claim, folded=100))
        await pushed.settle()
        assert {held["enabled"] for held in pushed.held()} == {True}


async def test_a_stopped_stream_has_no_work(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(), muttered(MARCH)])
        assert await pushed.pusher._claim(1) == []
        (view, _other) = await pushed.projected.queries.licenses()
        assert (view.enabled, view.due) == (True, False)


async def test_a_source_that_leaves_the_settings_takes_nothing_away(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        await pushed.projected.take([RENEWED])
        gone = pushed.projected.sources.pop("acme")
        await pushed.projected.take([happened(MARCH, activated())])
        await pushed.settle()
        assert {held["enabled"] for held in pushed.held()} == {True}
        pushed.projected.sources["acme"] = gone
        await pushed.projected.take([happened(APRIL, activated())])
        await pushed.settle()
        assert await pushed.mismatches() == []


async def test_a_target_under_another_name_makes_nobody_a_second_license(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        acme = pushed.projected.sources["acme"]
        pushed.projected.sources["acme"] = msgspec.structs.replace(acme, targets={"renamed": Policy()})
        runner = pushed.projected.runner
        runner._advancing._targets = {"renamed": pushed.pusher._accounts["ls"].target}
        pushed.pusher._accounts = {"renamed": pushed.pusher._accounts["ls"]}
        await pushed.projected.take([RENEWED])
        await pushed.settle()
        assert len(pushed.held()) == 2
        (view,) = await pushed.projected.queries.streams(problems=True)
        assert "held at 'ls'" in view.problem
