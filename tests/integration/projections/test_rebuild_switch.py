"""The moment of the switch: what is under way, in doubt or put off goes over to the new version, and nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from domain import facts as f
from projections.claims import Claims, LostClaim
from projections.rebuilding.switching import NotRead, switch
from projections.tables import Tables
from projections.versions import begin, following, versions
from service.rebuilding.rebuild import Progress, Rebuilt
from service.sandbox.faults import Answer, Drop
from tests.asking import LINES, answers, api, asking, checkout, status
from tests.projecting import Projected
from tests.pushing import Pushed, bought, live, pushing, pushing_to
from tests.rebuilding import rebuilt, switched, version_read
from tests.stories import MARCH, STREAM, happened

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


ORDERS = "/api/v1/orders/create_order"


async def one(projected: Projected, statement: str) -> tuple[Any, ...]:
    async with projected.pool.connection() as connection:
        cursor = await connection.execute(statement.encode())
        (row,) = await cursor.fetchall()
        return tuple(row)


async def switched_behind(pushed: Pushed) -> int:
    """A switch that the process of the test has not noticed; the version that is read now."""
    return (await rebuilt(pushed.projected, switching=True)).version


async def test_a_call_that_is_under_way_ends_under_the_new_version_and_nobody_makes_it_twice(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(2)])
        reached, go_on = asyncio.Event(), asyncio.Event()
        target = pushed.pusher._accounts["ls"].target
        perform = target.perform

        async def slowly(*arguments: Any, **options: Any) -> Any:
            receipt = await perform(*arguments, **options)
            reached.set()
            await go_on.wait()
            return receipt

        target.perform = slowly  # type: ignore[method-assign]
        pushing_on = asyncio.create_task(pushed.pusher.push_until_idle())
        await reached.wait()
        version = await switched_behind(pushed)
        async with pushing_to(database, pushed.sandbox, owner="pusher-2") as other:
            other.projected.tables.follow(version)
            assert await other.pusher.push_until_idle() == 0, "it is claimed by the one whose call is under way"
            go_on.set()
            await pushing_on
            target.perform = perform  # type: ignore[method-assign]
            held = await one(other.projected, f"select owner, doubt from projection_{version}.push")
            assert held == (None, []), "the claim was given back in the new version"
            await other.settle()
            assert await other.mismatches() == []
            assert len(other.held()) == 2


async def test_what_is_in_doubt_is_looked_at_before_anything_is_sent_after_a_switch(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(2)])
        pushed.sandbox.control.fault(Drop(when="after"), method="POST", path=ORDERS)
        await pushed.pusher._push((await pushed.pusher._claim(1))[0])
        doubt = "select doubt from projection_%d.push"
        before = await one(pushed.projected, doubt % 1)
        assert before != ([],)
        made = await switched(pushed.projected)
        assert await one(pushed.projected, doubt % made.version) == before
        await pushed.settle()
        assert await pushed.mismatches() == []
        assert len(pushed.held()) == 2


async def test_who_has_not_noticed_the_switch_makes_no_call_by_the_old_version(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(2)])
        claims = Claims(pushed.projected.pool, pushed.projected.tables)
        (claim,) = await claims.take(1, ["ls"], "slow", lease=60)
        version = await switched_behind(pushed)
        with pytest.raises(LostClaim):
            await claims.renew(claim, ["in doubt"], lease=60)
        assert await claims.take(9, ["ls"], "slow", lease=60) == []
        assert await pushed.pusher.push_until_idle() == 0
        assert pushed.held() == []
        await claims.release(claim, 0)
        pushed.projected.tables.follow(version)
        await pushed.settle()
        assert await pushed.mismatches() == []


async def test_a_claim_by_what_is_not_read_is_lost_even_where_its_row_does_not_say_so(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(2)])
        claims = Claims(pushed.projected.pool, pushed.projected.tables)
        (claim,) = await claims.take(1, ["ls"], "slow", lease=60)
        await claims.renew(claim, ["in doubt"], lease=60)
        await one(pushed.projected, "update projection_version set is_read = false returning true")
        with pytest.raises(LostClaim):
            await claims.renew(claim, ["in doubt"], lease=60)


@pytest.mark.parametrize("work", ["push", "want"])
async def test_while_a_switch_is_under_way_nobody_claims_what_it_has_carried_over_already(
    database: str, work: str
) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(1)])
        async with ready(pushed) as (old, new), pushed.projected.pool.connection() as connection:
            refused: list[str] = []

            async def caught_up() -> dict[int, int]:
                async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
                    await other.execute("set lock_timeout = '50ms'")
                    with pytest.raises(psycopg.errors.LockNotAvailable):
                        await other.execute(f"update projection_1.{work} set owner = 'another'".encode())
                refused.append(work)
                return dict(await pushed.projected.log.heads(range(256)))

            await switch(connection, old, new, "rebuild-1", caught_up=caught_up)
            assert refused == [work]


async def test_a_backoff_goes_over_and_what_is_to_be_done_anew_does_not_wait(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought(1)])
        pushed.sandbox.control.fault(Answer(status=503, when="before"), method="POST", path=ORDERS)
        await pushed.pusher._push((await pushed.pusher._claim(1))[0])
        # The keys that were chosen first are folded, and make it other work.
        await pushed.projected.runner.project_until_idle()
        put_off = "update projection_1.push set attempts = 7, next_at = now() + interval '5 minutes'"
        async with pushed.projected.pool.connection() as connection:
            await connection.execute(put_off)
        made = await switched(pushed.projected)
        question = f"select attempts, next_at > now() + interval '4 minutes' from projection_{made.version}.push"
        assert await one(pushed.projected, question) == (7, True)


async def test_doubts_of_what_is_no_work_any_more_are_not_lost(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        await one(
            pushed.projected,
            "update projection_1.push set target = 'gone', due = false, doubt = '{lic_1}' returning true",
        )
        made = await switched(pushed.projected)
        schema = f"projection_{made.version}"
        assert await one(pushed.projected, f"select doubt, due from {schema}.push where target = 'gone'") == (
            ["lic_1"],
            False,
        )


async def test_answers_in_vain_and_a_question_under_way_go_over(database: str) -> None:
    one_api = api()
    one_api.gate.clear()
    async with asking(database, one_api) as shop:
        await shop.projected.take([checkout()])
        question = asyncio.create_task(shop.fetcher.fetch_until_idle())
        await one_api.reached.wait()
        counted = "update projection_1.want set unfound = 2, attempts = 3 returning true"
        await one(shop.projected, counted)
        made = await rebuilt(shop.projected, switching=True)
        read = f"select unfound, attempts, owner is not null from projection_{made.version}.want"
        assert await one(shop.projected, read) == (2, 3, True)
        one_api.gate.set()
        await question
        assert (await one(shop.projected, read))[1:] == (4, False), "given back where it stands now"
        shop.projected.tables.follow(made.version)
        await shop.settle()
        assert one_api.asked == [LINES]
        assert len(await answers(shop)) == 1
        assert await status(shop) == ("folded", "")


async def test_a_process_notices_the_switch_by_itself(database: str) -> None:
    async with pushing(database) as pushed:
        projected = pushed.projected
        await live(pushed, (bought(1),))
        stop = asyncio.Event()
        async with following(projected.pool, projected.tables, look=0.05):
            running = asyncio.create_task(projected.runner.run(stop))
            made = await rebuilt(projected, switching=True)
            async with asyncio.timeout(20):
                while projected.tables.version != made.version:  # noqa: ASYNC110 - the database says it
                    await asyncio.sleep(0.01)
                await projected.append([happened(MARCH, f.SubscriptionTerminated())])
                state = f"select state from projection_{made.version}.stream"
                while await one(projected, state) != ("terminated",):  # noqa: ASYNC110 - the database says it
                    await asyncio.sleep(0.01)
            stop.set()
            await running
        assert await one(projected, "select state from projection_1.stream") == ("active",)


# --- killed at the switch -----------------------------------------------------------------------------------


class _Cut(psycopg.AsyncConnection[Any]):
    """A connection that is cut when it comes to a statement."""

    at = ""

    async def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        text = (
            query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else query.as_string(None)
        )
        if self.at and self.at in text:
            await self.close()
        return await super().execute(query, *arguments, **options)


@asynccontextmanager
async def ready(pushed: Pushed) -> AsyncIterator[tuple[Tables, Tables]]:
    """The version that is read, and one that could be."""
    made = await rebuilt(pushed.projected)
    async with pushed.projected.pool.connection() as connection:
        await begin(connection, "rebuild", "these", "rebuild-1")
    yield Tables(1), Tables(made.version)


@pytest.mark.parametrize(
    "at", ["lock table", "doubt = old.doubt", "insert into", "set is_read = false", "read_at = now()"]
)
async def test_killed_at_the_switch_everything_is_as_before_and_it_can_be_done_again(database: str, at: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        calls = len(pushed.sandbox.control.calls())
        async with ready(pushed) as (old, new):
            connection = await _Cut.connect(database, autocommit=True)
            connection.at = at

            async def caught_up() -> dict[int, int]:
                return dict(await pushed.projected.log.heads(range(256)))

            with pytest.raises(psycopg.OperationalError):
                await switch(connection, old, new, "rebuild-1", caught_up=caught_up)
            assert await version_read(pushed.projected) == 1
            await live(pushed, (bought(1, f"{STREAM}_2"),))
            await switched(pushed.projected)
            await pushed.settle()
            assert await pushed.mismatches() == []
            assert len(pushed.held()) == 2
            assert len(pushed.sandbox.control.calls()) > calls


async def test_a_version_that_another_process_took_is_not_switched_to(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        async with ready(pushed) as (old, new), pushed.projected.pool.connection() as connection:

            async def caught_up() -> dict[int, int]:
                return {}

            with pytest.raises(NotRead):
                await switch(connection, old, new, "another", caught_up=caught_up)
            assert [each.version for each in await versions(connection) if each.is_read] == [1]


async def test_where_another_version_is_read_by_now_nothing_is_switched(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        async with ready(pushed) as (old, new), pushed.projected.pool.connection() as connection:
            await connection.execute("update projection_version set is_read = false where version = 1")
            await connection.execute(
                "insert into projection_version (version, is_read, purpose) values (9, true, 'live')"
            )

            async def caught_up() -> dict[int, int]:
                return {}

            with pytest.raises(NotRead):
                await switch(connection, old, new, "rebuild-1", caught_up=caught_up)
            assert [each.version for each in await versions(connection) if each.is_read] == [9]


async def test_a_rebuild_that_waited_for_another_replaces_what_that_one_switched_to(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        waiting: list[asyncio.Task[Rebuilt]] = []

        def begin_another(progress: Progress) -> None:
            if not waiting:
                waiting.append(asyncio.create_task(rebuilt(pushed.projected, switching=True, owner="rebuild-2")))

        first = await rebuilt(pushed.projected, switching=True, on_progress=begin_another)
        second = await waiting[0]
        assert (first.before, second.before, second.switched) == (1, first.version, True)
        assert await version_read(pushed.projected) == second.version
