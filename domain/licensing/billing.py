"""Which paid period counts for a line, and whether its money was given back."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from domain.durations import later
from domain.facts import DisputeOutcome, Line, PaidPeriod
from domain.licensing.license import Because
from domain.policy import Policy
from domain.subscription import FIRST_PAYMENT, Dispute, PaidInvoice, Refund, Subscription, is_given_back


class Governing(msgspec.Struct, frozen=True):
    """A period, and the invoice that paid it."""

    invoice: str
    paid: PaidInvoice
    period: PaidPeriod


def governing_period(s: Subscription, line: Line) -> Governing | None:
    """The paid period that counts for a line: the one that began last.

    That is of its own ones; for a line that was added later and whose first bill is a proration or still to come, the
    proration's, then the latest of any line.
    """
    governing: Governing | None = None
    most: tuple[object, ...] = ()
    for invoice, paid in s.invoices.items():
        for period in paid.periods:
            own = period.line == line.id
            if period.proration and not own:
                continue
            weight = (own, not period.proration, period.start, period.end, invoice)
            if weight > most:
                governing, most = Governing(invoice, paid, period), weight
    return governing


def governing_invoice(s: Subscription, line: Line) -> str | None:
    """The invoice whose money counts for a line: that of its governing period.

    Where no invoice pays for a period, as when the vendor charges at will, it is the one that was paid last. None where
    that cannot be said.
    """
    governing = governing_period(s, line)
    if governing is not None:
        return governing.invoice
    if any(paid.periods for paid in s.invoices.values()):
        return None
    return max(s.invoices, key=lambda name: _was_paid(name, s.invoices[name]), default=None)


def _was_paid(invoice: str, paid: PaidInvoice) -> tuple[object, ...]:
    """The first payment may be heard of after a later one."""
    return not paid.first, paid.paid.at, paid.paid.event_id, invoice


def paid_through(s: Subscription, policy: Policy, line: Line) -> Governing | None:
    """The paid period that a line is paid through by.

    That is the governing one, or a proration that began later and reaches further, as after a change of the interval,
    unless its money was given back.
    """
    governing = governing_period(s, line)
    if governing is None:
        return None
    longer = [
        each
        for each in _prorations(s, line)
        if each.period.start > governing.period.start
        and each.period.end > governing.period.end
        and taken_back(s, policy, each.invoice, line) is None
    ]
    return max(longer, key=_began, default=governing)


def _began(each: Governing) -> tuple[object, ...]:
    return each.period.start, each.period.end, each.invoice


def paid_up(s: Subscription, line: Line, at: datetime) -> bool:
    """Whether what is paid for a line reaches beyond an instant, so that it owes nothing then.

    A proration that began by then, as after a change of the interval, may reach further than the period that counts.
    What is billed in arrears is paid when the periods are that ended.
    """
    governing = governing_period(s, line)
    if governing is None:
        return False
    if line.in_arrears and line.period_start is not None:
        ends, length = governing.period.end, governing.period.end - governing.period.start
        return ends >= line.period_start if line.period_start <= at else later(ends, length) > at
    longer = (each.period for each in _prorations(s, line))
    return governing.period.end > at or any(period.start <= at < period.end for period in longer)


def _prorations(s: Subscription, line: Line) -> Iterator[Governing]:
    for invoice, paid in s.invoices.items():
        for period in paid.periods:
            if period.proration and period.line == line.id:
                yield Governing(invoice, paid, period)


def invoice_of(s: Subscription, payment: str) -> str | None:
    """The invoice a payment paid, None where it is not known.

    A provider may know payments by nothing but the invoice they paid. What is linked to one that nobody named can only
    be the first, while that has no name.
    """
    invoice = payment if payment in s.invoices else s.payments.get(payment)
    unnamed = invoice is not None and invoice not in s.invoices and FIRST_PAYMENT in s.invoices
    return FIRST_PAYMENT if unnamed else invoice


def concerns(s: Subscription, dispute: Dispute, invoice: str | None) -> bool:
    """Whether a dispute is about that invoice; None: about all that was paid.

    A payment of unknown invoice may be the current one, unless it was disputed before the current one was paid.
    """
    disputed = invoice_of(s, dispute.payment)
    if invoice is None or disputed is not None:
        return invoice is None or disputed == invoice
    return dispute.opened is None or dispute.opened >= s.invoices[invoice].paid.at


def _refunded_invoice(s: Subscription, payment: str, refund: Refund) -> str:
    """The invoice whose money went back, as far as known; what nobody named can only be the first one."""
    invoice = refund.invoice or s.payments.get(payment) or payment
    return FIRST_PAYMENT if invoice not in s.invoices and FIRST_PAYMENT in s.invoices else invoice


def taken_back(s: Subscription, policy: Policy, invoice: str | None, line: Line) -> Because | None:
    """Why the money of that invoice, or (None) what was paid for that line of a purchase, no longer counts, if so."""
    bill = "purchase" if invoice is None else "current period"
    for dispute in s.disputes.values():
        if concerns(s, dispute, invoice) and dispute.outcome is DisputeOutcome.LOST and policy.on_dispute == "disable":
            return Because(f"policy on_dispute: the dispute of the {bill}'s payment was lost", dispute.since)
    refunds = [
        refund
        for payment, refund in s.refunds.items()
        if refund.refunded > 0 and (invoice is None or _refunded_invoice(s, payment, refund) == invoice)
    ]
    if not refunds:
        return None
    latest = max(refunds, key=lambda refund: (refund.since.at, refund.since.event_id)).since
    if _all_of_it(s, refunds, invoice, line):
        full = Because(f"policy on_refund: the {bill} was refunded", latest)
        return full if policy.on_refund == "disable" else None
    if policy.on_partial_refund == "disable" and any(_concerns(refund, invoice, line) for refund in refunds):
        return Because(f"policy on_partial_refund: the {bill} was refunded in part", latest)
    return None


def _all_of_it(s: Subscription, refunds: Sequence[Refund], invoice: str | None, line: Line) -> bool:
    """Whether all the money of the payment went back, or all units that it paid for here were taken back."""
    back, price = sum(refund.refunded for refund in refunds), sum(refund.amount for refund in refunds)
    paid = 0 if invoice is None else s.invoices[invoice].amount
    if 0 < max(price, paid) <= back:
        return True
    if invoice is None:
        return is_given_back(s, line)
    goods = [item for refund in refunds for item in refund.of() if item.quantity]
    # The quantity may have changed since; it has to do where nobody said what was paid.
    return bool(goods) and (
        sum(item.amount for item in goods) >= paid
        if paid
        else sum(item.quantity for item in goods if item.product == line.product) >= line.quantity
    )


def _concerns(refund: Refund, invoice: str | None, line: Line) -> bool:
    if invoice is not None or any(part not in refund.items for part in refund.parts) or not refund.items:
        return refund.concerned
    return bool(refund.of(line.product))
