"""What Stripe's refunded charges and disputes say."""

from msgspec import Struct

from domain import facts as f
from domain.providers.stripe.shapes import Amount, Ref, Text, id_of


class Charge(Struct, frozen=True):
    """`invoice` is acacia's; since basil the way to it leads over the payment."""

    id: Text
    amount: Amount
    amount_refunded: Amount
    currency: Text
    payment_intent: Ref = None
    invoice: Ref = None


class Refund(Struct, frozen=True):
    status: Text | None = None


class Dispute(Struct, frozen=True):
    id: Text
    amount: Amount
    currency: Text
    status: Text
    reason: Text | None = None
    payment_intent: Ref = None
    charge: Ref = None

    @property
    def payment(self) -> str:
        return id_of(self.payment_intent) or id_of(self.charge)


OUTCOMES: dict[str, f.DisputeOutcome] = {
    "won": f.DisputeOutcome.WON,
    "lost": f.DisputeOutcome.LOST,
    "warning_closed": f.DisputeOutcome.WITHDRAWN,
    "prevented": f.DisputeOutcome.WITHDRAWN,
}


def refunded(charge: Charge) -> list[f.Fact]:
    refund = f.PaymentRefunded(
        payment=id_of(charge.payment_intent) or charge.id,
        amount=charge.amount,
        refunded=charge.amount_refunded,
        currency=charge.currency,
        invoice=id_of(charge.invoice),
    )
    return [refund]


def refund_updated(refund: Refund) -> list[f.Fact]:
    """A refund that failed at the bank is for a person to look at.

    Whether `amount_refunded` of its charge still counts it is not documented, so nothing is derived from it.
    """
    failed = "a refund failed at the bank: the money went back to the account, look at what was disabled"
    return [f.Noted(about=failed if refund.status == "failed" else "")]


MONEY_HELD = frozenset({"needs_response", "under_review"})
"""A dispute proper: the money was taken. With `warning_…` in front it is only an inquiry, and nothing was."""


def dispute_told(dispute: Dispute) -> list[f.Fact]:
    """An inquiry is a note until it becomes a dispute; what a closed one came to is told by its own event."""
    if dispute.status not in MONEY_HELD:
        return [f.Noted(about=f"dispute {dispute.status.replace('_', ' ')}")]
    opened = f.DisputeOpened(
        dispute=dispute.id,
        payment=dispute.payment,
        amount=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason or "",
    )
    return [opened]


def dispute_closed(dispute: Dispute) -> list[f.Fact]:
    """A way of closing that is not known takes nothing away: what it did to the money is told by other events."""
    outcome = OUTCOMES.get(dispute.status, f.DisputeOutcome.WITHDRAWN)
    return [f.DisputeClosed(dispute=dispute.id, payment=dispute.payment, outcome=outcome)]
