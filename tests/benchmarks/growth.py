"""`growth`: what an event costs in a large store, next to a small one: appended, looked at, derived anew."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from time import perf_counter

import psycopg

from domain.events import PARTITIONS, Stream
from projections.sources import source_for
from projections.timeline import timeline
from projections.versions import begin, drop
from service.bootstrap import prepare
from service.rebuilding.workers import Crew, Site
from service.store import EventStore
from service.wiring.projecting import projected
from service.wiring.rules import derivation, without_secrets
from service.wiring.storage import open_pool
from tests.benchmarks.append import append_all
from tests.benchmarks.bulk import load
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.rebuild import with_store
from tests.benchmarks.workload import Webhooks
from tests.serving import settings

APPEND = "append of an event, {}"
PAGE = "timeline of a subscription, {}"
REBUILD = "rebuild of an event, {}"
SMALLEST, LARGEST = "smallest store", "largest store"
SIZE = "events, {}"
DISK = "disk of an event with its indexes, {}"
BODY = "its body as it was sent, {}"
STORED = "its body as it is stored, {}"
COST = "µs"
SLICE = 10_000
"""Events that are derived anew in a round, at least: whole partitions, as a rebuild takes them."""
PAGES = 50
CALLERS = 32


_WEIGHT = b"""
select pg_total_relation_size('event')::float / (select sum(position) from head), avg(octet_length(body)),
       avg(pg_column_size(body))
from event where partition < 8
"""


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    sizes = sorted(place.size.growth)
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(_Store.open(place, size)) for size in sizes]
        names = [SMALLEST, *(f"store of {size:,}" for size in sizes[1:-1]), LARGEST]
        yield [case for store, name in zip(stores, names, strict=True) for case in store.cases(name)]


class _Store:
    """A store of that size, and what is done with it."""

    def __init__(self, place: Place, size: int, dsn: str, log: EventStore, streams: Sequence[Stream]) -> None:
        self._events = place.size.events
        self._size = size
        self._dsn = dsn
        self._log = log
        self._streams = streams
        self._settings = with_store(settings(dsn))
        self._sources = projected(self._settings)
        self._webhooks = Webhooks()
        self._random = random.Random(size)
        self._rules = map(str, count())
        self._body: list[float] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, place: Place, size: int) -> AsyncIterator["_Store"]:
        with place.server.database() as name:
            dsn = place.server.dsn(name)
            await prepare(dsn)
            streams = await asyncio.to_thread(load, dsn, size)
            async with EventStore.open(dsn) as log:
                yield cls(place, size, dsn, log, streams)

    def cases(self, name: str) -> list[Case]:
        def case(what: str, measure: Callable[[], Awaitable[float]]) -> Case:
            against = () if name == SMALLEST else (what.format(SMALLEST),)
            return Case(name=what.format(name), unit=COST, measure=measure, against=against)

        return [
            Case(name=SIZE.format(name), unit="events", measure=self._counted),
            Case(
                name=DISK.format(name),
                unit="bytes",
                measure=self._weighed,
                asides=(
                    Aside(name=BODY.format(name), unit="bytes", read=lambda: self._body[0]),
                    Aside(name=STORED.format(name), unit="bytes", read=lambda: self._body[1]),
                ),
            ),
            case(APPEND, self._append),
            case(PAGE, self._look),
            case(REBUILD, self._rebuild),
        ]

    async def _counted(self) -> float:
        return sum((await self._log.heads(range(PARTITIONS))).values())

    async def _weighed(self) -> float:
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection:
            cursor = await connection.execute(_WEIGHT)
            each, *body = map(float, await cursor.fetchone() or ())
        self._body = body
        return each

    async def _append(self) -> float:
        return 1e6 / await append_all(self._log, self._webhooks.events(self._events), CALLERS)

    async def _look(self) -> float:
        """Of any subscription, read and told whole."""
        chosen = self._random.choices(self._streams, k=PAGES)
        started = perf_counter()
        for stream in chosen:
            timeline(await self._log.read_stream(stream), source_for(self._sources, stream).provider)
        return (perf_counter() - started) / PAGES * 1e6

    async def _rebuild(self) -> float:
        heads = await self._log.heads(range(PARTITIONS))
        chosen, events = [], 0
        for partition in self._random.sample(range(PARTITIONS), PARTITIONS):
            if events < min(SLICE, self._size):
                chosen.append((partition, heads[partition]))
                events += heads[partition]
        async with open_pool(self._settings, self._dsn) as pool:
            async with pool.connection() as connection:
                made, _ = await begin(connection, "rebuild", next(self._rules), "bench")
            site = Site(self._dsn, made.version, partial(derivation, without_secrets(self._settings)))
            async with Crew.open(site, 1) as crew:
                started = perf_counter()
                async for _ in crew.load([each for each in chosen if each[1]]):
                    pass
                seconds = perf_counter() - started
            async with pool.connection() as connection:
                await drop(connection, made.version, "bench")
        return seconds / events * 1e6


BENCH = Bench(name="growth", about="cost of one event in stores of several sizes", open=_open)
