"""What is appended, posted and folded: webhooks of the simulated Stripe account, with identifiers of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import zip_longest
from time import time

import msgspec

from domain.events import Event, NewEvent, identifier_of
from domain.providers.stripe import PROVIDER
from service.sandbox.stripe import LICENSING, Account, Delivery, catalog, lifecycles, sign
from service.sandbox.stripe.lifecycles import Lifecycle
from service.sandbox.stripe.shapes import Shape
from tests.serving import SECRET

SOURCE = "shop"
STREAMS = 1_000
"""Subscriptions that webhooks are spread over, and with them the partitions."""


class Pattern(msgspec.Struct, frozen=True):
    """A webhook, and the texts in it that another one has differently."""

    body: bytes
    event: bytes
    subscription: bytes
    invoice: bytes
    created: int


@cache
def _pattern() -> Pattern:
    """`invoice.paid`, the size of an average webhook of those that licenses follow from."""
    life = lifecycles(Shape.CLOVER)["trial_to_active_to_renewals"](seed="benchmarks", types=LICENSING)
    paid = [each for each in life if each.type == "invoice.paid"][-1]
    [unpacked] = PROVIDER.unpack(SOURCE, paid.body, False, datetime.now(UTC))
    invoice = msgspec.json.decode(paid.body)["data"]["object"]["id"]
    return Pattern(
        paid.body, paid.event_id.encode(), identifier_of(unpacked.stream).encode(), invoice.encode(), paid.created
    )


def webhook(number: int) -> bytes:
    """The body of the webhook of that number, 3.4 kB; every number has an event, an invoice and a second of its own."""
    pattern = _pattern()
    return (
        pattern.body.replace(pattern.event, b"evt_%024d" % number)
        .replace(pattern.invoice, b"in_%024d" % number)
        .replace(pattern.subscription, b"sub_%024d" % (number % STREAMS))
        .replace(b'"created":%d,"data"' % pattern.created, b'"created":%d,"data"' % (pattern.created + number))
    )


class Webhooks:
    """Webhooks without end, none twice."""

    def __init__(self) -> None:
        self.next = 0

    def take(self, count: int) -> range:
        """The numbers of the next ones."""
        first, self.next = self.next, self.next + count
        return range(first, self.next)

    def events(self, count: int) -> list[NewEvent]:
        """The next ones as the receiver would append them."""
        return [event for number in self.take(count) for event in events_of(webhook(number))]


def events_of(body: bytes) -> list[NewEvent]:
    """The events that the receiver appends for a signed delivery of that body."""
    now = datetime.now(UTC)
    return [
        NewEvent(
            stream=found.stream,
            event_id=found.event_id,
            type=found.type,
            item=found.item,
            origin="webhook",
            occurred_at=found.occurred_at,
            received_at=now,
            body=body,
            headers={"stripe-signature": sign(body, SECRET, int(time()))},
            content_type="application/json; charset=utf-8",
        )
        for found in PROVIDER.unpack(SOURCE, body, False, now)
    ]


def named_lives(times: int) -> list[list[Event]]:
    """Every named life as streams, told by so many accounts each; positions as if each stream had a partition."""
    streams: dict[str, list[Event]] = {}
    for name, life in lifecycles(Shape.CLOVER).items():
        for number in range(times):
            for delivery in life(seed=f"{name} {number}", types=LICENSING):
                for new in events_of(delivery.body):
                    stream = streams.setdefault(new.stream, [])
                    stream.append(_recorded(new, len(stream) + 1))
    return list(streams.values())


def _recorded(new: NewEvent, position: int) -> Event:
    fields = {name: getattr(new, name) for name in new.__struct_fields__}
    return Event(**fields, partition=0, position=position, recorded_at=new.received_at, digest=b"")


@Lifecycle
def busy_life(account: Account) -> None:
    """A trial, eight renewals, a change of quantity, and a payment that fails twice before it comes."""
    subscription, _ = account.check_out_subscription(
        "Ada Marlow", "ada@example.com", [(catalog.PRO_MONTHLY, 1)], trial_days=14
    )
    for _ in range(4):
        account.renew(subscription)
    account.advance(timedelta(days=3))
    account.change_quantity(subscription, 3)
    account.fail_payment(subscription)
    account.fail_payment(subscription)
    account.recover(subscription)
    for _ in range(4):
        account.renew(subscription)


BEGINNING = 5
"""Deliveries of a life that lie in the past of a cohort, so that its streams exist when the rest comes."""


class Cohort(msgspec.Struct, frozen=True):
    """Subscriptions that began, and what happens to them next: one event of each in turn."""

    past: list[NewEvent]
    backlog: list[NewEvent]


def cohort(name: str, subscriptions: int, backlog: int) -> Cohort:
    """So many subscriptions of their own. Raises ValueError where they have less to tell than the backlog."""
    lives = [busy_life(seed=f"{name} {number}", types=LICENSING) for number in range(subscriptions)]
    past = [event for life in lives for event in _events(life[:BEGINNING])]
    rest = [event for turn in _in_turn([life[BEGINNING:] for life in lives]) for event in _events([turn])]
    if len(rest) < backlog:
        raise ValueError(f"{subscriptions} lives leave {len(rest)} events, fewer than {backlog}")
    return Cohort(past, rest[:backlog])


def _events(deliveries: list[Delivery]) -> list[NewEvent]:
    return [event for delivery in deliveries for event in events_of(delivery.body)]


def _in_turn(lives: list[list[Delivery]]) -> Iterator[Delivery]:
    return (delivery for turn in zip_longest(*lives) for delivery in turn if delivery is not None)
