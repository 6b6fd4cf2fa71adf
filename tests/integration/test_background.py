"""The process behind `tenure serve`: woken by appends, started again when it dies, gone with the one in front."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from service.background.beats import Counting
from service.background.front import SOON
from service.metrics import Metrics
from tests.commands import tenure
from tests.integration.test_serve import SECONDS, Serving, serving
from tests.serving import signed
from tests.shop import STORY

pytestmark = pytest.mark.anyio

ONLY_WHEN_WOKEN = "[project]\npoll_seconds = 3600\n"


class Shop:
    """A whole service, and what it answers."""

    def __init__(self, served: Serving, http: httpx2.AsyncClient, behind: int) -> None:
        self.served = served
        self.http = http
        self.behind = behind
        """The process behind it."""

    async def deliver(self, body: bytes) -> int:
        return (await self.http.post("/webhooks/shop", content=body, headers=signed(body))).status_code

    async def ready(self, expected: bool) -> None:
        """Returns when the service says so of itself."""
        async with asyncio.timeout(SECONDS):
            while (await self.http.get("/health/ready")).json()["ready"] is not expected:
                pass

    async def licenses(self, count: int) -> None:
        """Returns when there are so many."""
        async with asyncio.timeout(SECONDS):
            while len((await self.http.get("/api/v1/licenses")).json()["items"]) != count:
                pass


@asynccontextmanager
async def opened(folder: Path, dsn: str) -> AsyncIterator[Shop]:
    command = tenure(folder, dsn)
    settings = folder / "tenure.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + ONLY_WHEN_WOKEN, encoding="utf-8")
    async with serving(command, "--no-auth") as served:
        url = (await served.said("listening"))["url"]
        behind = (await served.said("background started"))["pid"]
        async with httpx2.AsyncClient(base_url=url, timeout=SECONDS) as http:
            yield Shop(served, http, behind)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_one_process_appends_the_other_projects_at_once(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        for body in STORY:
            assert await shop.deliver(body) == 200
        await shop.licenses(2)
        assert await shop.served.stop() == 0
    assert not lives(shop.behind)


async def test_webhooks_are_answered_while_the_background_is_dead_and_projected_when_it_is_back(
    tmp_path: Path, database: str
) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        os.kill(shop.behind, signal.SIGKILL)
        await shop.ready(False)
        assert await shop.deliver(STORY[0]) == 200
        said = await shop.served.said("the background ended unasked and is started again")
        assert said["code"] == -signal.SIGKILL
        await shop.ready(True)
        assert await shop.deliver(STORY[1]) == 200
        await shop.licenses(2)
        assert await shop.served.stop() == 0


async def test_a_background_that_dies_with_a_wake_unread_is_started_again(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        os.kill(shop.behind, signal.SIGSTOP)
        assert await shop.deliver(STORY[0]) == 200
        # The wake follows the answer.
        await asyncio.sleep(2 * SOON)
        os.kill(shop.behind, signal.SIGKILL)
        await shop.served.said("the background ended unasked and is started again")
        assert await shop.deliver(STORY[1]) == 200
        await shop.licenses(2)
        assert await shop.served.stop() == 0


@pytest.fixture
def hangs_up() -> Iterator[None]:
    """Processes end with their terminal, though the tests themselves may have been started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangs_up")
async def test_a_closed_terminal_stops_the_service_in_good_order(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        assert await shop.served.stop(signal.SIGHUP) == 0
    assert not lives(shop.behind)


async def test_the_background_does_not_outlive_a_service_that_was_killed(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        await shop.served.stop(signal.SIGKILL)
        async with asyncio.timeout(SECONDS):
            while lives(shop.behind):  # noqa: ASYNC110 - it is nobody's child any more
                await asyncio.sleep(0.01)


async def test_the_background_leaves_its_end_to_the_service_in_front(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as shop:
        await shop.ready(True)
        os.kill(shop.behind, signal.SIGTERM)
        os.kill(shop.behind, signal.SIGINT)
        for body in STORY:
            assert await shop.deliver(body) == 200
        await shop.licenses(2)
        assert lives(shop.behind)
        assert await shop.served.stop() == 0


def test_what_a_process_counted_is_told_once_and_added_where_it_is_shown() -> None:
    behind, front = Metrics(), Metrics()
    counting = Counting(behind)

    def told() -> None:
        for each in counting.beat().counted:
            front.count(each.name, each.labels, each.more)

    behind.timers_rung.inc(2)
    behind.fetches.labels("shop", "answered").inc()
    front.timers_rung.inc()
    told()
    told()
    behind.fetches.labels("shop", "answered").inc()
    behind.fetches.labels("shop", "failed").inc()
    told()
    sample = front.registry.get_sample_value
    assert sample("tenure_timers_rung_total") == 3
    assert sample("tenure_fetches_total", {"source": "shop", "outcome": "answered"}) == 2
    assert sample("tenure_fetches_total", {"source": "shop", "outcome": "failed"}) == 1
