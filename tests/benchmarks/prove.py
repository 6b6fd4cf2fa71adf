"""`prove`: sealing, and checking every body and the whole chain, next to what that cannot do without."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from time import perf_counter, process_time
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from service.store import EventStore
from service.store.migrate import migrate
from service.store.sealing import Sealer
from service.store.verifying import Verified, verify
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.workload import Webhooks, webhook

UNIT = "MB/s of bodies"
MB = 1_000_000
TIMES = 5
"""Events there are, for each that the other benches append."""
APPENDED = 500
HASHED = "SHA-256 of bodies in memory"
COPIED = "COPY of the bodies alone"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    webhooks = Webhooks()
    count = place.size.events * TIMES
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        await migrate(dsn)
        pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            dsn, min_size=1, max_size=1, kwargs={"autocommit": True}, open=False
        )
        async with EventStore.open(dsn) as store, pool:
            for _ in range(0, count, APPENDED):
                await store.append(webhooks.events(min(APPENDED, count)))
            sealer = Sealer(pool)
            await sealer.seal_until_idle()

            async def hashed() -> float:
                bodies = [webhook(number) for number in range(place.size.events)]
                started = perf_counter()
                for body in bodies:
                    sha256(body).digest()
                return sum(map(len, bodies)) / MB / (perf_counter() - started)

            async def copied() -> float:
                return await asyncio.to_thread(_copy, dsn)

            async def verified() -> float:
                found = await asyncio.to_thread(_verify, dsn)
                return found.bytes / MB / found.seconds

            async def computed() -> float:
                started = process_time()
                found = await asyncio.to_thread(_verify, dsn)
                return found.bytes / MB / (process_time() - started)

            async def sealed() -> float:
                async with pool.connection() as connection:
                    await connection.execute("truncate seal_head")
                    await connection.execute("alter table seal disable trigger all")
                    await connection.execute("truncate seal")
                    await connection.execute("alter table seal enable trigger all")
                    await connection.execute("insert into seal_head select partition, 0 from head")
                started = perf_counter()
                return await sealer.seal_until_idle() / (perf_counter() - started)

            yield [
                Case(name=HASHED, unit=UNIT, measure=hashed),
                Case(name=COPIED, unit=UNIT, measure=copied),
                Case(name="verify, one process", unit=UNIT, measure=verified, against=(HASHED, COPIED)),
                Case(name="verify, per second of its processor", unit=UNIT, measure=computed, against=(HASHED,)),
                Case(name="seal, one sealer", unit="events/s", measure=sealed),
            ]


def _verify(dsn: str) -> Verified:
    found = verify(dsn, processes=1)
    if not found.intact or found.unsealed:
        raise AssertionError("the store of the bench is not intact")
    return found


def _copy(dsn: str) -> float:
    size, started = 0, perf_counter()
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor() as cursor,
        cursor.copy("copy (select body from event) to stdout (format binary)") as copy,
    ):
        for row in copy:
            size += len(row)
    return size / MB / (perf_counter() - started)


BENCH = Bench(
    name="prove", about="every body's digest and the whole hash chain, as `tenure verify` checks them", open=_open
)
