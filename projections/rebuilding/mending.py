"""Tables of the version that is read which are gone, or lack a column: a rebuild is what mends them."""

from typing import Any

from psycopg import AsyncConnection, sql

from projections.tables import VERSIONS, Tables


async def stand_in(connection: AsyncConnection[Any], damaged: Tables, whole: Tables) -> list[str]:
    """Empty tables in place of those that are not as in the whole version, within a transaction; says which.

    What they held follows from events, but for what the pusher and the fetcher note in theirs, which is lost already.
    Raises psycopg.Error.
    """
    schemas = {"schema": damaged.schema, "as_in": whole.schema}
    names = [name for (name,) in await (await connection.execute(VERSIONS["lacking"], schemas)).fetchall()]
    for name in names:
        drop = sql.SQL("drop table if exists {}.{} cascade")
        await connection.execute(drop.format(sql.Identifier(damaged.schema), sql.Identifier(name)))
    if names:
        await damaged.make(connection, indexed=False)
    return names
