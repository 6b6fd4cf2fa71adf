"""The clock of an account and what every act on a subscription needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from service.sandbox.stripe.book import Book
from service.sandbox.stripe.calendar import DAY, instant, seconds
from service.sandbox.stripe.invoicing import Invoicing
from service.sandbox.stripe.legality import allow
from service.sandbox.stripe.model import CancellationReason, Happening, Invoice, Line, Merchant, Subscription


class Desk:
    """Where the acts of an account meet: one book, one clock. The same seed and acts give the same events."""

    def __init__(
        self,
        seed: str,
        *,
        start: datetime,
        livemode: bool = False,
        lag: int = 1,
        name: str = "Falcon Software, Inc.",
    ) -> None:
        """`lag` is how many seconds a payment takes; with 0 an act and all that follows share one second."""
        self.lag = lag
        self.merchant = Merchant(account="acct_1FalconSandbox", name=name, livemode=livemode)
        self.book = Book(seed, self.merchant, seconds(start))
        self.invoicing = Invoicing(self.book)
        self._announced: set[str] = set()

    @property
    def happenings(self) -> list[Happening]:
        """Everything that happened, in true order."""
        return self.book.happenings

    @property
    def now(self) -> datetime:
        return instant(self.book.now)

    def due(self, subscription: str) -> datetime:
        """When the subscription's next item has to be billed."""
        return instant(self.book.subscriptions[subscription].due)

    def advance(self, by: timedelta) -> None:
        self.advance_to(self.now + by)

    def advance_to(self, when: datetime) -> None:
        """Moves the clock, never back; trials that end within three days are announced on the way."""
        self.pass_to(seconds(when))

    # --- for the acts ---------------------------------------------------------------------------------------

    def allowed(self, act: str, identifier: str) -> Subscription:
        self.announce_trial_ends()
        subscription = self.book.subscriptions[identifier]
        allow(act, subscription, self.book.now)
        return subscription

    def update(self, before: Subscription, at: int, **changes: object) -> Subscription:
        after = replace(before, **changes)
        self.book.happened("customer.subscription.updated", at, after, before)
        return after

    def end(self, before: Subscription, at: int, reason: CancellationReason) -> None:
        """Over for good. `canceled_at` stays the moment the cancellation was asked for."""
        after = replace(
            before, status="canceled", canceled_at=before.canceled_at or at, ended_at=at, cancellation_reason=reason
        )
        self.book.happened("customer.subscription.deleted", at, after)

    def open_invoices(self, subscription: Subscription) -> list[Invoice]:
        return [invoice for invoice in self.book.invoices_of(subscription.id) if invoice.status == "open"]

    def pay_open_invoices(self, subscription: Subscription) -> None:
        for invoice in self.open_invoices(subscription):
            self.invoicing.pay(invoice, self.book.now)

    def bill_now(self, subscription: Subscription, lines: Sequence[Line]) -> None:
        """An invoice outside the turn of a period."""
        now = self.book.now
        customer = self.book.customers[subscription.customer]
        invoice = self.invoicing.draft(lines, "subscription_update", now, customer=customer, subscription=subscription)
        if subscription.pause is not None:
            self.withhold(subscription, invoice, now)
            return
        invoice = self.invoicing.finalize(invoice, now, days_until_due=subscription.days_until_due)
        if subscription.collection == "charge_automatically" or not invoice.amount_due:
            self.invoicing.pay(invoice, now + self.lag)

    def withhold(self, subscription: Subscription, invoice: Invoice, at: int) -> None:
        """What becomes of a bill while the subscription is unpaid or its collection is paused."""
        behavior = subscription.pause.behavior if subscription.pause else "keep_as_draft"
        if behavior == "void":
            self.invoicing.void(invoice, at)
        elif behavior == "mark_uncollectible":
            self.invoicing.write_off(invoice, at)

    def pass_to(self, second: int) -> None:
        self.book.now = max(self.book.now, second)
        self.announce_trial_ends()

    def announce_trial_ends(self) -> None:
        """Stripe tells once, three days before a trial ends, or at once when the trial is shorter."""
        for subscription in list(self.book.subscriptions.values()):
            if subscription.status != "trialing" or subscription.trial_end is None:
                continue
            at = max(subscription.trial_end - 3 * DAY, subscription.created)
            if at <= self.book.now and subscription.id not in self._announced:
                self._announced.add(subscription.id)
                self.book.happened("customer.subscription.trial_will_end", at, subscription)
