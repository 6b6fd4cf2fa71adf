"""Events and connections for the store's tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from domain.events import NewEvent, Stream, partition_of, stream_of
from projections.ports import Appended
from service.store.appending import append_of
from service.store.rows import request_of

Connection = AsyncConnection[tuple[Any, ...]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stream_in(partition: int, number: int = 0) -> Stream:
    """The n-th stream of a partition."""
    streams = (stream_of("shop", "subscription", f"sub_{candidate}") for candidate in count())
    mates = (stream for stream in streams if partition_of(stream) == partition)
    return next(mate for index, mate in enumerate(mates) if index == number)


def an_event(event_id: str, stream: Stream | None = None, **more: Any) -> NewEvent:
    event = NewEvent(
        stream=stream or stream_in(0),
        event_id=event_id,
        type="invoice.paid",
        origin="webhook",
        occurred_at=NOON,
        received_at=NOON,
        body=f'{{"id": "{event_id}"}}'.encode(),
        headers={"stripe-signature": "t=1,v1=abc"},
    )
    return msgspec.structs.replace(event, **more)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        yield connection


async def append(connection: Connection, events: Sequence[NewEvent]) -> list[Appended]:
    """Calls the database's function in whatever transaction the connection is in."""
    cursor = await connection.cursor(binary=True).execute(*append_of([request_of(events)]))
    return [Appended(*row) for row in await cursor.fetchall()]


async def positions(connection: Connection) -> dict[int, list[int]]:
    """The positions that each partition holds."""
    cursor = await connection.execute("select partition, position from event order by partition, position")
    found: dict[int, list[int]] = {}
    for partition, position in await cursor.fetchall():
        found.setdefault(partition, []).append(position)
    return found


async def moved_heads(connection: Connection) -> dict[int, int]:
    cursor = await connection.execute("select partition, position from head where position > 0")
    return dict(await cursor.fetchall())


async def assert_gapless(connection: Connection) -> None:
    held = await positions(connection)
    assert held == {partition: list(range(1, head + 1)) for partition, head in (await moved_heads(connection)).items()}


async def hold_head(connection: Connection, partition: int) -> None:
    """Keeps appends to that partition waiting, until the connection's transaction ends."""
    await connection.execute("select from head where partition = %s for update", [partition])


async def one_waits_for(connection: Connection, holder: int) -> int:
    """Returns as soon as some backend waits for a lock of the holder's; says which."""
    while True:
        cursor = await connection.execute(
            "select pid from pg_stat_activity where %s = any (pg_blocking_pids(pid))", [holder]
        )
        if found := await cursor.fetchone():
            return int(found[0])
