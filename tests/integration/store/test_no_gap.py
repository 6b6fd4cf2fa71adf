"""The promise that everything else stands on: whoever follows a partition by position misses nothing, ever.

A reader remembers one integer per partition. So every event must become visible in the order of positions, and no
position may stay empty, whatever writers do meanwhile: commit late, roll back, deliver the same event twice. An order
drawn from a sequence breaks this; the last test shows that the follower would notice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from domain.events import NewEvent
from projections.ports import Appended
from service.store import EventStore
from tests.integration.store.given import (
    an_event,
    append,
    assert_gapless,
    connected,
    one_waits_for,
    stream_in,
)

pytestmark = pytest.mark.anyio

WRITERS = 16
DELIVERIES = 40


class Follower:
    """Reads partitions as a projection does, and checks that each event follows on the one before."""

    def __init__(self, store: EventStore, partitions: list[int]) -> None:
        self._store = store
        self.seen: dict[int, list[str]] = {partition: [] for partition in partitions}

    async def step(self) -> bool:
        """Reads what is new in each partition; says whether there was anything."""
        found = False
        for partition, seen in self.seen.items():
            for event in await self._store.read_partition(partition, after=len(seen), limit=7):
                assert event.position == len(seen) + 1, f"a gap: {event.position} comes after {len(seen)}"
                seen.append(event.event_id)
                found = True
        return found

    async def follow(self, stop: asyncio.Event) -> None:
        """Reads until told to stop, and then to the end."""
        while not stop.is_set():
            await self.step()
        while await self.step():
            pass


@asynccontextmanager
async def following(database: str, partitions: list[int]) -> AsyncIterator[Follower]:
    async with EventStore.open(database) as store:
        yield Follower(store, partitions)


class TestScheduledByHand:
    async def test_a_later_writer_cannot_overtake_one_that_has_not_committed(self, database: str) -> None:
        async with (
            connected(database) as slow,
            connected(database) as quick,
            connected(database) as watch,
            following(database, [0]) as follower,
        ):
            async with slow.transaction():
                await append(slow, [an_event("slow")])
                overtaking = asyncio.create_task(append(quick, [an_event("quick")]))
                await one_waits_for(watch, slow.info.backend_pid)
                assert await follower.step() is False
            await overtaking
            await follower.step()
            assert follower.seen == {0: ["slow", "quick"]}

    async def test_a_position_given_back_by_a_rollback_is_the_next_writers(self, database: str) -> None:
        async with (
            connected(database) as undecided,
            connected(database) as patient,
            connected(database) as watch,
            following(database, [0]) as follower,
        ):
            async with undecided.transaction(force_rollback=True):
                await append(undecided, [an_event("lost"), an_event("lost too")])
                waiting = asyncio.create_task(append(patient, [an_event("kept"), an_event("kept too")]))
                await one_waits_for(watch, undecided.info.backend_pid)
                assert await follower.step() is False
            await waiting
            await follower.step()
            assert follower.seen == {0: ["kept", "kept too"]}

    async def test_a_delivery_over_two_partitions_shows_in_each_at_its_place(self, database: str) -> None:
        left, right = stream_in(1), stream_in(2)
        async with (
            connected(database) as first,
            connected(database) as second,
            connected(database) as watch,
            following(database, [1, 2]) as follower,
        ):
            async with first.transaction():
                await append(first, [an_event("first", right)])
                # Holds the lower partition, waits for the upper one.
                both = asyncio.create_task(append(second, [an_event("second", right), an_event("second", left)]))
                await one_waits_for(watch, first.info.backend_pid)
                assert await follower.step() is False
            await both
            await follower.step()
            assert follower.seen == {1: ["second"], 2: ["first", "second"]}


class Traffic:
    """Writers with random deliveries: several events, often sent before, sometimes rolled back, committed late."""

    def __init__(self, database: str, seed: int, partitions: list[int]) -> None:
        self._database = database
        self._seed = seed
        self._pool = [
            an_event(f"evt_{number}", stream_in(partitions[number % len(partitions)], number % 3))
            for number in range(WRITERS * DELIVERIES)
        ]
        self.told: dict[str, set[tuple[int, int]]] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as writers:
            for writer in range(WRITERS):
                writers.create_task(self._write(Random(f"{self._seed}/{writer}")))

    async def _write(self, chance: Random) -> None:
        async with connected(self._database) as connection:
            for _ in range(DELIVERIES):
                delivery = chance.choices(self._pool, k=chance.choice([1, 1, 2, 5]))
                rolled_back = chance.random() < 0.2
                async with connection.transaction(force_rollback=rolled_back):
                    stored = await append(connection, delivery)
                    await asyncio.sleep(chance.random() * 0.01)  # the late commit
                if not rolled_back:
                    self._note(delivery, stored)

    def _note(self, delivery: list[NewEvent], stored: list[Appended]) -> None:
        for event, one in zip(delivery, stored, strict=True):
            self.told.setdefault(event.event_id, set()).add((one.partition, one.position))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_follower_of_busy_partitions_sees_each_event_once_where_its_writer_was_told(
    database: str, seed: int
) -> None:
    partitions = [3, 4, 5, 90, 255]
    traffic, stop = Traffic(database, seed, partitions), asyncio.Event()
    async with following(database, partitions) as follower, asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.follow(stop))
        await traffic.run()
        stop.set()

    seen = {
        event_id: {(partition, index + 1)}
        for partition, event_ids in follower.seen.items()
        for index, event_id in enumerate(event_ids)
    }
    assert seen == traffic.told
    assert sum(map(len, follower.seen.values())) == len(traffic.told)
    async with connected(database) as connection:
        await assert_gapless(connection)


SEQUENCE = """
    create sequence tempting;
    create or replace function append_events(
        partitions smallint[], streams text[], event_ids text[], items text[], types text[], origins text[],
        causes text[], occurred timestamptz[], received timestamptz[], header_sets text[], content_types text[],
        body_of integer[], bodies bytea[], digests bytea[]
    ) returns table (at_partition smallint, at_position bigint, repeated boolean)
    language sql as $$
        insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at,
                           headers, content_type, body, digest)
        select partitions[i], nextval('tempting'), streams[i], event_ids[i], items[i], types[i], origins[i], causes[i],
               occurred[i], received[i], header_sets[i]::jsonb, content_types[i], bodies[body_of[i]],
               digests[body_of[i]]
        from generate_subscripts(partitions, 1) i
        on conflict do nothing
        returning partition, position, false
    $$"""


async def test_the_follower_would_notice_an_order_drawn_from_a_sequence(database: str) -> None:
    async with (
        connected(database) as slow,
        connected(database) as quick,
        following(database, [0]) as follower,
    ):
        await slow.execute(SEQUENCE)
        async with slow.transaction():
            await append(slow, [an_event("slow"), an_event("slower")])
            await append(quick, [an_event("quick"), an_event("quicker")])
            with pytest.raises(AssertionError, match="a gap: 3 comes after 0"):
                await follower.step()
