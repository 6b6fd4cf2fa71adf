"""Stories of one order at FastSpring and of the subscriptions it began, as if the relay had brought everything."""

from typing import Any

import msgspec

from domain import facts as f
from domain.events import Event, Stream, stream_of
from domain.history import refold
from domain.providers.fastspring import PROVIDER
from domain.subscription import Subscription
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import BOUGHT, ORDER, REFERENCE, Json

IN_ORDER = stream_of("store", "order", ORDER)
IN_SUBSCRIPTION = stream_of("store", "subscription", fs.SUBSCRIPTION)
APP = fs.item("app", quantity=3, subtotal=597.0)
ONCE = fs.order(items=[APP])

Told = tuple[str, Json, int]


def events(*told: Told, stream: Stream = IN_ORDER) -> list[Event]:
    """All of them, as if the relay had brought the ones of other streams."""
    found = {
        (number, event.type): msgspec.structs.replace(event, stream=stream, position=number)
        for number, (type_, data, created) in enumerate(told, 1)
        for event in fs.stored(fs.event(type_, data, created=created, id_=f"EV{number:028}"))
    }
    return list(found.values())


def after(*told: Told, stream: Stream = IN_ORDER) -> Subscription:
    fold = refold(events(*told, stream=stream), PROVIDER)
    assert not fold.stopped
    return fold.subscription


def facts_in(stream: Stream, type_: str, data: Json, of: type[f.Fact] = f.Fact) -> list[Any]:
    [event] = events((type_, data, BOUGHT), stream=stream)
    return [fact for fact in PROVIDER.translate(event) if isinstance(fact, of)]


def original(total: float | None = 597.0) -> Json:
    return {"id": ORDER, "order": ORDER, "reference": REFERENCE, "total": total, "subscriptions": []}


def given_back(amount: float, *, total: float | None = 597.0, quantity: int = 3, id_: str = "r1") -> Json:
    items = [{"product": "app", "quantity": quantity, "subtotal": amount}]
    return {**fs.returned(amount=amount, id_=id_, items=items), "original": original(total)}
