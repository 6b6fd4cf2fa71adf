"""`project`: from durable events to committed rows, by the runner as a process wires it."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count as count_up
from time import perf_counter
from typing import Any

import httpx2
import psycopg

from domain.events import PARTITIONS, NewEvent
from projections.ports import EventLog
from service.bootstrap import wired
from service.process import Process
from tests.benchmarks.ingest import stored
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.posts import stripe_post
from tests.benchmarks.services import Service, tenure_serve
from tests.benchmarks.workload import cohort, webhook
from tests.serving import settings

PROJECT = "backlog, by the runner"
READ = "bare keyset read of the same events"
INGEST = "HTTP, 32 connections, receiver alone"
STEADY = "HTTP, 32 connections, receiver and runner, until every row is committed"
LAG = "idle: webhook sent to visible row, median"
ANSWER = "idle: webhook sent to its answer, median"
PAGE = 500
SECONDS = 120
"""After which a runner that has not come to rest is a failure."""


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        async with AsyncExitStack() as stack:
            process = await stack.enter_async_context(wired(settings(dsn), dsn, ["runner"]))
            watcher = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
            await stack.enter_async_context(watcher)
            flow = _Flow(place, process, watcher)
            receiver = await stack.enter_async_context(tenure_serve(place, "receiver", ["receiver"]))
            both = await stack.enter_async_context(tenure_serve(place, "both", ["receiver", "runner"]))
            idle = await stack.enter_async_context(tenure_serve(place, "idle", ["receiver", "runner"]))
            http = await stack.enter_async_context(httpx2.AsyncClient(base_url=idle.url))
            alone = _Alone(idle, http, place.size.lone)
            yield [
                Case(name=INGEST, unit="events/s", measure=partial(stored, receiver, place.size.events, 32)),
                Case(
                    name=STEADY, unit="events/s", measure=partial(_steady, both, place.size.events), against=(INGEST,)
                ),
                Case(name=PROJECT, unit="events/s", measure=flow.project, against=(READ,)),
                Case(name=READ, unit="events/s", measure=flow.read),
                Case(
                    name=LAG,
                    unit="ms",
                    measure=alone.lag,
                    asides=(Aside(name=ANSWER, unit="ms", read=lambda: alone.answer_ms),),
                ),
            ]


async def _steady(service: Service, count: int) -> float:
    """Webhooks per second from the first one sent until what follows from the last one is committed."""
    started = perf_counter()
    sent = await service.take(count, 32)
    # The sender prepares its requests before its clock starts.
    ready = perf_counter() - sent.seconds
    await service.caught_up()
    if sent.statuses != {200: count}:
        raise AssertionError(f"of {count} webhooks, answers by status: {sent.statuses}")
    return count / (perf_counter() - max(ready, started))


class _Alone:
    """Webhooks one by one, of a service that has nothing else to do."""

    def __init__(self, service: Service, http: httpx2.AsyncClient, count: int) -> None:
        self._service = service
        self._http = http
        self._count = count
        self._numbers = count_up()
        self.answer_ms = 0.0

    async def lag(self) -> float:
        """Median milliseconds from the sending of a webhook to the rows that another connection sees."""
        answered, seen = [], []
        for post in (stripe_post(webhook(next(self._numbers))) for _ in range(self._count)):
            await self._service.caught_up()
            started = perf_counter()
            answer = await self._http.post(f"/webhooks/{post.source}", content=post.body, headers=post.headers)
            answered.append(perf_counter() - started)
            answer.raise_for_status()
            await self._service.caught_up(look=0.0005)
            seen.append(perf_counter() - started)
        self.answer_ms = statistics.median(answered) * 1000
        return statistics.median(seen) * 1000


class _Flow:
    """One store and one runner; `watcher` sees what anybody else would see."""

    def __init__(self, place: Place, process: Process, watcher: psycopg.AsyncConnection[Any]) -> None:
        self._size = place.size
        self._process = process
        self._log: EventLog = process.reader.log
        self._watcher = watcher
        self._names = map(str, count_up())
        self._before: Mapping[int, int] = {}
        self._after: Mapping[int, int] = {}

    async def project(self) -> float:
        """Events of the backlog per second, until every row that follows from them, by relays too, is committed."""
        some = cohort(next(self._names), self._size.subscriptions, self._size.backlog)
        await self._append(some.past)
        async with _running(self._process):
            await self._at_rest()
        self._before = await self._heads()
        await self._append(some.backlog)
        self._after = await self._heads()
        started = perf_counter()
        async with _running(self._process):
            await self._at_rest()
            seconds = perf_counter() - started
        return len(some.backlog) / seconds

    async def read(self) -> float:
        """Events of the last backlog per second, read as the runner reads them."""
        found = 0
        started = perf_counter()
        for partition, upto in self._after.items():
            position = self._before[partition]
            while position < upto:
                events = await self._log.read_partition(partition, position, PAGE)
                found += len(events)
                position = events[-1].position
        seconds = perf_counter() - started
        # Relays that the projecting appended lie behind the backlog, and come with its last page.
        return found / seconds

    async def _append(self, events: Sequence[NewEvent]) -> None:
        for first in range(0, len(events), PAGE):
            await self._log.append(events[first : first + PAGE])

    async def _heads(self) -> Mapping[int, int]:
        return await self._log.heads(range(PARTITIONS))

    async def _at_rest(self) -> None:
        await self._until(_AT_REST, [], pause=0.005)

    async def _until(self, question: str, arguments: Sequence[object], pause: float) -> None:
        async with asyncio.timeout(SECONDS):
            while True:
                cursor = await self._watcher.execute(question.encode(), arguments)
                row = await cursor.fetchone()
                if row and row[0]:
                    return
                await asyncio.sleep(pause)


# A relay appends before it settles its link, so this is not true too early.
_AT_REST = """
select not exists (select from head join projection_1.lease using (partition) where head.position > lease.position)
   and not exists (select from projection_1.link where partition between 0 and 255 and due)
"""


@asynccontextmanager
async def _running(process: Process) -> AsyncIterator[None]:
    stop = asyncio.Event()
    run: Callable[[asyncio.Event], Any] = process.work["runner"]
    runner = asyncio.ensure_future(run(stop))
    try:
        yield
    finally:
        stop.set()
        await runner


BENCH = Bench(
    name="project", about="durable events to committed rows of subscriptions and licenses, one runner", open=_open
)
