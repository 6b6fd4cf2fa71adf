"""What Stripe's API answers when something is read back: the fields that events leave out."""

from collections.abc import Callable, Mapping
from typing import Any

from service.sandbox.stripe import catalog
from service.sandbox.stripe import clover_billing as billing
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.model import InvoicePayment, Price, Session, Thing
from service.sandbox.stripe.shapes import Shape, render

Json = dict[str, Any]
Query = Mapping[str, str]


def read(account: Account, path: str, shape: Shape = Shape.CLOVER) -> Json | None:
    """The answer to `GET /v1/{path}` as things stand now, None for what there is not (Stripe answers 404).

    Knows `customers`, `subscriptions`, `invoices`, `charges`, `payment_intents`, `prices` and `checkout/sessions`; a
    session comes with `line_items` as with `expand[]=line_items`. Nothing else is expanded.
    """
    kind, _, identifier = path.strip("/").removeprefix("v1/").rpartition("/")
    if kind == "prices":
        found = prices(account).get(identifier)
        return billing.price(found, account.merchant) if found else None
    thing = _things(account).get(kind, {}).get(identifier)
    if thing is None:
        return None
    rendered = render(thing, account.merchant, shape)
    if rendered is not None and isinstance(thing, Session):
        rendered["line_items"] = {
            "object": "list",
            "data": _line_items(account, thing),
            "has_more": False,
            "url": f"/v1/checkout/sessions/{thing.id}/line_items",
        }
    return rendered


FILTERS: Mapping[str, frozenset[str]] = {
    "checkout/sessions/{id}/line_items": frozenset(),
    "invoice_payments": frozenset({"invoice", "payment[payment_intent]", "payment[type]", "status"}),
    "invoices": frozenset({"customer", "status", "subscription"}),
    "invoices/{id}/lines": frozenset(),
    "prices": frozenset({"active"}),
    "subscription_items": frozenset({"subscription"}),
}
"""The lists that can be read, with what they can be narrowed by."""


def list_of(path: str) -> tuple[str, str] | None:
    """Which of these lists the path names, and of which object; None when it is no list."""
    parts = path.split("/")
    if path in FILTERS:
        return path, ""
    if len(parts) < 3:
        return None
    parts[-2], identifier = "{id}", parts[-2]
    name = "/".join(parts)
    return (name, identifier) if name in FILTERS else None


def listed(account: Account, path: str, query: Query, shape: Shape = Shape.CLOVER) -> list[Json] | None:
    """All entries of the list that `GET /v1/{path}` gives in pages; None for what there is not."""
    found = list_of(path)
    if found is None:
        return None
    name, identifier = found
    return _LISTS[name](account, identifier, query, shape)


def prices(account: Account) -> dict[str, Price]:
    """The catalog, and whatever else was sold."""
    billed = (line.price for invoice in account.book.invoices.values() for line in invoice.lines)
    bought = (price for session in account.book.sessions.values() for price, _ in session.lines)
    offered = (*catalog.RECURRING, catalog.PERPETUAL, catalog.YEAR_PASS)
    return {price.id: price for price in (*offered, *billed, *bought)}


def _things(account: Account) -> Mapping[str, Mapping[str, Thing]]:
    book = account.book
    return {
        "charges": book.charges,
        "checkout/sessions": book.sessions,
        "customers": book.customers,
        "invoices": book.invoices,
        "payment_intents": book.intents,
        "subscriptions": book.subscriptions,
    }


def _of_session(account: Account, identifier: str, _query: Query, _shape: Shape) -> list[Json] | None:
    session = account.book.sessions.get(identifier)
    return None if session is None else _line_items(account, session)


def _of_invoice(account: Account, identifier: str, _query: Query, shape: Shape) -> list[Json] | None:
    invoice = read(account, f"invoices/{identifier}", shape)
    return None if invoice is None else list(invoice["lines"]["data"])


def _of_subscription(account: Account, _: str, query: Query, shape: Shape) -> list[Json] | None:
    subscription = read(account, f"subscriptions/{query.get('subscription', '')}", shape)
    return None if subscription is None else list(subscription["items"]["data"])


def _payments(account: Account, _: str, query: Query, shape: Shape) -> list[Json]:
    """How a refund finds its invoice."""

    def asked_for(it: InvoicePayment) -> bool:
        return (
            query.get("payment[payment_intent]", it.payment_intent) == it.payment_intent
            and query.get("payment[type]", "payment_intent") == "payment_intent"
            and query.get("invoice", it.invoice) == it.invoice
            and query.get("status", "paid") == "paid"
        )

    found = (render(it, account.merchant, shape) for it in account.book.invoice_payments.values() if asked_for(it))
    return [each for each in found if each is not None]


def _invoices(account: Account, _: str, query: Query, shape: Shape) -> list[Json]:
    """The newest first."""
    found = (render(it, account.merchant, shape) for it in reversed(account.book.invoices.values()))
    subscriptions = {it.id: it.subscription for it in account.book.invoices.values()}
    return [
        each
        for each in found
        if each is not None
        and query.get("customer", each["customer"]) == each["customer"]
        and query.get("status", each["status"]) == each["status"]
        and query.get("subscription", subscriptions[each["id"]]) == subscriptions[each["id"]]
    ]


def _all_prices(account: Account, _: str, query: Query, _shape: Shape) -> list[Json]:
    everything = [] if query.get("active") == "false" else list(prices(account).values())
    return [billing.price(each, account.merchant) for each in everything]


_LISTS: Mapping[str, Callable[[Account, str, Query, Shape], list[Json] | None]] = {
    "checkout/sessions/{id}/line_items": _of_session,
    "invoice_payments": _payments,
    "invoices": _invoices,
    "invoices/{id}/lines": _of_invoice,
    "prices": _all_prices,
    "subscription_items": _of_subscription,
}


def _line_items(account: Account, session: Session) -> list[Json]:
    return [
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
    ]
