"""`ingest`: webhooks over HTTP into a real `tenure serve`, signed, verified, durable, deduplicated, answered."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import psycopg

from service.settings import Part
from service.store.migrate import migrate
from tests.benchmarks.load import SECONDS as LOAD_SECONDS
from tests.benchmarks.load import Orders, Sent
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.single import BASELINE, single_inserts
from tests.benchmarks.workload import SOURCE, Webhooks
from tests.commands import ENVIRONMENT, ROOT, tenure
from tests.processes import Running
from tests.serving import SECRET

CONNECTIONS = 32
UNIT = "events/s"
SERVED: tuple[tuple[Part, ...], ...] = (("receiver",), ("receiver", "runner"))
"""Without a pusher: there is no license server to talk to."""
CATCH_UP_SECONDS = 120


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    webhooks = Webhooks()
    async with AsyncExitStack() as stack:
        dsn = place.server.dsn(stack.enter_context(place.server.database()))
        await migrate(dsn)
        insert = await stack.enter_async_context(single_inserts(dsn))

        async def single() -> float:
            return await insert(webhooks.events(place.size.events))

        services = [await stack.enter_async_context(_served(place, parts)) for parts in SERVED]
        yield [
            Case(name=BASELINE, unit=UNIT, measure=single),
            *(Case(name=service.name, unit=UNIT, measure=service.measure, against=(BASELINE,)) for service in services),
        ]


class _Service:
    """A `tenure serve` with a database of its own, and the webhooks it has been sent."""

    def __init__(
        self, parts: Sequence[Part], url: str, database: psycopg.AsyncConnection[tuple[int]], count: int
    ) -> None:
        self.name = f"HTTP, {CONNECTIONS} connections, {' and '.join(parts)}"
        self._projects = "runner" in parts
        self._url = url
        self._database = database
        self._count = count
        self._webhooks = Webhooks()

    async def measure(self) -> float:
        """Webhooks answered per second. Raises AssertionError where one was not stored."""
        numbers = self._webhooks.take(self._count)
        orders = Orders(
            url=f"{self._url}/webhooks/{SOURCE}",
            secret=SECRET,
            connections=CONNECTIONS,
            first=numbers.start,
            count=self._count,
        )
        sent = await _send(orders)
        if sent.statuses != {200: self._count}:
            raise AssertionError(f"of {self._count} webhooks, answers by status: {sent.statuses}")
        stored = await self._number("select sum(position) from head")
        if stored != numbers.stop:
            raise AssertionError(f"{numbers.stop} webhooks were answered 200, but {stored} are stored")
        if self._projects:
            await self._caught_up()
        return self._count / sent.seconds

    async def _caught_up(self) -> None:
        """What is still to be projected must not be done while another case is measured."""
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while await self._number(_BEHIND):  # noqa: ASYNC110 - another process does the work
                await asyncio.sleep(0.05)

    async def _number(self, question: str) -> int:
        row = await (await self._database.execute(question.encode())).fetchone()
        return int(row[0]) if row else 0


_BEHIND = """
select count(*) from head join projection_1.lease using (partition) where head.position > lease.position
"""


@asynccontextmanager
async def _served(place: Place, parts: Sequence[Part]) -> AsyncIterator[_Service]:
    async with AsyncExitStack() as stack:
        dsn = place.server.dsn(stack.enter_context(place.server.database()))
        folder = place.folder / "-".join(parts)
        folder.mkdir()
        tenure(folder, dsn)
        only = [word for part in parts for word in ("--only", part)]
        serving = Running("tenure", ["service", "serve", "--no-auth", *only], folder, _environment(dsn))
        serving.start()
        stack.callback(serving.stop)
        database = await psycopg.AsyncConnection[tuple[int]].connect(dsn, autocommit=True)
        await stack.enter_async_context(database)
        yield _Service(parts, serving.url, database, place.size.events)


def _environment(dsn: str) -> dict[str, str]:
    """Secrets of the settings in `tests.commands`; what the caller's shell says of a database must not count."""
    return {**ENVIRONMENT, "TENURE_DATABASE_URL": dsn}


async def _send(orders: Orders) -> Sent:
    """Has another process send them: a client in this one would wait for the same interpreter as the measuring."""
    sender = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.benchmarks.load"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(2 * LOAD_SECONDS):
            answer, _ = await sender.communicate(msgspec.json.encode(orders))
    finally:
        if sender.returncode is None:
            sender.kill()
            await sender.wait()
    if sender.returncode:
        raise RuntimeError(f"the sender ended with {sender.returncode}; what it wrote stands above")
    return msgspec.json.decode(answer, type=Sent)


BENCH = Bench(name="ingest", about="signed webhooks over HTTP, answered when they are durable", open=_open)
