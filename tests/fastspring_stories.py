"""Stories of one subscription at FastSpring: given its events, then what is known of it."""

from typing import Any

import msgspec

from domain import facts as f
from domain.events import Event, kind_of
from domain.fold import Step
from domain.history import refold, tell
from domain.providers.fastspring import PROVIDER
from domain.subscription import Subscription
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import BOUGHT, DAY, MARCH, Json

SOON, LATER, LATEST = BOUGHT + DAY, MARCH + DAY, MARCH + 8 * DAY
OPENING: tuple[tuple[str, Json, int], ...] = (
    ("subscription.activated", fs.subscription(), BOUGHT),
    ("order.completed", fs.order(), BOUGHT + 200),
)
RENEWED = ("subscription.charge.completed", fs.charge(), MARCH + DAY // 2)
Told = tuple[str, Json, int]


def events(*told: Told) -> list[Event]:
    """Those of the subscription's stream."""
    return [
        msgspec.structs.replace(event, position=number)
        for number, (type_, data, created) in enumerate(told, 1)
        for event in fs.stored(fs.event(type_, data, created=created, id_=f"EV{number:028}"))
        if kind_of(event.stream) == "subscription"
    ]


def after(*told: Told) -> Subscription:
    fold = refold(events(*told), PROVIDER)
    assert not fold.stopped
    return fold.subscription


def steps(*told: Told) -> list[Step]:
    return [each.step for each in tell(events(*told), PROVIDER, Subscription()) if each.step is not None]


def facts(type_: str, data: Json, created: int = SOON, of: type[f.Fact] = f.Fact) -> list[Any]:
    return [fact for fact in fs.facts_of(type_, data, created=created) if isinstance(fact, of)]


def only(type_: str, data: Json, of: type[f.Fact], created: int = SOON) -> Any:
    [fact] = facts(type_, data, created, of)
    return fact


def line_of(subscription: Subscription, line: str = "subscription") -> f.Line:
    return subscription.lines[line].line
