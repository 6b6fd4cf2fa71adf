"""Three API versions of the same objects: clover is written out, the older ones are differences from it.

A difference gets the newer rendering and the object itself. Sources: docs.stripe.com/changelog for basil 2025-03-31
(periods on items, invoice `parent`, line `pricing`, payments of invoices) and clover 2025-09-30 (flexible billing).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, assert_never

from service.sandbox.stripe import clover_billing as billing
from service.sandbox.stripe import clover_payments as payments
from service.sandbox.stripe.clover_sessions import session
from service.sandbox.stripe.model import (
    Charge,
    Customer,
    Dispute,
    Invoice,
    InvoicePayment,
    Line,
    Merchant,
    PaymentIntent,
    Refund,
    Session,
    Subscription,
    Thing,
)

Json = dict[str, Any]


class Shape(StrEnum):
    """An API version that an account may be pinned to."""

    ACACIA = "2024-11-20.acacia"
    BASIL = "2025-06-30.basil"
    CLOVER = "2026-01-28.clover"


def render(thing: Thing, merchant: Merchant, shape: Shape) -> Json | None:
    """The object in that version; None where the version has no such object.

    Raises ValueError for a subscription whose items end on different days in acacia, which cannot say so.
    """
    if shape is Shape.ACACIA and isinstance(thing, InvoicePayment):
        return None
    rendered = _clover(thing, merchant)
    if shape is Shape.CLOVER:
        return rendered
    if isinstance(thing, Subscription):
        _basil_subscription(rendered)
    _drop(rendered, *_NEWER_THAN_BASIL.get(rendered["object"], ()))
    if isinstance(thing, Invoice):
        for line in rendered["lines"]["data"]:
            _drop(line, "subtotal")
    if shape is Shape.ACACIA:
        _acacia(thing, rendered, merchant)
    return rendered


def _clover(thing: Thing, merchant: Merchant) -> Json:
    match thing:
        case Customer():
            return payments.customer(thing, merchant)
        case Subscription():
            return billing.subscription(thing, merchant)
        case Invoice():
            return billing.invoice(thing, merchant)
        case PaymentIntent():
            return payments.payment_intent(thing, merchant)
        case Charge():
            return payments.charge(thing, merchant)
        case Refund():
            return payments.refund(thing, merchant)
        case Dispute():
            return payments.dispute(thing, merchant)
        case InvoicePayment():
            return payments.invoice_payment(thing, merchant)
        case Session():
            return session(thing, merchant)
        case _:
            assert_never(thing)


# --- basil ----------------------------------------------------------------------------------------------------

_NEWER_THAN_BASIL: Mapping[str, tuple[str, ...]] = {
    "subscription": ("customer_account",),
    "invoice": ("customer_account",),
    "payment_intent": ("customer_account",),
    "checkout.session": ("customer_account", "origin_context"),
}


def _basil_subscription(rendered: Json) -> None:
    # Flexible billing is the default from clover on.
    rendered["billing_mode"] = {"type": "classic"}


# --- acacia ---------------------------------------------------------------------------------------------------

_NEWER_THAN_ACACIA: Mapping[str, tuple[str, ...]] = {
    "subscription": ("billing_mode",),
    "invoice": ("amount_overpaid", "parent", "total_taxes"),
    "line_item": ("parent", "pricing", "taxes"),
    "checkout.session": ("collected_information", "permissions", "wallet_options"),
}


def _acacia(thing: Thing, rendered: Json, merchant: Merchant) -> None:
    _drop(rendered, *_NEWER_THAN_ACACIA.get(rendered["object"], ()))
    if isinstance(thing, Subscription):
        _acacia_subscription(thing, rendered)
    elif isinstance(thing, Invoice):
        _acacia_invoice(thing, rendered, merchant)
    elif isinstance(thing, Charge | PaymentIntent):
        rendered["invoice"] = thing.invoice
    elif isinstance(thing, Session):
        rendered["shipping_details"] = None


def _acacia_subscription(it: Subscription, rendered: Json) -> None:
    periods = {(item.start, item.end) for item in it.items}
    if len(periods) > 1:
        raise ValueError(f"{it.id} has items of different periods; acacia knows one period, so use basil or later")
    for item in rendered["items"]["data"]:
        _drop(item, "current_period_start", "current_period_end")
    ((rendered["current_period_start"], rendered["current_period_end"]),) = periods
    rendered["discount"] = None


def _acacia_invoice(it: Invoice, rendered: Json, merchant: Merchant) -> None:
    rendered |= {
        "application_fee_amount": None,
        "charge": it.charge,
        "discount": None,
        "paid": it.status == "paid",
        "paid_out_of_band": False,
        "payment_intent": it.payment_intent,
        "quote": None,
        "subscription": it.subscription,
        "subscription_details": {"metadata": dict(it.subscription_metadata) if it.subscription else None},
        "tax": None,
        "total_tax_amounts": [],
        "transfer_data": None,
    }
    for line, older in zip(it.lines, rendered["lines"]["data"], strict=True):
        _drop(older, *_NEWER_THAN_ACACIA["line_item"])
        older.update(_acacia_line(line, merchant))


def _acacia_line(it: Line, merchant: Merchant) -> Json:
    credited = it.credits and {"invoice": it.credits[0], "invoice_line_items": list(it.credits[1])}
    line: Json = {
        "amount_excluding_tax": it.amount,
        "plan": billing.plan(it.price, merchant) if it.price.interval else None,
        "price": billing.price(it.price, merchant),
        "proration": it.proration,
        "proration_details": {"credited_items": credited},
        "subscription": it.subscription,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "invoiceitem" if it.invoice_item else "subscription",
        "unit_amount_excluding_tax": str(it.price.unit_amount),
    }
    optional = {"subscription_item": it.item, "invoice_item": it.invoice_item}
    return line | {name: value for name, value in optional.items() if value is not None}


def _drop(rendered: Json, *names: str) -> None:
    for name in names:
        del rendered[name]
