"""What was paid, by which payments, and what went back of it: how the fold takes such facts down.

Everything is keyed by what the provider calls it, so a fact that comes twice counts once. It is taken down where it
stands, without a copy of what was known: what an event costs does not grow with the events before it.
"""

from domain import debt
from domain import facts as f
from domain.subscription import FIRST_PAYMENT, Dispute, EventRef, PaidInvoice, Refund, Subscription, dated


def paid(s: Subscription, fact: f.PeriodPaid, ref: EventRef) -> None:
    s.identified = True
    invoice = fact.invoice or FIRST_PAYMENT
    told = invoice in s.invoices or (not fact.invoice and any(paid.first for paid in s.invoices.values()))
    if told:
        return
    s.charged = s.charged or not fact.first
    debt.payment_made(s, fact.invoice)
    if fact.first:
        s.invoices.pop(FIRST_PAYMENT, None)
    s.invoices[invoice] = _invoice(fact, ref)


def payments_described(s: Subscription, fact: f.PaymentsDescribed, ref: EventRef) -> None:
    """Takes the place of all that was told of payments before; what is said again keeps the event that said it."""
    s.identified = True
    s.charged = s.charged or any(not paid.first for paid in fact.paid)
    known = s.invoices
    s.invoices = {
        name: known[name] if name in known and _says_again(known[name], each) else _invoice(each, ref)
        for name, each in ((each.invoice or FIRST_PAYMENT, each) for each in fact.paid)
    }
    s.payments = {link.payment: link.invoice for link in fact.links}


def _invoice(fact: f.PeriodPaid, ref: EventRef) -> PaidInvoice:
    return PaidInvoice(fact.periods, fact.amount, fact.currency, dated(ref, fact.at), fact.first)


def _says_again(known: PaidInvoice, fact: f.PeriodPaid) -> bool:
    told = fact.periods, fact.amount, fact.currency, fact.first
    return told == (known.periods, known.amount, known.currency, known.first) and fact.at in {None, known.paid.at}


def linked(s: Subscription, fact: f.PaymentLinked, _: EventRef) -> None:
    if fact.invoice:
        s.payments[fact.payment] = fact.invoice
    else:
        s.payments.setdefault(fact.payment, FIRST_PAYMENT)


def refunded(s: Subscription, fact: f.PaymentRefunded, ref: EventRef) -> None:
    before = s.refunds.get(fact.payment, Refund(fact.amount, 0, ref))
    parts = before.parts
    if fact.part:
        parts = {**parts, fact.part: max(fact.refunded, parts.get(fact.part, 0))}
    back = max(before.refunded, sum(parts.values()), 0 if fact.part else fact.refunded)
    s.refunds[fact.payment] = Refund(
        max(fact.amount, before.amount),
        back,
        ref if back > before.refunded else before.since,
        before.invoice or fact.invoice,
        parts,
        before.items if fact.items is None else {**before.items, fact.part: fact.items},
    )


def dispute_opened(s: Subscription, fact: f.DisputeOpened, ref: EventRef) -> None:
    s.disputes = {fact.dispute: Dispute(fact.payment, ref, opened=ref.at), **s.disputes}


def dispute_closed(s: Subscription, fact: f.DisputeClosed, ref: EventRef) -> None:
    known = s.disputes.get(fact.dispute)
    opened = known.opened if known is not None else ref.at
    s.disputes = {**s.disputes, fact.dispute: Dispute(fact.payment, ref, fact.outcome, opened=opened)}
