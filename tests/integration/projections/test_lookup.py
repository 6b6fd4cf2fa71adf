"""Support looks a subscription up by what a customer holds: an order, its reference, an invoice, a payment."""

import pytest

from domain import facts as f
from domain.events import Event, Stream, stream_of
from service.lookup import Ambiguous, Found, NotFound, Reader, find
from tests.projecting import Projected, projecting
from tests.stories import JANUARY, STREAM, activated, described, happened, line, linked, refunded

pytestmark = pytest.mark.anyio

OTHER = stream_of("acme", "subscription", "sub_other")


def sold(stream: Stream, *links: str) -> Event:
    facts = (described(line()), activated(), f.StreamsLinked(streams=links))
    return happened(JANUARY, *facts, stream=stream, named=f"sold-{stream}")


def reader(shop: Projected) -> Reader:
    return Reader(log=shop.log, queries=shop.queries, sources=shop.sources)


@pytest.mark.parametrize("kind", ["order", "fulfillment"])
async def test_what_has_no_events_of_its_own_leads_to_the_subscription_that_knows_it(database: str, kind: str) -> None:
    async with projecting(database) as shop:
        await shop.take([sold(STREAM, f"{kind}/AB/1-2")])
        through = Stream(f"acme/{kind}/AB/1-2")
        assert await find(reader(shop), "AB/1-2") == Found(STREAM, through)
        assert await find(reader(shop), through) == Found(STREAM, through)
        assert await find(reader(shop), STREAM) == Found(STREAM)
        for unknown in ("AB/1", "1-2", "acme/order", ""):
            with pytest.raises(NotFound):
                await find(reader(shop), unknown)


async def test_a_payment_leads_by_its_invoice_and_is_found_itself_by_its_whole_name(database: str) -> None:
    payment, invoice = stream_of("acme", "payment", "pi_1"), stream_of("acme", "invoice", "in_1")
    async with projecting(database) as shop:
        refund = happened(JANUARY, refunded("pi_1", 1000), stream=payment)
        await shop.take([refund])
        assert await find(reader(shop), "pi_1") == Found(payment)
        paid = happened(JANUARY, linked("pi_1", "in_1"), f.StreamsLinked(streams=("payment/pi_1",)), stream=invoice)
        await shop.take([paid])
        assert await find(reader(shop), "pi_1") == Found(payment), "no subscription is known yet"
        await shop.take([sold(STREAM, "invoice/in_1")])
        assert await find(reader(shop), "pi_1") == Found(STREAM, payment)
        assert await find(reader(shop), "in_1") == Found(STREAM, invoice)
        assert await find(reader(shop), payment) == Found(payment)


async def test_an_order_of_several_subscriptions_names_them(database: str) -> None:
    async with projecting(database) as shop:
        await shop.take([sold(STREAM, "order/O1"), sold(OTHER, "order/O1")])
        with pytest.raises(Ambiguous) as ambiguous:
            await find(reader(shop), "O1")
        assert set(ambiguous.value.candidates) == {STREAM, OTHER}


async def test_a_purchase_of_that_name_comes_before_what_it_belongs_to(database: str) -> None:
    order = stream_of("acme", "order", "O1")
    async with projecting(database) as shop:
        await shop.take([sold(order), sold(STREAM, "order/O1")])
        assert await find(reader(shop), "O1") == Found(order)


async def test_links_that_lead_in_a_circle_end(database: str) -> None:
    one, two = stream_of("acme", "payment", "1"), stream_of("acme", "payment", "2")
    async with projecting(database) as shop:
        circle = [
            happened(JANUARY, refunded("1", 1), f.StreamsLinked(streams=("payment/2",)), stream=one),
            happened(JANUARY, refunded("2", 1), f.StreamsLinked(streams=("payment/1",)), stream=two, named="two"),
        ]
        await shop.take(circle)
        assert await find(reader(shop), "1") == Found(one)
