"""wallee's webhooks and objects, cut down to what matters and its surroundings (field names: public SDK 6.4.0).

Made up here: no real space. Links are objects that hold an id. Any field can be changed by its name; None leaves it
out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from domain.events import Event, Stream, partition_of, stream_of
from domain.facts import Fact
from domain.history import Fold, refold
from domain.providers.wallee import PROVIDER
from domain.readback import Answer

Json = dict[str, Any]

SOURCE, SPACE, LISTENER = "pay", 405, 17
SUBSCRIPTION, SUBSCRIBER, PRODUCT, PRODUCT_VERSION, VERSION = 7001, 6001, 300, 301, 7101
CHARGE, TRANSACTION, BILL, SUSPENSION, LEVEL, COMPONENT = 8001, 9001, 7201, 7301, 7401, 311
JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
MID_FEBRUARY = datetime(2026, 2, 15, tzinfo=UTC)

COMMENT = """Falcon by the seat.
quantity = seat
product_short_code = falcon
max_activations = 3
"""
IN = stream_of(SOURCE, "subscription", str(SUBSCRIPTION))
IN_TRANSACTION = stream_of(SOURCE, "transaction", str(TRANSACTION))


def date(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


def _of(fields: Json, more: Json) -> Json:
    return {name: value for name, value in {**fields, **more}.items() if value is not None}


def webhook(name: str = "Subscription", entity: int = SUBSCRIPTION, event: int = 1, **more: Any) -> Json:
    fields = {
        "entityId": entity,
        "eventId": event,
        "listenerEntityId": 1990000000001,
        "listenerEntityTechnicalName": name,
        "spaceId": SPACE,
        "state": "ACTIVE",
        "timestamp": "2026-01-01T10:00:00+0000",
        "webhookListenerId": LISTENER,
    }
    return _of(fields, more)


def subscription(state: str = "ACTIVE", version: int = 3, *, comment: str | None = COMMENT, **more: Any) -> Json:
    fields = {
        "id": SUBSCRIPTION,
        "version": version,
        "state": state,
        "reference": "falcon-1",
        "subscriber": subscriber(),
        "currentProductVersion": product_version(comment=comment),
        "createdOn": date(JANUARY),
        "activatedOn": date(JANUARY),
    }
    return _of(fields, more)


def subscriber(**more: Any) -> Json:
    address = {"givenName": "Ada", "familyName": "Marlow", "organizationName": "Marlow Ltd", "country": "CH"}
    fields = {"id": SUBSCRIBER, "version": 1, "reference": "c-1", "emailAddress": "ada@example.com"}
    return _of({**fields, "billingAddress": address}, more)


def product_version(number: int = PRODUCT_VERSION, *, comment: str | None = COMMENT, **more: Any) -> Json:
    product = {"id": PRODUCT, "version": 1, "reference": "falcon-monthly", "name": "Falcon", "state": "ACTIVE"}
    fields = {"id": number, "version": 1, "state": "ACTIVE", "product": product, "comment": comment}
    return _of(fields, more)


def version(state: str = "ACTIVE", number: int = VERSION, *, chosen: Json | None = None, **more: Any) -> Json:
    """`chosen` are quantities by the id of the component."""
    configured = [
        {"id": int(component) + 1000, "component": int(component), "quantity": quantity, "version": 1}
        for component, quantity in ({str(COMPONENT): 2.0} if chosen is None else chosen).items()
    ]
    fields = {"id": number, "version": 2, "state": state, "subscription": {"id": SUBSCRIPTION}}
    return _of({**fields, "productVersion": {"id": PRODUCT_VERSION}, "componentConfigurations": configured}, more)


def component(number: int = COMPONENT, sku: str = "seat") -> Json:
    return {"id": number, "version": 1, "reference": {"id": number + 50, "sku": sku, "name": sku.title()}}


def charge(
    state: str = "SUCCESSFUL", number: int = CHARGE, at: datetime = JANUARY, *, paid_by: Json | None = None, **more: Any
) -> Json:
    """`paid_by` changes the transaction, which is expanded."""
    fields = {
        "id": number,
        "version": 2,
        "state": state,
        "subscription": {"id": SUBSCRIPTION},
        "transaction": transaction(
            number=number + 1000, **{"state": _USUAL.get(state, "PROCESSING"), **(paid_by or {})}
        ),
        "plannedExecutionDate": date(at),
        "createdOn": date(at),
        "succeedOn": date(at) if state == "SUCCESSFUL" else None,
        "failedOn": date(at) if state == "FAILED" else None,
    }
    return _of(fields, more)


_USUAL = {"SUCCESSFUL": "FULFILL", "FAILED": "FAILED"}


def transaction(state: str = "FULFILL", number: int = TRANSACTION, **more: Any) -> Json:
    fields = {
        "id": number,
        "version": 4,
        "state": state,
        "currency": "CHF",
        "authorizationAmount": 30.0,
        "completedAmount": 30.0 if state == "FULFILL" else 0.0,
        "refundedAmount": 0.0,
        "createdOn": date(JANUARY),
        "customerEmailAddress": "ada@example.com",
        "customerId": "c-1",
        "lineItems": [],
    }
    return _of(fields, more)


def item(sku: str = "falcon-for-good", quantity: float = 1.0, *, type_: str = "PRODUCT", **attributes: str) -> Json:
    told = {name: {"label": name.title(), "value": value} for name, value in attributes.items()}
    return {"uniqueId": sku, "sku": sku, "name": sku, "type": type_, "quantity": quantity, "attributes": told}


def bill(start: datetime = JANUARY, end: datetime = FEBRUARY, number: int = BILL, **more: Any) -> Json:
    fields = {
        "id": number,
        "version": 1,
        "state": "PENDING",
        "subscriptionVersion": {"id": VERSION},
        "periodStartDate": date(start),
        "plannedPeriodEndDate": date(end),
    }
    return _of(fields, more)


def suspension(reason: str = "MANUAL", state: str = "RUNNING", at: datetime = MID_FEBRUARY, **more: Any) -> Json:
    fields = {
        "id": SUSPENSION,
        "version": 1,
        "state": state,
        "reason": reason,
        "endAction": "TERMINATE" if reason == "FAILED_CHARGE" else "REACTIVATE",
        "subscription": {"id": SUBSCRIPTION},
        "createdOn": date(at),
    }
    return _of(fields, more)


def level(state: str = "FAILED", of: int = CHARGE + 1000) -> Json:
    return {"id": LEVEL, "version": 1, "state": state, "transaction": {"id": of}, "createdOn": date(FEBRUARY)}


def whole(it: Json | None = None, **more: Any) -> Json:
    """What a question about a subscription is answered with: by default active, two seats, January paid."""
    fields: Json = {
        "subscription": subscription() if it is None else it,
        "versions": [version()],
        "charges": [charge()],
        "suspensions": [],
        "periodBills": [bill()],
        "components": [component()],
        "levels": [],
    }
    return {**fields, **more}


# --- as the store would hold them ----------------------------------------------------------------------------


def delivered(payload: Json, *, stream: Stream | None = None) -> Event:
    """The event of a webhook in its own stream, or relayed to another."""
    body = msgspec.json.encode(payload)
    [told] = PROVIDER.unpack(SOURCE, body, None, JANUARY)
    origin = "webhook" if stream is None else "relay"
    return _event(stream or told.stream, told.event_id, told.type, origin, told.occurred_at, body)


def answered(about: str, *pages: Any, stream: Stream = IN, asked: datetime = MARCH) -> list[Event]:
    """The answer as an event in each stream that it belongs to."""
    raw = tuple(msgspec.Raw(msgspec.json.encode(page)) for page in pages)
    body = msgspec.json.encode(Answer(about=about, pages=raw))
    event_id = f"readback:{about}:{sha256(body).hexdigest()[:16]}"
    return [
        _event(each, event_id, type_, "readback", asked, body)
        for each, type_ in PROVIDER.unpack_answer(stream, about, body)
    ]


def read(page: Json, *, asked: datetime = MARCH) -> Event:
    """What was read of the subscription, in its stream."""
    [event] = answered(f"subscriptions/{SUBSCRIPTION}#{asked.isoformat()}", page, asked=asked)
    return event


def facts_of(page: Json) -> Sequence[Fact]:
    return PROVIDER.translate(read(page))


def folded(*events: Event) -> Fold:
    """The fold of events of one stream, recorded in that order."""
    numbered = [msgspec.structs.replace(event, position=number) for number, event in enumerate(events, 1)]
    fold = refold(numbered, PROVIDER)
    assert not fold.stopped, fold.stopped
    return fold


def _event(stream: Stream, event_id: str, type_: str, origin: Any, at: datetime, body: bytes) -> Event:
    return Event(
        stream=stream,
        event_id=event_id,
        type=type_,
        origin=origin,
        occurred_at=at,
        received_at=at,
        recorded_at=at,
        body=body,
        digest=sha256(body).digest(),
        partition=partition_of(stream),
        position=1,
    )
