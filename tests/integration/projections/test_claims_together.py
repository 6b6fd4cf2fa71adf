"""Claims that are kept and given back in one statement: nobody waits for another while others wait for him."""

import asyncio

import pytest

from domain.events import Stream
from projections.budget import Budget, Turns
from projections.claims import Claims, LostClaim
from projections.targets.errors import Paced
from tests.pushing import bought, pushing

pytestmark = pytest.mark.anyio

TWO = [Stream(f"acme/subscription/sub_{number}") for number in (1, 2)]


async def test_a_row_that_another_locks_does_not_hold_up_those_beside_it(database: str) -> None:
    """Waiting for it with locks of its own, the pusher and a runner could wait for each other."""
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(stream=stream) for stream in TWO])
        claims = Claims(pushed.projected.pool, pushed.projected.tables)
        mine = {claim.stream: claim for claim in await claims.take(2, ["ls"], "me", lease=60)}
        async with pushed.projected.pool.connection() as connection:
            async with connection.transaction():
                await connection.execute("select from projection_1.push where stream = %s for update", [TWO[0]])
                locked, free = (asyncio.create_task(claims.renew(mine[each], ["x\ny"], lease=60)) for each in TWO)
                await asyncio.wait_for(free, 10)
                assert not locked.done()
            await asyncio.wait_for(locked, 10)
            cursor = await connection.execute("select doubt from projection_1.push order by stream")
            assert await cursor.fetchall() == [(["x\ny"],), (["x\ny"],)]


async def test_of_two_claims_to_one_stream_only_the_later_is_kept(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(stream=TWO[0])])
        claims = Claims(pushed.projected.pool, pushed.projected.tables)
        (lost,) = await claims.take(1, ["ls"], "me", lease=0)
        (kept,) = await claims.take(1, ["ls"], "me", lease=60)
        answers = await asyncio.gather(
            claims.renew(lost, ["lost"], lease=60), claims.renew(kept, ["kept"], lease=60), return_exceptions=True
        )
        assert [type(each) for each in answers] == [LostClaim, type(None)]
        await asyncio.gather(claims.finish(lost, 0, 7), claims.finish(kept, 0, 9))
        async with pushed.projected.pool.connection() as connection:
            cursor = await connection.execute("select owner, doubt, waits_for from projection_1.push")
            assert await cursor.fetchall() == [(None, [], 9)]


async def test_what_is_given_back_together_rests_each_for_its_own_time(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(stream=stream) for stream in TWO])
        claims = Claims(pushed.projected.pool, pushed.projected.tables)
        mine = {claim.stream: claim for claim in await claims.take(2, ["ls"], "me", lease=60)}
        await claims.renew(mine[TWO[0]], ["x"], lease=60)
        await asyncio.gather(claims.release(mine[TWO[0]], 0), claims.release(mine[TWO[1]], 1000))
        (again,) = await claims.take(2, ["ls"], "me", lease=60)
        assert (again.stream, again.doubt) == (TWO[0], ["x"])
        async with pushed.projected.pool.connection() as connection:
            rests = "select stream from projection_1.push where owner is null and next_at > now() + interval '900 s'"
            assert await (await connection.execute(rests)).fetchall() == [(TWO[1],)]


async def test_turns_taken_together_cost_a_token_each_and_what_comes_too_late_costs_none(database: str) -> None:
    async with pushing(database) as pushed:
        turns = Turns(pushed.projected.pool, pushed.projected.tables, "slow", Budget(per_second=0.01, burst=2))
        answers = await asyncio.gather(*(turns.take() for _ in range(4)), return_exceptions=True)
        assert [type(each) for each in answers] == [type(None), type(None), Paced, Paced]
        waits = [each.retry_after or 0.0 for each in answers if isinstance(each, Paced)]
        assert waits == pytest.approx([100, 200], abs=1)
        async with pushed.projected.pool.connection() as connection:
            cursor = await connection.execute("select tokens::float8 from call_budget where account = 'slow'")
            assert await cursor.fetchone() == (pytest.approx(0, abs=0.01),)
