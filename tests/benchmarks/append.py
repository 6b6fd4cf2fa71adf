"""`append`: what sharing a transaction is worth, callers and database on one machine."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter

from domain.events import NewEvent
from service.store import EventStore
from service.store.migrate import migrate
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.pgbench import BASELINE, PgBench
from tests.benchmarks.workload import Webhooks

CALLERS = (32, 128)
UNIT = "events/s"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    webhooks = Webhooks()
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        await migrate(dsn)
        async with EventStore.open(dsn) as store, PgBench.open(dsn, place.folder) as bench:

            async def single() -> float:
                return (await bench.insert(place.size.events)).rate

            def shared(callers: int) -> Case:
                async def measure() -> float:
                    return await append_all(store, webhooks.events(place.size.events), callers)

                return Case(name=f"shared append, {callers} callers", unit=UNIT, measure=measure, against=(BASELINE,))

            yield [Case(name=BASELINE, unit=UNIT, measure=single), *map(shared, CALLERS)]


async def append_all(store: EventStore, events: Sequence[NewEvent], callers: int) -> float:
    waiting = iter(events)
    started = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(_one_by_one(store, waiting))
    return len(events) / (perf_counter() - started)


async def _one_by_one(store: EventStore, events: Iterator[NewEvent]) -> None:
    for event in events:
        [stored] = await store.append([event])
        if stored.repeated:
            raise AssertionError("a new event was taken for a repeat")


BENCH = Bench(name="append", about="one event per call made durable, gapless and deduplicated", open=_open)
