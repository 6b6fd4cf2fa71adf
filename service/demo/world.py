"""The demonstration's world: a database, two stores, a LicenseSpring and Tenure, in one process over real HTTP."""

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from projections.queries import LicenseView
from service.bootstrap import wired
from service.demo.matching import differences, licenses_in
from service.demo.people import FASTSPRING, STRIPE, Buyer, Webhook, buyers
from service.demo.selling import configured, products, written
from service.embedded import embedded_server
from service.process import Process
from service.sandbox import fastspring, stripe
from service.sandbox.deliver import deliver
from service.sandbox.fastspring.api import running_fastspring_api
from service.sandbox.licensespring import RunningSandbox, SandboxSettings, running_sandbox
from service.sandbox.stripe.runner import running_stripe_api
from service.serving import bound, serve_until_stopped, url_of
from service.settings import PARTS

CONCURRENCY = 8
ATTEMPTS = 5
SETTLE_SECONDS = 60.0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and who the buyers are. `secrets` are the stores' signing secrets, by source."""

    process: Process
    url: str
    config: Path
    sandbox: RunningSandbox
    secrets: dict[str, str]
    generator_key: str
    buyers: list[Buyer]

    async def check_out(self) -> int:
        """Has FastSpring ask for the keys that its checkouts show; how many it got."""
        given = 0
        async with httpx2.AsyncClient() as http:
            for buyer in self.buyers:
                for call in buyer.calls:
                    url = f"{self.url}/fulfillment/{buyer.source}"
                    keys = await fastspring.ask_for_keys(http, url, self.generator_key, call)
                    buyer.answer(call, keys)
                    given += len(keys)
        return given

    async def receive(self, webhooks: Sequence[Webhook]) -> list[Webhook]:
        """Has the stores send these, each its own at its own pace; what was sent."""
        by_store = [[each for each in webhooks if each.source == source] for source in (STRIPE, FASTSPRING)]
        async with httpx2.AsyncClient(timeout=10) as http:
            sent = await asyncio.gather(*(self._send(http, store) for store in by_store if store))
        return [webhook for store in sent for webhook in store]

    async def _send(self, http: httpx2.AsyncClient, webhooks: list[Webhook]) -> list[Webhook]:
        source = webhooks[0].source
        how: Any = {"backoff": _backoff, "attempts": ATTEMPTS, "concurrency": CONCURRENCY}
        where = (http, f"{self.url}/webhooks/{source}", self.secrets[source])
        if source == STRIPE:
            bodies = [each.delivery for each in webhooks if isinstance(each.delivery, stripe.Delivery)]
            accepted = await deliver(*where, bodies, timestamp=lambda: int(time.time()), **how)
        else:
            batches = [each.delivery for each in webhooks if isinstance(each.delivery, fastspring.Delivery)]
            accepted = await fastspring.deliver(*where, batches, **how)
        return [webhooks[place] for place in accepted]

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

    def held(self) -> list[dict[str, Any]]:
        """The licenses that the sandbox holds."""
        return licenses_in(self.sandbox.control.holdings())

    async def mismatches(self) -> list[str]:
        """How the sandbox differs from what is desired; empty when it is right."""
        return differences(await self.licenses(), self.held())


async def _backoff(attempt: int) -> None:
    await asyncio.sleep(0.1 * attempt)


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
    people = buyers(datetime.now(UTC))
    signing = {STRIPE: f"whsec_{secrets.token_urlsafe(24)}", FASTSPRING: secrets.token_urlsafe(24)}
    generator_key = secrets.token_urlsafe(24)
    accounts = [each.person.account for each in people if isinstance(each.person, stripe.Person)]
    stores = [each.person.store for each in people if isinstance(each.person, fastspring.Person)]
    async with AsyncExitStack() as stack:
        license_server = SandboxSettings(products=products(), plan="enterprise")
        sandbox = await stack.enter_async_context(running_sandbox(license_server))
        stripe_api = await stack.enter_async_context(running_stripe_api(accounts))
        fastspring_api = await stack.enter_async_context(running_fastspring_api(stores))
        settings = configured(
            folder,
            dsn,
            license_server=(sandbox.url, sandbox.api_key),
            apis={STRIPE: (stripe_api.url, stripe_api.key), FASTSPRING: (fastspring_api.url, fastspring_api.key)},
            signing=signing,
            generator_key=generator_key,
        )
        process = await stack.enter_async_context(wired(settings, dsn, PARTS, open_to_all=True))
        listener = bound("127.0.0.1", 0)
        serving = asyncio.create_task(serve_until_stopped(process, settings.server, listener, stop))
        try:
            yield World(
                process=process,
                url=url_of(listener),
                config=written(settings),
                sandbox=sandbox,
                secrets=signing,
                generator_key=generator_key,
                buyers=people,
            )
        finally:
            stop.set()
            await serving
