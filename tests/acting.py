"""A subscription that operators act on, on a real database and a LicenseSpring, for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import facts as f
from domain.events import Stream
from service.acting import Said
from service.lookup import Reader
from tests.pushing import ADA, Pushed
from tests.stories import STREAM, activated, described, happened, line, paid, period

SAID = Said(author="ada", reason="asked on the phone")
DUPLICATE = Stream("acme/subscription/sub_2")
THIRD = Stream("acme/subscription/sub_3")
NOW = datetime.now(UTC).replace(microsecond=0)
START, END = NOW - timedelta(days=10), NOW + timedelta(days=20)


def subscribed(stream: str = STREAM, quantity: int = 1, invoice: str = "in_1", **attributes: str) -> Any:
    terms = {"product_short_code": "APP", **attributes}
    return happened(
        START,
        ADA,
        described(line(quantity=quantity, start=START, end=END, attributes=terms)),
        activated(),
        paid(invoice, period(START, END)),
        f.PaymentLinked(payment="pi_1", invoice=invoice),
        stream=stream,
    )


def ended(stream: str = STREAM) -> Any:
    return happened(NOW - timedelta(minutes=5), f.SubscriptionTerminated(), stream=stream)


async def take(pushed: Pushed, *events: Any) -> None:
    await pushed.projected.append(list(events))
    await pushed.settle()


def reader_of(pushed: Pushed) -> Reader:
    projected = pushed.projected
    return Reader(log=projected.log, queries=projected.queries, sources=projected.sources)


async def enabled_there(pushed: Pushed) -> list[bool]:
    return [bool(each["enabled"]) for each in pushed.held()]
