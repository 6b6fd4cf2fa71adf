"""What a delivery of wallee holds: one event, and the stream of the entity that it names."""

import re
from datetime import datetime

from msgspec import Struct
from msgspec.json import Decoder

from domain.events import stream_of
from domain.providers import Unpacked, unreadable
from domain.providers.legible import is_legible
from domain.providers.wallee.shapes import Number, instant

KINDS: dict[str, str] = {
    "Subscription": "subscription",
    "SubscriptionCharge": "charge",
    "SubscriptionVersion": "version",
    "SubscriptionSuspension": "suspension",
    "SubscriptionPeriodBill": "period-bill",
    "Transaction": "transaction",
    "Refund": "refund",
    "ChargeFlowLevel": "charge-flow-level",
}
"""Technical name of an entity → kind of its stream: what webhook listeners have to be set up for."""

_BY_NAME = {name.casefold(): kind for name, kind in KINDS.items()}
_NO_LETTER = re.compile(r"[^A-Za-z]")


class Notification(Struct, frozen=True, rename="camel"):
    """The body of a delivery; `state` is told where the listener signs."""

    event_id: Number
    entity_id: Number
    listener_entity_technical_name: str
    space_id: Number
    webhook_listener_id: Number
    timestamp: str
    state: str | None = None


def unpack(source: str, body: bytes, live: bool | None, received_at: datetime) -> list[Unpacked]:  # noqa: ARG001
    """The one event of a delivery; never raises. It does not tell its mode, so `live` says nothing.

    Two listeners may watch one entity, so the id of an event names the listener too.
    """
    try:
        told = _NOTIFICATION.decode(body)
        occurred_at = instant(told.timestamp)
    except (ValueError, RecursionError):
        return [unreadable(source, body, received_at)]
    name = told.listener_entity_technical_name
    type_ = f"{name}.{told.state}" if told.state else name
    if not is_legible(type_):
        return [unreadable(source, body, received_at)]
    event_id = f"{told.space_id}:{told.webhook_listener_id}:{told.event_id}"
    kind = _BY_NAME.get(_NO_LETTER.sub("", name).casefold())
    stream = stream_of(source, "other", event_id) if kind is None else stream_of(source, kind, str(told.entity_id))
    return [Unpacked(stream=stream, event_id=event_id, type=type_, occurred_at=occurred_at)]


_NOTIFICATION = Decoder(Notification)
