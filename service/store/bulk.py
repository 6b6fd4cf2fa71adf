"""Whole partitions, by binary COPY: for rebuilds, exports and checks."""

from collections.abc import AsyncGenerator
from typing import Any, Literal, assert_never

from psycopg import AsyncConnection

from domain.events import Event
from service.store.rows import EVENT_TYPES, event_of
from service.store.sql import statements

_READ = statements("read.sql")


async def copy_partition(
    connection: AsyncConnection[Any],
    partition: int,
    after: int,
    upto: int,
    *,
    order: Literal["position", "stream"] = "position",
) -> AsyncGenerator[Event, None]:
    """The events of a partition with `after` < position <= `upto`, each once, from one snapshot.

    `stream` orders by stream, then position, so that a fold needs one stream in memory at a time. The connection is
    busy until the iterator ends; close it (`contextlib.aclosing`) when leaving early. Raises psycopg.Error.
    """
    match order:
        case "position":
            statement = _READ["copy_by_position"]
        case "stream":
            statement = _READ["copy_by_stream"]
        case _:
            assert_never(order)
    parameters = {"partition": partition, "after": after, "upto": upto}
    async with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        copy.set_types(EVENT_TYPES)
        async for row in copy.rows():
            yield event_of(row)
