"""Stripe Checkout: the page where a visitor buys, and the session that tells of it."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.sandbox.stripe.beginnings import Beginnings
from service.sandbox.stripe.calendar import MINUTE
from service.sandbox.stripe.legality import IllegalAct
from service.sandbox.stripe.model import Customer, Invoice, Line, PaymentIntent, Price, Session

TIME_ON_THE_PAGE = 2 * MINUTE


class Checkout(Beginnings):
    def check_out_subscription(
        self,
        name: str,
        email: str,
        items: Sequence[tuple[Price, int]],
        *,
        trial_days: int = 0,
        metadata: dict[str, str] | None = None,
        client_reference_id: str | None = None,
    ) -> tuple[str, str]:
        """A new customer subscribes (session mode `subscription`); gives the subscription's and the customer's id."""
        opened = self.book.now - TIME_ON_THE_PAGE
        with self.book.request():
            customer = Customer(id=self.book.ids.new("cus"), name=name, email=email, created=self.book.now)
            self.book.happened("customer.created", self.book.now, customer)
            identifier = self.subscribe(customer.id, items, trial_days=trial_days, payment="came_first")
            subscription = self.book.subscriptions[identifier]
            invoice = self.book.invoices[subscription.latest_invoice or ""]
            session = Session(
                id=self.book.ids.new("cs"),
                mode="subscription",
                customer=customer.id,
                email=email,
                name=name,
                created=opened,
                lines=tuple(items),
                payment_status="paid" if invoice.amount_paid else "no_payment_required",
                amount_total=invoice.amount_paid,
                currency=invoice.currency,
                subscription=identifier,
                invoice=invoice.id,
                metadata=metadata or {},
                client_reference_id=client_reference_id,
            )
            self.book.happened("checkout.session.completed", self.book.now, session)
        return identifier, customer.id

    def check_out_purchase(
        self,
        name: str,
        email: str,
        items: Sequence[tuple[Price, int]],
        *,
        guest: bool = False,
        delayed: bool = False,
        invoice: bool = False,
        names_invoice: bool = True,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """A one-time purchase (session mode `payment`); gives the session's id.

        `guest`: no customer is made. `delayed`: a bank debit that takes days; `clear` tells how it went.
        `invoice`: the session was set to make an invoice too, once it is paid; `names_invoice`: its event says which.
        """
        now = self.book.now
        buyer = Customer(id=self.book.ids.new("cus"), name=name, email=email, created=now)
        amount = sum(price.unit_amount * quantity for price, quantity in items)
        session = Session(
            id=self.book.ids.new("cs"),
            mode="payment",
            customer=None if guest else buyer.id,
            email=email,
            name=name,
            created=now - TIME_ON_THE_PAGE,
            lines=tuple(items),
            payment_status="unpaid" if delayed else "paid",
            amount_total=amount,
            currency=items[0][0].currency,
            invoice_creation=invoice,
            metadata=metadata or {},
        )
        with self.book.request():
            if not guest:
                self.book.happened("customer.created", now, buyer)
            if delayed:
                session = replace(session, payment_intent=self._processing(session))
            elif invoice:
                paid = self._invoiced(buyer, items)
                session = replace(session, invoice=paid.id, payment_intent=paid.payment_intent)
                if not names_invoice:
                    self.book.happened("checkout.session.completed", self.book.now, replace(session, invoice=None))
                    self.book.sessions[session.id] = session
                    return session.id
            else:
                charge = self.invoicing.charge(buyer, amount, session.currency, now, guest=guest)
                session = replace(session, payment_intent=charge.payment_intent)
            self.book.happened("checkout.session.completed", self.book.now, session)
        return session.id

    def clear(self, session: str, *, succeeds: bool) -> None:
        """A delayed payment comes, or does not."""
        before, now = self.book.sessions[session], self.book.now
        if before.payment_status != "unpaid" or before.payment_intent is None:
            raise IllegalAct(f"clear: {session} waits for no payment; check out with delayed=True")
        intent = self.book.intents[before.payment_intent]
        if not succeeds:
            self.book.happened(
                "payment_intent.payment_failed", now, replace(intent, status="requires_payment_method", declined=True)
            )
            self.book.happened("checkout.session.async_payment_failed", now, before)
            return
        buyer = Customer(id=before.customer or "", name=before.name, email=before.email, created=before.created)
        after = replace(before, payment_status="paid")
        if before.invoice_creation:
            after = replace(after, invoice=self._invoiced(buyer, before.lines, intent=intent).id)
        else:
            self.invoicing.charge(buyer, before.amount_total, before.currency, now, intent=intent)
        self.book.happened("checkout.session.async_payment_succeeded", now, after)

    def _processing(self, session: Session) -> str:
        intent = PaymentIntent(
            id=self.book.ids.new("pi"),
            amount=session.amount_total,
            currency=session.currency,
            customer=session.customer,
            status="processing",
            created=self.book.now,
        )
        self.book.happened("payment_intent.processing", self.book.now, intent)
        return intent.id

    def _invoiced(
        self, buyer: Customer, items: Sequence[tuple[Price, int]], *, intent: PaymentIntent | None = None
    ) -> Invoice:
        now = self.book.now
        lines = [
            Line(
                id=self.book.ids.new("il"),
                price=price,
                quantity=quantity,
                amount=price.unit_amount * quantity,
                start=now,
                end=now,
                invoice_item=self.book.ids.new("ii"),
            )
            for price, quantity in items
        ]
        invoice = self.invoicing.draft(lines, "manual", now, customer=buyer)
        invoice = replace(invoice, payment_intent=intent.id if intent else None)
        return self.invoicing.pay(self.invoicing.finalize(invoice, now), now)
