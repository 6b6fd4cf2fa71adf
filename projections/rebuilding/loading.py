"""One partition of a new version: its events folded stream by stream, and the rows copied in with its checkpoint.

Nothing is asked and no clock decides, so what is loaded is what the runner would have written, event by event.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection, sql

from domain.events import Event, Stream
from domain.history import refold
from projections.failures import UNWRITABLE, in_short
from projections.folding import refused_rows, rows_of
from projections.rows import LinkRow, Rows, WantRow
from projections.sources import Source, source_for
from projections.tables import Tables
from projections.targets import Target
from projections.writing import write_rows

Connection = AsyncConnection[Any]

LOT = 2_000
"""Streams whose rows are copied at once."""


class Derivation(msgspec.Struct, frozen=True):
    """What rows follow from besides events: the sources with their policies, and the targets they feed."""

    sources: Mapping[str, Source]
    targets: Mapping[str, Target]


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded of a partition; nothing where another process had done so."""

    partition: int
    events: int = 0
    bytes: int = 0
    """Of bodies."""
    streams: int = 0


async def load_partition(
    connection: Connection,
    tables: Tables,
    partition: int,
    upto: int,
    streams: Iterable[tuple[Stream, Sequence[Event]]],
    derivation: Derivation,
) -> Loaded:
    """Loads the streams of a partition, with all their events up to that position, in one transaction.

    Raises psycopg.Error and whatever the streams raise.
    """
    count = size = number = 0
    async with connection.transaction():
        taken = await connection.execute(tables["take_partition"], {"partition": partition, "upto": upto})
        if taken.rowcount != 1:
            return Loaded(partition=partition)
        lot: list[Rows] = []
        for stream, events in streams:
            source = source_for(derivation.sources, stream)
            lot.append(rows_of(stream, refold(events, source.provider), upto, source, derivation.targets))
            count += len(events)
            size += sum(len(event.body) for event in events)
            number += 1
            if len(lot) == LOT:
                await _copy(connection, tables, lot, derivation)
                lot = []
        await _copy(connection, tables, lot, derivation)
    return Loaded(partition=partition, events=count, bytes=size, streams=number)


async def _copy(connection: Connection, tables: Tables, lot: Sequence[Rows], derivation: Derivation) -> None:
    """Copies the rows in; of a stream whose rows the database refuses those that say so, as the runner does."""
    if not lot:
        return
    try:
        async with connection.transaction():
            await _copy_all(connection, tables, lot)
    except UNWRITABLE:
        if len(lot) > 1:
            middle = len(lot) // 2
            await _copy(connection, tables, lot[:middle], derivation)
            await _copy(connection, tables, lot[middle:], derivation)
        else:
            await _copy_all(connection, tables, [await _refused(connection, tables, lot[0], derivation)])


async def _refused(connection: Connection, tables: Tables, rows: Rows, derivation: Derivation) -> Rows:
    try:
        async with connection.transaction(force_rollback=True):
            await write_rows(connection, tables, [rows])
    except UNWRITABLE as error:
        source = source_for(derivation.sources, rows.stream.stream)
        return refused_rows(rows, in_short(error), source, derivation.targets)
    return rows


async def _copy_all(connection: Connection, tables: Tables, lot: Sequence[Rows]) -> None:
    cursor = await connection.execute("select now()")
    (now,) = await cursor.fetchone() or (None,)
    assert isinstance(now, datetime)  # noqa: S101 - a server that cannot tell the time
    wants = [row for rows in lot for row in rows.wants]
    await _into(connection, tables, "stream", _STREAM, [msgspec.structs.astuple(rows.stream) for rows in lot])
    await _into(connection, tables, "license", _LICENSE, _tuples(row for rows in lot for row in rows.licenses))
    await _into(connection, tables, "push", _PUSH, _tuples(row for rows in lot for row in rows.pushes))
    await _into(connection, tables, "want", _WANT, [_want(row, now) for row in wants])
    await _into(connection, tables, "timer", _TIMER, _tuples(row for rows in lot for row in rows.timers))
    links: dict[LinkRow, None] = dict.fromkeys(row for rows in lot for row in rows.links)
    await _into(connection, tables, "link", _LINK, _tuples(links))


async def _into(
    connection: Connection, tables: Tables, table: str, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if not rows:
        return
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("copy {}.{} ({}) from stdin (format binary)").format(
        sql.Identifier(tables.schema), sql.Identifier(table), names
    )
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            await copy.write_row(row)


def _tuples(rows: Iterable[msgspec.Struct]) -> list[tuple[Any, ...]]:
    return [msgspec.structs.astuple(row) for row in rows]


def _want(row: WantRow, now: datetime) -> tuple[Any, ...]:
    *columns, delay = msgspec.structs.astuple(row)
    return (*columns, now + delay)


# The columns in the order of the rows' fields, each with the type that it is sent as: JSON is there as text already.
_STREAM = {
    "partition": "int2",
    **dict.fromkeys(["stream", "source", "kind", "identifier", "status", "state", "problem"], "text"),
    **dict.fromkeys(["warnings", "customer", "email"], "text"),
    **dict.fromkeys(["events", "anomalies"], "int4"),
    **dict.fromkeys(["first_at", "latest_at"], "timestamptz"),
    "position": "int8",
    "code": "text",
    "fold": "bytea",
}
_LICENSE = {
    "partition": "int2",
    **dict.fromkeys(["id", "stream", "target"], "text"),
    **dict.fromkeys(["due", "enabled"], "bool"),
    **dict.fromkeys(["withheld", "key", "desired", "applied", "refusal"], "text"),
}
_PUSH = {"partition": "int2", "stream": "text", "target": "text", "due": "bool", "digest": "text", "folded": "int8"}
_LINK = {"partition": "int2", "from_stream": "text", "to_stream": "text"}
_WANT = {
    "partition": "int2",
    **dict.fromkeys(["stream", "about", "source", "why"], "text"),
    "essential": "bool",
    "next_at": "timestamptz",
}
_TIMER = {
    "partition": "int2",
    **dict.fromkeys(["stream", "event_id"], "text"),
    "at": "timestamptz",
    "type": "text",
    "body": "bytea",
}
