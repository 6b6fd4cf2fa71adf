"""Random but legal lives of a wallee subscription, and what is read of it: at once or late, whole or torn, old or new.

An act is drawn from those that the simulated space allows at that moment, so a sequence is never refused. What the
space shows is put together here as Tenure's client does it, but without HTTP, and as it was at any moment of its past.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from domain.events import Event, Stream, partition_of, stream_of
from domain.providers.wallee import PROVIDER
from domain.readback import Answer, instant_of
from service.sandbox.wallee import Habits, Space, catalog, deliveries, legal_acts
from service.sandbox.wallee.model import EndAction, Kind

SOURCE = "acme"
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PRODUCTS = (catalog.PRO, catalog.TEAM, catalog.STUDIO, catalog.FLOATING, catalog.DUO, catalog.PRO_YEARLY)
PARTS: tuple[tuple[str, Kind, str, tuple[str, ...]], ...] = (
    ("versions", "version", "subscription.id", ()),
    ("charges", "charge", "subscription.id", ("transaction",)),
    ("suspensions", "suspension", "subscription.id", ()),
    ("periodBills", "period-bill", "subscriptionVersion.subscription.id", ()),
)
"""What a whole reading consists of beside the subscription, in the order in which it is asked for."""


class Life(NamedTuple):
    """A subscription that was led through a life, and the space that tells of it."""

    space: Space
    subscription: int

    @property
    def stream(self) -> Stream:
        return stream_of(SOURCE, "subscription", str(self.subscription))

    def place(self, at: datetime) -> int:
        """How far the life had got by then."""
        return sum(1 for it in self.space.happenings if it.created <= at.timestamp())

    @property
    def webhooks(self) -> list[Event]:
        """Everything that is told, in true order, as it stands in the subscription's stream once it was relayed."""
        return [
            _event(self.stream, told.event_id, told.type, "relay", told.occurred_at, delivery.body)
            for delivery in deliveries(self.space)
            for told in PROVIDER.unpack(SOURCE, delivery.body, None, self.space.now)
        ]


class Reading(NamedTuple):
    """A question asked at that time; each part of the answer shows the space right after the happening of a place.

    `empty` is a list that came without entries, `paid` another place, as of which transactions are shown.
    """

    at: datetime
    places: tuple[int, ...]
    empty: str = ""
    paid: int | None = None

    def shows(self, place: int) -> bool:
        """Whether it shows everything as it was then."""
        return set(self.places) == {place} and not self.empty and self.paid in {None, place}


def reading(life: Life, at: datetime) -> Reading:
    """One that shows everything as it is."""
    return Reading(at, (life.place(at),) * (len(PARTS) + 1))


def answer(life: Life, it: Reading, about: str = "") -> Event:
    """The answer as an event of the subscription's stream."""
    asked = about or f"subscriptions/{life.subscription}#{it.at.timestamp()}"
    page = whole(life, it)
    pages = () if page is None else (msgspec.Raw(msgspec.json.encode(page)),)
    body = msgspec.json.encode(Answer(about=asked, pages=pages))
    event_id = f"readback:{asked}:{sha256(body).hexdigest()[:16]}"
    return _event(life.stream, event_id, "readback.subscription", "readback", instant_of(it.at), body)


def whole(life: Life, it: Reading) -> dict[str, Any] | None:
    """The subscription with all that says how it stands; None where it was not there yet."""
    space, first, *rest = life.space, *it.places
    expanded = ("subscriber", "currentProductVersion", "currentProductVersion.product")
    subscription = space.object("subscription", life.subscription, expanded, after=first)
    if subscription is None:
        return None
    shown: dict[str, Any] = {"subscription": subscription}
    for (name, kind, owner, expand), place in zip(PARTS, rest, strict=True):
        query = f"{owner}:{life.subscription}"
        shown[name] = space.search(kind, query, order="id:DESC", limit=100, expand=expand, after=place).data
        if name == it.empty:
            shown[name] = []
    if it.paid is not None:
        shown["charges"] = [_with_transaction(space, each, it.paid) for each in shown["charges"]]
    named = {each["component"] for version in shown["versions"] for each in version["componentConfigurations"]}
    shown["components"] = [space.object("component", each, ("reference",)) for each in sorted(named)]
    shown["levels"] = [
        level
        for charge in shown["charges"]
        if charge["state"] == "PROCESSING"
        for level in space.search("level", f"transaction.id:{charge['transaction']['id']}", after=rest[-1]).data
    ]
    return shown


def _with_transaction(space: Space, charge: dict[str, Any], place: int) -> dict[str, Any]:
    named = charge["transaction"]
    if named is None:
        return charge
    shown = space.object("transaction", named["id"], after=place)
    return {**charge, "transaction": shown or {"id": named["id"]}}


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
        position=0,
    )


@st.composite
def lives(draw: st.DrawFn, *, most_acts: int = 10) -> Life:
    """A subscription that was begun (or was not), and led through a random life."""
    habits = Habits(nulls=draw(st.booleans()), touches=draw(st.booleans()), bills_at_start=draw(st.booleans()))
    space = Space(f"drawn-{draw(st.integers(0, 999))}", start=START, lag=draw(st.integers(0, 2)), habits=habits)
    product = draw(st.sampled_from(PRODUCTS))
    subscriber = space.subscriber("Ada Marlow", "ada@example.com")
    subscription = space.subscribe(subscriber, product, _quantities(draw, product))
    life = Life(space, subscription)
    space.advance(timedelta(seconds=draw(st.integers(0, 90))))
    space.initialize(subscription)
    space.advance(timedelta(minutes=draw(st.integers(0, 9))))
    if draw(st.sampled_from([True] * 9 + [False])):
        space.confirm(subscription)
    for _ in range(draw(st.integers(0, most_acts))):
        space.advance(draw(st.sampled_from([timedelta(), timedelta(hours=7), 3 * DAY, 11 * DAY])))
        _act(draw, life)
    return life


def _act(draw: st.DrawFn, life: Life) -> None:
    space, subscription = life.space, life.subscription
    acts = legal_acts(space.standing(subscription), space.book.now)
    weighted = [each for each in acts for _ in range(1 if each in _LEADING_OUT else 4)]
    if space.refundable(subscription):
        weighted.append("refund")
    if not weighted:
        return
    act = draw(st.sampled_from(weighted))
    match act:
        case "refund":
            left = space.refundable(subscription)
            space.refund(subscription, draw(st.sampled_from([left, max(1, left // 3)])))
        case "change_quantity":
            now = space.standing(subscription).version
            quantities = {each.component.reference.sku: each.quantity + 1 for each in now.configured}
            space.change_quantity(subscription, quantities, at_period_end=draw(st.booleans()))
        case "change_product":
            now = space.standing(subscription).version
            product = draw(st.sampled_from([each for each in PRODUCTS if each != now.product_version]))
            space.change_product(subscription, product, _quantities(draw, product), at_period_end=draw(st.booleans()))
        case "change_reference":
            space.change_reference(subscription, f"ref-{draw(st.integers(0, 9))}")
        case "suspend":
            until = draw(st.sampled_from([None, space.now + 6 * DAY, space.now + 50 * DAY]))
            action: EndAction = draw(st.sampled_from(["REACTIVATE", "REACTIVATE", "TERMINATE"]))
            space.suspend(subscription, until=until, end_action=action)
        case "schedule_termination":
            space.schedule_termination(subscription, periods=draw(st.integers(0, 1)))
        case "terminate_now":
            space.terminate_now(subscription, lingers=draw(st.booleans()))
        case _:
            getattr(space, act)(subscription)


_LEADING_OUT = frozenset({"terminate_now", "schedule_termination", "fail_initialization", "change_reference"})


def _quantities(draw: st.DrawFn, product: Any) -> dict[str, float]:
    skus = [each.reference.sku for each in product.components]
    chosen = draw(st.lists(st.sampled_from(skus), min_size=1, unique=True))
    return {sku: draw(st.sampled_from([1, 2, 2.5, 4])) for sku in chosen}


@st.composite
def readings(draw: st.DrawFn, life: Life, *, most: int = 8) -> list[Reading]:
    """Some readings of a life, at any time of it: most show it as it is, some as it was, torn or without a list."""
    first = life.space.happenings[0].created
    last = int(life.space.now.timestamp()) + 86_400
    drawn = []
    moments = st.integers(first, last) | st.sampled_from([it.created for it in life.space.happenings])
    for second in draw(st.lists(moments, max_size=most)):
        at = datetime.fromtimestamp(second, UTC)
        now = life.place(at)
        empty, paid = "", None
        match draw(st.sampled_from(["fresh", "fresh", "fresh", "stale", "torn", "empty", "unpaid"])):
            case "fresh":
                places = (now,) * (len(PARTS) + 1)
            case "stale":
                places = (draw(st.integers(0, now)),) * (len(PARTS) + 1)
            case "empty":
                places = (now,) * (len(PARTS) + 1)
                empty = draw(st.sampled_from([name for name, *_ in PARTS]))
            case "unpaid":
                places = (now,) * (len(PARTS) + 1)
                paid = draw(st.integers(max(0, now - 6), now))
            case _:
                seen = draw(st.lists(st.integers(max(0, now - 6), now), min_size=5, max_size=5))
                places = tuple(sorted(seen))
        drawn.append(Reading(at, places, empty, paid))
    return drawn
