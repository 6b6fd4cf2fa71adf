"""Writes the rows of some streams, in the transaction that also moves the checkpoints of their partitions."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection, AsyncCursor

from domain.events import Stream
from projections.rows import Rows
from projections.tables import Tables


class LostLease(Exception):
    """Another process projects this partition now; what was about to be written here was not."""


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """A partition's checkpoint before and after some events, and the rows of the streams they belong to."""

    partition: int
    before: int
    after: int
    rows: Sequence[Rows]


async def write_advances(
    connection: AsyncConnection[Any], tables: Tables, owner: str, advances: Sequence[Advance]
) -> None:
    """Writes the rows of several partitions if every checkpoint is still the owner's and where it left it.

    To be called in a transaction, with partitions ascending. Raises LostLease when one of them is another's.
    """
    moves = [
        {"partition": each.partition, "before": each.before, "after": each.after, "owner": owner} for each in advances
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(tables["move_checkpoint"], moves)
        if cursor.rowcount != len(moves):
            raise LostLease([each.partition for each in advances])
    await write_rows(connection, tables, [rows for each in advances for rows in each.rows])


async def write_rows(connection: AsyncConnection[Any], tables: Tables, rows: Sequence[Rows]) -> None:
    """Replaces everything derived from those streams. Links go in a fixed order: they may lie in other partitions."""
    streams: dict[int, list[Stream]] = {}
    for each in rows:
        streams.setdefault(each.stream.partition, []).append(each.stream.stream)
    places = [{"partition": partition, "streams": names} for partition, names in streams.items()]
    pushed = _kept(rows, lambda each: [push.target for push in each.pushes])
    links = sorted((row for each in rows for row in each.links), key=lambda row: (row.partition, row.from_stream))
    async with connection.pipeline(), connection.cursor() as cursor:
        await _many(cursor, tables, "save_stream", [each.stream for each in rows])
        await cursor.executemany(tables["clear_licenses"], places)
        await _many(cursor, tables, "save_license", [row for each in rows for row in each.licenses])
        await cursor.executemany(tables["retire_pushes"], pushed)
        await _many(cursor, tables, "save_push", [row for each in rows for row in each.pushes])
        await cursor.executemany(tables["clear_wants"], _wanted(rows))
        await _many(cursor, tables, "save_want", [row for each in rows for row in each.wants])
        ringing = _kept(rows, lambda each: [timer.event_id for timer in each.timers])
        await cursor.executemany(tables["clear_timers"], ringing)
        await _many(cursor, tables, "save_timer", [row for each in rows for row in each.timers])
        await _many(cursor, tables, "save_link", links)
        await cursor.executemany(tables["mark_links"], places)


def _wanted(rows: Sequence[Rows]) -> list[dict[str, Any]]:
    still = _kept(rows, lambda each: [want.about for want in each.wants])
    vain = _kept(rows, lambda each: list(each.vain))
    return [
        {**place, "vain_of": other["kept_of"], "vain": other["kept"]} for place, other in zip(still, vain, strict=True)
    ]


def _kept(rows: Sequence[Rows], names: Callable[[Rows], list[str]]) -> list[dict[str, Any]]:
    """Of each partition the streams, and the names of their rows that stay, each beside its stream."""
    places: dict[int, dict[str, Any]] = {}
    for each in rows:
        partition, stream, stay = each.stream.partition, each.stream.stream, names(each)
        place = places.setdefault(partition, {"partition": partition, "streams": [], "kept_of": [], "kept": []})
        place["streams"].append(stream)
        place["kept_of"] += [stream] * len(stay)
        place["kept"] += stay
    return list(places.values())


async def _many(cursor: AsyncCursor[Any], tables: Tables, statement: str, rows: Sequence[msgspec.Struct]) -> None:
    if rows:
        await cursor.executemany(tables[statement], [msgspec.structs.asdict(row) for row in rows])
