"""Fetchers that work at once, sleep or die: each thing is asked and kept once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from domain import facts as f
from domain.events import NewEvent
from projections.fetcher import FetcherSettings
from projections.ports import Appended
from service.store import EventStore
from tests.asking import (
    ADDRESS,
    ANONYMOUS,
    BOUGHT,
    LINES,
    LINK,
    REFUND,
    Api,
    answers,
    api,
    asking,
    checkout,
    page,
    status,
)
from tests.stories import JANUARY, PURCHASE, happened

pytestmark = pytest.mark.anyio


async def test_two_fetchers_at_once_ask_everything_once(database: str) -> None:
    known = Api(**{f"checkout/cs_{number}/lines": [BOUGHT] for number in range(12)})
    async with asking(database, known) as one, asking(database, known, owner="fetcher-2") as two:
        await one.projected.take([checkout(number) for number in range(12)])
        for _ in range(3):
            await asyncio.gather(one.fetcher.fetch_until_idle(), two.fetcher.fetch_until_idle())
            await one.projected.runner.project_until_idle()
        assert sorted(known.asked) == sorted(known.answers)
        assert len(await one.projected.queries.licenses()) == 12


async def test_what_somebody_asks_at_the_moment_nobody_else_asks(database: str) -> None:
    known = api()
    known.gate.clear()
    async with asking(database, known) as one, asking(database, known, owner="fetcher-2") as two:
        await one.projected.take([checkout()])
        asks = asyncio.create_task(one.fetcher.fetch_until_idle())
        await known.reached.wait()
        assert await two.fetcher.fetch_until_idle() == 0
        known.gate.set()
        async with asyncio.timeout(10):
            await asks
        assert known.asked == [LINES]


async def test_a_fetcher_that_overslept_its_lease_asks_nothing(database: str) -> None:
    async with asking(database, api()) as one, asking(database, one.api, owner="fetcher-2") as two:
        await one.projected.take([checkout()])
        one.fetcher._settings = msgspec.structs.replace(one.fetcher._settings, lease=0.000001)
        (claim,) = await one.fetcher._claim(1)
        assert await two.fetcher.fetch_until_idle() == 1
        await one.fetcher._fetch(claim)
        assert one.api.asked == [LINES]
        await one.settle()
        assert len(await answers(one)) == 1


async def test_a_fetcher_that_died_with_its_question_leaves_it_to_the_next(database: str) -> None:
    async with asking(database, api()) as one, asking(database, one.api, owner="fetcher-2") as two:
        await one.projected.take([checkout()])
        await one.fetcher._claim(1)
        assert await two.fetcher.fetch_until_idle() == 0
        await one.tomorrow()
        assert await two.fetcher.fetch_until_idle() == 1
        await one.settle()
        assert one.api.asked == [LINES]
        assert len(await one.projected.queries.licenses()) == 1


class Dies(Exception):
    pass


class DiesAfterAppending:
    """The log of a process that is gone right after its append."""

    def __init__(self, log: EventStore) -> None:
        self.read_stream = log.read_stream
        self._log = log

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        await self._log.append(events)
        raise Dies


@pytest.mark.parametrize("folded", [True, False])
async def test_a_fetcher_that_died_with_an_answer_appended_need_not_be_asked_for_again(
    database: str, folded: bool
) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        living, shop.fetcher._log = shop.fetcher._log, DiesAfterAppending(shop.projected.log)  # type: ignore[assignment]
        with pytest.raises(Dies):
            await shop.fetcher.fetch_until_idle()
        shop.fetcher._log = living
        if folded:
            await shop.projected.runner.project_until_idle()
        await shop.tomorrow()
        claims = await shop.fetcher._claim(1)
        for claim in claims:
            await shop.fetcher._fetch(claim)
        assert shop.api.asked == [LINES]
        await shop.settle()
        assert len(await answers(shop)) == 1
        assert await status(shop) == ("folded", "")


async def test_the_same_answer_twice_is_one_event(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        (claim,) = await shop.fetcher._claim(1)
        asked = shop.fetcher._sources["acme"]
        for seconds in (0, 60):
            at = JANUARY + timedelta(seconds=seconds)
            await shop.fetcher._record(claim, asked, [BOUGHT], at)
        assert len(await answers(shop)) == 1


async def test_a_rebuilt_projection_asks_nothing_again(database: str) -> None:
    async with asking(database, api(), settings=FetcherSettings(first_delay=600)) as shop:
        await shop.projected.take([checkout(1), checkout(2), REFUND, LINK, ANONYMOUS])
        shop.api.answers[ADDRESS] = [page(f.CustomerDescribed(email="ada@example.com"))]
        for _ in range(3):
            await shop.settle()
        expected, asked = await shop.projected.rows(), list(shop.api.asked)
        async with shop.projected.pool.connection() as connection:
            await connection.execute("drop schema projection_1 cascade")
            await shop.projected.tables.prepare(connection)
        await shop.settle()
        assert await shop.projected.rows() == expected
        assert shop.api.asked == asked


async def test_while_history_is_projected_again_nothing_is_asked_that_was_answered(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        async with shop.projected.pool.connection() as connection:
            await connection.execute("drop schema projection_1 cascade")
            await shop.projected.tables.prepare(connection)
            await shop.projected.runner._leases.renew(connection)
        (event,) = (await shop.projected.log.read_stream(PURCHASE))[:1]
        shop.projected.runner._advancing._batch = 1
        await shop.projected.runner._project(event.partition, 0)
        assert (await status(shop))[0] == "waiting", "its answer is not folded yet"
        (claim,) = await shop.fetcher._claim(1)
        await shop.fetcher._fetch(claim)
        assert shop.api.asked == [LINES]


async def test_a_running_fetcher_is_woken_and_records_what_it_was_asking_before_it_stops(database: str) -> None:
    known = api()
    known.gate.clear()
    settings = FetcherSettings(poll=60)
    async with asking(database, known, settings=settings) as shop:
        stop = asyncio.Event()
        running = asyncio.create_task(shop.fetcher.run(stop))
        await shop.projected.take([checkout()])
        async with asyncio.timeout(20):
            while not known.reached.is_set():
                shop.fetcher.wake()
                await asyncio.sleep(0)
            stop.set()
            known.gate.set()
            await running
        assert len(await answers(shop)) == 1


async def test_what_is_asked_is_not_longer_than_its_event_can_say(database: str) -> None:
    endless = happened(JANUARY, f.PurchaseCompleted(paid=True, lines_from="x" * 901), stream=PURCHASE)
    async with asking(database, Api()) as shop:
        await shop.projected.take([endless])
        await shop.settle()
        assert (await status(shop))[0] == "waiting"
        assert shop.api.asked == []
