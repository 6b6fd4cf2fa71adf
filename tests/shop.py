"""What happened in a small shop, as deliveries of its payment provider, for tests of the API and the commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from domain.events import NewEvent, Stream
from domain.providers.table import PROVIDERS
from domain.receipts import AnyReceipt, PushRefused, type_of
from projections.ports import EventLog
from projections.tables import Tables
from projections.targets.licensespring.target import LicenseSpringTarget
from service.settings import Settings
from service.wiring.projecting import make_runner
from service.wiring.storage import open_pool, open_store
from tests.payloads.stripe import APRIL, FEBRUARY, MARCH, at, charge, event, invoice, item, price, subscription
from tests.serving import Served, served

HOUR = 3600
SUB_1 = "shop/subscription/sub_1"

STORY = [
    msgspec.json.encode(each)
    for each in (
        event("customer.subscription.created", subscription(), id_="evt_created", created=FEBRUARY),
        event("invoice.paid", invoice(), id_="evt_paid", created=FEBRUARY + 2),
        event("customer.subscription.updated", subscription(status="past_due"), id_="evt_due", created=MARCH + HOUR),
        event(
            "invoice.payment_failed",
            invoice(status="open", next_payment_attempt=MARCH + 72 * HOUR),
            id_="evt_failed",
            created=MARCH + HOUR - 60,
        ),
    )
]
"""One subscription of two units that falls overdue; the failed payment arrives after what follows from it."""

STOPPED = msgspec.json.encode(
    event("customer.subscription.updated", {**subscription(id="sub_2"), "status": 5}, id_="evt_odd")
)
"""A subscription that cannot be understood."""

UNROUTED = msgspec.json.encode(
    event("charge.refunded", charge(payment_intent="pi_9", id="ch_9", invoice=None), id_="evt_refund")
)
"""Money of nobody known."""

WRONG_TERMS = msgspec.json.encode(
    event(
        "customer.subscription.created",
        subscription(id="sub_3", items=[item(price=price(short_code="falcon-pro", max_activations="many"))]),
        id_="evt_terms",
    )
)
"""A subscription whose price does not say properly what to license."""


def as_event(body: bytes, source: str = "shop") -> NewEvent:
    """The event that a delivery holds, as the service would append it; occurred when received."""
    received_at = at(MARCH + 2 * HOUR)
    [one] = PROVIDERS["stripe"].unpack(source, body, False, received_at)
    return NewEvent(
        stream=one.stream,
        event_id=one.event_id,
        type=one.type,
        origin="webhook",
        occurred_at=one.occurred_at,
        received_at=received_at,
        body=body,
    )


async def project(settings: Settings, dsn: str) -> None:
    """Projects all there is, once."""
    tables = Tables()
    async with open_pool(settings, dsn) as pool, open_store(settings, dsn) as log:
        targets = {"ls": LicenseSpringTarget("ls", None)}  # type: ignore[arg-type]
        runner = make_runner(settings, log, pool, tables, targets)
        await runner.project_until_idle()
        # The next call is another owner.
        await runner._release()


@asynccontextmanager
async def open_shop(settings: Settings, dsn: str) -> AsyncIterator[Served]:
    """A service that serves all of the above, projected."""
    async with served(settings, dsn) as shop:
        for body in [*STORY, STOPPED, UNROUTED, WRONG_TERMS]:
            await shop.process.reader.log.append([as_event(body)])
        await project(settings, dsn)
        yield shop


async def answered(log: EventLog, receipt: AnyReceipt) -> None:
    """Appends what came of a call for the subscription of the story, as the pusher does."""
    event = NewEvent(
        stream=Stream(SUB_1),
        event_id=f"{type_of(receipt)}:1",
        type=type_of(receipt),
        origin="receipt",
        occurred_at=at(APRIL),
        received_at=at(APRIL),
        body=msgspec.json.encode(receipt),
    )
    await log.append([event])


async def refused(log: EventLog, subject: str, *, call: str = "create order") -> None:
    """Appends what the pusher appends when the license server refuses."""
    text = "no such product"
    await answered(log, PushRefused(target="ls", subjects=(subject,), call=call, status=400, text=text, digest="x"))
