"""Other libraries that keep events or jobs in PostgreSQL, measured where they are installed: `./run bench --peers`.

Each writes what a webhook carries by its own bare append, without HTTP, eight writers at a time. They do more than
that: see the README.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks.measuring import Case, Place
from tests.benchmarks.workload import webhook

EVENTSOURCING = "eventsourcing, insert_events of one, 8 threads, no HTTP"
PGQUEUER = "pgqueuer, enqueue, 8 connections, no HTTP"
PROCRASTINATE = "procrastinate, defer, 8 tasks, no HTTP"
REPLAY = "eventsourcing, repository.get of aggregates of 20 events"
NAMES = (EVENTSOURCING, PGQUEUER, PROCRASTINATE, REPLAY)
WRITERS = 8
AGGREGATES = 100
LENGTH = 20
LIBRARIES = ("eventsourcing", "pgqueuer", "procrastinate")

Write = Callable[[int], Awaitable[float]]
"""Writes so many webhooks; gives the seconds it took."""


def lacking() -> list[str]:
    """The libraries that are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


@asynccontextmanager
async def cases(place: Place, unit: str) -> AsyncIterator[Sequence[Case]]:
    """What bare appends cost with those that are installed."""
    async with AsyncExitStack() as stack:
        found = []
        for library, (name, opened) in _WRITING.items():
            if library not in lacking():
                dsn = place.server.dsn(stack.enter_context(place.server.database()))
                write = await stack.enter_async_context(opened(dsn))
                found.append(Case(name=name, unit=unit, measure=partial(_rate, write, place.size.events)))
        yield found


@asynccontextmanager
async def replay(place: Place, unit: str) -> AsyncIterator[Sequence[Case]]:
    """Aggregates of `eventsourcing`, each read by its id and brought to its state."""
    if "eventsourcing" in lacking():
        yield []
        return
    from tests.benchmarks.peers_replay import Repository

    with place.server.database() as name:
        repository = Repository(_connection(place.server.dsn(name)), AGGREGATES, LENGTH)
        try:
            yield [Case(name=REPLAY, unit=unit, measure=lambda: asyncio.to_thread(repository.replay))]
        finally:
            repository.close()


async def _rate(write: Write, count: int) -> float:
    return count / await write(count)


@asynccontextmanager
async def _eventsourcing(dsn: str) -> AsyncIterator[Write]:
    from eventsourcing.persistence import StoredEvent
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

    datastore = PostgresDatastore(**_connection(dsn), pool_size=WRITERS)
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()

    def insert_all(bodies: Iterator[bytes]) -> None:
        for body in bodies:
            recorder.insert_events([StoredEvent(uuid4(), 1, "webhooks:Received", body)])

    async def write(count: int) -> float:
        shares = [iter(share) for share in _shares(count)]
        started = perf_counter()
        with ThreadPoolExecutor(WRITERS) as threads:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(threads, insert_all, share) for share in shares))
        return perf_counter() - started

    try:
        yield write
    finally:
        datastore.close()


@asynccontextmanager
async def _pgqueuer(dsn: str) -> AsyncIterator[Write]:
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(dsn, autocommit=True))
            for _ in range(WRITERS)
        ]
        queues = [Queries(PsycopgDriver(connection)) for connection in connections]
        await queues[0].install()

        async def enqueue_all(queue: Any, bodies: Sequence[bytes]) -> None:
            for body in bodies:
                await queue.enqueue("webhook", body)

        async def write(count: int) -> float:
            return await _together(enqueue_all, list(zip(queues, _shares(count), strict=True)))

        yield write


@asynccontextmanager
async def _procrastinate(dsn: str) -> AsyncIterator[Write]:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn, min_size=WRITERS, max_size=WRITERS))

    @app.task(queue="webhooks")  # type: ignore[untyped-decorator]
    async def take(body: str) -> None:
        """Nobody runs it here."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()

        async def defer_all(task: Any, bodies: Sequence[bytes]) -> None:
            for body in bodies:
                await task.defer_async(body=body.decode())

        async def write(count: int) -> float:
            return await _together(defer_all, [(take, share) for share in _shares(count)])

        yield write


async def _together(
    work: Callable[[Any, Sequence[bytes]], Awaitable[None]], each: Sequence[tuple[Any, Sequence[bytes]]]
) -> float:
    started = perf_counter()
    await asyncio.gather(*(work(writer, share) for writer, share in each))
    return perf_counter() - started


def _shares(count: int) -> list[list[bytes]]:
    return [[webhook(number) for number in range(first, count, WRITERS)] for first in range(WRITERS)]


def _connection(dsn: str) -> dict[str, Any]:
    """As `eventsourcing` wants to be told."""
    told = conninfo_to_dict(dsn)
    return {
        "dbname": told["dbname"],
        "host": told["host"],
        "port": told["port"],
        "user": told["user"],
        "password": told.get("password", ""),
    }


_WRITING: dict[str, tuple[str, Callable[[str], AbstractAsyncContextManager[Write]]]] = {
    "eventsourcing": (EVENTSOURCING, _eventsourcing),
    "pgqueuer": (PGQUEUER, _pgqueuer),
    "procrastinate": (PROCRASTINATE, _procrastinate),
}
