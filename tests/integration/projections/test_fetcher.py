"""What payloads leave out is asked from the provider and becomes an event, once, whatever goes wrong."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, NewEvent, Stream
from domain.readback import read_answer
from projections.budget import Budget
from projections.fetcher import LARGEST_ANSWER, FetcherSettings
from projections.ports import Appended
from projections.provided import Refused, Throttled, Unauthorized, Unavailable
from service.attention import NothingToRetry, needy_streams, retry_stream
from service.lookup import Reader
from service.store import EventStore
from tests.asking import ADDRESS, LINES, ROUTE, Api, Asking, asking, checkout, page
from tests.stories import JANUARY, PURCHASE, STREAM, activated, described, happened, line, linked, muttered, refunded

pytestmark = pytest.mark.anyio

BOUGHT = page(described(line()))
PAYMENT, INVOICE = Stream("acme/payment/pi_1"), Stream("acme/invoice/in_1")
REFUND = happened(JANUARY, refunded("pi_1", 1000), stream=PAYMENT)
LINK = happened(JANUARY, linked("pi_1", "in_1"), f.StreamsLinked(streams=("payment/pi_1",)), stream=INVOICE)
ANONYMOUS = happened(JANUARY, described(line()), activated(), f.CustomerDescribed(reference="cus_1"))


def api() -> Api:
    return Api(**{LINES: [BOUGHT]})


async def status(each: Asking, stream: Stream = PURCHASE) -> tuple[str, str]:
    found = await each.projected.queries.stream(stream)
    assert found is not None
    return found[0].status, found[0].problem


async def answers(each: Asking, stream: Stream = PURCHASE) -> list[Event]:
    return [event for event in await each.projected.log.read_stream(stream) if event.origin == "readback"]


def reader(each: Asking, unasked: str = "") -> Reader:
    sources = {
        name: msgspec.structs.replace(source, unasked=unasked) for name, source in each.projected.sources.items()
    }
    return Reader(log=each.projected.log, queries=each.projected.queries, sources=sources)


# --- answers ------------------------------------------------------------------------------------------------


async def test_what_was_bought_is_asked_and_licensed(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        assert await status(shop) == ("waiting", "needs what was bought")
        assert await shop.projected.queries.licenses() == []
        await shop.settle()
        assert await status(shop) == ("folded", "")
        (license_,) = await shop.projected.queries.licenses()
        assert license_.desired.product_code == "APP"
        assert await shop.projected.queries.wants() == []
        assert shop.outcomes == [("acme", "answered")]


async def test_an_answer_is_kept_as_it_came_at_the_second_in_which_it_was_asked(database: str) -> None:
    async with asking(database, Api(**{LINES: [b" [ ]\n", BOUGHT]})) as shop:
        await shop.projected.take([checkout()])
        before = await now(shop)
        await shop.settle()
        (event,) = await answers(shop)
        answer = read_answer(event)
        assert (answer.about, [bytes(each) for each in answer.pages]) == (LINES, [b"[ ]", BOUGHT])
        assert b" [ ]\n" in event.body
        assert before.replace(microsecond=0) <= event.occurred_at <= await now(shop)
        assert event.occurred_at.microsecond == 0
        assert event.event_id.startswith(f"readback:{LINES}:")


async def now(shop: Asking) -> datetime:
    async with shop.projected.pool.connection() as connection:
        (at,) = await (await connection.execute("select now()")).fetchone() or (None,)
    assert isinstance(at, datetime)
    return at.astimezone(UTC)


async def test_what_the_api_knows_nothing_of_is_asked_once_and_said_to_be_missing(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        await shop.tomorrow()
        await shop.settle()
        assert shop.api.asked == [LINES]
        assert shop.outcomes == [("acme", "unknown")]
        state, problem = await status(shop)
        assert state == "waiting"
        assert "asked in vain" in problem


async def test_an_api_that_is_not_to_be_believed_at_once_is_asked_until_it_is(database: str) -> None:
    async with asking(database, Api(), sure_after=3) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        assert shop.api.asked == [LINES] * 3
        assert shop.outcomes == [("acme", "unavailable"), ("acme", "unavailable"), ("acme", "unknown")]


async def test_an_answer_goes_to_every_stream_that_it_is_an_event_of(database: str) -> None:
    route = page(linked("pi_1", "in_1"))
    async with asking(database, Api(**{ROUTE: [route]})) as shop:
        await shop.projected.take([REFUND])
        await shop.settle()
        for stream in (PAYMENT, INVOICE):
            assert len(await answers(shop, stream)) == 1


# --- whether to ask -----------------------------------------------------------------------------------------


async def test_a_webhook_is_given_time_to_say_it_first(database: str) -> None:
    says = happened(JANUARY, f.CustomerDescribed(reference="cus_1", email="ada@example.com"), named="later")
    async with asking(database, Api(), patience=timedelta(hours=1)) as shop:
        await shop.projected.take([ANONYMOUS])
        assert [want.about for want in await shop.projected.queries.wants()] == [ADDRESS]
        await shop.settle()
        await shop.projected.take([says])
        assert await shop.projected.queries.wants() == []
        assert shop.api.asked == []


async def test_who_waited_long_enough_asks(database: str) -> None:
    found = page(f.CustomerDescribed(email="ada@example.com"))
    async with asking(database, Api(**{ADDRESS: [found]}), patience=timedelta(hours=1)) as shop:
        await shop.projected.take([ANONYMOUS])
        await shop.tomorrow()
        await shop.settle()
        (view,) = await shop.projected.queries.streams()
        assert view.email == "ada@example.com"


async def test_money_that_found_its_way_meanwhile_is_not_asked_about(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([REFUND])
        assert [want.about for want in await shop.projected.queries.wants()] == [ROUTE]
        await shop.projected.take([LINK])
        await shop.settle()
        assert shop.api.asked == []
        assert await shop.projected.queries.wants() == []
        assert (await shop.projected.queries.open_work(shop.projected.log)).wants == 0


async def test_money_that_finds_its_way_while_its_turn_is_waited_for_is_not_asked_about(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([REFUND])
        (claim,) = await shop.fetcher._claim(1)
        await shop.projected.take([LINK])
        assert await shop.fetcher._renew(claim) is None


async def test_what_may_have_been_said_just_now_is_folded_first(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        says = happened(JANUARY, described(line()), stream=PURCHASE, named="said")
        await shop.projected.append([says])
        (claim,) = await shop.fetcher._claim(1)
        await shop.fetcher._fetch(claim)
        assert shop.api.asked == []
        await shop.settle()
        assert await status(shop) == ("folded", "")
        assert shop.api.asked == []


async def test_a_stream_that_stopped_wants_nothing(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout(), muttered(JANUARY, stream=PURCHASE, named="zz")])
        await shop.settle()
        assert (await status(shop))[0] == "stopped"
        assert shop.api.asked == []
        assert await shop.projected.queries.wants() == []


async def test_what_is_wanted_still_keeps_what_went_wrong_with_it(database: str) -> None:
    async with asking(database, api()) as shop:
        shop.api.fails(Refused, status=400, text="no")
        await shop.projected.take([checkout()])
        await shop.settle()
        await shop.projected.take([happened(JANUARY, f.CustomerDescribed(name="Ada"), stream=PURCHASE)])
        (want,) = await shop.projected.queries.wants()
        assert (want.attempts, want.next_at > await now(shop)) == (1, True)
        assert "400 no" in (want.error or "")


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Unavailable, Throttled])
async def test_a_failure_that_passes_costs_nothing_but_time(database: str, kind: type[Any]) -> None:
    async with asking(database, api()) as shop:
        shop.api.fails(kind, times=3, status=503)
        await shop.projected.take([checkout()])
        await shop.settle()
        assert await status(shop) == ("folded", "")
        assert len(shop.api.asked) == 4


async def test_each_failure_is_waited_for_longer(database: str) -> None:
    patient = FetcherSettings(first_delay=100, longest_delay=1000)
    async with asking(database, api(), settings=patient) as shop:
        shop.api.fails(Unavailable, times=6)
        await shop.projected.take([checkout()])
        waits = []
        for _ in range(6):
            await shop.tomorrow()
            await shop.settle()
            (want,) = await shop.projected.queries.wants()
            waits.append((want.next_at - await now(shop)).total_seconds())
        assert [50 * 2**number <= wait + 5 for number, wait in enumerate(waits[:4])] == [True] * 4
        assert max(waits) <= 1000
        assert len(shop.api.asked) == 6


async def test_an_api_that_asks_for_a_pause_gets_it_for_every_question_and_other_work_goes_on(database: str) -> None:
    hurried = FetcherSettings(first_delay=0, longest_delay=600, behind=3600)
    async with asking(database, api(), settings=hurried, budget=Budget(per_second=1, burst=1)) as shop:
        shop.api.fails(Throttled, status=429, retry_after=300)
        await shop.projected.take([checkout(1), checkout(2)])
        async with asyncio.timeout(10):
            await shop.settle()
        assert len(shop.api.asked) == 1
        for want in await shop.projected.queries.wants():
            assert 290 < (want.next_at - await now(shop)).total_seconds() <= 302


async def test_what_the_api_refuses_is_asked_again_in_an_hour_and_listed_with_its_words(database: str) -> None:
    async with asking(database, api()) as shop:
        shop.api.fails(Refused, status=400, text="Unrecognized request URL\nfor ada@example.com with sk_live_abc123")
        await shop.projected.take([checkout()])
        await shop.settle()
        assert shop.outcomes == [("acme", "refused")]
        (needy,) = await needy_streams(reader(shop), "waiting", limit=10)
        assert needy.stream == PURCHASE
        assert "needs what was bought; 400 Unrecognized request URL for [e-mail] with [key]" in needy.problem
        assert (await shop.projected.queries.open_work(shop.projected.log)).wants == 0, "an hour is not waited for"
        assert await retry_stream(reader(shop), PURCHASE) == PURCHASE
        await shop.settle()
        assert await status(shop) == ("folded", "")
        with pytest.raises(NothingToRetry):
            await retry_stream(reader(shop), PURCHASE)


async def test_a_wrong_key_is_tried_again_soon(database: str) -> None:
    settings = FetcherSettings(longest_delay=600)
    async with asking(database, api(), settings=settings) as shop:
        shop.api.fails(Unauthorized, status=401)
        await shop.projected.take([checkout()])
        await shop.settle()
        (want,) = await shop.projected.queries.wants()
        assert (want.next_at - await now(shop)).total_seconds() <= 600
        assert "API key" in (want.error or "")


async def test_without_a_key_what_can_be_known_is_done_and_the_rest_is_listed_with_the_reason(database: str) -> None:
    reason = "no API key: set TENURE_SOURCE_ACME_API_KEY"
    async with asking(database, Api()) as shop:
        shop.fetcher._sources = {}
        await shop.projected.take([ANONYMOUS, checkout(), REFUND])
        await shop.settle()
        assert len(await shop.projected.queries.licenses()) == 1
        unasked = reader(shop, reason)
        found = {needy.stream: needy.problem for needy in await needy_streams(unasked, "waiting", limit=10)}
        assert found == {
            STREAM: f"lacks the customer's address; {reason}",
            PURCHASE: f"needs what was bought; {reason}",
            PAYMENT: f"no subscription is known for it yet; lacks which invoice was paid; {reason}",
        }
        (first, *rest) = await needy_streams(unasked, "waiting", limit=10)
        (last,) = await shop.projected.queries.streams(statuses=("folded", "waiting", "unrouted"), limit=1)
        assert first.stream == last.stream
        assert len(rest) == 2
        assert (await unasked.open_work()).wants == 0
        (wanted,) = await shop.projected.queries.wanted()
        assert (wanted.source, wanted.open, wanted.failing) == ("acme", 3, 0)


@pytest.mark.parametrize(
    ("pages", "words"),
    [([b"<html>"], "not JSON"), ([b""], "not JSON"), ([b'"' + b"x" * LARGEST_ANSWER + b'"'], "bytes")],
)
async def test_what_is_no_answer_is_not_kept(database: str, pages: list[bytes], words: str) -> None:
    settings = FetcherSettings(first_delay=600)
    async with asking(database, Api(**{LINES: pages}), settings=settings) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        assert await answers(shop) == []
        (want,) = await shop.projected.queries.wants()
        assert words in (want.error or "")


async def test_a_fault_of_ours_is_listed_and_shows_nothing_private(database: str) -> None:
    async with asking(database, api()) as shop:
        shop.api.errors.append(KeyError("ada@example.com"))
        await shop.projected.take([checkout(1), checkout(2)])
        await shop.settle()
        faulty = [want for want in await shop.projected.queries.wants() if want.error and "KeyError" in want.error]
        assert len(faulty) == 1
        assert "ada" not in (faulty[0].error or "")
        assert len(shop.api.asked) == 2


# --- processes that die, sleep, or work at once -------------------------------------------------------------


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
