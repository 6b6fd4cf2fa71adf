"""A fetcher that is killed with SIGKILL while it asks: every question is answered in the end, and kept once."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.providers.stripe import PROVIDER
from domain.readback import read_answer
from service.sandbox.stripe import LICENSING, LIFECYCLES, Shape, deliveries
from service.sandbox.stripe.runner import running_stripe_api
from tests.deliveries import events_of
from tests.processes import Running
from tests.projecting import Projected, projecting

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

PURCHASES = 60
KILLS = 8
SETTINGS = """
[database]
url = "{dsn}"
[server]
port = 0
[sources.acme]
provider = "stripe"
mode = "test"
target = "licensespring"
[sources.acme.api]
url = "{api}"
requests_per_minute = 1500
[targets.licensespring]
server = "licensespring"
url = "http://127.0.0.1:9"
[fetch]
poll_seconds = 0.05
lease_seconds = 2.0
patience_seconds = 0
longest_delay_seconds = 0.2
"""


async def test_whenever_a_fetcher_is_killed_every_answer_is_kept_once(database: str, tmp_path: Path) -> None:
    chance = random.Random(3)
    accounts = [LIFECYCLES["one_time_purchase"].account(seed=f"buyer {number}") for number in range(PURCHASES)]
    async with running_stripe_api(accounts) as stripe, projecting(database, provider=PROVIDER) as projected:
        for account in accounts:
            told = deliveries(account.happenings, account.merchant, Shape.CLOVER, types=LICENSING)
            await projected.append(events_of(told))
        await projected.runner.project_until_idle()
        assert len(await projected.queries.wants(limit=1000)) >= PURCHASES
        fetcher = fetching(tmp_path, database, stripe.url, stripe.key)
        stop = asyncio.Event()
        projecting_on = asyncio.create_task(projected.runner.run(stop))
        try:
            for _ in range(KILLS):
                goal = len(stripe.api.calls) + chance.randint(1, 6)
                await asyncio.to_thread(fetcher.start)
                async with asyncio.timeout(60):
                    while len(stripe.api.calls) < goal and await projected.queries.wants():  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                fetcher.kill()
            await asyncio.to_thread(fetcher.start)
            async with asyncio.timeout(120):
                while await projected.queries.wants():  # noqa: ASYNC110 - other processes cannot set an event of ours
                    await asyncio.sleep(0.05)
            assert await asyncio.to_thread(fetcher.stop) == 0
        finally:
            if fetcher.alive:
                fetcher.kill()
            stop.set()
            await projecting_on
        kept = await answers(projected)
        assert set(kept.values()) == {1}, "each answer once, however often it was asked for"
        assert await projected.queries.streams(statuses=("waiting", "stopped")) == []
        assert len(await projected.queries.licenses(limit=1000)) >= PURCHASES


def fetching(folder: Path, dsn: str, api: str, key: str) -> Running:
    parts: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(dsn)
    host = f"host={parts['host']}&port={parts['port']}"
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?{host}"
    (folder / "tenure.toml").write_text(SETTINGS.format(dsn=url, api=api), encoding="utf-8")
    environment = {"TENURE_SOURCE_ACME_API_KEY": key, "PGPASSWORD": str(parts.get("password", ""))}
    return Running("fetcher", ["service", "serve", "--only", "fetcher", "--no-auth"], folder, environment)


async def answers(projected: Projected) -> Counter[tuple[str, str]]:
    """How often each stream was answered about each thing."""
    counted: Counter[tuple[str, str]] = Counter()
    for partition in range(256):
        for event in await projected.log.read_partition(partition, 0, 10_000):
            if event.origin == "readback":
                counted[event.stream, read_answer(event).about] += 1
    return counted
