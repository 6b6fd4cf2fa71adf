"""Random purchases for which a license generator is asked, and random moments for all that follows from them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from service.sandbox.fastspring import Delivery, GeneratorCall, Store, catalog, deliveries
from service.sandbox.fastspring.legality import legal_acts
from service.sandbox.fastspring.model import Product, SubscriptionTold
from tests.strategies.fastspring import shuffled_and_doubled

MOMENT = timedelta(milliseconds=1)
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LITE = Product(
    path="falcon-lite",
    display="Falcon Lite",
    price=9_00,
    attributes={"product_short_code": "falcon-lite"},
    generator="quantity",
)
LITE_MONTHLY = replace(LITE, path="falcon-lite-monthly", interval="month", asks_again=True)
ASKED = (
    replace(catalog.PRO, asks_again=True),
    LITE_MONTHLY,
    replace(catalog.FLOATING, asks_again=True),
    catalog.PERPETUAL,
    LITE,
)
UNASKED = (catalog.TEAM,)


class Told(msgspec.Struct, frozen=True):
    """A webhook arrives."""

    delivery: Delivery


class Asked(msgspec.Struct, frozen=True):
    """The license generator is asked the same so many times at once."""

    call: GeneratorCall
    times: int


class Projected(msgspec.Struct, frozen=True):
    """The runner does a round, or all it can."""

    until_idle: bool


class Pushed(msgspec.Struct, frozen=True):
    """The pusher works on one stream; the license generator is asked just before its n-th use of the event store."""

    meanwhile: tuple[tuple[int, GeneratorCall], ...] = ()


Step = Told | Asked | Projected | Pushed
ROUNDS: Sequence[Step] = (
    Projected(until_idle=False),
    Projected(until_idle=True),
    Projected(until_idle=True),
    Pushed(),
    Pushed(),
)


@st.composite
def stores(draw: st.DrawFn, *, most_orders: int = 2, most_acts: int = 4) -> Store:
    """A store in which one or more orders were placed, nearly all of them paid, and led through some months."""
    store = Store(f"drawn-{draw(st.integers(0, 9999))}", start=START, lag=draw(st.sampled_from([0, 1, 100])))
    for number in range(1, draw(st.integers(1, most_orders)) + 1):
        _begin(draw, store, f"buyer{number}@example.com")
    for _ in range(draw(st.integers(0, most_acts))):
        store.advance(MOMENT)
        ACTS[draw(st.sampled_from(sorted(ACTS)))](draw, store)
    return store


@st.composite
def schedules(draw: st.DrawFn, store: Store, *, charges_first: bool) -> list[Step]:
    """All events at least once and all calls one to four times, in any order, with rounds of work in between.

    Unless `charges_first`, later charges come behind all that tells of the purchases themselves.
    """
    arriving = draw(shuffled_and_doubled(deliveries(store, most=1), most_repeats=4))
    calls = [call for call in store.calls for _ in range(draw(st.integers(1, 2)))]
    busy = st.builds(Pushed, st.lists(_moments(store.calls), min_size=1, max_size=2).map(tuple))
    rounds = st.lists(st.sampled_from(ROUNDS) | (busy if calls else st.nothing()), min_size=3, max_size=14)
    steps: list[Step] = [
        *map(Told, arriving),
        *(Asked(call, draw(st.integers(1, 2))) for call in calls),
        *draw(rounds),
    ]
    mixed = draw(st.permutations(steps))
    return mixed if charges_first else _with_charges_last(mixed)


def _with_charges_last(steps: Sequence[Step]) -> list[Step]:
    """The same steps; webhooks keep their places, but what they bring of later charges is brought by the last."""
    sent = [event for step in steps if isinstance(step, Told) for event in step.delivery.events]
    sent.sort(key=lambda event: event.type.startswith("subscription.charge."))
    remaining = iter(sent)
    return [
        Told(Delivery(tuple(islice(remaining, len(step.delivery.events))))) if isinstance(step, Told) else step
        for step in steps
    ]


def _moments(calls: Sequence[GeneratorCall]) -> st.SearchStrategy[tuple[int, GeneratorCall]]:
    return st.tuples(st.integers(1, 4), st.sampled_from(calls)) if calls else st.nothing()


def _begin(draw: st.DrawFn, store: Store, email: str) -> None:
    first = draw(st.sampled_from(ASKED))
    others = [each for each in (*ASKED, *UNASKED) if each.path != first.path]
    chosen = [first, *draw(st.lists(st.sampled_from(others), max_size=1))]
    items = [(product, draw(st.integers(1, 4))) for product in chosen]
    order = store.check_out(store.account("Some Body", email), items)
    way = draw(st.sampled_from(["paid", "paid", "paid", "paid late", "declined"]))
    if way != "paid":
        store.wait_for_payment(order)
        store.advance(timedelta(days=1))
    if way == "declined":
        store.fail_order(order)
    else:
        store.complete(order)


def _able(store: Store, *acts: str) -> list[str]:
    """The subscriptions for which all of it is legal now, those that are due first ahead."""
    able = [it for it in store.book.subscriptions.values() if {*acts} <= {*legal_acts(it, store.book.now)}]
    return [it.id for it in sorted(able, key=lambda it: it.next or 0)]


def _change_quantity(draw: st.DrawFn, store: Store) -> None:
    """To one that was not yet: one that comes back is a story of its own, see test_quantity_and_back."""
    for identifier in _able(store, "change_quantity")[:1]:
        told = [it.told.subscription for it in store.happenings if isinstance(it.told, SubscriptionTold)]
        before = {it.quantity for it in told if it.id == identifier}
        if fresh := [quantity for quantity in range(1, 9) if quantity not in before]:
            store.change_quantity(identifier, draw(st.sampled_from(fresh)))


def _pass_month(draw: st.DrawFn, store: Store) -> None:
    for identifier in _able(store, "renew"):
        store.renew(identifier)


def _pay_late(draw: st.DrawFn, store: Store) -> None:
    for identifier in _able(store, "fail_charge"):
        store.fail_charge(identifier)
        store.advance(MOMENT)
        store.recover(identifier)


def _end(draw: st.DrawFn, store: Store) -> None:
    for identifier in _able(store, "deactivate_now")[-1:]:
        store.deactivate_now(identifier)
        if draw(st.booleans()):
            store.advance(timedelta(days=4))
            store.reactivate(identifier)


ACTS: dict[str, Callable[[st.DrawFn, Store], None]] = {
    "change quantity": _change_quantity,
    "change quantity again": _change_quantity,
    "pass month": _pass_month,
    "pay late": _pay_late,
    "end": _end,
}
