"""The turn of a period: renewed, failed, tried again, recovered, given up."""

from msgspec.structs import replace

from service.sandbox.stripe.calendar import HOUR, period_end
from service.sandbox.stripe.desk import Desk
from service.sandbox.stripe.model import Invoice, Subscription

DRAFT_FOR = HOUR
"""How long a renewal's invoice stays a draft: the new period shows on the subscription before it is paid."""


class Periods(Desk):
    def renew(self, subscription: str) -> None:
        """The next period begins; an hour later it is paid, unless bills go by mail or are withheld."""
        before, invoice = self._roll("renew", subscription)
        if before.status == "unpaid" or before.pause is not None:
            self.withhold(before, invoice, before.due + DRAFT_FOR)
            return
        invoice = self.invoicing.finalize(invoice, before.due + DRAFT_FOR, days_until_due=before.days_until_due)
        if before.collection == "charge_automatically" or not invoice.amount_due:
            self.invoicing.pay(invoice, before.due + DRAFT_FOR + self.lag)

    def fail_payment(self, subscription: str) -> None:
        """The payment for the new period fails, or the next attempt does when one failed before."""
        before = self.allowed("fail_payment", subscription)
        if before.status == "past_due":
            self._try_again(before, last=False)
            return
        before, invoice = self._roll("fail_payment", subscription)
        invoice = self.invoicing.finalize(invoice, before.due + DRAFT_FOR)
        if not invoice.amount_due:
            self.invoicing.pay(invoice, before.due + DRAFT_FOR + self.lag)
            return
        self.invoicing.fail(invoice, before.due + DRAFT_FOR + self.lag)
        self.update(self.book.subscriptions[subscription], before.due + DRAFT_FOR + self.lag, status="past_due")

    def fall_overdue(self, subscription: str) -> None:
        """A bill that went by mail is not paid by its due date."""
        before = self.allowed("fall_overdue", subscription)
        invoice = self.open_invoices(before)[0]
        self.pass_to(invoice.due_date or self.book.now)
        self.book.happened("invoice.overdue", self.book.now, invoice)
        self.update(before, self.book.now, status="past_due")

    def recover(self, subscription: str) -> None:
        """What is open gets paid, so all is well again."""
        before = self.allowed("recover", subscription)
        self.pay_open_invoices(before)
        self.update(before, self.book.now, status="active")

    def pay_invoice(self, subscription: str) -> None:
        """A customer who is billed by mail pays what is open."""
        before = self.allowed("pay_invoice", subscription)
        with self.book.request():
            self.pay_open_invoices(before)

    def become_unpaid(self, subscription: str) -> None:
        """The last attempt fails and the account's settings say to keep the subscription, unpaid."""
        before = self.allowed("become_unpaid", subscription)
        self._try_again(before, last=True)
        self.update(before, self.book.now, status="unpaid")

    def lapse(self, subscription: str) -> None:
        """The last attempt fails and the account's settings say to cancel."""
        before = self.allowed("lapse", subscription)
        self._try_again(before, last=True)
        self.end(before, self.book.now, "payment_failed")

    def _try_again(self, subscription: Subscription, *, last: bool) -> None:
        if subscription.collection == "charge_automatically":
            invoice = self.open_invoices(subscription)[-1]
            # No attempt is put off beyond the next bill.
            self.pass_to(min(invoice.next_payment_attempt or self.book.now, subscription.due - 1))
            self.invoicing.fail(invoice, self.book.now, last=last)

    def _roll(self, act: str, identifier: str) -> tuple[Subscription, Invoice]:
        """The subscription as it was, and the draft for the items whose period is over."""
        before = self.allowed(act, identifier)
        at = before.due
        self.pass_to(at)
        items = tuple(
            replace(item, start=at, end=period_end(before.anchor, item.price.every, item.price.interval_count, at))
            if item.end == at
            else item
            for item in before.items
        )
        after = self.update(
            before,
            at,
            items=items,
            latest_invoice=self.book.ids.new("in"),
            status="active" if before.status == "trialing" else before.status,
        )
        return before, self.invoicing.draft(
            [self.invoicing.period_line(after, item) for item in items if item.start == at],
            "subscription_cycle",
            at,
            customer=self.book.customers[before.customer],
            subscription=after,
        )
