"""The demonstration's world: a database, a LicenseSpring sandbox and Tenure, all of them real, in one process."""

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import msgspec

from projections.queries import LicenseView
from service.bootstrap import wired
from service.demo.matching import differences, licenses_in
from service.embedded import embedded_server
from service.process import Process
from service.sandbox.deliver import deliver
from service.sandbox.licensespring import RunningSandbox, SandboxSettings, running_sandbox
from service.sandbox.licensespring.settings import ProductSeed
from service.sandbox.stripe import Delivery, Person, catalog, demo_customers
from service.secrets import Secret, Secrets
from service.serving import bound, serve_until_stopped, url_of
from service.settings import PARTS, Database, Server, Settings, Source, Target

SOURCE = "stripe-demo"
CONCURRENCY = 8
ATTEMPTS = 5
# Stays below the sandbox's 200 calls in 10 seconds, which no plan lifts.
CALLS_PER_MINUTE = 1_100
SETTLE_SECONDS = 60.0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and who the customers are."""

    process: Process
    url: str
    config: Path
    sandbox: RunningSandbox
    secret: str
    people: list[Person]

    async def receive(self) -> list[Delivery]:
        """Has the simulated Stripe send everything: some of it twice, some of it out of order; what was sent."""
        arriving = mixed(self.people)

        async def backoff(attempt: int) -> None:
            await asyncio.sleep(0.1 * attempt)

        async with httpx2.AsyncClient(timeout=10) as http:
            accepted = await deliver(
                http,
                f"{self.url}/webhooks/{SOURCE}",
                self.secret,
                arriving,
                timestamp=lambda: int(time.time()),
                backoff=backoff,
                attempts=ATTEMPTS,
                concurrency=CONCURRENCY,
            )
        return [arriving[place] for place in accepted]

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
        """How the sandbox differs from what is desired; empty when it is right."""
        return differences(await self.licenses(), licenses_in(self.sandbox.control.holdings()))


def mixed(people: list[Person]) -> list[Delivery]:
    """Everybody's deliveries by their time, with neighbours swapped and every sixth sent twice."""
    chance = random.Random(6)  # noqa: S311 - the same demonstration each time
    told = sorted((each for person in people for each in person.deliveries), key=lambda each: each.created)
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
    codes = sorted({each.metadata["short_code"] for each in catalog.RECURRING if "short_code" in each.metadata})
    products = tuple(ProductSeed(short_code=code) for code in codes)
    secret = f"whsec_{secrets.token_urlsafe(24)}"
    async with running_sandbox(SandboxSettings(products=products, plan="enterprise")) as sandbox:
        settings = _settings(folder, dsn, sandbox, secret)
        config = _write(folder, settings)
        async with wired(settings, dsn, PARTS, open_to_all=True) as process:
            listener = bound("127.0.0.1", 0)
            serving = asyncio.create_task(serve_until_stopped(process, settings.server, listener, stop))
            try:
                yield World(
                    process=process,
                    url=url_of(listener),
                    config=config,
                    sandbox=sandbox,
                    secret=secret,
                    people=demo_customers(datetime.now(UTC)),
                )
            finally:
                stop.set()
                await serving


def _settings(folder: Path, dsn: str, sandbox: RunningSandbox, secret: str) -> Settings:
    return Settings(
        directory=folder,
        database=Database(url=dsn),
        server=Server(port=0),
        sources={SOURCE: Source(provider="stripe", mode="test", target="licensespring")},
        targets={
            "licensespring": Target(server="licensespring", url=sandbox.url, requests_per_minute=CALLS_PER_MINUTE)
        },
        secrets=Secrets(sources={SOURCE: (Secret(secret),)}, targets={"licensespring": Secret(sandbox.api_key)}),
    )


def _write(folder: Path, settings: Settings) -> Path:
    """The same settings as a file, so that other commands can look at the demonstration."""
    path = folder / "tenure.toml"
    source, target = settings.sources[SOURCE], settings.targets["licensespring"]
    path.write_text(
        f"""[database]
url = "{settings.database.url}"
[sources.{SOURCE}]
provider = "{source.provider}"
mode = "{source.mode}"
target = "licensespring"
[targets.licensespring]
server = "{target.server}"
url = "{target.url}"
""",
        encoding="utf-8",
    )
    return path
