"""What Stripe's API answers when an object is read back: the fields that events leave out."""

from typing import Any

from service.sandbox.stripe import clover_billing as billing
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.model import Price, Session, Thing
from service.sandbox.stripe.shapes import Shape, render

Json = dict[str, Any]


def read(account: Account, path: str, shape: Shape = Shape.CLOVER) -> Json | None:
    """The answer to `GET /v1/{path}` as things stand now, None for what there is not (Stripe answers 404).

    Knows `customers`, `subscriptions`, `invoices`, `charges`, `payment_intents`, `prices` and `checkout/sessions`; a
    session comes with `line_items` as with `expand[]=line_items`. Nothing else is expanded.
    """
    kind, _, identifier = path.strip("/").removeprefix("v1/").rpartition("/")
    if kind == "prices":
        found = _prices(account).get(identifier)
        return billing.price(found, account.merchant) if found else None
    book = account.book
    shelves: dict[str, dict[str, Any]] = {
        "charges": book.charges,
        "checkout/sessions": book.sessions,
        "customers": book.customers,
        "invoices": book.invoices,
        "payment_intents": book.intents,
        "subscriptions": book.subscriptions,
    }
    thing: Thing | None = shelves.get(kind, {}).get(identifier)
    if thing is None:
        return None
    rendered = render(thing, account.merchant, shape)
    if rendered is not None and isinstance(thing, Session):
        rendered["line_items"] = _line_items(account, thing)
    return rendered


def payments_of_intent(account: Account, payment_intent: str) -> Json:
    """The answer to `GET /v1/invoice_payments` for one payment intent: how a refund finds its invoice."""
    found = [it for it in account.book.invoice_payments.values() if it.payment_intent == payment_intent]
    data = [render(it, account.merchant, Shape.CLOVER) for it in found]
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/invoice_payments"}


def _line_items(account: Account, session: Session) -> Json:
    return {
        "object": "list",
        "data": [
            {
                "id": f"li_{session.id[-20:]}{number}",
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": price.unit_amount * quantity,
                "amount_tax": 0,
                "amount_total": price.unit_amount * quantity,
                "currency": price.currency,
                "description": price.product_name,
                "price": billing.price(price, account.merchant),
                "quantity": quantity,
            }
            for number, (price, quantity) in enumerate(session.lines)
        ],
        "has_more": False,
        "url": f"/v1/checkout/sessions/{session.id}/line_items",
    }


def _prices(account: Account) -> dict[str, Price]:
    billed = (line.price for invoice in account.book.invoices.values() for line in invoice.lines)
    bought = (price for session in account.book.sessions.values() for price, _ in session.lines)
    return {price.id: price for price in (*billed, *bought)}
