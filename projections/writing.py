"""Writes the rows of some streams, in the transaction that also moves the checkpoints of their partitions."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection

from projections.rows import LicenseRow, LinkRow, PushRow, Rows, StreamRow, TimerRow, WantRow
from projections.tables import Tables


class LostLease(Exception):
    """Another process projects this partition now; what was about to be written here was not."""


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """A partition's checkpoint before and after some events, and the rows of the streams they belong to."""

    partition: int
    before: int
    after: int
    rows: list[Rows]


async def write_advances(
    connection: AsyncConnection[Any], tables: Tables, owner: str, advances: Sequence[Advance]
) -> None:
    """Writes the rows of several partitions if every checkpoint is still the owner's and where it left it.

    To be called in a transaction, with partitions ascending. Raises LostLease when one of them is another's.
    """
    moves = {
        "owner": owner,
        "partition": [each.partition for each in advances],
        "before": [each.before for each in advances],
        "after": [each.after for each in advances],
    }
    async with connection.pipeline():
        cursor = await connection.execute(tables["move_checkpoints"], moves)
        await write_rows(connection, tables, [rows for each in advances for rows in each.rows])
    if cursor.rowcount != len(advances):
        raise LostLease([each.partition for each in advances])


async def write_rows(connection: AsyncConnection[Any], tables: Tables, rows: Sequence[Rows]) -> None:
    """Replaces everything derived from those streams, each table's rows by one statement.

    Links go in a fixed order: they may lie in other partitions.
    """
    streams = [each.stream for each in rows]
    changed = {"partitions": [row.partition for row in streams], "streams": [row.stream for row in streams]}
    vain = [(row.stream, about) for row, each in zip(streams, rows, strict=True) for about in each.vain]
    in_vain = {"vain_of": [stream for stream, _ in vain], "vain": [about for _, about in vain]}
    links = sorted((row for each in rows for row in each.links), key=lambda row: (row.partition, row.from_stream))
    statements: tuple[tuple[str, dict[str, Any]], ...] = (
        ("save_streams", columns_of(StreamRow, streams)),
        ("save_licenses", columns_of(LicenseRow, [row for each in rows for row in each.licenses]) | changed),
        ("save_pushes", columns_of(PushRow, [row for each in rows for row in each.pushes]) | changed),
        ("save_wants", columns_of(WantRow, [row for each in rows for row in each.wants]) | changed | in_vain),
        ("save_timers", columns_of(TimerRow, [row for each in rows for row in each.timers]) | changed),
        ("save_links", columns_of(LinkRow, links)),
        ("mark_links", changed),
    )
    async with connection.pipeline():
        for statement, arguments in statements:
            await connection.execute(tables[statement], arguments)


def columns_of(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> dict[str, list[Any]]:
    """The fields of such rows, each with its values in the rows' order."""
    return {name: [getattr(row, name) for row in rows] for name in kind.__struct_fields__}
