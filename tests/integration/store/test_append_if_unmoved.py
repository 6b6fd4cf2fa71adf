"""What was decided by what stood in streams is stored only if that is all that stands in them."""

import asyncio

import pytest

from projections.ports import Appended
from service.store import EventStore
from tests.integration.store.given import (
    an_event,
    append,
    assert_gapless,
    connected,
    one_waits_for,
    positions,
    stream_in,
)

pytestmark = pytest.mark.anyio

HERE, THERE = stream_in(3), stream_in(200)


async def test_it_is_stored_in_all_streams_where_they_stand_as_they_were_judged_and_readers_are_woken(
    database: str,
) -> None:
    woken: list[frozenset[int]] = []
    async with EventStore.open(database, on_append=woken.append) as store, connected(database) as connection:
        await store.append([an_event("evt_1", HERE)])
        await store.append([an_event("evt_2", stream_in(3, number=1))])
        act = [an_event("act_1", HERE), an_event("act_1", THERE)]
        assert await store.append_if_unmoved(act, {HERE: 1, THERE: 0}) == [
            Appended(3, 3, False),
            Appended(200, 1, False),
        ]
        assert woken[-1] == {3, 200}
        await assert_gapless(connection)


async def test_nothing_is_stored_where_one_of_the_streams_has_later_events_be_it_one_that_is_only_looked_at(
    database: str,
) -> None:
    async with EventStore.open(database) as store, connected(database) as connection:
        await store.append([an_event("evt_1", HERE), an_event("evt_1", THERE), an_event("evt_2", THERE)])
        act = [an_event("act_1", HERE)]
        assert await store.append_if_unmoved(act, {HERE: 1, THERE: 1}) is None
        assert await store.append_if_unmoved(act, {HERE: 0, THERE: 2}) is None
        assert await positions(connection) == {3: [1], 200: [1, 2]}
        assert await store.append_if_unmoved(act, {HERE: 1, THERE: 2}) == [Appended(3, 2, False)]


async def test_of_many_at_once_that_were_judged_alike_one_is_stored(database: str) -> None:
    async with EventStore.open(database) as store, connected(database) as connection:
        judged = {HERE: 0, THERE: 0}
        told = await asyncio.gather(
            *(
                store.append_if_unmoved([an_event(f"act_{number}", each) for each in (THERE, HERE)], judged)
                for number in range(8)
            )
        )
        assert sum(each is not None for each in told) == 1
        assert await positions(connection) == {3: [1], 200: [1]}


async def test_what_is_being_stored_just_then_is_waited_for_and_counts(database: str) -> None:
    async with EventStore.open(database) as store, connected(database) as other, connected(database) as watcher:
        async with other.transaction():
            await append(other, [an_event("evt_1", HERE)])
            task = asyncio.create_task(store.append_if_unmoved([an_event("act_1", HERE)], {HERE: 0}))
            await one_waits_for(watcher, other.info.backend_pid)
        assert await task is None
        assert await positions(watcher) == {3: [1]}
