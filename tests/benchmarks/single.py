"""The baseline of everything that stores: one row per transaction, by connections of their own, as most services do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from time import perf_counter
from typing import Any

import msgspec
import psycopg

from domain.events import NewEvent, partition_of

CONNECTIONS = 8
BASELINE = f"one row per transaction, {CONNECTIONS} connections"

# The columns, keys, checks and compression of `event`; only the position comes from a sequence, so nobody waits.
_TABLE = (
    b"create table single_event (like event including all)",
    b"alter table single_event alter position add generated always as identity",
)

_INSERT = b"""
insert into single_event (partition, stream, event_id, item, type, origin, cause, occurred_at, received_at, headers,
                          content_type, body, digest)
values (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b::text::jsonb, %b, %b, %b)
on conflict on constraint single_event_partition_stream_event_id_key do nothing
"""

Insert = Callable[[Sequence[NewEvent]], Awaitable[float]]


@asynccontextmanager
async def single_inserts(dsn: str) -> AsyncIterator[Insert]:
    """A function that inserts events and gives the rate, in events per second.

    The database must have Tenure's schema, and no such baseline yet. What is inserted is prepared before the clock
    starts: the client does nothing but send.
    """
    async with AsyncExitStack() as stack:
        connections = [await _connect(stack, dsn) for _ in range(CONNECTIONS)]
        for statement in _TABLE:
            await connections[0].execute(statement)

        async def insert(events: Sequence[NewEvent]) -> float:
            rows = iter([_row(event) for event in events])
            started = perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for connection in connections:
                    tasks.create_task(_insert_all(connection, rows))
            return len(events) / (perf_counter() - started)

        yield insert


async def _connect(stack: AsyncExitStack, dsn: str) -> psycopg.AsyncConnection[Any]:
    connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=0)
    return await stack.enter_async_context(connection)


async def _insert_all(connection: psycopg.AsyncConnection[Any], rows: Iterator[tuple[object, ...]]) -> None:
    cursor = connection.cursor(binary=True)
    for row in rows:
        await cursor.execute(_INSERT, row)


def _row(event: NewEvent) -> tuple[object, ...]:
    return (
        *(partition_of(event.stream), event.stream, event.event_id, event.item, event.type, event.origin, event.cause),
        *(event.occurred_at, event.received_at, msgspec.json.encode(event.headers).decode(), event.content_type),
        *(event.body, sha256(event.body).digest()),
    )
