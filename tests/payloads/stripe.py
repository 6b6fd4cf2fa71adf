"""Stripe's objects as three API versions render them, cut down to what matters and its surroundings.

`era` names the version: acacia (2024-09-30), basil (2025-03-31), clover (2026-01-28). Basil moved the period to the
items and put `parent` and `pricing` on invoices and lines; clover kept that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec
import pytest

from domain.events import Event, Stream, partition_of, stream_of
from domain.facts import Fact
from domain.providers.table import PROVIDERS
from domain.readback import Answer

Era = Literal["acacia", "basil", "clover"]
Json = dict[str, Any]

VERSIONS: dict[Era, str] = {"acacia": "2024-09-30.acacia", "basil": "2025-03-31.basil", "clover": "2026-01-28.clover"}
ERAS: tuple[Era, ...] = ("acacia", "basil", "clover")
every_era = pytest.mark.parametrize("era", ERAS)

FEBRUARY = 1_769_904_000
"""2026-02-01T00:00:00Z."""
MARCH = 1_772_323_200
APRIL = 1_775_001_600

STRIPE = PROVIDERS["stripe"]
STREAM = stream_of("shop", "subscription", "sub_1")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def event(
    type_: str,
    object_: Json,
    *,
    era: Era = "clover",
    id_: str = "evt_1",
    created: int = FEBRUARY,
    previous: Json | None = None,
    **more: Any,
) -> Json:
    data: Json = {"object": object_} if previous is None else {"object": object_, "previous_attributes": previous}
    return {
        "id": id_,
        "object": "event",
        "api_version": VERSIONS[era],
        "created": created,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type_,
        **more,
    }


def stored(payload: Any, *, source: str = "shop") -> Event:
    """The payload as the store would hold it after it came as a webhook of a source in test mode."""
    return stored_bytes(msgspec.json.encode(payload), source=source)


def stored_bytes(body: bytes, *, source: str = "shop", live: bool | None = False) -> Event:
    received_at = at(APRIL)
    [unpacked] = STRIPE.unpack(source, body, live, received_at)
    return Event(
        stream=unpacked.stream,
        event_id=unpacked.event_id,
        type=unpacked.type,
        item=unpacked.item,
        origin="webhook",
        occurred_at=unpacked.occurred_at,
        received_at=received_at,
        body=body,
        partition=0,
        position=1,
        recorded_at=received_at,
        digest=sha256(body).digest(),
    )


def answered(about: str, *pages: Any, stream: Stream = STREAM, asked: int = APRIL) -> list[Event]:
    """The events that the answer to a question of that stream becomes; no page: there is no such thing."""
    raw = tuple(msgspec.Raw(msgspec.json.encode(page)) for page in pages)
    body = msgspec.json.encode(Answer(about=about, pages=raw))
    return [
        Event(
            stream=each,
            event_id=f"readback:{about}:{sha256(body).hexdigest()[:16]}",
            type=type_,
            origin="readback",
            occurred_at=at(asked),
            received_at=at(asked),
            body=body,
            partition=partition_of(each),
            position=1,
            recorded_at=at(asked),
            digest=sha256(body).digest(),
        )
        for each, type_ in STRIPE.unpack_answer(stream, about, body)
    ]


def facts_of(type_: str, object_: Json, **more: Any) -> Sequence[Fact]:
    """What an event of that type about that object says."""
    return STRIPE.translate(stored(event(type_, object_, **more)))


def price(id_: str = "price_pro", product: str = "prod_pro", **metadata: str) -> Json:
    return {
        "id": id_,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "metadata": metadata,
        "product": product,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": 2900,
    }


def item(era: Era = "clover", *, id_: str = "si_1", quantity: int | None = 2, **changes: Any) -> Json:
    period = {} if era == "acacia" else {"current_period_start": FEBRUARY, "current_period_end": MARCH}
    return {
        "id": id_,
        "object": "subscription_item",
        "created": FEBRUARY,
        "metadata": {},
        "price": price(short_code="falcon-pro", max_activations="3"),
        "quantity": quantity,
        "subscription": "sub_1",
        **period,
        **changes,
    }


def subscription(era: Era = "clover", *, items: list[Json] | None = None, **changes: Any) -> Json:
    period = {"current_period_start": FEBRUARY, "current_period_end": MARCH} if era == "acacia" else {}
    return {
        "id": "sub_1",
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "currency": "usd",
        "customer": "cus_1",
        "days_until_due": None,
        "items": {"object": "list", "data": items if items is not None else [item(era)], "has_more": False},
        "latest_invoice": "in_1",
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "status": "active",
        "trial_end": None,
        "trial_start": None,
        **period,
        **changes,
    }


def line(
    era: Era = "clover",
    *,
    id_: str = "il_1",
    item: str | None = "si_1",
    proration: bool = False,
    price_: Json | None = None,
    **changes: Any,
) -> Json:
    """A line of an invoice: of the subscription item `item`, or of none."""
    sold = price_ or price(short_code="falcon-pro")
    common = {
        "id": id_,
        "object": "line_item",
        "amount": 5800,
        "currency": "usd",
        "livemode": False,
        "metadata": {},
        "period": {"start": FEBRUARY, "end": MARCH},
        "quantity": 2,
    }
    if era == "acacia":
        kind = "subscription" if item else "invoiceitem"
        place = {"type": kind, "subscription_item": item, "proration": proration, "price": sold}
        return {**common, **place, **changes}
    details: Json = {"invoice_item": None, "proration": proration, "subscription": "sub_1" if item else None}
    parent = {
        "type": "subscription_item_details" if item else "invoice_item_details",
        "subscription_item_details": {**details, "subscription_item": item} if item else None,
        "invoice_item_details": None if item else details,
    }
    pricing = {"type": "price_details", "price_details": {"price": sold["id"], "product": sold["product"]}}
    return {**common, "parent": parent, "pricing": pricing, **changes}


def invoice(
    era: Era = "clover", *, subscription: str | None = "sub_1", lines: list[Json] | None = None, **changes: Any
) -> Json:
    place: Json
    if era == "acacia":
        place = {"subscription": subscription, "payment_intent": "pi_1", "charge": "ch_1", "paid": True}
    else:
        details: Json = {"metadata": {}, "subscription": subscription}
        parent = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
        place = {"parent": parent if subscription else None}
    if lines is None:
        lines = [line(era, item="si_1" if subscription else None)]
    return {
        "id": "in_1",
        "object": "invoice",
        "amount_due": 5800,
        "amount_paid": 5800,
        "attempt_count": 1,
        "billing_reason": "subscription_cycle" if subscription else "manual",
        "currency": "usd",
        "customer": "cus_1",
        "customer_email": "ada@example.com",
        "customer_name": "Ada Example",
        "lines": {"object": "list", "data": lines, "has_more": False},
        "livemode": False,
        "next_payment_attempt": None,
        "status": "paid",
        "total": 5800,
        **place,
        **changes,
    }


def invoice_payment(**payment: Any) -> Json:
    paid = payment or {"type": "payment_intent", "payment_intent": "pi_1"}
    return {
        "id": "inpay_1",
        "object": "invoice_payment",
        "amount_paid": 5800,
        "currency": "usd",
        "invoice": "in_1",
        "livemode": False,
        "payment": paid,
        "status": "paid",
    }


def session(mode: str = "payment", **changes: Any) -> Json:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 19900,
        "currency": "usd",
        "customer": None,
        "customer_details": {
            "email": "bob@example.com",
            "name": "Bob Example",
            "business_name": "Example Ltd.",
            "individual_name": None,
        },
        "customer_email": None,
        "invoice": None,
        "livemode": False,
        "mode": mode,
        "payment_intent": "pi_1" if mode == "payment" else None,
        "payment_status": "paid",
        "status": "complete",
        "subscription": "sub_1" if mode == "subscription" else None,
        **changes,
    }


def line_item(**changes: Any) -> Json:
    """One line of a checkout session, as it is read back."""
    one_time = {**price(short_code="falcon-pro"), "recurring": None, "type": "one_time"}
    return {"id": "li_1", "object": "item", "currency": "usd", "price": one_time, "quantity": 2, **changes}


def page(*things: Json, has_more: bool = False) -> Json:
    """One page of a list, as it is read back."""
    return {"object": "list", "data": list(things), "has_more": has_more, "url": "/v1/things"}


def charge(era: Era = "clover", *, invoice: str | None = "in_1", **changes: Any) -> Json:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 5800,
        "amount_refunded": 5800,
        "billing_details": {"email": "ada@example.com"},
        "currency": "usd",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "refunded": True,
        **({"invoice": invoice} if era == "acacia" else {}),
        **changes,
    }


def dispute(**changes: Any) -> Json:
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 5800,
        "charge": "ch_1",
        "currency": "usd",
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
        **changes,
    }


def customer(**changes: Any) -> Json:
    return {"id": "cus_1", "object": "customer", "email": "ada@example.com", "name": "Ada Example", **changes}


def object_of(event: Event) -> Json:
    """The object that an event of this module shows."""
    return dict(msgspec.json.decode(event.body)["data"]["object"])
