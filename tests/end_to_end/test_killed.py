"""Processes die at any moment; what was confirmed stays, and every unit has its one license in the end.

The receiver, the runner and the pusher run as processes of their own. A demo-like stream of deliveries flows in while
one of them after the other is killed with SIGKILL, each time at another point of its own work, and started again.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from projections.queries import Queries
from projections.tables import Tables
from service.demo.matching import differences, licenses_in
from service.demo.selling import products
from service.sandbox.deliver import deliver
from service.sandbox.licensespring import SandboxSettings
from service.sandbox.stripe import Delivery, demo_customers
from tests.processes import Running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

SECRET = "whsec_of_a_test"
BITS = 30
LEAST_KILLS = 20
PARTS = ("receiver", "runner", "pusher")
SETTINGS = """
[database]
url = "{dsn}"
[server]
port = 0
[sources.stripe-main]
provider = "stripe"
mode = "test"
target = "licensespring"
[targets.licensespring]
server = "licensespring"
url = "{sandbox}"
requests_per_minute = 100000
burst = 10000
[project]
poll_seconds = 0.02
lease_seconds = 1.0
[push]
poll_seconds = 0.05
lease_seconds = 3.0
longest_delay_seconds = 0.2
"""


class World:
    """Three processes, a sandbox, and a look at how far each has come."""

    def __init__(
        self,
        folder: Path,
        dsn: str,
        sandbox: Running,
        key: str,
        connection: psycopg.AsyncConnection[Any],
        http: httpx2.AsyncClient,
    ) -> None:
        self.connection = connection
        self.http = http
        (folder / "tenure.toml").write_text(SETTINGS.format(dsn=_url(dsn), sandbox=sandbox.url))
        environment = {"TENURE_SOURCE_STRIPE_MAIN_SECRETS": SECRET, "TENURE_TARGET_LICENSESPRING_KEY": key}
        self.parts = {
            part: Running(part, ["service", "serve", "--only", part, "--no-auth"], folder, environment)
            for part in PARTS
        }
        self.dsn = dsn
        self.sandbox = sandbox
        self.confirmed: list[str] = []

    async def progress(self, part: str) -> int:
        """A number that grows with the work of that part."""
        match part:
            case "receiver":
                return len(self.confirmed)
            case "runner":
                return await self._number("select coalesce(sum(position), 0) from projection_1.lease")
            case _:
                return int((await self.http.get(f"{self.sandbox.url}/sandbox")).json()["calls"])

    async def _number(self, statement: str) -> int:
        row = await (await self.connection.execute(statement.encode())).fetchone()
        return int(row[0]) if row else 0

    async def open_work(self) -> dict[str, int]:
        """How much is still to be projected, relayed and pushed."""
        return {
            "behind": await self._number(
                "select count(*) from head join projection_1.lease using (partition)"
                " where head.position > lease.position"
            ),
            "links": await self._number("select count(*) from projection_1.link where due"),
            "pushes": await self._number(
                "select count(*) from projection_1.push where due or folded < waits_for or doubt <> '{}'"
            ),
        }

    async def idle(self) -> bool:
        return not any((await self.open_work()).values())

    async def settled(self) -> None:
        """Returns when nothing is left to do; fails with what there is, and why, when that takes too long."""
        try:
            await until(self.idle)
        except TimeoutError:
            logs = "".join(f"--- {part}\n{running.log()[-1500:]}" for part, running in self.parts.items())
            raise AssertionError(f"still open: {await self.open_work()}\n{logs}") from None


def _url(dsn: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    host, port = str(parts.pop("host")), parts.pop("port", 5432)
    user, password = parts.pop("user", "postgres"), parts.pop("password", "")
    secret = f":{password}" if password else ""
    if host.startswith("/"):
        return f"postgresql://{user}{secret}@/{parts['dbname']}?host={host}&port={port}"
    return f"postgresql://{user}{secret}@{host}:{port}/{parts['dbname']}"


@asynccontextmanager
async def world(folder: Path, dsn: str) -> AsyncIterator[World]:
    settings = SandboxSettings(products=products(), plan="unlimited", flood_protection=False)
    (folder / "sandbox.json").write_bytes(msgspec.json.encode(settings))
    sandbox = Running("sandbox", ["service.sandbox.licensespring", "--settings", "sandbox.json", "--print-url"], folder)
    sandbox.start()
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection,
        httpx2.AsyncClient() as http,
    ):
        made = World(folder, dsn, sandbox, settings.api_keys[0], connection, http)
        try:
            for running in made.parts.values():
                running.start()
            yield made
        finally:
            for running in (*made.parts.values(), sandbox):
                if running.alive:
                    running.kill()


async def feed(made: World, deliveries: list[Delivery], released: asyncio.Semaphore) -> None:
    """Sends as Stripe does, again and again until each is confirmed, wherever the receiver listens now.

    Each delivery has to be released first, so that there is something under way whenever something is killed.
    """

    async def pause(_: int) -> None:
        await asyncio.sleep(0.05)

    async with httpx2.AsyncClient(timeout=5) as http:
        for delivery in deliveries:
            await released.acquire()
            while True:
                url = f"{made.parts['receiver'].url}/webhooks/stripe-main"
                if await deliver(http, url, SECRET, [delivery], timestamp=_now, backoff=pause):
                    made.confirmed.append(delivery.event_id)
                    break
                await pause(0)


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - other processes cannot set an event of ours
            await asyncio.sleep(0.01)


async def test_whatever_is_killed_whenever_nothing_confirmed_is_lost_and_no_license_is_made_twice(
    database: str, tmp_path: Path
) -> None:
    chance = random.Random(11)
    lives = [person.deliveries for person in demo_customers(datetime.now(UTC))]
    deliveries = [each for life in lives for each in life]
    arriving = mingled(lives, chance)
    async with world(tmp_path, database) as made:
        released = asyncio.Semaphore(0)
        feeding = asyncio.create_task(feed(made, arriving, released))
        kills = await kill_one_after_the_other(made, chance, len(arriving), released)
        await feeding
        await made.settled()
        assert len(kills) >= LEAST_KILLS, kills
        assert set(kills) == set(PARTS)
        await check(made, {each.event_id for each in deliveries})
        assert {part: running.stop() for part, running in made.parts.items()} == dict.fromkeys(PARTS, 0)


def mingled(lives: list[list[Delivery]], chance: random.Random) -> list[Delivery]:
    """All lives at once, each roughly in its order, neighbours swapped, a fifth of the deliveries twice."""
    placed = [(place / len(life), each) for life in lives for place, each in enumerate(life)]
    placed += chance.sample(placed, len(placed) // 5)
    jittered = [(place + chance.uniform(0, 0.15), number) for number, (place, _) in enumerate(placed)]
    return [placed[number][1] for _, number in sorted(jittered)]


async def kill_one_after_the_other(
    made: World, chance: random.Random, deliveries: int, released: asyncio.Semaphore
) -> list[str]:
    """Releases the deliveries bit by bit; in each bit kills one part in the midst of its work, and starts it again."""
    kills: list[str] = []
    for number in range(BITS):
        part = PARTS[number % len(PARTS)]
        goal = await made.progress(part) + chance.randint(1, 4)
        sent = deliveries * (number + 1) // BITS
        for _ in range(sent - deliveries * number // BITS):
            released.release()

        async def far_enough(part: str = part, goal: int = goal, sent: int = sent) -> bool:
            return await made.progress(part) >= goal or (len(made.confirmed) >= sent and await made.idle())

        await until(far_enough)
        if await made.progress(part) >= goal:
            made.parts[part].kill()
            kills.append(part)
            await asyncio.to_thread(made.parts[part].start)
    return kills


async def check(made: World, sent: set[str]) -> None:
    assert set(made.confirmed) == sent
    async with (
        AsyncConnectionPool[Any](made.dsn, min_size=1, max_size=2, open=False, kwargs={"autocommit": True}) as pool,
        pool.connection() as connection,
        httpx2.AsyncClient() as http,
    ):
        stored = await (await connection.execute("select event_id from event where origin = 'webhook'")).fetchall()
        assert sorted(event_id for (event_id,) in stored) == sorted(sent), "each confirmed delivery once"
        gaps = await connection.execute(
            "select head.partition from head left join event using (partition) group by head.partition, head.position"
            " having count(event) <> head.position or max(event.position) <> nullif(head.position, 0)"
        )
        assert await gaps.fetchall() == [], "positions are gapless"
        desired = await Queries(pool, Tables()).licenses(limit=1000)
        held = licenses_in((await http.get(f"{made.sandbox.url}/sandbox/holdings")).json())
        assert len(desired) > 10
        assert differences(desired, held) == []
