"""Leaving, pausing, and coming back."""

from service.sandbox.fastspring.calendar import DAY, following
from service.sandbox.fastspring.desk import Desk


class Endings(Desk):
    def cancel(self, subscription: str) -> None:
        """The end is scheduled for the end of what is paid; until then it is `canceled` and active."""
        before = self.allowed("cancel", subscription)
        last = None if before.next is None else before.next - DAY
        self.tell("subscription.canceled", self.keep(before, state="canceled", canceled=self.today, deactivation=last))

    def uncancel(self, subscription: str) -> None:
        before = self.allowed("uncancel", subscription)
        state = "trial" if before.trial is not None and before.sequence == 1 else "active"
        self.tell("subscription.uncanceled", self.keep(before, state=state, canceled=None, deactivation=None))

    def reach_end(self, subscription: str) -> None:
        """The scheduled or fixed end is there."""
        before = self.allowed("reach_end", subscription)
        day = before.next if before.end is None else before.end
        self.pass_to_night_of(day)
        self.tell("subscription.deactivated", self.keep(before, state="deactivated", deactivation=day))

    def deactivate_now(self, subscription: str) -> None:
        """Over at once, without a word of `canceled` before."""
        before = self.allowed("deactivate_now", subscription)
        ended = self.keep(
            before,
            state="deactivated",
            end=self.today,
            canceled=self.today,
            deactivation=None,
            pause_scheduled=False,
        )
        self.tell("subscription.deactivated", ended)

    def schedule_pause(self, subscription: str) -> None:
        """It will pause on the day of the next charge."""
        before = self.allowed("schedule_pause", subscription)
        self.tell("subscription.updated", self.keep(before, pause_scheduled=True))

    def begin_pause(self, subscription: str) -> None:
        """The day of the charge came: it pauses in its place."""
        before = self.allowed("begin_pause", subscription)
        self.pass_to_night_of(before.next)
        with self.book.batch():
            after = self.keep(before, state="paused", pause_scheduled=False)
            self.tell("subscription.paused", after)
            self.tell("subscription.updated", after)

    def resume(self, subscription: str) -> None:
        """Goes on at once: a new period begins today, and is charged."""
        before = self.allowed("resume", subscription)
        product = before.product
        with self.book.batch():
            going_on = following(self.today, product.every, product.interval_length, self.today)
            after = self.keep(before, state="active", anchor=self.today, next=going_on)
            self.tell("subscription.resumed", after)
            self.tell("subscription.updated", after)
            charged = self.keep(after, sequence=after.sequence + 1)
            self.charge(charged, self.period_items(charged))

    def reactivate(self, subscription: str) -> None:
        """The vendor brings an ended subscription back: a new period from today, or what is left of its trial."""
        before = self.allowed("reactivate", subscription)
        product = before.product
        going_on = None if before.managed else following(self.today, product.every, product.interval_length, self.today)
        trial = before.trial if before.sequence == 1 else None
        if trial is not None and trial.end <= self.book.now:
            trial = None
        after = self.keep(
            before,
            state="trial" if trial else "active",
            anchor=trial.end if trial else self.today,
            next=trial.end if trial else going_on,
            trial=trial,
            end=None,
            canceled=None,
            deactivation=None,
            owed=False,
            notices=0,
            changed=self.book.now,
        )
        self.tell("subscription.activated", after)
