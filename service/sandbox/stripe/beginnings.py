"""How subscriptions begin: at once, with a trial, with an open first payment, with a bill by mail."""

from collections.abc import Sequence

from service.sandbox.stripe.calendar import DAY, HOUR, period_end
from service.sandbox.stripe.desk import Desk
from service.sandbox.stripe.legality import FirstPayment
from service.sandbox.stripe.model import Collection, Invoice, Item, Price, Status, Subscription


class Beginnings(Desk):
    def subscribe(
        self,
        customer: str,
        items: Sequence[tuple[Price, int]],
        *,
        trial_days: int = 0,
        payment: FirstPayment = "succeeds",
        collection: Collection = "charge_automatically",
        days_until_due: int = 14,
        card: bool = True,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """A new subscription by an API call; gives its id.

        `card=False` (with a trial) makes the subscription pause when the trial ends. `payment="came_first"` is
        what Checkout does: the subscription is made when the money is there, so it starts out active.
        """
        now = self.book.now
        trial_end = now + trial_days * DAY if trial_days else None
        anchor = trial_end or now
        subscription = Subscription(
            id=self.book.ids.new("sub"),
            customer=customer,
            items=tuple(
                Item(
                    id=self.book.ids.new("si"),
                    price=price,
                    quantity=quantity,
                    start=now,
                    end=trial_end or period_end(anchor, price.every, price.interval_count, now),
                    created=now,
                )
                for price, quantity in items
            ),
            status=_first_status(trial_end, collection, payment),
            created=now,
            anchor=anchor,
            collection=collection,
            days_until_due=days_until_due if collection == "send_invoice" else None,
            payment_method=self.book.ids.new("pm") if card and (trial_end or payment == "came_first") else None,
            latest_invoice=self.book.ids.new("in"),
            trial_start=now if trial_end else None,
            trial_end=trial_end,
            pauses_without_payment_method=not card,
            metadata=metadata or {},
        )
        with self.book.request():
            self.book.happened("customer.subscription.created", now, subscription)
            invoice = self.invoicing.draft(
                [self.invoicing.period_line(subscription, item, free=bool(trial_end)) for item in subscription.items],
                "subscription_create",
                now,
                customer=self.book.customers[customer],
                subscription=subscription,
            )
            invoice = self.invoicing.finalize(invoice, now, days_until_due=subscription.days_until_due)
            self._first_payment(subscription, invoice, payment)
        self.announce_trial_ends()
        return subscription.id

    def _first_payment(self, subscription: Subscription, invoice: Invoice, payment: FirstPayment) -> None:
        at = subscription.created + self.lag
        if not invoice.amount_due:
            self.invoicing.pay(invoice, at)
        elif subscription.collection == "send_invoice":
            return
        elif payment == "fails":
            self.invoicing.fail(invoice, at)
        elif payment == "needs_authentication":
            self.invoicing.demand_authentication(invoice, at)
        else:
            self.invoicing.pay(invoice, at)
        if subscription.status == "incomplete" and self.book.invoices[invoice.id].status == "paid":
            self._activate(subscription)

    def confirm(self, subscription: str) -> None:
        """The customer passes 3-D Secure, or pays with another card: the first payment comes."""
        before = self.allowed("confirm", subscription)
        self.pay_open_invoices(before)
        self._activate(before)

    def expire(self, subscription: str) -> None:
        """23 hours without the first payment: over for good, told by `updated` and by nothing else."""
        before = self.allowed("expire", subscription)
        self.pass_to(before.created + 23 * HOUR)
        for invoice in self.open_invoices(before):
            self.invoicing.void(invoice, self.book.now)
        self.update(before, self.book.now, status="incomplete_expired", ended_at=self.book.now)

    def _activate(self, subscription: Subscription) -> None:
        self.update(subscription, self.book.now, status="active", payment_method=self.book.ids.new("pm"))


def _first_status(trial_end: int | None, collection: Collection, payment: FirstPayment) -> Status:
    if trial_end:
        return "trialing"
    return "active" if collection == "send_invoice" or payment == "came_first" else "incomplete"
