"""Events as FastSpring delivers them: what each tells, several in one request, the exact bytes, the signature."""

from base64 import b64encode
from collections.abc import Collection
from hashlib import sha256
from hmac import new as hmac
from itertools import groupby
from typing import Any, assert_never

import msgspec

from service.sandbox.fastspring import objects, orders
from service.sandbox.fastspring.fields import writing_for
from service.sandbox.fastspring.model import (
    AccountTold,
    ChargeTold,
    FailureTold,
    Happening,
    OrderTold,
    PayoutTold,
    ReturnTold,
    SubscriptionTold,
)
from service.sandbox.fastspring.shapes import Shape, shaped
from service.sandbox.fastspring.store import Store

Json = dict[str, Any]

LICENSING = frozenset(
    {
        "order.approval.pending",
        "order.canceled",
        "order.chargeback",
        "order.completed",
        "order.failed",
        "order.payment.pending",
        "return.created",
        "subscription.activated",
        "subscription.canceled",
        "subscription.charge.completed",
        "subscription.charge.failed",
        "subscription.deactivated",
        "subscription.paused",
        "subscription.payment.overdue",
        "subscription.payment.reminder",
        "subscription.resumed",
        "subscription.trial.reminder",
        "subscription.uncanceled",
        "subscription.updated",
    }
)
"""The event types that a webhook for licenses would be set up for."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as bytes. `created` is in milliseconds since 1970."""

    body: bytes
    event_id: str
    type: str
    created: int

    def __repr__(self) -> str:
        """Without the body: it is long, and names people."""
        return f"Sent({self.type} {self.event_id} at {self.created}, {len(self.body)} bytes)"


class Delivery(msgspec.Struct, frozen=True):
    """What one webhook request carries."""

    events: tuple[Sent, ...]

    @property
    def body(self) -> bytes:
        return b'{"events":[' + b",".join(event.body for event in self.events) + b"]}"

    @property
    def event_ids(self) -> tuple[str, ...]:
        return tuple(event.event_id for event in self.events)

    @property
    def created(self) -> int:
        """When the last of its events happened, in milliseconds since 1970."""
        return max((event.created for event in self.events), default=0)

    def without(self, accepted: Collection[str]) -> "Delivery":
        """What is left to send when those events were accepted."""
        return Delivery(tuple(event for event in self.events if event.event_id not in accepted))


def sign(body: bytes, secret: str) -> str:
    """The value of the `X-FS-Signature` header."""
    return b64encode(hmac(secret.encode(), body, sha256).digest()).decode()


def deliveries(
    store: Store,
    shape: Shape = Shape.EXPANDED,
    *,
    types: Collection[str] | None = None,
    most: int | None = None,
    calm: bool = False,
) -> list[Delivery]:
    """What a webhook gets, in true order: the events of one act in one request, inside it in no order.

    `most` cuts a request at that many events; with 1 each comes by itself. `calm`: in true order inside a request too.
    """
    told = [each for each in store.happenings if types is None or each.type in types]
    requests = []
    for _, together in groupby(told, key=lambda each: each.batch):
        sent = [_sent(each, store, shape) for each in together]
        size = most or len(sent)
        for part in (sent[start : start + size] for start in range(0, len(sent), size)):
            mixed = part if calm else sorted(part, key=lambda each: sha256(each.event_id.encode()).digest())
            requests.append(Delivery(tuple(mixed)))
    return requests


def events(store: Store, shape: Shape = Shape.EXPANDED) -> list[Json]:
    """Every event as its JSON, in true order: what the API lists, and tests look at."""
    return [_envelope(each, store, shape) for each in store.happenings]


def _sent(it: Happening, store: Store, shape: Shape) -> Sent:
    return Sent(body=msgspec.json.encode(_envelope(it, store, shape)), event_id=it.id, type=it.type, created=it.created)


def _envelope(it: Happening, store: Store, shape: Shape) -> Json:
    return {
        "id": it.id,
        "processed": False,
        "created": it.created,
        "type": it.type,
        "live": store.live,
        "data": shaped(_told(it, store, shape), shape),
    }


def _told(it: Happening, store: Store, shape: Shape) -> Json:
    told, live = it.told, store.live
    if isinstance(told, PayoutTold):
        return _payout(told)
    how = writing_for(told.account, of_2019=shape is Shape.OF_2019)
    match told:
        case SubscriptionTold():
            card = {"paymentMethodAction": "updated", "paymentMethod": {"type": "creditcard"}} if told.new_card else {}
            return objects.subscription(told.subscription, told.account, how, live=live) | card
        case OrderTold():
            subscriptions = {each.id: each for each in told.subscriptions}
            return orders.order(told.order, told.account, how, subscriptions, store.book.keys, live=live)
        case ChargeTold():
            return {
                "order": orders.order(told.order, told.account, how, {}, {}, live=live),
                "currency": how.currency,
                "total": how.number(told.order.total),
                "status": "successful",
                **how.date("timestamp", told.order.changed),
                "sequence": told.subscription.sequence,
                "periods": None,
                "quote": None,
                "account": objects.account(told.account),
                "subscription": objects.embedded(told.subscription, told.account, how, live=live),
            }
        case FailureTold():
            return {
                "reason": told.reason,
                "account": objects.account(told.account),
                "subscription": objects.embedded(told.subscription, told.account, how, live=live),
                "quote": None,
            }
        case ReturnTold():
            return orders.returned(told.returned, told.account, how, live=live)
        case AccountTold():
            return objects.account(told.account)
        case _:
            assert_never(told)


def _payout(told: PayoutTold) -> Json:
    amount = told.order.total * 91 // 100 / 100
    return {
        "payoutEntryId": told.id,
        "orderId": told.order.id,
        "reference": told.order.reference,
        "subtotal": {"currency": "USD", "amount": amount},
    }
