"""Asking a provider goes wrong: it is tried again, listed, and costs nothing but time."""

import asyncio
from typing import Any

import pytest

from projections.budget import Budget
from projections.fetcher import LARGEST_ANSWER, FetcherSettings
from projections.provided import Refused, Throttled, Unauthorized, Unavailable
from service.attention import NothingToRetry, Retried, needy_streams
from tests.asking import (
    ANONYMOUS,
    LINES,
    PAYMENT,
    REFUND,
    Api,
    again,
    answers,
    api,
    asking,
    checkout,
    now,
    reader,
    status,
)
from tests.stories import PURCHASE, STREAM

pytestmark = pytest.mark.anyio


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
        assert await again(shop, PURCHASE) == Retried(accepted=PURCHASE)
        await shop.settle()
        assert await status(shop) == ("folded", "")
        with pytest.raises(NothingToRetry):
            await again(shop, PURCHASE)


async def test_a_wrong_key_is_tried_again_soon(database: str) -> None:
    settings = FetcherSettings(longest_delay=600)
    async with asking(database, api(), settings=settings) as shop:
        shop.api.fails(Unauthorized, status=401)
        await shop.projected.take([checkout()])
        await shop.settle()
        (want,) = await shop.projected.queries.wants()
        assert (want.next_at - await now(shop)).total_seconds() <= 600
        assert "API key" in (want.error or "")


async def test_after_a_restart_what_was_refused_for_the_key_is_asked_at_once(database: str) -> None:
    async with asking(database, api(), settings=FetcherSettings(longest_delay=600)) as shop:
        shop.api.fails(Unauthorized, status=401)
        shop.api.fails(Refused, status=400)
        await shop.projected.take([checkout(1)])
        await shop.settle()
        await shop.projected.take([checkout(2)])
        await shop.settle()
        assert await shop.fetcher.fetch_until_idle() == 0
    async with asking(database, api()) as shop:
        await shop.settle()
        assert shop.api.asked == [LINES], "what was refused for another reason is not"
        assert await status(shop) == ("folded", "")


async def test_a_key_that_is_refused_is_warned_of_once_in_a_while(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with asking(database, api()) as shop:
        shop.api.fails(Unauthorized, times=2, status=401)
        await shop.projected.take([checkout(1), checkout(2)])
        await shop.settle()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "refuses the API key" in line]
    assert "warning" in line
    assert "acme" in line


async def test_without_a_key_what_can_be_known_is_done_and_the_rest_is_listed_with_the_reason(database: str) -> None:
    reason = "no API key: set TENURE_SOURCE_ACME_API_KEY"
    async with asking(database, Api(), unasked={"acme": reason}) as shop:
        await shop.projected.take([ANONYMOUS, checkout(), REFUND])
        await shop.settle()
        assert len(await shop.projected.queries.licenses()) == 1
        unasked = reader(shop, reason)
        found = {needy.stream: needy.problem for needy in await needy_streams(unasked, "waiting", limit=10)}
        assert found == {
            STREAM: f"lacks the customer's address; {reason}",
            PURCHASE: f"needs what was bought; {reason}",
        }
        nobodys = {needy.stream: needy.problem for needy in await needy_streams(unasked, "unrouted", limit=10)}
        assert nobodys == {
            PAYMENT: f"no subscription is known for it yet; lacks which invoice was paid; {reason}",
        }
        (first, *rest) = await needy_streams(unasked, "waiting", limit=10)
        (last,) = await shop.projected.queries.streams(statuses=("folded", "waiting"), limit=1)
        assert first.stream == last.stream
        assert len(rest) == 1
        assert (await unasked.open_work()).wants == 0
        (wanted,) = await shop.projected.queries.wanted()
        assert (wanted.source, wanted.open, wanted.failing) == ("acme", 3, 0)


async def test_a_reader_with_other_secrets_than_the_fetcher_says_what_the_fetcher_lacks(database: str) -> None:
    reason = "no API key: set TENURE_SOURCE_ACME_API_KEY"
    async with asking(database, Api(), unasked={"acme": reason}) as shop:
        await shop.projected.take([checkout()])
        (needy,) = await needy_streams(reader(shop, reason), "waiting", limit=10)
        assert needy.problem == f"needs what was bought; not asked yet, and by this process it is not: {reason}"
        await shop.settle()
        (needy,) = await needy_streams(reader(shop), "waiting", limit=10)
        assert needy.problem == f"needs what was bought; {reason}"


async def test_a_reader_without_secrets_does_not_deny_what_the_fetcher_found_out(database: str) -> None:
    async with asking(database, api()) as shop:
        shop.api.fails(Refused, status=400, text="no")
        await shop.projected.take([checkout()])
        await shop.settle()
        (needy,) = await needy_streams(reader(shop, "no API key: set SUCH"), "waiting", limit=10)
        assert "400 no" in needy.problem
        assert "SUCH" not in needy.problem


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
