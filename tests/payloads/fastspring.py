"""FastSpring's objects, cut down to what matters and its surroundings.

By default as a webhook with expansion sends them since 2023. `unexpanded()` turns objects into the strings that a
webhook without expansion sends, `as_of_2019()` leaves out what is newer. Dates are milliseconds since 1970 at midnight
UTC, money is a number of the currency's unit. Any field can be changed by its name.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from domain.events import Event
from domain.facts import Fact
from domain.providers.table import PROVIDERS

Json = dict[str, Any]

DAY = 86_400_000
FEBRUARY = 1_769_904_000_000
"""2026-02-01T00:00:00Z, in milliseconds."""
MARCH = 1_772_323_200_000
APRIL = 1_775_001_600_000
BOUGHT = FEBRUARY + 36_000_543
"""When events happen unless told otherwise: 2026-02-01T10:00:00.543Z."""

SUBSCRIPTION = "33PRZy1lxagxCx8ZJJAJQg"
ORDER = "LPEjgCD3i3QOLKhsBufsRw"
REFERENCE = "FAL260201-1003-35981"
REBILL = "Zy2nEyQyoVR7t1kBthNUwg"
ACCOUNT = "o9g9rKMWMmEZrjxGSW0jwg"
PRO = "falcon-pro-monthly"
TERMS = {"product_short_code": "falcon-pro", "max_activations": "3"}


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def event(
    type_: str,
    data: Json,
    *,
    id_: str = "EV33PRZY1LXAGXCX8ZJJAJQGABCDEF",
    created: int = BOUGHT,
    live: bool = False,
    **more: Any,
) -> Json:
    return {"id": id_, "processed": False, "created": created, "type": type_, "live": live, "data": data, **more}


def batch(*events: Json) -> Json:
    """The body of one request."""
    return {"events": list(events)}


def stored(payload: Json, *, source: str = "store", live: bool | None = False) -> list[Event]:
    """The events of a body (`batch`, or one bare event) as the store would hold them after it came as a webhook."""
    body = msgspec.json.encode(payload if "events" in payload else batch(payload))
    return stored_bytes(body, source=source, live=live)


def stored_bytes(body: bytes, *, source: str = "store", live: bool | None = False) -> list[Event]:
    received_at = at(APRIL)
    return [
        Event(
            stream=unpacked.stream,
            event_id=unpacked.event_id,
            type=unpacked.type,
            item=unpacked.item,
            origin="webhook",
            occurred_at=unpacked.occurred_at,
            received_at=received_at,
            body=body,
            partition=0,
            position=position,
            recorded_at=received_at,
            digest=sha256(body).digest(),
        )
        for position, unpacked in enumerate(PROVIDERS["fastspring"].unpack(source, body, live, received_at), start=1)
    ]


def facts_of(type_: str, data: Json, **more: Any) -> list[Fact]:
    """What an event of that type says, in all the streams it stands in, in the order of unpacking."""
    translate = PROVIDERS["fastspring"].translate
    return [fact for each in stored(event(type_, data, **more)) for fact in translate(each)]


def account(**changes: Any) -> Json:
    contact = {"first": "Ada", "last": "Example", "email": "ada@example.com", "company": None, "phone": None}
    return {
        "id": ACCOUNT,
        "account": ACCOUNT,
        "contact": contact,
        "language": "en",
        "country": "US",
        **changes,
    }


def product(path: str = PRO, attributes: dict[str, str] | None = None, **changes: Any) -> Json:
    return {
        "product": path,
        "parent": None,
        "display": {"en": path},
        "sku": None,
        "fulfillments": {},
        "attributes": dict(TERMS if attributes is None else attributes),
        "format": "digital",
        "pricing": {"interval": "month", "intervalLength": 1, "price": {"USD": 29.0}, "renew": "auto"},
        **changes,
    }


def subscription(*, path: str = PRO, attributes: dict[str, str] | None = None, **changes: Any) -> Json:
    """A monthly subscription, two at 29 dollars, paid until March."""
    return {
        "id": SUBSCRIPTION,
        "quote": None,
        "subscription": SUBSCRIPTION,
        "active": True,
        "state": "active",
        "isPauseScheduled": False,
        "changed": BOUGHT - 420,
        "live": False,
        "currency": "USD",
        "account": account(),
        "product": product(path, attributes),
        "sku": None,
        "display": path,
        "quantity": 2,
        "adhoc": False,
        "autoRenew": True,
        "price": 29.0,
        "subtotal": 58.0,
        "next": MARCH,
        "end": None,
        "canceledDate": None,
        "deactivationDate": None,
        "sequence": 1,
        "periods": None,
        "remainingPeriods": None,
        "begin": FEBRUARY,
        "intervalUnit": "month",
        "intervalLength": 1,
        "nextChargeCurrency": "USD",
        "nextChargeDate": MARCH,
        "nextChargeTotal": 58.0,
        "paymentOverdue": {"intervalUnit": "week", "intervalLength": 1, "total": 4, "sent": 0},
        "cancellationSetting": {
            "cancellation": "AFTER_LAST_NOTIFICATION",
            "intervalUnit": "week",
            "intervalLength": 1,
        },
        "fulfillments": {},
        "instructions": [instruction(path)],
        "initialOrderId": ORDER,
        "initialOrderReference": REFERENCE,
        **changes,
    }


def instruction(path: str = PRO, type_: str = "regular", **changes: Any) -> Json:
    """One phase of a price; a trial has `periodStartDate` and `periodEndDate` and costs nothing."""
    return {
        "product": path,
        "type": type_,
        "periodStartDate": None,
        "periodEndDate": None,
        "intervalUnit": "month",
        "intervalLength": 1,
        "unitPrice": 0.0 if type_ == "trial" else 29.0,
        **changes,
    }


def trial(until: int = FEBRUARY + 14 * DAY, **changes: Any) -> Json:
    """A subscription in trial."""
    phases = [
        instruction(type_="trial", periodStartDate=FEBRUARY, periodEndDate=until),
        instruction(periodStartDate=until),
    ]
    return subscription(state="trial", next=until, nextChargeDate=until, instructions=phases, **changes)


def deactivated(**changes: Any) -> Json:
    """A subscription that was ended at once, half-way through February."""
    ended = {"end": FEBRUARY + 14 * DAY, "canceledDate": FEBRUARY + 14 * DAY}
    gone = ("nextChargeCurrency", "nextChargeDate", "nextChargeTotal")
    left = {name: value for name, value in subscription().items() if name not in gone}
    return {**left, "active": False, "state": "deactivated", **ended, **changes}


def canceled(**changes: Any) -> Json:
    """A subscription whose end is scheduled: still active, and `nextChargeDate` still stands."""
    scheduled = {"state": "canceled", "canceledDate": FEBRUARY + 14 * DAY, "deactivationDate": MARCH - DAY}
    return {**subscription(), **scheduled, **changes}


def item(path: str = PRO, *, attributes: dict[str, str] | None = None, **changes: Any) -> Json:
    """One item of an order. Without `subscription` it is a one-time product."""
    return {
        "product": path,
        "quantity": 2,
        "display": path,
        "sku": None,
        "subtotal": 58.0,
        "discount": 0.0,
        "attributes": dict(TERMS if attributes is None else attributes),
        "fulfillments": {},
        "driver": {"type": "cross-sell", "path": "popup-falcon"},
        "isAddon": False,
        **changes,
    }


def order(*, items: list[Json] | None = None, **changes: Any) -> Json:
    """A first order; by default of one subscription."""
    bought = [item(subscription=embedded())] if items is None else items
    total = float(sum(each["subtotal"] for each in bought))
    return {
        "order": ORDER,
        "id": ORDER,
        "reference": REFERENCE,
        "buyerReference": None,
        "completed": True,
        "changed": BOUGHT - 380,
        "language": "en",
        "live": False,
        "currency": "USD",
        "payoutCurrency": "USD",
        "account": account(),
        "total": total,
        "tax": 0.0,
        "subtotal": total,
        "discount": 0.0,
        "payment": {"type": "test", "cardEnding": "4242"},
        "customer": account()["contact"],
        "address": {"country": "US", "display": "US"},
        "recipients": [],
        "notes": [],
        "tags": {},
        "items": bought,
        **changes,
    }


def recipient(email: str, first: str = "", last: str = "") -> Json:
    """Somebody an order was bought for."""
    return {"recipient": {"first": first, "last": last, "email": email, "company": None, "phone": None}}


def embedded(**changes: Any) -> Json:
    """A subscription inside an order or a charge: `account` and `product` are strings even with expansion."""
    whole = subscription(**changes)
    attributes = whole["product"]["attributes"]
    return {**whole, "account": ACCOUNT, "product": whole["product"]["product"], "attributes": attributes}


def charge(*, total: float = 58.0, path: str = PRO, **changes: Any) -> Json:
    """`subscription.charge.completed`: March is paid."""
    paid = item(path, subscription=SUBSCRIPTION, subtotal=total)
    bill = order(items=[paid], order=REBILL, id=REBILL, reference="FAL260301-1004-22228B", total=total)
    return {
        "order": bill,
        "currency": "USD",
        "total": total,
        "status": "successful",
        "timestamp": MARCH + 32_726_105,
        "sequence": 2,
        "periods": None,
        "quote": None,
        "account": account(),
        "subscription": embedded(path=path, next=APRIL, nextChargeDate=APRIL, sequence=2),
        **changes,
    }


def charge_failed(reason: str = "EXPIRED_CARD", **changes: Any) -> Json:
    """`subscription.charge.failed`."""
    return {"reason": reason, "account": account(), "subscription": embedded(), "quote": None, **changes}


def overdue(sent: int = 1, total: int = 4, **changes: Any) -> Json:
    """`subscription.payment.overdue`: a subscription after that many notices."""
    notices = {"intervalUnit": "week", "intervalLength": 1, "total": total, "sent": sent}
    return subscription(state="overdue", paymentOverdue=notices, **changes)


def returned(
    *,
    amount: float = 58.0,
    original: float = 58.0,
    quantity: int = 2,
    id_: str = "Xr7tKMJNrdUNFLQeIGup8A",
    **changes: Any,
) -> Json:
    """`return.created`: all of the first order by default; of a part of the money the item's quantity is 0."""
    refunded = {"product": PRO, "quantity": quantity, "display": PRO, "subtotal": amount, "subscription": SUBSCRIPTION}
    return {
        "return": id_,
        "reference": f"{REFERENCE}X",
        "completed": True,
        "changed": BOUGHT + 5 * DAY,
        "live": False,
        "currency": "USD",
        "totalReturn": amount,
        "tax": 0.0,
        "subtotal": amount,
        "type": "RETURN",
        "reason": "Other",
        "original": {
            "id": ORDER,
            "order": ORDER,
            "reference": REFERENCE,
            "account": ACCOUNT,
            "currency": "USD",
            "total": original,
            "tax": 0.0,
            "subtotal": original,
            "subscriptions": [SUBSCRIPTION],
        },
        "account": account(),
        "customer": account()["contact"],
        "items": [refunded],
        **changes,
    }


def chargeback(**changes: Any) -> Json:
    """`order.chargeback`: its shape is not documented; taken to be the order."""
    return order(**changes)


_IDENTIFIED_BY = ("subscription", "order", "account", "product")


def unexpanded(data: Json) -> Json:
    """The same object as a webhook without expansion sends it: the objects inside are their ids."""
    return {name: _shortened(name, value) for name, value in data.items()}


def _shortened(name: str, value: Any) -> Any:
    if name in _IDENTIFIED_BY and isinstance(value, dict):
        return value[name]
    if name == "items":
        return [unexpanded(each) for each in value]
    return value


NEWER_THAN_2019 = (
    "initialOrderId", "initialOrderReference", "isPauseScheduled", "isAddon", "quote",
)  # fmt: skip


def as_of_2019(data: Any) -> Any:
    """The same object with the fields of 2019, as deep as it goes: above all no link to the first order."""
    if isinstance(data, dict):
        return {name: as_of_2019(value) for name, value in data.items() if name not in NEWER_THAN_2019}
    return [as_of_2019(each) for each in data] if isinstance(data, list) else data
