"""What a delivery of FastSpring holds: any number of events, in no order, each with the streams it belongs to."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Decoder

from domain.events import stream_of
from domain.providers import Unpacked, unreadable
from domain.providers.fastspring.order_shapes import Return
from domain.providers.fastspring.shapes import Account, Milliseconds, NamedOrder, NamedSubscription, id_of, instant
from domain.providers.legible import is_legible

T = TypeVar("T")
Place = tuple[str, str]
"""Kind and id of a stream; the id is empty where the object names none."""

MOST = 1000
"""Events of one delivery: each keeps the whole body, so a body may not be cut up at will."""

_NO_KIND = re.compile(r"[^a-z0-9_-]")
_MALFORMED = (ValueError, OverflowError, RecursionError)


class Delivery(Struct, frozen=True):
    events: list[Raw] | UnsetType = UNSET


class Envelope(Struct, frozen=True):
    """What all events have."""

    id: str
    type: str
    created: Milliseconds
    live: bool | None = None
    data: Raw = Raw(b"{}")


def unpack(source: str, body: bytes, live: bool | None, received_at: datetime) -> list[Unpacked]:
    """The events of a delivery, once for each stream that they belong to; never raises.

    A body without `events` is one event, an empty list holds none. An event that cannot be read is kept by itself, the
    others beside it are taken. `live` says which mode the source is for, None to take either.
    """
    try:
        events = _DELIVERY.decode(body).events
    except _MALFORMED:
        return [unreadable(source, body, received_at)]
    if events is UNSET:
        return _unpack_event(source, body, "", live, received_at)
    unpacked: list[Unpacked] = []
    for index, part in enumerate(events):
        unpacked += _unpack_event(source, part, f"/events/{index}", live, received_at)
        if len(unpacked) > MOST:
            return [unreadable(source, body, received_at)]
    return unpacked


def _unpack_event(
    source: str, part: bytes | Raw, item: str, live: bool | None, received_at: datetime
) -> list[Unpacked]:
    try:
        event = _ENVELOPE.decode(part)
        occurred_at = instant(event.created)
        places = _places(event, live)
        names = [event.id, event.type, *(name for place in places for name in place)]
        if not all(map(is_legible, names)):
            return [unreadable(source, bytes(part), received_at, item)]
    except _MALFORMED:
        return [unreadable(source, bytes(part), received_at, item)]
    return [
        Unpacked(
            stream=stream_of(source, kind, identifier),
            event_id=event.id,
            type=event.type,
            occurred_at=occurred_at,
            item=item,
        )
        for kind, identifier in places
    ]


def _places(event: Envelope, live: bool | None) -> list[Place]:
    """The streams of an event, each once; never none."""
    if live is not None and event.live is not live:
        return [("wrong-mode", event.id)]
    route = next((route for prefix, route in _ROUTES if event.type.startswith(prefix)), None)
    try:
        places = list(route(event.data)) if route else [_own_place(event)]
    except _MALFORMED:
        places = []
    named = dict.fromkeys((kind, identifier) for kind, identifier in places if kind and identifier)
    return list(named) or [("other", event.id)]


# --- where an object belongs, by family of types ------------------------------------------------------------


class _Plain(Struct, frozen=True):
    id: str | None = None


class _Item(Struct, frozen=True):
    subscription: str | NamedSubscription | None = None


class _Ordered(NamedOrder, frozen=True, kw_only=True):
    items: list[_Item] | None = None


class _OfSubscription(Struct, frozen=True):
    """A subscription, which names itself, or something of one."""

    id: str | None = None
    subscription: str | NamedSubscription | None = None


class _OfPurchase(Struct, frozen=True):
    subscription: str | NamedSubscription | None = None
    order: str | NamedOrder | None = None


def _own_place(event: Envelope) -> Place:
    kind = _NO_KIND.sub("-", event.type.partition(".")[0].lower())
    return kind, _PLAIN.decode(event.data).id or ""


def _of_subscription(thing: _OfSubscription) -> Iterable[Place]:
    return [("subscription", id_of(thing.subscription) or thing.id or "")]


def _ordered(order: _Ordered) -> Iterable[Place]:
    subscriptions = [id_of(item.subscription) for item in order.items or ()]
    places = [("subscription", subscription) for subscription in subscriptions if subscription]
    bought_once = not subscriptions or not all(subscriptions)
    return [*places, *([("order", order.identifier)] if bought_once else [])]


def _completed(order: _Ordered) -> Iterable[Place]:
    """The order's own stream hears it in any case: before, no item may have named its subscription."""
    return [*_ordered(order), ("order", order.identifier)]


def _returned(given_back: Return) -> Iterable[Place]:
    """The order's own stream hears it in any case, and what it began hears it from there."""
    places = [("subscription", subscription) for subscription in given_back.subscriptions]
    return [*places, ("order", given_back.original_order)]


def _of_purchase(thing: _OfPurchase) -> Iterable[Place]:
    subscription = id_of(thing.subscription)
    return [("subscription", subscription) if subscription else ("order", id_of(thing.order))]


def _route(decoder: Decoder[T], places: Callable[[T], Iterable[Place]]) -> Callable[[Raw], Iterable[Place]]:
    return lambda data: places(decoder.decode(data))


_DELIVERY = Decoder(Delivery)
_ENVELOPE = Decoder(Envelope)
_PLAIN = Decoder(_Plain)

_ROUTES: tuple[tuple[str, Callable[[Raw], Iterable[Place]]], ...] = (
    ("order.chargeback", _route(Decoder(NamedOrder), lambda order: [("order", order.identifier)])),
    ("order.completed", _route(Decoder(_Ordered), _completed)),
    ("order.", _route(Decoder(_Ordered), _ordered)),
    ("return.", _route(Decoder(Return), _returned)),
    ("subscription.", _route(Decoder(_OfSubscription), _of_subscription)),
    ("fulfillment.", _route(Decoder(_OfPurchase), _of_purchase)),
    ("account.", _route(Decoder(Account), lambda account: [("account", account.identifier)])),
)
"""The first prefix that fits decides; every other object has a stream of its own."""
