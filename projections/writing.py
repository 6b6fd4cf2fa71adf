"""Writes the rows of some streams of one partition, in the transaction that also moves its checkpoint."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection, AsyncCursor

from projections.folding import Rows
from projections.tables import Tables


class LostLease(Exception):
    """Another process projects this partition now; what was about to be written here was not."""


async def move_checkpoint(
    connection: AsyncConnection[Any], tables: Tables, partition: int, owner: str, before: int, after: int
) -> None:
    """Moves a partition's checkpoint if it is still the owner's and where it left it. Raises LostLease."""
    cursor = await connection.execute(
        tables["move_checkpoint"], {"partition": partition, "before": before, "after": after, "owner": owner}
    )
    if cursor.rowcount != 1:
        raise LostLease(partition)


async def write_rows(connection: AsyncConnection[Any], tables: Tables, partition: int, rows: Sequence[Rows]) -> None:
    """Replaces everything derived from those streams. Links go in a fixed order: they may lie in other partitions."""
    streams = [each.stream.stream for each in rows]
    links = sorted((row for each in rows for row in each.links), key=lambda row: (row.partition, row.from_stream))
    async with connection.pipeline(), connection.cursor() as cursor:
        await _many(cursor, tables, "save_stream", [each.stream for each in rows])
        await cursor.execute(tables["clear_licenses"], {"partition": partition, "streams": streams})
        await _many(cursor, tables, "save_license", [row for each in rows for row in each.licenses])
        await _many(cursor, tables, "save_push", [each.push for each in rows if each.push is not None])
        await _many(cursor, tables, "save_link", links)
        await cursor.execute(tables["mark_links"], {"partition": partition, "streams": streams})


async def _many(cursor: AsyncCursor[Any], tables: Tables, statement: str, rows: Sequence[msgspec.Struct]) -> None:
    if rows:
        await cursor.executemany(tables[statement], [msgspec.structs.asdict(row) for row in rows])
