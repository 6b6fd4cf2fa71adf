"""The demonstration's world: a database, stores, license servers and Tenure, in one process over real HTTP."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import msgspec

from projections.queries import LicenseView
from service.bootstrap import wired
from service.demo.configuring import configured, written
from service.demo.people import TITLES, buyers, stores
from service.demo.servers import LicenseServer, LicenseSpring, NetLicensing, running_servers
from service.demo.store import AnyStore, Buyer, Webhook
from service.embedded import embedded_server
from service.process import Process
from service.serving import bound, serve_until_stopped, url_of
from service.settings import PARTS

SETTLE_SECONDS = 60.0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and who the buyers are."""

    process: Process
    url: str
    config: Path
    stores: list[AnyStore]
    licensespring: LicenseSpring
    netlicensing: NetLicensing

    @property
    def servers(self) -> tuple[LicenseServer, ...]:
        return self.licensespring, self.netlicensing

    @property
    def buyers(self) -> list[Buyer]:
        return buyers(self.stores)

    async def check_out(self) -> int:
        """Has the stores ask for the keys that their checkouts show; how many they got."""
        async with httpx2.AsyncClient() as http:
            return sum([await each.check_out(http, f"{self.url}/fulfillment/{each.source}") for each in self.stores])

    async def receive(self, webhooks: Sequence[Webhook]) -> list[Webhook]:
        """Has the stores send these, each its own at its own pace; what was sent."""
        async with httpx2.AsyncClient(timeout=10) as http:
            by_store = await asyncio.gather(*(self._send(http, store, webhooks) for store in self.stores))
        return [webhook for sent in by_store for webhook in sent]

    async def _send(self, http: httpx2.AsyncClient, store: AnyStore, webhooks: Sequence[Webhook]) -> list[Webhook]:
        sent: list[Webhook] = []
        for part in store.rounds([each for each in webhooks if each.source == store.source]):
            if sent:
                await self.settle()
            accepted = await store.send(http, f"{self.url}/webhooks/{store.source}", part)
            sent += [part[place] for place in accepted]
        return sent

    async def settle(self) -> bool:
        """Returns when all that follows from what came in is done; false when that takes too long."""
        reader = self.process.reader
        deadline = time.monotonic() + SETTLE_SECONDS
        while any(msgspec.structs.astuple(await reader.queries.open_work(reader.log))):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def licenses(self) -> list[LicenseView]:
        return await self.process.reader.queries.licenses(limit=1000)

    async def mismatches(self) -> list[str]:
        """How the sandboxes differ from what is desired; empty when all are right."""
        licenses = await self.licenses()
        return [
            f"{TITLES[server.target]}: {wrong}"
            for server in self.servers
            for wrong in server.differences([each for each in licenses if each.target == server.target])
        ]

    def standing(self, licenses: Sequence[LicenseView]) -> str:
        """How a buyer's licenses stand at their license server, in a few words."""
        if not any(each.desired.enabled for each in licenses):
            because = licenses[0].desired.because["enabled"].rule if licenses else "nothing is licensed"
            return f"{len(licenses)} disabled: {because}"
        return next(each for each in self.servers if each.target == licenses[0].target).standing(licenses)


def mixed(webhooks: Sequence[Webhook]) -> list[Webhook]:
    """All webhooks by their time, with neighbours swapped and every sixth sent twice."""
    chance = random.Random(6)  # noqa: S311 - the same demonstration each time
    told = sorted(webhooks, key=lambda each: each.at)
    doubled = [(place + chance.uniform(0, 12), each) for place, each in enumerate(told)]
    doubled += [(place + chance.uniform(12, 60), each) for place, each in enumerate(told) if place % 6 == 0]
    return [each for _, each in sorted(doubled, key=lambda pair: pair[0])]


@contextmanager
def temporary_database() -> Iterator[tuple[Path, str]]:
    """A folder of its own with a PostgreSQL server in it; both are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="tenure-demo-", ignore_cleanup_errors=True) as folder,
        embedded_server(Path(folder) / "postgres") as server,
    ):
        yield Path(folder), server.dsn()


@asynccontextmanager
async def demo_world(folder: Path, dsn: str, stop: asyncio.Event) -> AsyncIterator[World]:
    """Starts everything on free ports of the loopback interface and stops it in good order at the end."""
    selling = stores(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(running_servers())
        apis = {store.source: await stack.enter_async_context(store.running_api()) for store in selling}
        settings = configured(folder, dsn, selling, apis, servers)
        process = await stack.enter_async_context(wired(settings, dsn, PARTS, open_to_all=True))
        listener = bound("127.0.0.1", 0)
        serving = asyncio.create_task(serve_until_stopped(process, settings.server, listener, stop))
        try:
            yield World(
                process=process,
                url=url_of(listener),
                config=written(settings),
                stores=selling,
                licensespring=servers[0],
                netlicensing=servers[1],
            )
        finally:
            stop.set()
            await serving
