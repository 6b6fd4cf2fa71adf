"""A rebuild beside a projection of a test, in this process, so that what the test changed counts; and all rows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from projections.rebuilding.loading import Derivation
from projections.sources import Source
from projections.versions import Purpose, tables_read
from service.rebuilding.rebuild import Rebuilt, Work, rebuild
from tests.projecting import Projected

COLUMNS = {
    "stream": "stream, source, kind, identifier, status, state, problem, warnings::text, customer, email, events,"
    " anomalies, first_at, latest_at, code, fold",
    "license": "id, stream, target, due, enabled, withheld, key, desired::text, applied::text, refusal::text",
    "link": "from_stream, to_stream, due",
    "push": "stream, target, due, digest",
    "want": "stream, about, source, why, essential, attempts, unfound, unauthorized, again, error",
    "timer": "stream, event_id, at, type, body, rung",
}


async def rows_of(projected: Projected, version: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every derived row of a version, without what depends on positions and the moment.

    What is no work any more and in no doubt need not have a row.
    """
    found = {}
    async with projected.pool.connection() as connection:
        for table, columns in COLUMNS.items():
            where = "where due or doubt <> '{}'" if table == "push" else ""
            cursor = await connection.execute(
                f"select {columns} from projection_{version}.{table} {where} order by 1, 2, 3".encode()
            )
            found[table] = await cursor.fetchall()
    return found


async def version_read(projected: Projected) -> int:
    async with projected.pool.connection() as connection:
        return (await tables_read(connection)).version


def work(
    projected: Projected,
    *,
    sources: Mapping[str, Source] | None = None,
    rules: str = "these",
    owner: str = "rebuild-1",
    on_progress: Any = lambda _: None,
) -> Work:
    """What a rebuild is made with, by other sources than the projection's if told so."""

    @asynccontextmanager
    async def opens() -> AsyncIterator[Derivation]:
        yield Derivation(sources or projected.sources, projected.targets)

    return Work(
        dsn=projected.dsn,
        pool=projected.pool,
        log=projected.log,
        opens=opens,
        rules=rules,
        owner=owner,
        processes=1,
        on_progress=on_progress,
    )


async def rebuilt(
    projected: Projected, purpose: Purpose = "rebuild", *, switching: bool = False, **options: Any
) -> Rebuilt:
    return await rebuild(work(projected, **options), purpose, switching=switching)


async def switched(projected: Projected, **options: Any) -> Rebuilt:
    """A rebuild that is read afterwards, by the projection of the test too."""
    made = await rebuilt(projected, switching=True, **options)
    projected.tables.follow(await version_read(projected))
    return made
