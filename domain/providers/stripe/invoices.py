"""What Stripe's invoices say, and what paid them."""

from collections.abc import Sequence

from domain import facts as f
from domain.providers.stripe.invoice_shapes import Invoice, InvoiceLine, InvoicePayment
from domain.providers.stripe.shapes import Ref, id_of, instant, instant_or_none, named


def paid(invoice: Invoice) -> list[f.Fact]:
    return _subscription_paid(invoice) if invoice.subscription_id else _purchase_paid(invoice)


def payment_failed(invoice: Invoice) -> list[f.Fact]:
    """Where Stripe charges, no next attempt means that it was the last; an invoice that was sent may yet be paid."""
    again = instant_or_none(invoice.next_payment_attempt)
    charged = invoice.collection_method == "charge_automatically" and invoice.status == "open"
    final = charged and again is None and invoice.attempt_count > 0
    return [f.PaymentFailed(invoice=invoice.id, attempt=invoice.attempt_count, next_attempt=again, final=final)]


def payment_action_required(invoice: Invoice) -> list[f.Fact]:
    return [f.PaymentActionRequired(invoice=invoice.id)]


def payment_paid(paid: InvoicePayment) -> list[f.Fact]:
    kind, payment = payment_of(paid.payment.payment_intent, paid.payment.charge)
    if not payment:
        return [f.Noted(about="paid by a payment that was not made at Stripe")]
    link = f.StreamsLinked(streams=(f"{kind}/{payment}",))
    return [link, f.PaymentLinked(payment=payment, invoice=id_of(paid.invoice))]


def payment_of(intent: Ref, charge: Ref) -> tuple[str, str]:
    """The kind of stream that holds a payment's own events, and its id there; the id is empty where none is named."""
    return ("payment", id_of(intent)) if id_of(intent) else ("charge", id_of(charge))


def _subscription_paid(invoice: Invoice) -> list[f.Fact]:
    kind, payment = payment_of(invoice.payment_intent, invoice.charge)
    streams = (f"invoice/{invoice.id}", *([f"{kind}/{payment}"] if payment else []))
    facts: list[f.Fact] = [f.StreamsLinked(streams=streams), _customer(invoice), _period_paid(invoice)]
    if payment:
        facts.append(f.PaymentLinked(payment=payment, invoice=invoice.id))
    if invoice.lines.has_more:
        facts.append(f.Noted(about="the invoice has more lines than the event shows"))
    if invoice.billing_reason == "subscription_create" and any(not line.item for line in invoice.lines.data):
        facts.append(f.Noted(about="what was bought once beside the subscription is not licensed: sell it by itself"))
    return facts


def _period_paid(invoice: Invoice) -> f.PeriodPaid:
    periods = tuple(
        f.PaidPeriod(
            line=line.item,
            start=instant(line.period.start),
            end=instant(line.period.end),
            proration=line.prorated,
            quantity=line.quantity,
        )
        for line in invoice.lines.data
        if line.item
    )
    return f.PeriodPaid(
        invoice=invoice.id,
        periods=periods,
        amount=invoice.amount_paid,
        currency=invoice.currency,
        reason=invoice.billing_reason or "",
    )


def _purchase_paid(invoice: Invoice) -> list[f.Fact]:
    kind, payment = payment_of(invoice.payment_intent, invoice.charge)
    facts: list[f.Fact] = [_customer(invoice)]
    if payment:
        facts.append(f.StreamsLinked(streams=(f"{kind}/{payment}",)))
        facts.append(f.PaymentLinked(payment=payment, invoice=invoice.id))
    if invoice.lines.has_more:
        return [*facts, f.PurchaseCompleted(paid=True, lines_from=lines_of(invoice.id))]
    return [*facts, *bought(invoice.lines.data), f.PurchaseCompleted(paid=True)]


def lines_of(invoice: str) -> str:
    """What to ask for the lines of an invoice."""
    return f"invoices/{named(invoice)}/lines"


def bought(lines: Sequence[InvoiceLine]) -> list[f.Fact]:
    """What a purchase consists of, given all lines of its invoice. What they show of a price, they show for good."""
    whole = {price.id: price for line in lines if (price := line.sold) is not None and price.metadata is not None}
    described: list[f.Fact] = [
        f.PriceDescribed(price=price.id, product=id_of(price.product), attributes=price.metadata or {})
        for price in whole.values()
    ]
    return [*described, f.LinesDescribed(lines=tuple(map(_line_bought, lines)))]


def _line_bought(line: InvoiceLine) -> f.Line:
    price = line.sold
    return f.Line(
        id=line.id,
        product=id_of(price.product) if price else "",
        price=price.id if price else "",
        quantity=1 if line.quantity is None else line.quantity,
        attributes=(price.metadata or {}) if price else {},
        recurring=False,
        described=price is None or price.metadata is not None,
    )


def _customer(invoice: Invoice) -> f.CustomerDescribed:
    return f.CustomerDescribed(
        reference=id_of(invoice.customer) or id_of(invoice.customer_account),
        email=invoice.customer_email or "",
        name=invoice.customer_name or "",
        as_billed=True,
    )
