"""A store whose events are sealed, for tests of what proves them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.events import NewEvent
from service.store import EventStore
from service.store.sealing import Sealer, SealerSettings
from tests.integration.store.given import NOON, an_event, stream_in

PARTITION, OTHER = 17, 18


def story(count: int = 12, partition: int = PARTITION) -> list[NewEvent]:
    """Events of three streams of one partition, of all sorts."""
    return [
        an_event(
            f"evt_{number}",
            stream_in(partition, number % 3),
            occurred_at=NOON + timedelta(minutes=number, microseconds=number),
            cause="" if number % 2 else f"caused by {number}",
            item=f"/events/{number}",
            headers={"stripe-signature": f"t={number}", "b": "x", "aa": "äöü", "a": ""},
            body=b"\x00\xff\xfe" * number if number % 4 == 0 else f'{{"number": {number}, "é": "\\n"}}'.encode(),
        )
        for number in range(count)
    ]


@asynccontextmanager
async def sealer(dsn: str, settings: SealerSettings | None = None) -> AsyncIterator[Sealer]:
    pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
        dsn, min_size=1, max_size=2, kwargs={"autocommit": True}, open=False
    )
    async with pool:
        yield Sealer(pool, settings=settings)


async def append_all(dsn: str, events: Sequence[NewEvent]) -> None:
    async with EventStore.open(dsn) as store:
        for event in events:
            await store.append([event])


async def seal(dsn: str) -> int:
    async with sealer(dsn) as one:
        return await one.seal_until_idle()


async def given_sealed(dsn: str) -> None:
    """Twelve events in PARTITION and three in OTHER, all sealed."""
    await append_all(dsn, [*story(), *story(3, OTHER)])
    assert await seal(dsn) == 15
