"""Invoices from draft to paid, and the payments that pay them.

Each act emits what Stripe emits for it; `at` is the second it starts.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from service.sandbox.stripe.book import Book
from service.sandbox.stripe.calendar import DAY
from service.sandbox.stripe.model import (
    BillingReason,
    Charge,
    Customer,
    Invoice,
    InvoicePayment,
    Item,
    Line,
    PaymentIntent,
    Subscription,
)

RETRY_AFTER = (3 * DAY, 5 * DAY, 7 * DAY)
"""Waits between the attempts to collect; then no further attempt is planned."""


class Invoicing:
    """Writes invoices into the book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    # --- lines ----------------------------------------------------------------------------------------------

    def period_line(self, subscription: Subscription, item: Item, *, free: bool = False) -> Line:
        """What one item costs for the period it is in."""
        amount = 0 if free else item.price.unit_amount * item.quantity
        return self._line(subscription, item, amount=amount, start=item.start, end=item.end)

    def prorated(self, subscription: Subscription, item: Item, at: int, *, credit: bool) -> Line:
        """The rest of the item's period, given back (`credit`) or charged."""
        share = item.price.unit_amount * item.quantity * (item.end - at) // (item.end - item.start)
        billed = self._book.lines_of(item.id) if credit else None
        return replace(
            self._line(subscription, item, amount=-share if credit else share, start=at, end=item.end),
            proration=True,
            invoice_item=self._book.ids.new("ii"),
            credits=(billed[0], tuple(line.id for line in billed[1])) if billed else None,
        )

    def _line(self, subscription: Subscription, item: Item, *, amount: int, start: int, end: int) -> Line:
        return Line(
            id=self._book.ids.new("il"),
            price=item.price,
            quantity=item.quantity,
            amount=amount,
            start=start,
            end=end,
            subscription=subscription.id,
            item=item.id,
        )

    # --- the invoice ----------------------------------------------------------------------------------------

    def draft(
        self,
        lines: Sequence[Line],
        reason: BillingReason,
        at: int,
        *,
        customer: Customer,
        subscription: Subscription | None = None,
    ) -> Invoice:
        """A new invoice that can still change; the subscription it is for names it as its latest."""
        total = sum(line.amount for line in lines)
        invoice = Invoice(
            id=(subscription and subscription.latest_invoice) or self._book.ids.new("in"),
            number=f"{customer.id[-8:].upper()}-{len(self._book.invoices) + 1:04}",
            customer=customer,
            subscription=subscription.id if subscription else None,
            subscription_metadata=subscription.metadata if subscription else {},
            lines=tuple(lines),
            billing_reason=reason,
            collection=subscription.collection if subscription else "charge_automatically",
            status="draft",
            created=at,
            amount_due=max(0, total),
        )
        self._book.happened("invoice.created", at, invoice)
        return invoice

    def finalize(self, invoice: Invoice, at: int, *, days_until_due: int | None = None) -> Invoice:
        """Nothing can change any more; what the account owes the customer is set off."""
        customer = self._book.customers.get(invoice.customer.id, invoice.customer)
        left = invoice.total + customer.balance
        invoice = replace(
            invoice,
            status="open",
            finalized_at=at,
            starting_balance=customer.balance,
            ending_balance=min(0, left),
            amount_due=max(0, left),
            due_date=None if days_until_due is None else at + days_until_due * DAY,
        )
        self._book.happened("invoice.finalized", at, invoice)
        if min(0, left) != customer.balance:
            self._book.happened("customer.updated", at, replace(customer, balance=min(0, left)), customer)
        if days_until_due is not None and invoice.amount_due:
            self._book.happened("invoice.sent", at, invoice)
        return invoice

    def pay(self, invoice: Invoice, at: int) -> Invoice:
        """The money comes, and all that Stripe tells about it bears the same second."""
        before = invoice
        if invoice.amount_due:
            charge = self.charge(invoice.customer, invoice.amount_due, invoice.currency, at, invoice=invoice)
            invoice = replace(
                invoice,
                charge=charge.id,
                payment_intent=charge.payment_intent,
                attempt_count=invoice.attempt_count + 1,
            )
        invoice = replace(
            invoice,
            status="paid",
            amount_paid=invoice.amount_due,
            paid_at=at,
            next_payment_attempt=None,
        )
        self._book.happened("invoice.updated", at, invoice, before)
        self._book.happened("invoice.paid", at, invoice)
        self._book.happened("invoice.payment_succeeded", at, invoice)
        if invoice.payment_intent and invoice.amount_paid:
            payment = InvoicePayment(
                id=self._book.ids.new("inpay"),
                invoice=invoice.id,
                payment_intent=invoice.payment_intent,
                amount=invoice.amount_paid,
                currency=invoice.currency,
                created=invoice.finalized_at or at,
                paid_at=at,
            )
            self._book.happened("invoice_payment.paid", at, payment)
        return invoice

    def fail(self, invoice: Invoice, at: int, *, last: bool = False) -> Invoice:
        """The card is declined; `last` ends the attempts before their time."""
        charge = self.charge(invoice.customer, invoice.amount_due, invoice.currency, at, invoice=invoice, declined=True)
        waits = () if last else RETRY_AFTER[invoice.attempt_count : invoice.attempt_count + 1]
        invoice = replace(
            invoice,
            attempt_count=invoice.attempt_count + 1,
            payment_intent=charge.payment_intent,
            next_payment_attempt=at + waits[0] if waits and invoice.billing_reason != "subscription_create" else None,
        )
        self._book.happened("invoice.payment_failed", at, invoice)
        return invoice

    def demand_authentication(self, invoice: Invoice, at: int) -> Invoice:
        """The bank wants to hear from the customer (3-D Secure) before it pays."""
        intent = replace(self._intent(invoice, invoice.amount_due, invoice.currency, at), status="requires_action")
        self._book.happened("payment_intent.requires_action", at, intent)
        invoice = replace(invoice, payment_intent=intent.id, attempt_count=1)
        self._book.happened("invoice.payment_action_required", at, invoice)
        return invoice

    def void(self, invoice: Invoice, at: int) -> Invoice:
        invoice = replace(invoice, status="void", voided_at=at, next_payment_attempt=None)
        self._book.happened("invoice.voided", at, invoice)
        return invoice

    def write_off(self, invoice: Invoice, at: int) -> Invoice:
        invoice = replace(invoice, status="uncollectible", marked_uncollectible_at=at, finalized_at=at)
        self._book.happened("invoice.marked_uncollectible", at, invoice)
        return invoice

    # --- payments -------------------------------------------------------------------------------------------

    def charge(
        self,
        customer: Customer,
        amount: int,
        currency: str,
        at: int,
        *,
        invoice: Invoice | None = None,
        intent: PaymentIntent | None = None,
        guest: bool = False,
        declined: bool = False,
    ) -> Charge:
        """One attempt to take the money, and its payment intent."""
        intent = intent or self._intent(invoice, amount, currency, at, customer=None if guest else customer.id)
        charge = Charge(
            id=self._book.ids.new("ch"),
            amount=amount,
            currency=currency,
            customer=intent.customer,
            email=customer.email,
            name=customer.name,
            created=at,
            payment_intent=intent.id,
            payment_method=self._book.ids.new("pm"),
            invoice=invoice.id if invoice else None,
            paid=not declined,
        )
        intent = replace(
            intent,
            latest_charge=charge.id,
            payment_method=charge.payment_method,
            status="requires_payment_method" if declined else "succeeded",
            declined=declined,
        )
        self._book.happened("charge.failed" if declined else "charge.succeeded", at, charge)
        self._book.happened("payment_intent.payment_failed" if declined else "payment_intent.succeeded", at, intent)
        return charge

    def _intent(
        self, invoice: Invoice | None, amount: int, currency: str, at: int, *, customer: str | None = None
    ) -> PaymentIntent:
        """An invoice keeps its payment intent over all attempts."""
        if invoice and invoice.payment_intent:
            return self._book.intents[invoice.payment_intent]
        return PaymentIntent(
            id=self._book.ids.new("pi"),
            amount=amount,
            currency=currency,
            customer=invoice.customer.id if invoice else customer,
            status="requires_payment_method",
            created=at,
            invoice=invoice.id if invoice else None,
        )
