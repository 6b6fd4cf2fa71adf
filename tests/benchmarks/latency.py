"""`latency`: how long a webhook waits for its answer at a third of what can be taken, while all other work goes on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from tests.benchmarks.ingest import opened_pgbench, stored
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.pgbench import LONE_INSERT, PAUSED_INSERT, PgBench
from tests.benchmarks.services import Service, licensespring, tenure_serve

INGEST = "as fast as they are answered, 32 connections, receiver alone"
CONNECTIONS = 32
SHARE = 0.3
P99 = "p99 at 30 % of that rate, while it is projected and pushed"
MEDIAN = "median of the same"
LONE = "a lone webhook, median"
UNIT = "ms"
PAUSE = 0.05
"""Seconds between lone webhooks, in which the one before is projected and pushed."""


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(opened_pgbench(place))
        url = stack.enter_context(licensespring(place))
        receiver = await stack.enter_async_context(tenure_serve(place, "receiver", ["receiver"]))
        everything = await stack.enter_async_context(tenure_serve(place, "everything", target_url=url))
        flow = _Flow(place, bench, receiver, everything)
        yield [
            Case(name=INGEST, unit="webhooks/s", measure=flow.at_once),
            Case(name=LONE_INSERT, unit=UNIT, measure=flow.insert),
            Case(name=PAUSED_INSERT, unit=UNIT, measure=flow.paused, against=(LONE_INSERT,)),
            Case(
                name=P99,
                unit=UNIT,
                measure=flow.paced,
                against=(LONE_INSERT,),
                asides=(Aside(name=MEDIAN, unit=UNIT, read=lambda: flow.median, against=(LONE_INSERT,)),),
            ),
            Case(name=LONE, unit=UNIT, measure=flow.lone, against=(LONE_INSERT, PAUSED_INSERT)),
        ]


class _Flow:
    def __init__(self, place: Place, bench: PgBench, receiver: Service, everything: Service) -> None:
        self._size = place.size
        self._bench = bench
        self._receiver = receiver
        self._everything = everything
        self._rate = 0.0
        self.median = 0.0

    async def at_once(self) -> float:
        self._rate = await stored(self._receiver, self._size.events, CONNECTIONS)
        return self._rate

    async def insert(self) -> float:
        return (await self._bench.insert(self._size.events // 4, clients=1)).median_ms

    async def paused(self) -> float:
        """What an idle machine takes to wake up, and processes that have to find their memory again, is in both."""
        return (await self._bench.insert(self._size.lone, clients=1, pause=PAUSE)).median_ms

    async def paced(self) -> float:
        """From the instant a webhook was due to its answer, in milliseconds."""
        sent = await self._everything.take(self._size.events, CONNECTIONS, kind="lives", rate=SHARE * self._rate)
        await self._settle(sent.statuses, self._size.events)
        self.median = sent.median_ms
        return sent.p99_ms

    async def lone(self) -> float:
        """From the sending of a webhook to its answer, nobody else at work."""
        sent = await self._everything.take(self._size.lone, 1, kind="lives", pause=PAUSE)
        await self._settle(sent.statuses, self._size.lone)
        return sent.median_ms

    async def _settle(self, statuses: dict[int, int], count: int) -> None:
        if statuses != {200: count}:
            raise AssertionError(f"of {count} webhooks, answers by status: {statuses}")
        await self._everything.caught_up(pushed=True)


BENCH = Bench(name="latency", about="a webhook's wait for its answer, the whole service at work", open=_open)
