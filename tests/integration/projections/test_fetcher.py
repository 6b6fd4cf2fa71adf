"""What payloads leave out is asked from the provider and becomes an event."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.readback import read_answer
from projections.provided import Refused
from tests.asking import (
    ADDRESS,
    ANONYMOUS,
    BOUGHT,
    INVOICE,
    LINES,
    LINK,
    PAYMENT,
    REFUND,
    ROUTE,
    Api,
    answers,
    api,
    asking,
    checkout,
    now,
    page,
    status,
)
from tests.stories import JANUARY, PURCHASE, described, happened, line, linked, muttered

pytestmark = pytest.mark.anyio


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
        assert shop.outcomes == [("acme", "doubtful"), ("acme", "doubtful"), ("acme", "unknown")]


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
