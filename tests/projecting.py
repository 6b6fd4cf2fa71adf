"""A store, a runner and what reads them, on a real database, for tests of projections."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.events import Event, NewEvent
from domain.policy import Policy
from domain.providers import Provider
from projections.queries import Queries
from projections.runner import Runner, RunnerSettings
from projections.sources import Source
from projections.tables import Tables
from projections.targets import Target
from service.store import EventStore
from tests.stories import TELLER

_FIELDS = tuple(field.name for field in msgspec.structs.fields(NewEvent))


class Projected(msgspec.Struct, frozen=True, kw_only=True):
    """One process's view of the store and the projections."""

    dsn: str
    log: EventStore
    pool: AsyncConnectionPool[AsyncConnection[Any]]
    tables: Tables
    runner: Runner
    queries: Queries
    sources: dict[str, Source]
    targets: Mapping[str, Target] = {}

    async def take(self, events: Iterable[Event | NewEvent]) -> None:
        """Appends events, each by itself, and projects until nothing is left to do."""
        for event in events:
            await self.append([event])
        await self.runner.project_until_idle()

    async def append(self, events: Sequence[Event | NewEvent]) -> None:
        await self.log.append([as_new(event) for event in events])

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every derived row, without what depends on positions and the moment."""
        statements = {
            "stream": "select stream, status, state, problem, warnings::text, customer, email, events, anomalies,"
            " first_at, latest_at, fold from projection_1.stream order by stream",
            "license": "select id, stream, target, due, enabled, withheld, key, desired::text, applied::text,"
            " refusal::text from projection_1.license order by id, target",
            "link": "select from_stream, to_stream, due from projection_1.link order by 1, 2",
            "push": "select stream, target, due, digest from projection_1.push order by 1, 2",
            "want": "select stream, about, source, why, essential from projection_1.want order by 1, 2",
            "timer": "select stream, event_id, at, type, body from projection_1.timer order by 1, 2",
        }
        async with self.pool.connection() as connection:
            return {
                name: await (await connection.execute(text.encode())).fetchall() for name, text in statements.items()
            }


def as_new(event: Event | NewEvent) -> NewEvent:
    return NewEvent(**{name: getattr(event, name) for name in _FIELDS})


@asynccontextmanager
async def projecting(
    dsn: str,
    *,
    provider: Provider = TELLER,
    policy: Policy | None = None,
    feeds: Mapping[str, Policy] | None = None,
    targets: Mapping[str, Target] | None = None,
    owner: str = "runner-1",
    settings: RunnerSettings | None = None,
    patience: timedelta = timedelta(),
) -> AsyncIterator[Projected]:
    """One process's runner over that database, with the single source `acme`; it projects only when told to.

    `feeds` are its targets with their policies, in place of `ls` with that `policy`.
    """
    source = Source(name="acme", provider=provider, targets=feeds or {"ls": policy or Policy()}, patience=patience)
    sources = {"acme": source}
    tables = Tables()
    async with (
        EventStore.open(dsn) as log,
        AsyncConnectionPool(dsn, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False) as pool,
    ):
        async with pool.connection() as connection:
            await tables.prepare(connection)
        runner = Runner(
            log=log, pool=pool, tables=tables, sources=sources, targets=targets or {}, owner=owner, settings=settings
        )
        yield Projected(
            dsn=dsn,
            log=log,
            pool=pool,
            tables=tables,
            runner=runner,
            queries=Queries(pool, tables),
            sources=sources,
            targets=targets or {},
        )
