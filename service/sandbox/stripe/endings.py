"""Leaving, pausing, and coming back."""

from datetime import datetime

from msgspec.structs import replace

from service.sandbox.stripe.calendar import period_end, seconds
from service.sandbox.stripe.desk import Desk
from service.sandbox.stripe.model import CancellationReason, PauseBehavior, PauseCollection


class Endings(Desk):
    def cancel_now(self, subscription: str, reason: CancellationReason = "cancellation_requested") -> None:
        before = self.allowed("cancel_now", subscription)
        with self.book.request():
            self.end(before, self.book.now, reason)

    def cancel_at_period_end(self, subscription: str, feedback: str | None = None) -> None:
        """Active until the period ends; the customer can still change their mind."""
        before = self.allowed("cancel_at_period_end", subscription)
        with self.book.request():
            self.update(
                before,
                self.book.now,
                cancel_at_period_end=True,
                cancel_at=before.due,
                canceled_at=self.book.now,
                cancellation_reason="cancellation_requested",
                cancellation_feedback=feedback,
            )

    def withdraw_cancellation(self, subscription: str) -> None:
        before = self.allowed("withdraw_cancellation", subscription)
        with self.book.request():
            self.update(
                before,
                self.book.now,
                cancel_at_period_end=False,
                cancel_at=None,
                canceled_at=None,
                cancellation_reason=None,
                cancellation_feedback=None,
            )

    def reach_period_end(self, subscription: str) -> None:
        """The scheduled cancellation takes place."""
        before = self.allowed("reach_period_end", subscription)
        self.pass_to(before.due)
        self.end(before, before.due, "cancellation_requested")

    def pause_collection(
        self, subscription: str, behavior: PauseBehavior = "void", *, resumes_at: datetime | None = None
    ) -> None:
        """Bills are withheld; the status does not change."""
        before = self.allowed("pause_collection", subscription)
        until = None if resumes_at is None else seconds(resumes_at)
        with self.book.request():
            self.update(before, self.book.now, pause=PauseCollection(behavior=behavior, resumes_at=until))

    def resume_collection(self, subscription: str) -> None:
        before = self.allowed("resume_collection", subscription)
        with self.book.request():
            self.update(before, self.book.now, pause=None)

    def pause(self, subscription: str) -> None:
        """The trial ends and there is no card: the subscription waits, without a bill."""
        before = self.allowed("pause", subscription)
        self.pass_to(before.due)
        after = self.update(before, before.due, status="paused")
        self.book.happened("customer.subscription.paused", before.due, after, before)

    def resume(self, subscription: str) -> None:
        """The customer comes back with a card: a new period begins now, and is paid."""
        before, now = self.allowed("resume", subscription), self.book.now
        with self.book.request():
            after = self.update(
                before,
                now,
                status="active",
                anchor=now,
                payment_method=self.book.ids.new("pm"),
                pauses_without_payment_method=False,
                latest_invoice=self.book.ids.new("in"),
                items=tuple(
                    replace(item, start=now, end=period_end(now, item.price.every, item.price.interval_count, now))
                    for item in before.items
                ),
            )
            self.book.happened("customer.subscription.resumed", now, after, before)
            self.bill_now(after, [self.invoicing.period_line(after, item) for item in after.items])
