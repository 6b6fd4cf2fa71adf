"""Real processes that answer webhooks, and sending to them: `tenure serve`, and the handler it is compared with."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import msgspec
import psycopg

from service.settings import Part
from service.store.migrate import migrate
from tests.benchmarks.load import SECONDS as LOAD_SECONDS
from tests.benchmarks.load import Kind, Orders, Sent
from tests.benchmarks.measuring import Place
from tests.benchmarks.mixed import SPACE_ID, STORE_SECRET
from tests.benchmarks.one_each import TABLE
from tests.benchmarks.processor import ServerTime, seconds_of
from tests.commands import ENVIRONMENT, ROOT, SETTINGS
from tests.processes import Running
from tests.wallee_platform import API_KEY

CATCH_UP_SECONDS = 300
_FALCON = ROOT / "service" / "sandbox" / "licensespring" / "falcon.json"
_SETTINGS = (
    SETTINGS
    + """
requests_per_minute = 100_000
burst = 100_000

[sources.store]
provider = "fastspring"
mode = "test"
target = "ls"

[sources.pay]
provider = "wallee"
target = "ls"
account = "{space}"
{api}
"""
)


class Service:
    """A process that answers webhooks into a database of its own, and the webhooks it has been sent."""

    def __init__(self, running: Running, dsn: str, database: psycopg.AsyncConnection[Any], server: ServerTime) -> None:
        self.dsn = dsn
        self._running = running
        self._database = database
        self._server = server
        self._next = 0
        self.cpu_us = 0.0

    async def take(
        self, count: int, connections: int, *, kind: Kind = "plain", rate: float = 0, pause: float = 0
    ) -> Sent:
        """Sends it the next webhooks."""
        orders = Orders(
            url=self._running.url,
            kind=kind,
            connections=connections,
            first=self._next,
            count=count,
            rate=rate,
            pause=pause,
        )
        self._next += count
        before = self._seconds()
        sent = await _send(orders)
        self.cpu_us = (self._seconds() - before) / count * 1e6
        return sent

    @property
    def url(self) -> str:
        return self._running.url

    @property
    def numbers(self) -> range:
        """Of the webhooks it has been sent."""
        return range(self._next)

    def _seconds(self) -> float:
        return self._server.seconds() + seconds_of(self._running.pid)

    async def number(self, question: str) -> int:
        """The one number that its database answers."""
        row = await (await self._database.execute(question.encode())).fetchone()
        return int(row[0]) if row else 0

    async def stored(self) -> int:
        """The events in its store."""
        return await self.number("select sum(position) from head")

    async def caught_up(self, *, pushed: bool = False, look: float = 0.01) -> None:
        """Returns when all that it stored is projected, what that appends too, and pushed, if asked.

        It looks again after so many seconds.
        """
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while await self.number(_BUSY.format(_UNPUSHED if pushed else "")):  # noqa: ASYNC110 - another process works
                await asyncio.sleep(look)

    @asynccontextmanager
    async def pushes_held(self) -> AsyncIterator[None]:
        """Nobody claims what is to be pushed of the licenses that there are."""
        await self._database.execute(_HOLD)
        yield
        await self._database.execute(_GIVE_BACK)


# Whatever there is most of is looked for first, and one of it is enough: to ask must not be work for the server.
_BUSY = """
select ({} exists (select from projection_1.link where partition between 0 and 255 and due)
       or exists (select from head join projection_1.lease using (partition) where head.position > lease.position))::int
"""
_HOLD = "update projection_1.push set owner = 'held', leased_until = now() + interval '1 hour'"
_GIVE_BACK = "update projection_1.push set owner = null, leased_until = null where owner = 'held'"
_UNPUSHED = "exists (select from projection_1.push where partition between 0 and 255 and due) or"


@asynccontextmanager
async def tenure_serve(
    place: Place, name: str, parts: Sequence[Part] = (), *, target_url: str = "http://127.0.0.1:9", wallee_url: str = ""
) -> AsyncIterator[Service]:
    """`tenure serve` with those parts, or all; sources of three providers, and one target."""
    async with AsyncExitStack() as stack:
        dsn = place.server.dsn(stack.enter_context(place.server.database()))
        folder = place.folder / name
        folder.mkdir()
        api = f'api = {{ url = "{wallee_url}" }}' if wallee_url else ""
        text = _SETTINGS.format(dsn=dsn, database="", space=SPACE_ID, api=api).replace("http://127.0.0.1:9", target_url)
        (folder / "tenure.toml").write_text(text, encoding="utf-8")
        only = [word for part in parts for word in ("--only", part)]
        running = Running("tenure", ["service", "serve", "--no-auth", *only], folder, _environment(dsn))
        running.start()
        stack.callback(running.stop)
        yield await _service(stack, running, dsn)


@asynccontextmanager
async def one_transaction_each(place: Place) -> AsyncIterator[Service]:
    """The handler that it is compared with."""
    async with AsyncExitStack() as stack:
        dsn = place.server.dsn(stack.enter_context(place.server.database()))
        await migrate(dsn)
        folder = place.folder / "one-each"
        folder.mkdir()
        running = Running("one-each", ["tests.benchmarks.one_each", dsn], folder)
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            for statement in TABLE:
                await connection.execute(statement)
        running.start()
        stack.callback(running.stop)
        yield await _service(stack, running, dsn)


@contextmanager
def licensespring(place: Place) -> Iterator[str]:
    """The URL of a sandbox of LicenseSpring without limits, a process of its own."""
    folder = place.folder / "licensespring"
    folder.mkdir()
    settings = {**msgspec.json.decode(_FALCON.read_bytes()), "plan": "unlimited", "flood_protection": False, "seed": 1}
    settings["api_keys"] = [ENVIRONMENT["TENURE_TARGET_LS_KEY"]]
    (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
    running = Running(
        "licensespring", ["service.sandbox.licensespring", "--settings", "settings.json", "--print-url"], folder
    )
    running.start()
    try:
        yield running.url
    finally:
        running.stop()


async def _service(stack: AsyncExitStack, running: Running, dsn: str) -> Service:
    database = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    await stack.enter_async_context(database)
    with psycopg.connect(dsn) as connection:
        server = ServerTime.of(connection)
    return Service(running, dsn, database, server)


def _environment(dsn: str) -> Mapping[str, str]:
    """Secrets of the settings; what the caller's shell says of a database must not count."""
    return {
        **ENVIRONMENT,
        "TENURE_SOURCE_STORE_SECRETS": STORE_SECRET,
        "TENURE_SOURCE_PAY_API_KEY": API_KEY,
        "TENURE_DATABASE_URL": dsn,
    }


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
