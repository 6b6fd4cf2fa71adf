"""`rebuild`: every event folded anew into another version's tables, next to reading the same bodies alone."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count, repeat
from threading import Barrier
from time import perf_counter

import msgspec
import psycopg

from domain.events import PARTITIONS
from projections.versions import drop
from service.bootstrap import prepare
from service.rebuilding.rebuild import Phase, Progress, Work, rebuild
from service.rebuilding.workers import cores
from service.settings import Settings, Source
from service.wiring.rules import derivation, without_secrets
from service.wiring.storage import open_pool, open_store
from tests.benchmarks import peers
from tests.benchmarks.bulk import STORE, load
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.processor import children_of, peak_mb_of
from tests.serving import settings

UNIT = "events/s"
READ = "binary COPY of the bodies alone, all cores"
ONE = "rebuild, one process"
ALL = "rebuild, all cores"
MEMORY = "memory of the largest process, all cores"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    async with AsyncExitStack() as stack:
        dsn = place.server.dsn(stack.enter_context(place.server.database()))
        await prepare(dsn)
        await asyncio.to_thread(load, dsn, place.size.history)
        with psycopg.connect(dsn) as connection:
            [events] = connection.execute("select sum(position)::bigint from head").fetchone() or [0]
        replay = await stack.enter_async_context(peers.replay(place, UNIT))
        again = _Again(dsn, events)

        async def read() -> float:
            return events / await asyncio.to_thread(_read, dsn)

        others = [case.name for case in replay]
        yield [
            Case(name=READ, unit=UNIT, measure=read),
            Case(name=ONE, unit=UNIT, measure=partial(again.rebuild, 1), against=(READ, *others)),
            Case(
                name=ALL,
                unit=UNIT,
                measure=partial(again.rebuild, 0),
                against=(READ, *others),
                asides=(Aside(name=MEMORY, unit="MB", read=lambda: again.peak_mb),),
            ),
            *replay,
        ]


class _Again:
    """Rebuilds one store again and again."""

    def __init__(self, dsn: str, events: int) -> None:
        self._dsn = dsn
        self._events = events
        self._rules = map(str, count())
        self._settings = with_store(settings(dsn))
        self.peak_mb = 0.0

    async def rebuild(self, processes: int) -> float:
        """Events per second, until all is loaded and indexed; a comparison with nothing would tell nothing."""
        began, ended, self.peak_mb = perf_counter(), 0.0, 0.0

        def tell(progress: Progress) -> None:
            nonlocal began, ended
            reached: Phase = progress.phase
            # A process takes seconds to start, however much there is.
            if reached == "loading" and not progress.events:
                began = perf_counter()
            if reached == "loading" and processes != 1:
                self.peak_mb = max([self.peak_mb, *map(peak_mb_of, children_of(os.getpid()))])
            if reached == "catching up" and not ended:
                ended = perf_counter()

        async with open_pool(self._settings, self._dsn) as pool, open_store(self._settings, self._dsn) as log:
            work = Work(
                dsn=self._dsn,
                pool=pool,
                log=log,
                opens=partial(derivation, without_secrets(self._settings)),
                rules=next(self._rules),
                owner="bench",
                processes=processes or cores(),
                on_progress=tell,
            )
            made = await rebuild(work)
            async with pool.connection() as connection:
                await drop(connection, made.version, "bench")
        return self._events / (ended - began)


def with_store(configured: Settings) -> Settings:
    """With a FastSpring source beside those of Stripe."""
    store = Source(provider="fastspring", mode="test", target="ls")
    return msgspec.structs.replace(configured, sources={**configured.sources, STORE: store})


def _read(dsn: str) -> float:
    """Seconds until a process on every core has read its share of the partitions; their start is not counted."""
    shares = [list(range(first, PARTITIONS, cores())) for first in range(cores())]
    context = multiprocessing.get_context("spawn")
    there = context.Barrier(cores())
    with ProcessPoolExecutor(cores(), mp_context=context, initializer=_begin, initargs=(there,)) as processes:
        list(processes.map(_copy, repeat(dsn), [[] for _ in shares]))
        started = perf_counter()
        list(processes.map(_copy, repeat(dsn), shares))
        return perf_counter() - started


def _begin(there: Barrier) -> None:
    """Nobody works before all are there."""
    there.wait()


def _copy(dsn: str, partitions: Sequence[int]) -> None:
    chosen = f"select body from event where partition = any ('{{{','.join(map(str, partitions))}}}')"
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy ({chosen}) to stdout (format binary)".encode()) as copy,
    ):
        for _ in copy:
            pass


BENCH = Bench(
    name="rebuild", about="everything that was appended, derived anew beside the version that is read", open=_open
)
