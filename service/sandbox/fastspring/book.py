"""What the store holds and what happened in it, in the order it was done."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.sandbox.fastspring.identifiers import Identifiers
from service.sandbox.fastspring.model import (
    Account,
    GeneratorCall,
    Happening,
    Order,
    OrderTold,
    Product,
    Returned,
    Subscription,
    Told,
)


class Book:
    """The latest version of every object, and the happenings. `now` (milliseconds) only moves forward."""

    def __init__(self, seed: str, now: int) -> None:
        self.ids = Identifiers(seed)
        self.now = now
        self.products: dict[str, Product] = {}
        self.accounts: dict[str, Account] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.orders: dict[str, Order] = {}
        self.returns: dict[str, Returned] = {}
        self.chargebacks: set[str] = set()
        self.calls: list[GeneratorCall] = []
        self.keys: dict[tuple[str, str], tuple[str, ...]] = {}
        """By reference of the order and path of the product: what the license generator answered."""
        self._happenings: list[Happening] = []
        self._batches = 0
        self._open = False

    @property
    def happenings(self) -> list[Happening]:
        """By time; what was done first stands first within a millisecond."""
        return sorted(self._happenings, key=lambda happening: happening.created)

    def happened(self, kind: str, at: int, told: Told) -> None:
        self.now = max(self.now, at)
        if not self._open:
            self._batches += 1
        self._happenings.append(Happening(id=self.ids.event(), type=kind, created=at, told=told, batch=self._batches))

    @contextmanager
    def batch(self) -> Iterator[None]:
        """What happens inside is sent in one request."""
        if not self._open:
            self._batches += 1
            self._open = True
            try:
                yield
            finally:
                self._open = False
        else:
            yield

    def order_told(self, order: Order) -> OrderTold:
        """The order with its subscriptions as they are now."""
        named = (item.subscription for item in order.items if item.subscription is not None)
        return OrderTold(
            order=order,
            account=self.accounts[order.account],
            subscriptions=tuple(self.subscriptions[each] for each in named if each in self.subscriptions),
        )
