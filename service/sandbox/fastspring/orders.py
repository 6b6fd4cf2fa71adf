"""Orders and returns as a webhook with expansion has written them since 2023; other shapes are made from this one."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.sandbox.fastspring.fields import PAYOUT, Writing
from service.sandbox.fastspring.model import Account, Contact, Item, Order, Product, Returned, Subscription
from service.sandbox.fastspring.objects import SITE, account, contact, embedded, fulfillment_of

Json = dict[str, Any]
Keys = Mapping[tuple[str, str], Sequence[str]]
"""What the license generator gave, by reference of an order and path of a product."""


def order(
    it: Order,
    buyer: Account,
    how: Writing,
    subscriptions: Mapping[str, Subscription],
    keys: Keys,
    *,
    live: bool,
) -> Json:
    """An order. The subscriptions named in `subscriptions` are objects in it, others stay strings."""
    given = it.recipients or (buyer.contact,)
    pending = {} if it.state == "completed" else {"reason": it.reason, **how.date("paymentDueDate", it.payment_due)}
    return {
        "order": it.id,
        "id": it.id,
        "reference": None if it.state == "failed" else it.reference,
        "buyerReference": None,
        "ipAddress": "203.0.113.10",
        "completed": it.state == "completed",
        **how.date("changed", it.changed),
        **pending,
        "language": buyer.language,
        "live": live,
        "currency": how.currency,
        "payoutCurrency": PAYOUT,
        "quote": None,
        "invoiceUrl": f"{SITE}/account/order/{it.reference}/invoice",
        "siteId": "mN79bucN-x3qQWzs3zkfWA",
        "acquisitionTransactionType": "WITHIN_APPLICATION",
        "account": account(buyer),
        **how.money("total", it.total),
        **how.money("tax", 0),
        **how.money("subtotal", it.total),
        **how.money("discount", 0),
        **how.money("discountWithTax", 0),
        "billDescriptor": "FS* fsprg.com",
        "payment": {"type": "test", "cardEnding": str(it.card)},
        "customer": contact(buyer.contact),
        "address": {"country": buyer.country, "display": buyer.country},
        "recipients": [{"recipient": _recipient(each, buyer)} for each in given],
        "notes": [],
        "tags": dict(it.tags),
        "items": [_item(each, it, buyer, how, subscriptions, keys, live=live) for each in it.items],
    }


def _recipient(it: Contact, buyer: Account) -> Json:
    """The buyer is listed as a recipient too, with the account; somebody else has none."""
    own = {"account": account(buyer)} if it == buyer.contact else {}
    return contact(it) | {"address": {"country": buyer.country, "display": buyer.country}, **own}


def _item(
    it: Item,
    order: Order,
    buyer: Account,
    how: Writing,
    subscriptions: Mapping[str, Subscription],
    keys: Keys,
    *,
    live: bool,
) -> Json:
    found = subscriptions.get(it.subscription or "")
    # A subscription is made when its order is complete: until then nothing names it.
    later = it.subscription if order.state == "completed" else None
    named = embedded(found, buyer, how, live=live) if found is not None else later
    generated = keys.get((order.reference, it.product.path), ())
    driver = (
        {"type": "configuration", "path": it.belongs_to} if it.belongs_to else {"type": "cross-sell", "path": "pop"}
    )
    shown: Json = {
        "product": it.product.path,
        "quantity": it.quantity,
        "display": it.product.display,
        "sku": None,
        "imageUrl": None,
        **how.money("subtotal", it.subtotal),
        **how.money("discount", 0),
        "attributes": dict(it.product.attributes),
        **({} if named is None else {"subscription": named}),
        "fulfillments": _fulfillments(it.product, generated),
        "driver": driver,
        "isAddon": it.addon,
    }
    if it.proration:
        shown |= {**how.money("proratedItemChangeAmount", it.subtotal), "proratedItemTotal": how.number(it.subtotal)}
    return shown


def _fulfillments(it: Product, keys: Sequence[str]) -> Json:
    """The keys as the pages on the order API describe them; no capture shows any."""
    if not keys:
        return {}
    return {fulfillment_of(it): [{"license": key, "display": "License Key", "type": "license"} for key in keys]}


def returned(it: Returned, buyer: Account, how: Writing, *, live: bool) -> Json:
    """A return; of a part of the money the items' quantity is 0, unless it is for one item."""
    whole, left = it.order, it.amount
    items = []
    for item in whole.items if it.item is None else whole.items[it.item : it.item + 1]:
        subtotal = min(left, item.subtotal)
        left -= subtotal
        items.append(
            {
                "product": item.product.path,
                "quantity": item.quantity if it.full or it.item is not None else 0,
                "display": item.product.display,
                "sku": None,
                **how.money("subtotal", subtotal),
                **({} if item.subscription is None else {"subscription": item.subscription}),
            }
        )
    return {
        "return": it.id,
        "reference": it.reference,
        "completed": True,
        **how.date("changed", it.changed),
        "live": live,
        "currency": how.currency,
        "payoutCurrency": PAYOUT,
        **how.money("totalReturn", it.amount),
        **how.money("tax", 0),
        **how.money("subtotal", it.amount),
        "payment": {"type": "test", "cardEnding": str(whole.card)},
        "original": {
            "id": whole.id,
            "order": whole.id,
            "reference": whole.reference,
            "account": buyer.id,
            "currency": how.currency,
            "payoutCurrency": PAYOUT,
            **how.money("total", whole.total),
            **how.money("tax", 0),
            **how.money("subtotal", whole.total),
            "subscriptions": [each.subscription for each in whole.items if each.subscription is not None],
            "notes": [],
        },
        "customer": contact(buyer.contact),
        "items": items,
        "reason": it.reason,
        "note": None,
        "type": "RETURN",
        "account": account(buyer),
    }
