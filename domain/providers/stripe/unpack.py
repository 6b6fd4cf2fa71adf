"""What a delivery of Stripe holds: one event, and the stream it belongs to."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from domain.events import stream_of
from domain.providers import Unpacked, unreadable
from domain.providers.legible import is_legible
from domain.providers.stripe.invoice_shapes import Bill
from domain.providers.stripe.shapes import Content, Ref, Seconds, id_of, instant

T = TypeVar("T")
Place = tuple[str, str]
"""Kind and id of a stream; the id is empty where the object names none."""

_NO_KIND = re.compile(r"[^a-z0-9_-]")
_MALFORMED = (ValueError, OverflowError, RecursionError)


class Envelope(Struct, frozen=True):
    """What all events have. `created` is a text in thin events (`v2.core.event`), which hold no object."""

    id: str
    type: str
    created: Seconds | Annotated[datetime, Meta(tz=True)]
    livemode: bool | None = None
    account: str | None = None
    data: Raw = Raw(b"{}")


def unpack(source: str, body: bytes, live: bool | None, received_at: datetime) -> list[Unpacked]:
    """The one event of a delivery; never raises.

    `live` says which mode the source is for, None to take either. Events of connected accounts carry the account in
    their id, because Stripe's are unique per account only.
    """
    try:
        event = _ENVELOPE.decode(body)
        created = event.created
        occurred_at = instant(created) if isinstance(created, int) else created.astimezone(UTC)
        event_id = f"{event.account}:{event.id}" if event.account else event.id
        kind, identifier = _place(event, event_id, live)
        if not all(map(is_legible, (kind, identifier, event_id, event.type))):
            return [unreadable(source, body, received_at)]
    except _MALFORMED:
        return [unreadable(source, body, received_at)]
    stream = stream_of(source, kind, identifier)
    return [Unpacked(stream=stream, event_id=event_id, type=event.type, occurred_at=occurred_at)]


def _place(event: Envelope, event_id: str, live: bool | None) -> Place:
    if live is not None and event.livemode is not live:
        return "wrong-mode", event_id
    route = next((route for prefix, route in _ROUTES if event.type.startswith(prefix)), _own_place)
    try:
        kind, identifier = route(event.data)
    except _MALFORMED:
        kind, identifier = "", ""
    return (kind, identifier) if kind and identifier else ("other", event_id)


# --- where an object belongs, by family of types ------------------------------------------------------------


class _Plain(Struct, frozen=True):
    id: str
    object: str = ""


class _Session(Struct, frozen=True):
    id: str
    subscription: Ref = None
    invoice: Ref = None
    payment_intent: Ref = None


class _Invoice(Bill, frozen=True, kw_only=True):
    """`invoice.upcoming` shows one that has no id yet."""

    id: str | None = None


class _InvoicePayment(Struct, frozen=True):
    invoice: Ref = None


class _Charged(Struct, frozen=True):
    """A charge, or a refund or dispute of one."""

    id: str
    object: str = ""
    invoice: Ref = None
    payment_intent: Ref = None
    charge: Ref = None


class _OfCustomer(Struct, frozen=True):
    """A customer, or something of one: a discount, a tax id, a source."""

    id: str | None = None
    object: str = ""
    customer: Ref = None


def _first(*places: tuple[str, Ref]) -> Place:
    return next(((kind, id_of(ref)) for kind, ref in places if id_of(ref)), ("", ""))


def _session(session: _Session) -> Place:
    return _first(
        ("subscription", session.subscription),
        ("invoice", session.invoice),
        ("payment", session.payment_intent),
        ("checkout", session.id),
    )


def _charged(charged: _Charged) -> Place:
    charge = charged.id if charged.object == "charge" else charged.charge
    return _first(("invoice", charged.invoice), ("payment", charged.payment_intent), ("charge", charge))


def _of_customer(thing: _OfCustomer) -> Place:
    return "customer", (thing.id or "") if thing.object == "customer" else id_of(thing.customer)


def _route(decoder: Decoder[Content[T]], place: Callable[[T], Place]) -> Callable[[Raw], Place]:
    return lambda data: place(decoder.decode(data).object)


_ENVELOPE = Decoder(Envelope)

_own_place = _route(Decoder(Content[_Plain]), lambda thing: (_NO_KIND.sub("-", thing.object), thing.id))

_ROUTES: tuple[tuple[str, Callable[[Raw], Place]], ...] = (
    ("checkout.session.", _route(Decoder(Content[_Session]), _session)),
    ("customer.subscription.", _route(Decoder(Content[_Plain]), lambda sold: ("subscription", sold.id))),
    ("customer.", _route(Decoder(Content[_OfCustomer]), _of_customer)),
    (
        "invoice.",
        _route(
            Decoder(Content[_Invoice]),
            lambda invoice: _first(("subscription", invoice.subscription_id), ("invoice", invoice.id)),
        ),
    ),
    ("invoice_payment.", _route(Decoder(Content[_InvoicePayment]), lambda paid: _first(("invoice", paid.invoice)))),
    ("charge.", _route(Decoder(Content[_Charged]), _charged)),
)
"""The first prefix that fits decides; every other object has a stream of its own."""
