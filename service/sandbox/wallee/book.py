"""What the space holds, what it held after each of its changes, and what happened in it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TypeVar

from msgspec.structs import replace

from service.sandbox.wallee import catalog
from service.sandbox.wallee.identifiers import Identifiers
from service.sandbox.wallee.model import (
    KINDS,
    Anything,
    Charge,
    Happening,
    Kind,
    Level,
    PeriodBill,
    Refund,
    Subscriber,
    Subscription,
    Suspension,
    Transaction,
    Version,
)

E = TypeVar("E", bound=Anything)

LISTENED: frozenset[Kind] = frozenset(
    {"subscription", "charge", "suspension", "version", "transaction", "refund", "level"}
)
"""The entities that webhooks can be had of."""


class Shown(Protocol):
    """A look at everything a space holds, at one moment."""

    def every(self, kind: Kind) -> Mapping[int, Anything]:
        """By id, oldest first."""
        ...


class Book:
    """The latest version of every entity, all earlier ones, and the happenings. `now` (seconds) only moves forward.

    `lag` is how many seconds lie before each change that webhooks can be had of.
    With `touches` the subscription's version rises with its charges, suspensions and versions too; whether wallee's
    does is not known.
    """

    def __init__(self, seed: str, now: int, *, lag: int, touches: bool) -> None:
        self.ids = Identifiers(seed)
        self.now = now
        self.lag = lag
        self.happenings: list[Happening] = []
        self._touches = touches
        self._latest: dict[Kind, dict[int, Anything]] = {kind: {} for kind in KINDS.values()}
        self._written: list[tuple[int, Anything]] = []
        """Everything that was ever written, with the place of the happening after which it is seen."""
        self._acts = 0
        self._open = False
        for thing in catalog.everything():
            self._keep(thing)

    def every(self, kind: Kind) -> Mapping[int, Anything]:
        return self._latest[kind]

    def after(self, place: int) -> "Past":
        """What the space held right after the happening of that place; 0 is before the first."""
        return Past(thing for at, thing in self._written if at <= place)

    def add(self, thing: E, *, tell: bool = True) -> E:
        """Something new."""
        return self._write(thing, before=None, tell=tell)

    def change(self, before: E, **changes: object) -> E:
        """The next version of it."""
        return self._write(replace(before, version=before.version + 1, **changes), before=before, tell=True)

    @contextmanager
    def act(self) -> Iterator[None]:
        """What happens inside is one act."""
        if self._open:
            yield
            return
        self._acts += 1
        self._open = True
        try:
            yield
        finally:
            self._open = False

    # --- by kind --------------------------------------------------------------------------------------------

    @property
    def subscribers(self) -> Mapping[int, Subscriber]:
        return self._of(Subscriber)

    @property
    def subscriptions(self) -> Mapping[int, Subscription]:
        return self._of(Subscription)

    @property
    def transactions(self) -> Mapping[int, Transaction]:
        return self._of(Transaction)

    @property
    def refunds(self) -> Mapping[int, Refund]:
        return self._of(Refund)

    def versions_of(self, subscription: int) -> list[Version]:
        return [each for each in self._of(Version).values() if each.subscription == subscription]

    def charges_of(self, subscription: int) -> list[Charge]:
        return [each for each in self._of(Charge).values() if each.subscription == subscription]

    def bills_of(self, subscription: int) -> list[PeriodBill]:
        return [each for each in self._of(PeriodBill).values() if each.subscription == subscription]

    def suspensions_of(self, subscription: int) -> list[Suspension]:
        return [each for each in self._of(Suspension).values() if each.subscription == subscription]

    def levels_of(self, transaction: int | None) -> list[Level]:
        return [each for each in self._of(Level).values() if each.transaction == transaction]

    def _of(self, kind: type[E]) -> Mapping[int, E]:
        return {key: each for key, each in self._latest[KINDS[kind]].items() if isinstance(each, kind)}

    def _write(self, thing: E, *, before: E | None, tell: bool) -> E:
        kind = KINDS[type(thing)]
        if tell and kind in LISTENED:
            self.now += self.lag
            state = getattr(thing, "state", "")
            self._happened(kind, thing.id, state, changed=before is None or getattr(before, "state", "") != state)
        self._keep(thing)
        if self._touches and isinstance(thing, (Version, Charge, Suspension)):
            self.change(self.subscriptions[thing.subscription])
        return thing

    def _keep(self, thing: Anything) -> None:
        self._latest[KINDS[type(thing)]][thing.id] = thing
        begins = self._open and (not self.happenings or self.happenings[-1].act != self._acts)
        # What an act changes before it is first heard of belongs to that act, not to the end of the one before.
        self._written.append((len(self.happenings) + begins, thing))

    def _happened(self, kind: Kind, entity: int, state: str, *, changed: bool) -> None:
        self.happenings.append(
            Happening(
                id=self.ids.new(),
                kind=kind,
                entity=entity,
                state=state,
                changed=changed,
                created=self.now,
                place=len(self.happenings) + 1,
                act=self._acts,
            )
        )


class Past:
    """What a space held at one moment of its past."""

    def __init__(self, written: Iterable[Anything]) -> None:
        self._held: dict[Kind, dict[int, Anything]] = {kind: {} for kind in KINDS.values()}
        for thing in written:
            self._held[KINDS[type(thing)]][thing.id] = thing

    def every(self, kind: Kind) -> Mapping[int, Anything]:
        return self._held[kind]
