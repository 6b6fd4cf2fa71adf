"""What Stripe's customers and checkout sessions say."""

from msgspec import Struct

from domain import facts as f
from domain.events import Event, Stream, identifier_of, kind_of
from domain.providers.stripe.invoices import lines_of
from domain.providers.stripe.shapes import Ref, Text, id_of, named


class Contact(Struct, frozen=True):
    """Who it is: `individual_name` and `business_name` came with clover, beside `name`."""

    email: Text | None = None
    name: Text | None = None
    individual_name: Text | None = None
    business_name: Text | None = None


class Customer(Contact, frozen=True, kw_only=True):
    id: Text


class InvoiceCreation(Struct, frozen=True):
    enabled: bool = False


class Session(Struct, frozen=True):
    """A visit to the checkout. What was bought is never in the event.

    `invoice_creation` says that a purchase gets an invoice, which is named only once it is there.
    """

    id: Text
    mode: Text
    payment_status: Text
    invoice: Ref = None
    payment_intent: Ref = None
    customer: Ref = None
    customer_account: Ref = None
    customer_email: Text | None = None
    customer_details: Contact | None = None
    invoice_creation: InvoiceCreation | None = None


def updated(customer: Customer) -> list[f.Fact]:
    return [_described(customer.id, customer)]


def session_completed(session: Session, event: Event) -> list[f.Fact]:
    """Raises ValueError on a mode that is not known."""
    return _completed(session, event.stream, paid=session.payment_status != "unpaid")


def session_paid(session: Session, event: Event) -> list[f.Fact]:
    """The delayed payment arrived."""
    return _completed(session, event.stream, paid=True)


def session_failed(session: Session, _: Event) -> list[f.Fact]:
    """The delayed payment failed; that of a subscription is told by its invoice and its status."""
    failed = f.PurchaseFailed() if session.mode == "payment" else f.Noted(about="the delayed payment failed")
    return [_customer(session), failed]


def _completed(session: Session, stream: Stream, *, paid: bool) -> list[f.Fact]:
    customer, invoice = _customer(session), id_of(session.invoice)
    match session.mode:
        case "payment":
            return [customer, *_bought(session, stream, paid=paid)]
        case "subscription":
            return [customer, f.StreamsLinked(streams=(f"invoice/{invoice}",))] if invoice else [customer]
        case "setup":
            return [customer, f.Noted(about="a way to pay was set up; nothing was bought")]
        case _:
            raise ValueError(f"Unknown mode {session.mode[:40]!r} - at `$.data.object.mode`")


WITH_LINES = "?expand[]=line_items"
_UNDER_WAY = f.Noted(about="the payment is under way; its invoice will tell what was bought")


def _bought(session: Session, stream: Stream, *, paid: bool) -> list[f.Fact]:
    """A purchase that is invoiced is told in the invoice's stream and consists of its lines, and of nothing else.

    Otherwise session and invoice would both be licensed. So what is to be invoiced says nothing in the stream of its
    payment but that there is a payment, whose invoice is to be found.
    """
    payment = id_of(session.payment_intent)
    of_invoice = kind_of(stream) == "invoice"
    invoice = id_of(session.invoice) or (identifier_of(stream) if of_invoice else "")
    if invoice:
        link = f.StreamsLinked(streams=(f"payment/{payment}",))
        linked = [link, f.PaymentLinked(payment=payment, invoice=invoice)] if payment else []
        if not paid:
            return [*linked, _UNDER_WAY]
        return [*linked, f.PurchaseCompleted(paid=paid, lines_from=lines_of(invoice))]
    if session.invoice_creation is not None and session.invoice_creation.enabled:
        if payment:
            return [f.PaymentLinked(payment=payment, invoice="") if paid else _UNDER_WAY]
        # Nothing was to be paid. Whether it gets an invoice all the same, the session says a little later.
        return [f.PurchaseCompleted(paid=paid, lines_from=f"checkout/sessions/{named(session.id)}{WITH_LINES}")]
    return [f.PurchaseCompleted(paid=paid, lines_from=f"checkout/sessions/{named(session.id)}/line_items")]


def _customer(session: Session) -> f.CustomerDescribed:
    reference = id_of(session.customer) or id_of(session.customer_account)
    return _described(reference, session.customer_details or Contact(), session.customer_email or "")


def _described(reference: str, contact: Contact, email: str = "") -> f.CustomerDescribed:
    return f.CustomerDescribed(
        reference=reference,
        email=contact.email or email,
        name=contact.name or contact.individual_name or "",
        company=contact.business_name or "",
    )
