"""Events that do not name their subscription find it, whenever the links become known."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from domain import facts as f
from domain.events import Event, Stream, stream_of
from domain.receipts import KeysGenerated, KeysMinted
from projections import relay
from projections.queries import KNOWN
from projections.relay import relay_due_links
from service.store.migrate import migrate
from tests.projecting import Projected, projecting
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    STREAM,
    activated,
    answered,
    described,
    happened,
    line,
    linked,
    paid,
    period,
    refunded,
)

pytestmark = pytest.mark.anyio

PAYMENT, INVOICE = "acme/payment/pi_1", "acme/invoice/in_1"
SUBSCRIPTION = happened(
    JANUARY,
    described(line(start=JANUARY, end=FEBRUARY)),
    activated(),
    paid("in_1", period(JANUARY, FEBRUARY)),
    f.StreamsLinked(streams=("invoice/in_1",)),
)
PAYMENT_OF_INVOICE = happened(
    JANUARY, linked("pi_1", "in_1"), f.StreamsLinked(streams=("payment/pi_1",)), stream=INVOICE, named="link"
)
REFUND = happened(FEBRUARY, refunded("pi_1", 1000), stream=PAYMENT)


@pytest.mark.parametrize("order", list(permutations((SUBSCRIPTION, PAYMENT_OF_INVOICE, REFUND))))
async def test_a_refund_of_a_payment_disables_the_license_whenever_its_links_arrive(
    empty_database: str, order: tuple[object, ...]
) -> None:
    await migrate(empty_database)
    async with projecting(empty_database) as projected:
        for event in order:
            await projected.take([event])  # type: ignore[list-item]
        (license_,) = await projected.queries.licenses()
        assert not license_.enabled
        assert license_.desired.because["enabled"].event is not None
        assert license_.desired.because["enabled"].event.event_id == REFUND.event_id
        assert await projected.queries.unrouted() == []


async def test_what_is_not_linked_yet_is_listed_as_unrouted(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([REFUND])
        (unrouted,) = await projected.queries.unrouted()
        assert unrouted.stream == PAYMENT
        await projected.take([PAYMENT_OF_INVOICE])
        assert [each.stream for each in await projected.queries.unrouted()] == [INVOICE]
        assert await projected.queries.streams(statuses=KNOWN) == []


async def test_a_relayed_event_is_the_original_and_names_its_cause(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([SUBSCRIPTION, PAYMENT_OF_INVOICE, REFUND])
        (copy,) = [event for event in await projected.log.read_stream(STREAM) if event.event_id == REFUND.event_id]
        assert (copy.body, copy.origin, copy.occurred_at) == (REFUND.body, "relay", FEBRUARY)
        assert copy.cause == f"{PAYMENT}#{REFUND.event_id}", "the original, not the hop"


async def test_an_event_that_comes_while_a_link_is_followed_is_relayed_too(database: str) -> None:
    dispute = happened(
        FEBRUARY, f.DisputeOpened(dispute="dp_1", payment="pi_1", amount=1, currency="eur"), stream=PAYMENT
    )

    class Meanwhile:
        """The log of a process that is slow: what it has read of the payment is out of date when it goes on."""

        def __init__(self, projected: Projected) -> None:
            self.append = projected.log.append
            self.projected = projected

        async def read_streams(self, asked: Sequence[tuple[Stream, int]], limit: int) -> list[list[Event]]:
            read = await self.projected.log.read_streams(asked, limit)
            await self.projected.append([dispute])
            await project_without_relaying(self.projected)
            return read

    async with projecting(database) as projected:
        await projected.take([SUBSCRIPTION, PAYMENT_OF_INVOICE])
        await projected.append([REFUND])
        await project_without_relaying(projected)
        slow = Meanwhile(projected)
        assert await relay_due_links(slow, projected.pool, projected.tables, list(range(256)))  # type: ignore[arg-type]
        await projected.runner.project_until_idle()
        for linked_to in (STREAM, stream_of(*INVOICE.split("/"))):
            arrived = {event.event_id for event in await projected.log.read_stream(linked_to)}
            assert {REFUND.event_id, dispute.event_id} <= arrived


async def project_without_relaying(projected: Projected) -> None:
    runner = projected.runner
    heads = await projected.log.heads(range(256))
    for partition, position in list(runner._leases.held.items()):
        if heads[partition] > position:
            await runner._project(partition, position)


async def test_links_whose_events_do_not_fit_in_memory_together_are_followed_all_the_same(database: str) -> None:
    class Narrow:
        """A log of which one stream at a time can be read."""

        def __init__(self, projected: Projected) -> None:
            self.append = projected.log.append
            self.projected = projected

        async def read_streams(self, asked: Sequence[tuple[Stream, int]], limit: int) -> list[list[Event]]:
            return await self.projected.log.read_streams(asked[:1], limit)

    async with projecting(database) as projected:
        await projected.runner.project_until_idle()
        await projected.append([SUBSCRIPTION, PAYMENT_OF_INVOICE, REFUND])
        await project_without_relaying(projected)
        for _ in range(3):
            await relay_due_links(Narrow(projected), projected.pool, projected.tables, list(range(256)))  # type: ignore[arg-type]
            await project_without_relaying(projected)
        assert REFUND.event_id in {event.event_id for event in await projected.log.read_stream(STREAM)}


async def test_however_much_a_stream_holds_it_is_relayed_in_parts(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_EVENTS", 3)
    monkeypatch.setattr(relay, "_BYTES", 100)
    refunds = [happened(FEBRUARY, refunded("pi_1", back), stream=PAYMENT) for back in range(1, 8)]
    async with projecting(database) as projected:
        for event in refunds:
            await projected.append([event])
        await projected.take([PAYMENT_OF_INVOICE, SUBSCRIPTION])
        arrived = {event.event_id for event in await projected.log.read_stream(STREAM)}
        assert {event.event_id for event in refunds} <= arrived


async def test_what_a_customer_changed_reaches_every_subscription_of_theirs(database: str) -> None:
    other = "acme/subscription/sub_2"
    customer = "acme/customer/cus_1"
    mine = f.StreamsLinked(streams=("customer/cus_1",))
    moved = happened(FEBRUARY, f.CustomerDescribed(email="new@example.com"), stream=customer)
    async with projecting(database) as projected:
        await projected.take([happened(JANUARY, activated(), mine), moved])
        await projected.take([happened(MARCH, activated(), mine, stream=other)])
        emails = {view.stream: view.email for view in await projected.queries.streams()}
        assert emails == {STREAM: "new@example.com", other: "new@example.com"}


async def test_generated_keys_reach_the_purchase_as_receipts_and_other_receipts_stay_where_they_are(
    database: str,
) -> None:
    fulfillment = "acme/fulfillment/FAL-1"
    keys = answered(MARCH, KeysGenerated(target="ls", product="pro", keys=("A", "B")), stream=fulfillment)
    more = answered(MARCH, KeysGenerated(target="ls", product="pro", keys=("C",), after=2), stream=fulfillment)
    others = answered(MARCH, KeysMinted(target="ls", order="o-1", keys={"lic_1": "X"}), stream=fulfillment)
    named = happened(
        FEBRUARY, f.FulfillmentNamed(reference="FAL-1"), f.StreamsLinked(streams=("fulfillment/FAL-1",)), activated()
    )
    async with projecting(database) as projected:
        await projected.take([keys, named, others, more])
        arrived = [event for event in await projected.log.read_stream(STREAM) if event.origin == "relay"]
        assert [(event.event_id, event.type) for event in arrived] == [
            (keys.event_id, "tenure.keys_generated"),
            (more.event_id, "tenure.keys_generated"),
        ]
        view, fold = await projected.queries.stream(STREAM) or (None, None)
        assert view is not None
        assert fold is not None
        assert fold.applied["ls"].generated == {"pro": ("A", "B", "C")}
        assert (view.events, view.latest_at) == (1, FEBRUARY)
