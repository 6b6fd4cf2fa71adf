"""The event store and the pool of connections, as the settings want them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from psycopg_pool import AsyncConnectionPool

from projections.tables import Pool
from service.settings import Settings
from service.store import EventStore
from service.store.limits import Limits
from service.store.sealing import SealerSettings

POOL_SECONDS = 10.0


def open_store(
    settings: Settings, dsn: str, on_append: Callable[[frozenset[int]], object] | None = None
) -> AbstractAsyncContextManager[EventStore]:
    return EventStore.open(
        dsn,
        on_append=on_append,
        limits=Limits(deadline=settings.database.timeout_seconds),
        prepare_threshold=0 if settings.database.prepared_statements else None,
    )


def sealing(settings: Settings) -> SealerSettings:
    return SealerSettings(poll=settings.seal.poll_seconds, batch=settings.seal.batch)


@asynccontextmanager
async def open_pool(settings: Settings, dsn: str) -> AsyncIterator[Pool]:
    connection = {"autocommit": True} | ({} if settings.database.prepared_statements else {"prepare_threshold": None})
    pool: Pool = AsyncConnectionPool(
        dsn, min_size=1, max_size=settings.database.connections, kwargs=connection, timeout=POOL_SECONDS, open=False
    )
    async with pool:
        yield pool
