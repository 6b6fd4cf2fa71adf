"""Sales of one product with given license attributes, as the deliveries of each store, for tests.

What is recurring is paid from the first of February 2026 to the first of March. Each sale has identifiers of its own,
which follow from its name.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from domain.attributes import Store
from tests.payloads import fastspring, stripe
from tests.serving import SECRET, signed
from tests.terms_samples import APP, BUYER, Sale

Json = dict[str, Any]
Delivery = tuple[bytes, Mapping[str, str]]
"""A body and its headers."""


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """A sale: its name, what was sold, how, and to whom it belongs afterwards.

    `beside`: it is an add-on of that product, in one subscription with it.
    """

    name: str
    attributes: Mapping[str, str]
    sale: Sale = "recurring"
    quantity: int = 1
    add_on: bool = False


# --- Stripe -------------------------------------------------------------------------------------------------


def _stripe_price(sold: Sold) -> Json:
    made = stripe.price(f"price_{sold.name}", f"prod_{sold.name}", **sold.attributes)
    return made if sold.sale != "once" else {**made, "recurring": None, "type": "one_time"}


def _stripe_subscription(sold: Sold, era: stripe.Era, **changes: Any) -> Json:
    items = [stripe.item(era, id_=f"si_{sold.name}", quantity=sold.quantity, price=_stripe_price(sold))]
    if sold.add_on:
        items.append(stripe.item(era, id_=f"si_{sold.name}_base", quantity=1, price=stripe.price(short_code=APP)))
    return stripe.subscription(era, items=items, **{**_stripe_names(sold), **changes})


def _stripe_names(sold: Sold) -> Json:
    return {"id": f"sub_{sold.name}", "customer": f"cus_{sold.name}", "latest_invoice": f"in_{sold.name}"}


def _stripe_invoice(sold: Sold) -> Json:
    """As acacia shows it, with the whole price: what newer ones leave out is asked, which has tests of its own."""
    once = sold.sale == "once"
    line = stripe.line("acacia", item=None if once else f"si_{sold.name}", price_=_stripe_price(sold))
    return stripe.invoice(
        "acacia",
        subscription=None if once else f"sub_{sold.name}",
        lines=[{**line, "quantity": sold.quantity}],
        id=f"in_{sold.name}",
        customer=f"cus_{sold.name}",
        customer_email=BUYER,
        payment_intent=f"pi_{sold.name}",
        charge=f"ch_{sold.name}",
    )


def _stripe_event(sold: Sold, type_: str, object_: Json, *, at: int) -> Delivery:
    told = stripe.event(type_, object_, era="acacia", id_=f"evt_{sold.name}_{type_}", created=at)
    body = msgspec.json.encode(told)
    return body, signed(body)


def stripe_sale(sold: Sold) -> list[Delivery]:
    subscription = _stripe_subscription(sold, "acacia", status="incomplete" if sold.sale == "unpaid" else "active")
    paid = _stripe_event(sold, "invoice.paid", _stripe_invoice(sold), at=stripe.FEBRUARY + 2)
    begun = _stripe_event(sold, "customer.subscription.created", subscription, at=stripe.FEBRUARY)
    return {"recurring": [begun, paid], "once": [paid], "unpaid": [begun]}[sold.sale]


def stripe_change(sold: Sold) -> list[Delivery]:
    changed = _stripe_subscription(sold, "acacia")
    return [_stripe_event(sold, "customer.subscription.updated", changed, at=stripe.FEBRUARY + 3600)]


# --- FastSpring ---------------------------------------------------------------------------------------------


def _fastspring_subscription(sold: Sold, **changes: Any) -> Json:
    made = fastspring.subscription(
        path=sold.name,
        attributes=dict(sold.attributes),
        id=f"S{sold.name}",
        subscription=f"S{sold.name}",
        quantity=sold.quantity,
        account=_account(sold),
        initialOrderId=f"O{sold.name}",
        initialOrderReference=f"REF-{sold.name}",
    )
    return {**made, **changes}


def _account(sold: Sold) -> Json:
    return fastspring.account(id=f"A{sold.name}", account=f"A{sold.name}")


def _fastspring_order(sold: Sold) -> Json:
    own: Json = {"quantity": sold.quantity}
    attributes = dict(sold.attributes)
    if sold.sale != "once":
        own["subscription"] = {**_fastspring_subscription(sold), "account": f"A{sold.name}"}
    items = [fastspring.item(sold.name, attributes=attributes, **own)]
    if sold.add_on:
        base = _base(sold)
        begun = {**_fastspring_subscription(sold), "account": f"A{sold.name}", "product": base.name, "quantity": 1}
        items = [
            fastspring.item(base.name, attributes=dict(base.attributes), quantity=1, subscription=begun),
            fastspring.item(sold.name, attributes=attributes, quantity=1, subscription=begun, isAddon=True),
        ]
    return fastspring.order(
        items=items,
        id=f"O{sold.name}",
        order=f"O{sold.name}",
        reference=f"REF-{sold.name}",
        account=_account(sold),
        completed=sold.sale != "unpaid",
    )


def _base(sold: Sold) -> Sold:
    return Sold(name=f"{sold.name}-base", attributes={"product_short_code": APP})


def _fastspring_batch(sold: Sold, *events: tuple[str, Json, int]) -> Delivery:
    told = [
        fastspring.event(type_, data, id_=f"EV{sold.name}{type_}".upper().replace(".", ""), created=at)
        for type_, data, at in events
    ]
    body = msgspec.json.encode(fastspring.batch(*told))
    signature = b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    return body, {"content-type": "application/json", "x-fs-signature": signature}


def fastspring_sale(sold: Sold) -> list[Delivery]:
    order = _fastspring_order(sold)
    if sold.sale == "unpaid":
        return [_fastspring_batch(sold, ("order.payment.pending", order, fastspring.FEBRUARY))]
    bought = ("order.completed", order, fastspring.BOUGHT + 1)
    if sold.sale == "once":
        return [_fastspring_batch(sold, bought)]
    of = _fastspring_subscription(sold)
    if sold.add_on:
        base = _base(sold)
        of["product"] = fastspring.product(base.name, dict(base.attributes))
    return [_fastspring_batch(sold, ("subscription.activated", of, fastspring.BOUGHT), bought)]


def fastspring_change(sold: Sold) -> list[Delivery]:
    changed = _fastspring_subscription(sold)
    return [_fastspring_batch(sold, ("subscription.updated", changed, fastspring.BOUGHT + 3_600_000))]


# --- both ---------------------------------------------------------------------------------------------------


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """How a store tells of a sale and of another version of what was sold, and what it calls product and stream."""

    sell: Callable[[Sold], list[Delivery]]
    change: Callable[[Sold], list[Delivery]]
    product: Callable[[Sold], str]
    stream: Callable[[Sold], str]


SHOPS: dict[Store, Shop] = {
    "stripe": Shop(
        sell=stripe_sale,
        change=stripe_change,
        product=lambda sold: f"prod_{sold.name}",
        stream=lambda sold: f"invoice/in_{sold.name}" if sold.sale == "once" else f"subscription/sub_{sold.name}",
    ),
    "fastspring": Shop(
        sell=fastspring_sale,
        change=fastspring_change,
        product=lambda sold: sold.name,
        stream=lambda sold: f"order/O{sold.name}" if sold.sale == "once" else f"subscription/S{sold.name}",
    ),
}
