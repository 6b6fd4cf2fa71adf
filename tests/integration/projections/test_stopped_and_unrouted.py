"""Streams that stopped, and money of nobody known: listed with reasons, retried on command and after an upgrade."""

from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream
from domain.providers import Provider
from projections.sources import source_for
from projections.timeline import timeline
from service.attention import NothingToRetry, needy_streams, retry_stream
from service.explaining import explain_subscription
from service.lookup import Reader
from tests.asking import FORGETFUL, INVOICE, LINK, PAYMENT, REFUND, ROUTE, Api, again, asking, page, reader
from tests.projecting import Projected, projecting
from tests.rebuilding import rebuilt, rows_of
from tests.stories import FEBRUARY, JANUARY, MARCH, STREAM, TELLER, activated, described, happened, line, muttered, paid
from tests.stories import period as months

pytestmark = pytest.mark.anyio

LIFE = [
    happened(JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated()),
    muttered(FEBRUARY),
    happened(FEBRUARY, paid("in_2", months(FEBRUARY, MARCH))),
]
"""It stops in its middle."""


def _understood(event: Event) -> Any:
    return [f.CustomerDescribed(name="Ada")] if event.type == "muttered" else TELLER.translate(event)


MENDED = msgspec.structs.replace(TELLER, translate=_understood)


def _read(projected: Projected) -> Reader:
    return Reader(log=projected.log, queries=projected.queries, sources=projected.sources)


async def _stopped(projected: Projected) -> list[Stream]:
    return [each.stream for each in await needy_streams(_read(projected), "stopped", limit=10)]


def _upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs from now on is of other code."""
    for module in ("projections.runner", "projections.folding", "projections.queries", "projections.advancing"):
        monkeypatch.setattr(f"{module}.CODE", "newer", raising=False)


# --- stopped ------------------------------------------------------------------------------------------------


async def test_a_stopped_stream_is_listed_with_the_event_and_the_reason(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        [needy] = await needy_streams(_read(projected), "stopped", limit=10)
        assert (needy.stream, needy.status) == (STREAM, "stopped")
        assert needy.problem.startswith(f"muttered {LIFE[1].event_id}: ")


async def test_a_stopped_stream_is_retried_on_command_by_an_act_with_author_and_reason(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        retried = await retry_stream(_read(projected), STREAM, "ada", "perhaps now")
        assert (retried.accepted, retried.notes) == (STREAM, ())
        await projected.runner.project_until_idle()
        assert await _stopped(projected) == [STREAM], "nothing was mended"
        await projected.runner._release()
    async with projecting(database, provider=MENDED, owner="runner-2") as projected:
        await projected.runner.project_until_idle()
        assert await _stopped(projected) == [STREAM], "nobody asked, and it is the same code"
        await retry_stream(_read(projected), STREAM, "ada", "the translator is mended")
        await projected.runner.project_until_idle()
        assert await _stopped(projected) == []
        told = await explain_subscription(_read(projected), STREAM)
        assert [(each.author, each.reason) for each in told.retries] == [
            ("ada", "perhaps now"),
            ("ada", "the translator is mended"),
        ]
        with pytest.raises(NothingToRetry):
            await retry_stream(_read(projected), STREAM, "ada", "once more")


async def test_the_retry_of_a_stream_that_stays_stopped_is_told_and_stops_nothing_itself(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        await retry_stream(_read(projected), STREAM, "ada", "perhaps now")
        await projected.runner.project_until_idle()
        provider = source_for(projected.sources, STREAM).provider
        *_, entry = timeline(await projected.log.read_stream(STREAM), provider)
        assert (entry.kind, entry.folded, entry.error) == ("operator", True, "")
        assert entry.summary == ("ada had this tried again: perhaps now",)


async def test_a_stopped_stream_is_retried_after_an_upgrade(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        await projected.runner._release()
    async with projecting(database, provider=MENDED, owner="runner-2") as projected:
        await projected.runner._renew()
        assert await _stopped(projected) == [STREAM], "it is the same code"
        _upgrade(monkeypatch)
        await projected.runner._renew()
        assert await _stopped(projected) == []


async def test_a_stopped_stream_is_rebuilt_alike_also_when_it_was_retried(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        await retry_stream(_read(projected), STREAM, "ada", "perhaps now")
        await projected.runner.project_until_idle()
        await _assert_rebuilt_alike(projected)
        assert await _stopped(projected) == [STREAM]


async def test_a_retry_changes_nothing_of_what_is_derived(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(LIFE)
        before = await rows_of(projected, 1)
        await retry_stream(_read(projected), STREAM, "ada", "perhaps now")
        await projected.runner.project_until_idle()
        assert await rows_of(projected, 1) == before


# --- unrouted -----------------------------------------------------------------------------------------------


async def test_money_of_nobody_known_is_listed_with_the_reason(database: str) -> None:
    async with asking(database, Api(), unasked={"acme": "set THE_KEY"}) as shop:
        await shop.projected.take([REFUND])
        await shop.settle()
        [needy] = await needy_streams(reader(shop, "set THE_KEY"), "unrouted", limit=10)
        assert (needy.stream, needy.status) == (PAYMENT, "unrouted")
        assert "no subscription is known for it yet" in needy.problem
        assert "lacks which invoice was paid" in needy.problem
        assert "set THE_KEY" in needy.problem


async def test_money_of_nobody_known_is_retried_on_command_and_routed_by_what_is_answered_then(database: str) -> None:
    async with asking(database, Api()) as shop:
        await shop.projected.take([REFUND])
        await shop.settle()
        assert shop.api.asked == [ROUTE]
        assert [each.stream for each in await shop.projected.queries.unrouted()] == [PAYMENT], "asked in vain"
        shop.api.answers[ROUTE] = [page(f.StreamsLinked(streams=("payment/pi_1",)))]
        assert (await again(shop, PAYMENT)).accepted == PAYMENT
        await shop.settle()
        assert shop.api.asked == [ROUTE, ROUTE]
        assert PAYMENT not in [each.stream for each in await shop.projected.queries.unrouted()]
        provider = source_for(shop.projected.sources, PAYMENT).provider
        told = timeline(await shop.projected.log.read_stream(PAYMENT), provider)
        assert [line for entry in told if entry.kind == "operator" for line in entry.summary] == [
            "ada had this tried again: asked on the phone"
        ]


async def test_what_has_no_key_is_retried_with_the_note_that_it_cannot_succeed(database: str) -> None:
    async with asking(database, Api(), unasked={"acme": "set THE_KEY"}) as shop:
        await shop.projected.take([REFUND])
        await shop.settle()
        retried = await retry_stream(reader(shop, "set THE_KEY"), PAYMENT, "ada", "now?")
        assert len(retried.notes) == 1
        assert "set THE_KEY" in retried.notes[0]


def _says_more(provider: Provider) -> Provider:
    def translate(event: Event) -> Any:
        told = [*provider.translate(event)]
        paid_for = any(isinstance(each, f.PaymentRefunded) for each in told)
        return [*told, described(line()), activated()] if paid_for else told

    return msgspec.structs.replace(provider, translate=translate)


async def test_money_of_nobody_known_is_retried_after_an_upgrade(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with projecting(database) as projected:
        await projected.take([REFUND])
        await projected.runner._release()
    async with projecting(database, provider=_says_more(TELLER), owner="runner-2") as projected:
        await projected.runner._renew()
        assert [each.stream for each in await projected.queries.unrouted()] == [PAYMENT], "it is the same code"
        await projected.runner._release()
    _upgrade(monkeypatch)
    async with projecting(database, provider=_says_more(TELLER), owner="runner-3") as projected:
        await projected.runner._renew()
        assert await projected.queries.unrouted() == []


async def test_money_of_nobody_known_is_rebuilt_alike_before_and_after_it_is_routed(database: str) -> None:
    async with projecting(database, provider=FORGETFUL) as projected:
        await projected.take([REFUND])
        await retry_stream(_read(projected), PAYMENT, "ada", "now?")
        await projected.runner.project_until_idle()
        await _assert_rebuilt_alike(projected)
        await projected.take([LINK, *LIFE[:1]])
        assert [each.stream for each in await projected.queries.unrouted()] == [INVOICE]
        await _assert_rebuilt_alike(projected)


async def _assert_rebuilt_alike(projected: Projected) -> None:
    made = await rebuilt(projected)
    assert made.difference.nothing, made.difference
    assert await rows_of(projected, made.version) == await rows_of(projected, 1)
