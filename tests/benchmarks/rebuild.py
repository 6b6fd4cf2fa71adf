"""`rebuild`: every event folded anew into another version's tables, next to reading the same bodies alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from time import perf_counter

import psycopg

from projections.versions import drop
from service.bootstrap import prepare
from service.rebuilding.rebuild import Phase, Progress, Work, rebuild
from service.store import EventStore
from service.wiring.rules import derivation, without_secrets
from service.wiring.storage import open_pool, open_store
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.workload import cohort
from tests.serving import settings

UNIT = "events/s"
PAGE = 500
READ = "binary COPY of the bodies alone, one connection"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        await prepare(dsn)
        some = cohort("rebuild", place.size.subscriptions, place.size.backlog)
        events = [*some.past, *some.backlog]
        async with EventStore.open(dsn) as log:
            for first in range(0, len(events), PAGE):
                await log.append(events[first : first + PAGE])
        rules = map(str, count())
        configured = settings(dsn)

        async def read() -> float:
            return len(events) / await asyncio.to_thread(_copy, dsn)

        async def loaded(processes: int) -> float:
            """Until everything is loaded and indexed; a comparison with nothing would tell nothing."""
            began, ended = perf_counter(), 0.0

            def tell(progress: Progress) -> None:
                nonlocal began, ended
                reached: Phase = progress.phase
                # A process takes seconds to start, however much there is.
                if reached == "loading" and not progress.events:
                    began = perf_counter()
                if reached == "catching up" and not ended:
                    ended = perf_counter()

            async with open_pool(configured, dsn) as pool, open_store(configured, dsn) as log:
                work = Work(
                    dsn=dsn,
                    pool=pool,
                    log=log,
                    opens=partial(derivation, without_secrets(configured)),
                    rules=next(rules),
                    owner="bench",
                    processes=processes,
                    on_progress=tell,
                )
                made = await rebuild(work)
                async with pool.connection() as connection:
                    await drop(connection, made.version, "bench")
            return len(events) / (ended - began)

        yield [
            Case(name=READ, unit=UNIT, measure=read),
            Case(name="rebuild, one process", unit=UNIT, measure=partial(loaded, 1), against=(READ,)),
            Case(name="rebuild, all cores", unit=UNIT, measure=partial(loaded, 0), against=(READ,)),
        ]


def _copy(dsn: str) -> float:
    started = perf_counter()
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor() as cursor,
        cursor.copy("copy (select body from event) to stdout (format binary)") as copy,
    ):
        for _ in copy:
            pass
    return perf_counter() - started


BENCH = Bench(
    name="rebuild", about="everything that was appended, derived anew beside the version that is read", open=_open
)
