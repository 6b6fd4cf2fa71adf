"""Appends share transactions, and nobody suffers from who shares with him."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import psycopg
import pytest

from domain.events import NewEvent
from projections.ports import Appended
from service.store.batcher import SharedAppend
from service.store.errors import StoreBusy, StoreUnavailable, UnstorableEvent
from service.store.limits import MIB, Limits
from tests.integration.store.given import (
    Connection,
    an_event,
    append,
    assert_gapless,
    connected,
    hold_head,
    one_waits_for,
    positions,
    stream_in,
)
from tests.integration.store.proxy import lossy_proxy

pytestmark = pytest.mark.anyio


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


def sent(shared: SharedAppend, *events: NewEvent) -> asyncio.Task[list[Appended]]:
    return asyncio.create_task(shared.append(events))


async def queued(shared: SharedAppend, *requests: list[NewEvent]) -> list[asyncio.Task[list[Appended]]]:
    """Sends requests that will wait together for the transaction under way."""
    before = len(shared._queue)
    tasks = [sent(shared, *events) for events in requests]
    await until(lambda: len(shared._queue) == before + len(requests))
    return tasks


class Held:
    """A flusher in the middle of a transaction, which the test lets go on."""

    def __init__(self, shared: SharedAppend, holder: Connection, watch: Connection, dsn: str) -> None:
        self.shared = shared
        self.holder = holder
        self.watch = watch
        self.dsn = dsn

    async def backend(self) -> int:
        return await one_waits_for(self.watch, self.holder.info.backend_pid)

    async def release(self) -> None:
        await self.holder.rollback()


@asynccontextmanager
async def held(
    shared: SharedAppend, dsn: str, first: NewEvent
) -> AsyncIterator[tuple[Held, asyncio.Task[list[Appended]]]]:
    """The flusher tries to store `first` and has to wait for the head of its partition."""
    async with await psycopg.AsyncConnection.connect(dsn) as holder, connected(dsn) as watch:
        await hold_head(holder, 0)
        hold = Held(shared, holder, watch, dsn)
        task = sent(shared, first)
        await hold.backend()
        yield hold, task
        await hold.release()


class TestSharing:
    async def test_requests_that_wait_together_share_one_transaction(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            async with held(shared, database, an_event("first")) as (_, first):
                waiting = await queued(
                    shared, *([an_event(f"evt_{n}"), an_event(f"evt_{n}", stream_in(n))] for n in range(1, 11))
                )
            assert await first == [Appended(0, 1, False)]
            for number, stored in enumerate(await asyncio.gather(*waiting), 1):
                assert [one.partition for one in stored] == [0, number]
        async with connected(database) as connection:
            cursor = await connection.execute("select count(*), count(distinct xmin::text) from event")
            assert await cursor.fetchall() == [(21, 2)]
            await assert_gapless(connection)

    async def test_a_batch_is_bounded_but_takes_one_request_whatever_its_size(self, database: str) -> None:
        async with SharedAppend(database, limits=Limits(batch_events=4)) as shared:
            async with held(shared, database, an_event("first")):
                waiting = await queued(
                    shared,
                    [an_event(f"large_{n}") for n in range(9)],
                    [an_event("a_1"), an_event("a_2")],
                    [an_event("b_1"), an_event("b_2")],
                    [an_event("c_1")],
                )
            await asyncio.gather(*waiting)
        async with connected(database) as connection:
            cursor = await connection.execute(
                "select array_agg(event_id order by position) from event group by xmin::text order by min(position)"
            )
            assert [ids for (ids,) in await cursor.fetchall()] == [
                ["first"],
                [f"large_{n}" for n in range(9)],
                ["a_1", "a_2", "b_1", "b_2"],
                ["c_1"],
            ]

    async def test_identical_requests_in_one_batch_are_stored_once(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            async with held(shared, database, an_event("first")):
                waiting = await queued(shared, [an_event("evt_1")], [an_event("evt_1")])
            assert await asyncio.gather(*waiting) == [[Appended(0, 2, False)], [Appended(0, 2, True)]]

    async def test_no_events_are_stored_without_asking_the_database(self) -> None:
        async with SharedAppend("host=/nowhere") as shared:
            assert await shared.append([]) == []

    async def test_those_concerned_hear_of_new_events_after_the_commit(self, database: str) -> None:
        heard: list[frozenset[int]] = []

        async with SharedAppend(database, on_append=heard.append) as shared:
            await shared.append([an_event("evt_1", stream_in(4)), an_event("evt_1", stream_in(9))])
            await shared.append([an_event("evt_1", stream_in(4))])
            await shared.append([an_event("evt_1", stream_in(4)), an_event("evt_2", stream_in(9))])

        assert heard == [frozenset({4, 9}), frozenset({9})]

    async def test_a_listener_that_fails_disturbs_no_append(self, database: str) -> None:
        def fail(_: frozenset[int]) -> None:
            raise RuntimeError

        async with SharedAppend(database, on_append=fail) as shared:
            for number in (1, 2):
                assert await shared.append([an_event(f"evt_{number}")]) == [Appended(0, number, False)]


class TestABadRequest:
    async def test_fails_alone_and_whole(self, database: str) -> None:
        async with connected(database) as connection:
            await connection.execute("alter table event add constraint picky check (type <> 'secret')")
        async with SharedAppend(database) as shared:
            async with held(shared, database, an_event("first")):
                before, bad, after = await queued(
                    shared,
                    [an_event("before")],
                    [an_event("beside"), an_event("bad", type="secret")],
                    [an_event("after")],
                )
            assert await before == [Appended(0, 2, False)]
            assert await after == [Appended(0, 3, False)]
            with pytest.raises(UnstorableEvent, match="picky") as refused:
                await bad
            assert "secret" not in str(refused.value)
        async with connected(database) as connection:
            assert await positions(connection) == {0: [1, 2, 3]}
            await assert_gapless(connection)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"event_id": "evt\0"}, "event_id holds a NUL"),
            ({"type": "t\0"}, "type holds a NUL"),
            ({"headers": {"signature": "\0"}}, "a header holds a NUL"),
            ({"headers": {"\ud800": ""}}, "a header's name is not valid Unicode"),
            ({"event_id": ""}, "event_id is empty"),
            ({"event_id": "\ud800"}, "event_id is not valid Unicode"),
            ({"event_id": "x" * 1001}, "event_id is longer than 1000 bytes"),
            ({"stream": "shop/subscription/" + "ü" * 200}, "stream is longer than 400 bytes"),
            ({"stream": "shop/subscription"}, "stream is not of the form"),
            ({"stream": "/subscription/1"}, "stream is not of the form"),
            ({"origin": "hearsay"}, "origin is none of"),
            ({"headers": {"signature": "x" * 70_000}}, "a header is longer"),
            ({"headers": {str(n): "x" * 1000 for n in range(70)}}, "headers are longer"),
            ({"occurred_at": an_event("x").occurred_at.replace(tzinfo=None)}, "occurred_at has no time zone"),
            ({"received_at": an_event("x").occurred_at.replace(year=1)}, "received_at .* outside the years"),
        ],
    )
    async def test_is_refused_before_it_is_sent_where_no_database_could_hold_it(
        self, change: dict[str, object], said: str
    ) -> None:
        async with SharedAppend("host=/nowhere") as shared:
            with pytest.raises(UnstorableEvent, match=f"event 2 of 2 cannot be stored: {said}"):
                await shared.append([an_event("fine"), msgspec.structs.replace(an_event("evt_1"), **change)])

    async def test_the_longest_texts_allowed_can_be_stored(self, database: str) -> None:
        texts = {"event_id": 1000, "item": 1000, "type": 400, "cause": 1500, "content_type": 400}
        stream = "shop/subscription/" + "".join(chr(0x10000 + n * 37) for n in range(95))
        event = msgspec.structs.replace(
            an_event("x"), stream=stream, **{name: "ü" * (size // 2) for name, size in texts.items()}
        )
        async with SharedAppend(database) as shared:
            [stored] = await shared.append([event])
            assert stored.position == 1


class TestALostConnection:
    async def test_is_made_again_and_nothing_is_lost_or_doubled(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            async with held(shared, database, an_event("first")) as (hold, first):
                waiting = await queued(shared, [an_event("second")], [an_event("first")])
                killed = await hold.backend()
                await hold.watch.execute("select pg_terminate_backend(%s)", [killed])
                while await hold.backend() == killed:
                    pass
            assert await first == [Appended(0, 1, False)]
            assert await asyncio.gather(*waiting) == [[Appended(0, 2, False)], [Appended(0, 1, True)]]
        async with connected(database) as connection:
            assert await positions(connection) == {0: [1, 2]}
            await assert_gapless(connection)

    async def test_after_the_commit_but_before_the_answer_doubles_nothing(self, database: str) -> None:
        heard: list[frozenset[int]] = []
        async with lossy_proxy(database) as (proxy, dsn), SharedAppend(dsn, on_append=heard.append) as shared:
            await shared.append([an_event("warm-up"), an_event("warm-up", stream_in(8))])
            proxy.lose_answer()
            assert await shared.append([an_event("evt_1"), an_event("evt_1", stream_in(8))]) == [
                Appended(0, 2, True),
                Appended(8, 2, True),
            ]
            assert proxy.lost == 1
        assert heard == [frozenset({0, 8}), frozenset({0, 8})]
        async with connected(database) as connection:
            assert await positions(connection) == {0: [1, 2], 8: [1, 2]}
            await assert_gapless(connection)

    async def test_before_the_request_arrived_loses_nothing(self, database: str) -> None:
        async with lossy_proxy(database) as (proxy, dsn), SharedAppend(dsn) as shared:
            await shared.append([an_event("warm-up")])
            proxy.lose_request()
            assert await shared.append([an_event("evt_1")]) == [Appended(0, 2, False)]
            assert proxy.lost == 1

    async def test_between_two_appends_is_not_noticed(self, database: str) -> None:
        async with SharedAppend(database) as shared, connected(database) as connection:
            await shared.append([an_event("evt_1")])
            await connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where application_name = 'tenure append' and datname = current_database()"
            )
            assert await shared.append([an_event("evt_2")]) == [Appended(0, 2, False)]

    async def test_that_cannot_be_made_again_is_an_error_when_the_deadline_has_passed(self) -> None:
        async with SharedAppend("host=/nowhere", limits=Limits(deadline=0.2)) as shared:
            with pytest.raises(StoreUnavailable, match=r"within 0\.2 s; append the same events again"):
                await shared.append([an_event("evt_1")])


class TestATransactionThatCannotGoOn:
    async def test_is_tried_again_when_the_server_asks_for_it(self, database: str) -> None:
        async with connected(database) as connection:
            name = connection.info.dbname
            await connection.execute(
                f'alter database "{name}" set default_transaction_isolation = "repeatable read"'.encode()
            )
        async with SharedAppend(database) as shared, connected(database) as other, connected(database) as watch:
            async with other.transaction():
                await append(other, [an_event("theirs")])
                ours = sent(shared, an_event("ours"))
                await one_waits_for(watch, other.info.backend_pid)
            assert await ours == [Appended(0, 2, False)]

    async def test_fails_its_callers_at_their_deadline_and_later_ones_are_served(self, database: str) -> None:
        async with SharedAppend(database, limits=Limits(deadline=2)) as shared:
            async with held(shared, database, an_event("stuck")) as (_, stuck):
                with pytest.raises(StoreUnavailable):
                    await stuck
            stored = await shared.append([an_event("stuck")])
            assert [one.position for one in stored] == [1]

    async def test_for_want_of_a_migration_says_so_at_once(self, empty_database: str) -> None:
        async with SharedAppend(empty_database) as shared:
            with pytest.raises(StoreUnavailable, match=r"append_event.* does not exist"):
                await shared.append([an_event("evt_1")])


class TestAFullQueue:
    async def test_refuses_more_events_until_there_is_room(self, database: str) -> None:
        async with SharedAppend(database, limits=Limits(queue_events=3)) as shared:
            async with held(shared, database, an_event("first")):
                waiting = await queued(shared, [an_event("evt_1"), an_event("evt_2")], [an_event("evt_3")])
                with pytest.raises(StoreBusy, match="try again"):
                    await shared.append([an_event("evt_4")])
            await asyncio.gather(*waiting)
            assert await shared.append([an_event("evt_4")]) == [Appended(0, 5, False)]

    async def test_counts_bytes_too(self, database: str) -> None:
        async with SharedAppend(database, limits=Limits(queue_bytes=MIB)) as shared:
            async with held(shared, database, an_event("first")):
                waiting = await queued(shared, [an_event("evt_1", body=bytes(MIB // 2))])
                with pytest.raises(StoreBusy):
                    await shared.append([an_event("evt_2", body=bytes(MIB // 2))])
            await asyncio.gather(*waiting)

    async def test_is_no_reason_to_send_what_can_never_fit_again(self) -> None:
        limits = Limits(queue_events=2, queue_bytes=MIB)
        async with SharedAppend("host=/nowhere", limits=limits) as shared:
            with pytest.raises(UnstorableEvent, match="split it"):
                await shared.append([an_event(f"evt_{n}") for n in range(3)])
            with pytest.raises(UnstorableEvent, match="split it"):
                await shared.append([an_event("evt_1", body=bytes(MIB))])


class TestCallersThatGoAway:
    async def test_disturb_no_others_and_what_was_not_sent_yet_is_not_stored(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            async with held(shared, database, an_event("first")) as (_, first):
                gone, stays = await queued(shared, [an_event("gone")], [an_event("stays")])
                gone.cancel()
                first.cancel()
            assert await stays == [Appended(0, 2, False)]
            assert [gone.cancelled(), first.cancelled()] == [True, True]
        async with connected(database) as connection:
            cursor = await connection.execute("select event_id from event order by position")
            assert await cursor.fetchall() == [("first",), ("stays",)]


class TestClosing:
    async def test_answers_everything_accepted_and_accepts_nothing_more(self, database: str) -> None:
        shared = await SharedAppend(database).__aenter__()
        async with held(shared, database, an_event("first")) as (_, first):
            waiting = await queued(shared, [an_event("evt_1")], [an_event("evt_2")])
            closing = asyncio.create_task(shared.close())
            await until(lambda: shared._closed)
            with pytest.raises(StoreUnavailable, match="closing"):
                await shared.append([an_event("evt_3")])
            assert not closing.done()
        await closing
        assert await asyncio.gather(first, *waiting) == [[Appended(0, n, False)] for n in (1, 2, 3)]

    async def test_leaves_no_connection_behind(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            await shared.append([an_event("evt_1")])
            connection = shared._connection
        assert connection
        assert connection.closed

    async def test_twice_is_once(self, database: str) -> None:
        async with SharedAppend(database) as shared:
            await shared.append([an_event("evt_1")])
            await shared.close()


@pytest.mark.parametrize("wrong", [{"deadline": 0}, {"queue_events": 0}, {"batch_bytes": -1}, {"page_bytes": 10**12}])
def test_limits_that_make_no_sense_are_refused_by_name(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} of the event store must be between"):
        Limits(**wrong)
