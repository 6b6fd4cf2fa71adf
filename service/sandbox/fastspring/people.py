"""Five customers for a demonstration, each at another point of life."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from service.sandbox.fastspring import catalog
from service.sandbox.fastspring.delivery import Delivery, deliveries
from service.sandbox.fastspring.model import GeneratorCall
from service.sandbox.fastspring.shapes import Shape
from service.sandbox.fastspring.store import Store

DAYS = timedelta(days=1)
HOURS = timedelta(hours=1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as the demonstration introduces them. `now` of the store is the moment of the last event.

    `calls` are what the license generator is asked before the deliveries; give it the answers with `store.answer`
    and take `deliveries` after that, then the orders show the keys.
    """

    name: str
    email: str
    story: str
    store: Store
    shape: Shape

    @property
    def calls(self) -> Sequence[GeneratorCall]:
        return self.store.calls

    @property
    def deliveries(self) -> list[Delivery]:
        return deliveries(self.store, self.shape)


def demo_customers(now: datetime, shape: Shape = Shape.EXPANDED, *, live: bool = False) -> list[Person]:
    """People whose lives reach up to `now` (aware), so that whoever pays has a license that is valid today.

    The same `now` gives the same bytes, another one other identifiers. Raises ValueError for a naive `now`.
    """
    people = []
    for name, story, began, happens in _PEOPLE:
        email = f"{name.split()[0].lower()}@example.com"
        seed = f"{name} {now.isoformat(timespec='seconds')}"
        store = Store(seed, start=(now - began).replace(microsecond=0), live=live)
        happens(store, name, email, now)
        people.append(Person(name=name, email=email, story=story, store=store, shape=shape))
    return people


def _renewed_until(store: Store, subscription: str, now: datetime) -> None:
    """All renewals that are paid by `now`."""
    while (due := store.due(subscription)) is not None and due + 1 * HOURS <= now:
        store.renew(subscription)


def _to_the_end(store: Store, name: str, email: str, _: datetime) -> None:
    order = store.buy(store.account(name, email), [(catalog.PRO, 2)])
    [subscription] = store.subscriptions_of(order)
    store.renew(subscription)
    store.fail_charge(subscription, "EXPIRED_CARD")
    for _notice in range(4):
        store.notify_overdue(subscription)
    store.give_up(subscription)


def _a_suite(store: Store, name: str, email: str, now: datetime) -> None:
    order = store.buy(store.account(name, email, company="Lindqvist Film AB"), [(catalog.BUNDLE, 1)])
    _renewed_until(store, store.subscriptions_of(order)[0], now)


def _a_growing_office(store: Store, name: str, email: str, now: datetime) -> None:
    account = store.account(name, email, country="DE", language="de", currency="EUR")
    order = store.buy(account, [(catalog.FLOATING, 10)])
    [subscription] = store.subscriptions_of(order)
    store.advance(12 * DAYS)
    store.change_quantity(subscription, 25, prorate=True)
    _renewed_until(store, subscription, now)
    store.advance(1 * DAYS)
    store.change_quantity(subscription, 15)


def _a_render_farm(store: Store, name: str, email: str, now: datetime) -> None:
    order = store.buy(store.account(name, email), [(catalog.METERED, 1)])
    _renewed_until(store, store.subscriptions_of(order)[0], now)


def _by_name(store: Store, name: str, email: str, now: datetime) -> None:
    order = store.buy(store.account(name, email), [(catalog.NAMED, 1)])
    _renewed_until(store, store.subscriptions_of(order)[0], now)


_PEOPLE: tuple[tuple[str, str, timedelta, Callable[[Store, str, str, datetime], None]], ...] = (
    ("Petra Winter", "keys at checkout, paid twice, then the card expired; ended after four notices", 110 * DAYS,
     _to_the_end),
    ("Axel Lindqvist", "subscribes to a bundle", 50 * DAYS, _a_suite),
    ("Ruth Sommer", "one floating license: ten users, then 25, then 15", 50 * DAYS, _a_growing_office),
    ("Tomas Reiner", "100 frames a month, counted anew at each renewal", 70 * DAYS, _a_render_farm),
    ("Bea Morgan", "a license for herself by name", 20 * DAYS, _by_name),
)  # fmt: skip
