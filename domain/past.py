"""The two clocks: what was so at an instant, by what was known at one. Pure.

An event counts when it had happened by `as_of` (the provider's clock) and the store had it by `known_at` (ours). What
is folded from these alone is what a store would have shown that never held another event. A copy in a subscription's
stream counts from the day it was copied on: before that the payment was known, and not whose it was.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.events import Event
from domain.history import Fold, refold
from domain.providers import Provider


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Two optional instants, in UTC and both inclusive; without either it is the present."""

    as_of: datetime | None = None
    known_at: datetime | None = None

    def holds(self, event: Event) -> bool:
        return (self.as_of is None or event.occurred_at <= self.as_of) and (
            self.known_at is None or event.recorded_at <= self.known_at
        )

    def of(self, events: Iterable[Event]) -> list[Event]:
        """Those of the events that count."""
        return [event for event in events if self.holds(event)]

    @property
    def is_present(self) -> bool:
        return self.as_of is None and self.known_at is None


PRESENT = Past()


def fold_then(events: Iterable[Event], provider: Provider, past: Past) -> Fold | None:
    """What was derived of a stream, by this code; None while there was nothing of it."""
    chosen = past.of(events)
    return refold(chosen, provider) if chosen else None
