"""A story by name, and how it begins: lives are told by the events FastSpring sends."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from service.sandbox.fastspring.delivery import Delivery, deliveries
from service.sandbox.fastspring.model import Product
from service.sandbox.fastspring.shapes import Shape
from service.sandbox.fastspring.store import Store

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
"""The 31st, so that months of 28 and 30 days are met."""

DAYS = timedelta(days=1)


class Lifecycle:
    """A story that a store can live through; calling it gives the deliveries in true order."""

    def __init__(self, story: Callable[[Store], object]) -> None:
        self._story = story
        self.name = story.__name__
        self.__doc__ = story.__doc__

    def store(self, *, start: datetime = START, seed: str | None = None, live: bool = False, lag: int = 100) -> Store:
        """The store after the story. The seed (by default the name) decides all identifiers."""
        store = Store(seed or self.name, start=start, live=live, lag=lag)
        self._story(store)
        return store

    def __call__(
        self,
        shape: Shape = Shape.EXPANDED,
        *,
        start: datetime = START,
        seed: str | None = None,
        live: bool = False,
        lag: int = 100,
        types: Collection[str] | None = None,
        most: int | None = None,
    ) -> list[Delivery]:
        store = self.store(start=start, seed=seed, live=live, lag=lag)
        return deliveries(store, shape, types=types, most=most)


def buyer(store: Store, name: str) -> str:
    """A buyer of that name, whose address is made from it."""
    return store.account(name, f"{name.split(maxsplit=1)[0].lower()}@example.com")


def subscribed(store: Store, name: str, product: Product, quantity: int = 1) -> str:
    """Somebody subscribes; gives the subscription's id."""
    order = store.buy(buyer(store, name), [(product, quantity)])
    return store.subscriptions_of(order)[0]
