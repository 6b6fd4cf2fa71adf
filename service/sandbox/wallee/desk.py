"""The clock of a space and what every act needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from service.sandbox.wallee.book import Book
from service.sandbox.wallee.calendar import instant, seconds
from service.sandbox.wallee.habits import Habits
from service.sandbox.wallee.legality import Standing, allow
from service.sandbox.wallee.model import (
    Charge,
    Happening,
    Reason,
    State,
    Subscription,
    Suspension,
)
from service.sandbox.wallee.signing import SigningKey

SPACE = 405


class Desk:
    """Where the acts of a space meet: one book, one clock. The same seed and acts give the same happenings."""

    def __init__(
        self, seed: str, *, start: datetime, space_id: int = SPACE, lag: int = 1, habits: Habits | None = None
    ) -> None:
        """`lag` is how many seconds lie before each change; with 0 all of an act carry the same second."""
        self.space_id = space_id
        self.habits = habits or Habits()
        self.signing = SigningKey(seed)
        self.book = Book(seed, seconds(start), lag=lag, touches=self.habits.touches)

    @property
    def happenings(self) -> Sequence[Happening]:
        """Everything that happened, in true order."""
        return self.book.happenings

    @property
    def now(self) -> datetime:
        return instant(self.book.now)

    def due(self, subscription: int) -> datetime | None:
        """When the running period of the subscription ends; None when none runs."""
        end = self.standing(subscription).due
        return None if end is None else instant(end)

    def advance(self, by: timedelta) -> None:
        self.advance_to(self.now + by)

    def advance_to(self, when: datetime) -> None:
        """Moves the clock, never back."""
        self.pass_to(seconds(when))

    def standing(self, subscription: int) -> Standing:
        """The subscription with what belongs to it."""
        book = self.book
        versions = book.versions_of(subscription)
        charge = next(iter(reversed(self.claimed(subscription))), None)
        waiting = [each for each in versions[1:] if each.state == "PENDING"]
        held = [each for each in versions if each not in waiting]
        running = [each for each in book.suspensions_of(subscription) if each.state == "RUNNING"]
        return Standing(
            subscription=book.subscriptions[subscription],
            version=held[-1],
            next_version=waiting[-1] if waiting else None,
            bill=next(iter(reversed(book.bills_of(subscription))), None),
            charge=charge,
            level=next(iter(reversed(book.levels_of(charge.transaction))), None) if charge else None,
            suspension=running[-1] if running else None,
        )

    def claimed(self, subscription: int) -> list[Charge]:
        """The charges that count, oldest first: not one that was discarded, nor one that failed before a way back.

        By inference: who is let go on after a suspension is asked for no more of what had failed before.
        """
        left = self.book.subscriptions[subscription].terminating
        ended = [each.ended for each in self.book.suspensions_of(subscription) if each.ended is not None]
        back = max((each for each in ended if left is None or each < left), default=0)
        charges = [each for each in self.book.charges_of(subscription) if each.state != "DISCARDED"]
        return [each for each in charges if each.state != "FAILED" or (each.failed or 0) > back]

    # --- for the acts ---------------------------------------------------------------------------------------

    def allowed(self, act: str, subscription: int) -> Standing:
        it = self.standing(subscription)
        allow(act, it, self.book.now)
        return it

    def pass_to(self, second: int) -> None:
        self.book.now = max(self.book.now, second)

    def set_state(self, before: Subscription, state: State, **changes: object) -> Subscription:
        return self.book.change(self.book.subscriptions[before.id], state=state, **changes)

    def running_state(self, it: Subscription) -> State:
        """What it is while nothing suspends it."""
        return "ACTIVE" if it.planned_termination is None else "TERMINATION_SCHEDULED"

    def begin_suspension(self, it: Standing, reason: Reason, **more: object) -> None:
        suspension = Suspension(
            id=self.book.ids.new(),
            subscription=it.subscription.id,
            state="RUNNING",
            reason=reason,
            end_action="TERMINATE" if reason == "FAILED_CHARGE" else "REACTIVATE",
            created=self.book.now,
            bill=it.bill.id if it.bill is not None and reason == "FAILED_CHARGE" else None,
        )
        self.book.add(replace(suspension, **more))
        self.set_state(it.subscription, "SUSPENDED")

    def end_suspension(self, it: Standing) -> None:
        if it.suspension is not None:
            self.book.change(it.suspension, state="ENDED", ended=self.book.now)
