"""Money that goes back: refunds and disputes."""

from typing import Literal

from msgspec.structs import replace

from service.sandbox.stripe.desk import Desk
from service.sandbox.stripe.legality import IllegalAct
from service.sandbox.stripe.model import Charge, Dispute, DisputeStatus, Refund


class Payments(Desk):
    """`of` names what was paid for: a subscription, a Checkout session, or a payment intent."""

    def refund(self, of: str, amount: int | None = None) -> str:
        """Gives back part of the latest payment, or all that is left of it; gives the charge's id."""
        before = self._latest_charge(of)
        left = before.amount - before.amount_refunded
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise IllegalAct(f"refund: {amount} is not between 1 and the {left} that are left of {before.id}")
        now = self.book.now
        refund = Refund(
            id=self.book.ids.new("re"),
            charge=before.id,
            payment_intent=before.payment_intent,
            amount=amount,
            currency=before.currency,
            created=now,
            transaction=self.book.ids.new("txn"),
        )
        with self.book.request():
            self.book.happened("refund.created", now, refund)
            after = replace(before, amount_refunded=before.amount_refunded + amount)
            self.book.happened("charge.refunded", now, after, before)
        return before.id

    def open_dispute(self, of: str, reason: str = "fraudulent") -> str:
        """The buyer's bank takes the latest payment back for the time being; gives the dispute's id."""
        before, now = self._latest_charge(of), self.book.now
        dispute = Dispute(
            id=self.book.ids.new("dp"),
            charge=before.id,
            payment_intent=before.payment_intent,
            amount=before.amount - before.amount_refunded,
            currency=before.currency,
            reason=reason,
            status="needs_response",
            created=now,
        )
        self.book.happened("charge.dispute.created", now, dispute)
        self.book.happened("charge.dispute.funds_withdrawn", now, dispute)
        self.book.happened("charge.updated", now, replace(before, disputed=True), before)
        return dispute.id

    def close_dispute(self, dispute: str, outcome: Literal["won", "lost"]) -> None:
        """The bank decides. A dispute never cancels anything by itself."""
        before, now = self.book.disputes[dispute], self.book.now
        open_states: frozenset[DisputeStatus] = frozenset({"needs_response", "under_review"})
        if before.status not in open_states:
            raise IllegalAct(f"close_dispute: {dispute} is closed ({before.status}) already")
        after = replace(before, status=outcome)
        self.book.happened("charge.dispute.closed", now, after, before)
        if outcome == "won":
            self.book.happened("charge.dispute.funds_reinstated", now, after)

    def refundable(self, of: str) -> int:
        """How much of the latest payment could still be given back; 0 without one."""
        try:
            charge = self._latest_charge(of)
        except IllegalAct:
            return 0
        return charge.amount - charge.amount_refunded

    def _latest_charge(self, of: str) -> Charge:
        invoices = {invoice.id for invoice in self.book.invoices_of(of)}
        session = self.book.sessions.get(of)
        intent = session.payment_intent if session else of
        for charge in reversed(self.book.charges.values()):
            mine = charge.invoice in invoices or charge.payment_intent == intent
            if mine and charge.paid and not charge.disputed and charge.amount_refunded < charge.amount:
                return charge
        raise IllegalAct(f"{of} has no payment left that is neither refunded nor disputed")
