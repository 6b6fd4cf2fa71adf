"""What Stripe's customers and checkout sessions say."""

from msgspec import Struct

from domain import facts as f
from domain.providers.stripe.shapes import Ref, Text, id_of


class Contact(Struct, frozen=True):
    """Who it is: `individual_name` and `business_name` came with clover, beside `name`."""

    email: Text | None = None
    name: Text | None = None
    individual_name: Text | None = None
    business_name: Text | None = None


class Customer(Contact, frozen=True, kw_only=True):
    id: Text


class Session(Struct, frozen=True):
    """A visit to the checkout. What was bought is never in the event."""

    id: Text
    mode: Text
    payment_status: Text
    invoice: Ref = None
    payment_intent: Ref = None
    customer: Ref = None
    customer_account: Ref = None
    customer_email: Text | None = None
    customer_details: Contact | None = None


def updated(customer: Customer) -> list[f.Fact]:
    return [_described(customer.id, customer)]


def session_completed(session: Session) -> list[f.Fact]:
    """Raises ValueError on a mode that is not known."""
    return _completed(session, paid=session.payment_status != "unpaid")


def session_paid(session: Session) -> list[f.Fact]:
    """The delayed payment arrived."""
    return _completed(session, paid=True)


def session_failed(session: Session) -> list[f.Fact]:
    """The delayed payment failed; that of a subscription is told by its invoice and its status."""
    failed = f.PurchaseFailed() if session.mode == "payment" else f.Noted(about="the delayed payment failed")
    return [_customer(session), failed]


def _completed(session: Session, *, paid: bool) -> list[f.Fact]:
    invoice, payment = id_of(session.invoice), id_of(session.payment_intent)
    facts: list[f.Fact] = [_customer(session)]
    match session.mode:
        case "payment":
            if invoice and payment:
                facts.append(f.StreamsLinked(streams=(f"payment/{payment}",)))
                facts.append(f.PaymentLinked(payment=payment, invoice=invoice))
            facts.append(f.PurchaseCompleted(paid=paid, lines_from=f"checkout/sessions/{session.id}/line_items"))
        case "subscription":
            if invoice:
                facts.append(f.StreamsLinked(streams=(f"invoice/{invoice}",)))
        case "setup":
            facts.append(f.Noted(about="a way to pay was set up; nothing was bought"))
        case _:
            raise ValueError(f"Unknown mode {session.mode[:40]!r} - at `$.data.object.mode`")
    return facts


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
