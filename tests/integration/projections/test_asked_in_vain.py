"""A provider says that there is no such thing: minutes pass before that is believed, and a person can ask again."""

import msgspec
import pytest

from domain import facts as f
from projections.fetcher import FetcherSettings
from projections.provided import Unauthorized, Unavailable
from service.attention import NothingToRetry, Retried, needy_streams
from tests.asking import ANONYMOUS, BOUGHT, LINES, Api, again, answers, api, asking, checkout, now, page, reader, status
from tests.stories import JANUARY, PURCHASE, STREAM, happened

pytestmark = pytest.mark.anyio

MINUTES = FetcherSettings(first_delay=0, longest_delay=0)


async def test_minutes_pass_before_an_api_that_denies_when_asked_too_often_is_believed(database: str) -> None:
    async with asking(database, Api(), sure_after=4, settings=MINUTES) as shop:
        await shop.projected.take([checkout()])
        waits = []
        for _ in range(3):
            await shop.settle()
            (want,) = await shop.projected.queries.wants()
            waits.append((want.next_at - await now(shop)).total_seconds())
            assert "may say so when asked too often" in (want.error or "")
            await shop.tomorrow()
        assert [waits[0] > 55, waits[1] > 295, waits[2] > 1795] == [True] * 3
        assert shop.outcomes == [("acme", "doubtful")] * 3
        await shop.settle()
        assert shop.outcomes[3:] == [("acme", "unknown")]
        assert len(await answers(shop)) == 1


async def test_what_went_wrong_otherwise_makes_no_denial_more_credible(database: str) -> None:
    async with asking(database, Api(), sure_after=2) as shop:
        shop.api.fails(Unauthorized, times=3, status=401)
        shop.api.fails(Unavailable, times=3, status=503)
        await shop.projected.take([checkout()])
        await shop.settle()
        assert [outcome for _, outcome in shop.outcomes[-3:]] == ["unavailable", "doubtful", "unknown"]


async def test_what_was_asked_in_vain_can_be_asked_again_and_what_is_found_then_counts(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        (needy,) = await needy_streams(reader(shop), "waiting", limit=10)
        assert "tenure streams retry" in needy.problem
        shop.api.answers[LINES] = [BOUGHT]
        assert await again(shop, PURCHASE) == Retried(accepted=PURCHASE)
        await shop.settle()
        assert await status(shop) == ("folded", "")
        assert len(await shop.projected.queries.licenses()) == 1
        assert await shop.projected.queries.wants() == []
        assert len(await answers(shop)) == 2
        with pytest.raises(NothingToRetry):
            await again(shop, PURCHASE)


async def test_asked_again_in_vain_it_is_as_it_was_and_is_asked_only_once_each_time(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        before = await shop.projected.rows()
        for times in (2, 3):
            await again(shop, PURCHASE)
            await shop.settle()
            await shop.tomorrow()
            await shop.settle()
            assert shop.api.asked == [LINES] * times
        assert await shop.projected.rows() == before
        assert len(await answers(shop)) == 1


async def test_asked_again_a_denial_is_doubted_as_at_first_and_other_events_take_nothing_back(database: str) -> None:
    async with asking(database, Api(), sure_after=2) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        shop.fetcher._settings = MINUTES
        await again(shop, PURCHASE)
        await shop.settle()
        (needy,) = await needy_streams(reader(shop), "waiting", limit=10)
        assert "asked in vain" in needy.problem
        assert "asked again in some minutes" in needy.problem
        await shop.projected.take([happened(JANUARY, f.CustomerDescribed(name="Ada"), stream=PURCHASE, named="name")])
        shop.api.answers[LINES] = [BOUGHT]
        await shop.tomorrow()
        await shop.settle()
        assert await status(shop) == ("folded", "")


async def test_what_another_event_said_meanwhile_is_not_asked_again(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        await again(shop, PURCHASE)
        said = msgspec.structs.replace(happened(JANUARY, stream=PURCHASE, named="said"), body=BOUGHT)
        await shop.projected.take([said])
        await shop.settle()
        assert shop.api.asked == [LINES]
        assert await shop.projected.queries.wants() == []


async def test_what_is_no_obstacle_can_be_asked_again_too(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([ANONYMOUS])
        await shop.settle()
        shop.api.answers["customers/cus_1"] = [page(f.CustomerDescribed(email="ada@example.com"))]
        await again(shop, STREAM)
        await shop.settle()
        (view,) = await shop.projected.queries.streams()
        assert view.email == "ada@example.com"


async def test_a_stream_that_lacks_nothing_has_nothing_to_retry(database: str) -> None:
    async with asking(database, api()) as shop:
        await shop.projected.take([checkout()])
        await shop.settle()
        with pytest.raises(NothingToRetry):
            await again(shop, PURCHASE)
