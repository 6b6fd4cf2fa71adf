"""`timeline`: one stream found by its key, read, and folded from its first event."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import psycopg

from domain.events import Stream, partition_of
from domain.history import refold
from domain.providers.stripe import PROVIDER
from service.store import EventStore
from service.store.migrate import migrate
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.workload import STREAMS, events_of, webhook

UNIT = "ms"
LENGTHS = (20, 200, 10_000)
READ = {length: f"{length:,} events, bare indexed read" for length in LENGTHS}
FOLDED = {length: f"{length:,} events, read and folded" for length in LENGTHS}
IN_A_ROUND = 4_000
"""Events that are read in each, but whole streams, and one at least."""
MANY = 50
PAGE = 500
_BARE = b"select body from event where partition = %b and stream = %b"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        await migrate(dsn)
        async with (
            EventStore.open(dsn) as store,
            await psycopg.AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=0) as connection,
        ):
            cases = []
            first = 0
            for length in LENGTHS:
                streams = [
                    await _append(store, number, min(length, place.size.longest))
                    for number in range(first, first + max(1, min(MANY, IN_A_ROUND // length)))
                ]
                first += len(streams)
                cases += [
                    Case(name=READ[length], unit=UNIT, measure=partial(_read, connection, streams)),
                    Case(
                        name=FOLDED[length], unit=UNIT, measure=partial(_fold, store, streams), against=(READ[length],)
                    ),
                ]
            await connection.execute("analyze event")
            yield cases


async def _append(store: EventStore, number: int, length: int) -> Stream:
    """So many paid invoices of one subscription; its name."""
    events = [event for turn in range(length) for event in events_of(webhook(number + STREAMS * turn))]
    for begin in range(0, length, PAGE):
        await store.append(events[begin : begin + PAGE])
    return events[0].stream


async def _read(connection: psycopg.AsyncConnection[Any], streams: Sequence[Stream]) -> float:
    cursor = connection.cursor(binary=True)
    started = perf_counter()
    for stream in streams:
        await (await cursor.execute(_BARE, [partition_of(stream), stream])).fetchall()
    return (perf_counter() - started) / len(streams) * 1000


async def _fold(store: EventStore, streams: Sequence[Stream]) -> float:
    started = perf_counter()
    for stream in streams:
        fold = refold(await store.read_stream(stream), PROVIDER)
        if fold.stopped:
            raise AssertionError(fold.stopped)
    return (perf_counter() - started) / len(streams) * 1000


BENCH = Bench(name="timeline", about="one subscription's events by key, folded", open=_open)
