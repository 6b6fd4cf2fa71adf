"""Accounts, products and subscriptions as a webhook with expansion has written them since 2023.

The other shapes are made from this one. What no capture showed is marked where it is written. Sources: captured
payloads of 2019 to 2023, the vendor's pages.
"""

from typing import Any

from service.sandbox.fastspring.fields import PAYOUT, Writing
from service.sandbox.fastspring.model import (
    Account,
    AddOn,
    Contact,
    Product,
    Subscription,
)

Json = dict[str, Any]

SITE = "https://falcon.test.onfastspring.com"
_WEEKLY: Json = {"intervalUnit": "week", "intervalLength": 1}
_NO_ADDRESS = ("address line 1", "address line 2", "city", "postal code", "region", "region custom", "company")


def contact(it: Contact) -> Json:
    return {
        "first": it.first,
        "last": it.last,
        "email": it.email,
        "company": it.company,
        "phone": None,
        "subscribed": False,
    }


def account(it: Account) -> Json:
    return {
        "id": it.id,
        "account": it.id,
        "contact": contact(it.contact),
        "address": dict.fromkeys(_NO_ADDRESS),
        "language": it.language,
        "country": it.country,
        "lookup": {"global": it.lookup},
        "url": f"{SITE}/account",
    }


def fulfillment_of(product: Product) -> str:
    return f"{product.path}_license_0"


def product(it: Product) -> Json:
    """With the attributes, whose place in the product was not captured."""
    fulfillments: Json = {}
    if it.generator is not None:
        name = fulfillment_of(it)
        fulfillments[name] = {
            "fulfillment": name,
            "name": "License Generator - Remote Server Request",
            "applicability": "NON_REBILL_ONLY",
        }
    pricing: Json = {"quantityBehavior": "allow", "quantityDefault": 1, "price": {PAYOUT: it.price / 100}}
    if it.interval is not None:
        pricing |= {"interval": it.interval, "intervalLength": it.interval_length, "intervalCount": None}
        pricing |= {"renew": "auto", "dateLimitsEnabled": False}
        pricing["reminderNotification"] = {"enabled": True, "interval": "week", "intervalLength": 1}
        pricing["overdueNotification"] = {"enabled": True, "interval": "week", "intervalLength": 1, "amount": 4}
        pricing["cancellation"] = {"interval": "week", "intervalLength": 1}
    if it.trial_days:
        pricing["trial"] = it.trial_days
    return {
        "product": it.path,
        "parent": None,
        "productAppReference": None,
        "display": {"en": it.display},
        "description": {},
        "image": None,
        "sku": None,
        "fulfillments": fulfillments,
        "attributes": dict(it.attributes),
        "format": "digital",
        "taxcode": "SW054000",
        "taxcodeDescription": "Cloud Services - SaaS - Service Agreement",
        "pricing": pricing,
    }


def subscription(it: Subscription, holder: Account, how: Writing, *, live: bool) -> Json:
    """A subscription of its own event, with account and product as objects."""
    rhythm: Json = (
        {"intervalUnit": "adhoc", "intervalLength": None}
        if it.managed
        else {"intervalUnit": it.product.interval, "intervalLength": it.product.interval_length}
    )
    subtotal = it.price * it.quantity
    return {
        "id": it.id,
        "quote": None,
        "subscription": it.id,
        "active": it.active,
        "state": it.state,
        "isSubscriptionEligibleForPauseByBuyer": False,
        "isPauseScheduled": it.pause_scheduled,
        **how.date("changed", it.changed),
        "live": live,
        "currency": how.currency,
        "account": account(holder),
        "product": product(it.product),
        "sku": None,
        "display": it.product.display,
        "quantity": it.quantity,
        "adhoc": it.managed,
        "autoRenew": not it.managed,
        **how.money("price", it.price),
        **how.money("discount", 0),
        **how.money("subtotal", subtotal),
        "attributes": dict(it.product.attributes),
        **({} if it.next is None else how.date("next", it.next)),
        **how.date("end", it.end),
        **how.date("canceledDate", it.canceled),
        **how.date("deactivationDate", it.deactivation),
        "sequence": it.sequence,
        "periods": None,
        "remainingPeriods": None,
        **how.date("begin", it.begin),
        **rhythm,
        **_next_charge(it, how),
        "paymentReminder": _WEEKLY,
        "paymentOverdue": {**_WEEKLY, "total": it.notices_total, "sent": it.notices},
        "cancellationSetting": {"cancellation": "AFTER_LAST_NOTIFICATION", **_WEEKLY},
        "addons": [_addon(each, how) for each in it.addons],
        "fulfillments": {},
        "instructions": _instructions(it, how),
        "initialOrderId": it.order,
        "initialOrderReference": it.reference,
    }


def embedded(it: Subscription, holder: Account, how: Writing, *, live: bool) -> Json:
    """A subscription inside an order or a charge: its account and product are strings even with expansion."""
    return subscription(it, holder, how, live=live) | {"account": it.account, "product": it.product.path}


def _next_charge(it: Subscription, how: Writing) -> Json:
    """Absent once it is deactivated, still there when it is canceled."""
    if it.next is None or not it.active:
        return {}
    return {
        "nextChargeCurrency": how.currency,
        **how.date("nextChargeDate", it.next),
        **how.money("nextChargePreTax", it.period_price),
        **how.money("nextChargeTotal", it.period_price),
    }


def _addon(it: AddOn, how: Writing) -> Json:
    """By inference: no capture shows an add-on on a subscription."""
    return {
        "product": it.product.path,
        "display": it.product.display,
        "quantity": it.quantity,
        "sku": None,
        **how.money("price", it.product.price),
        "attributes": dict(it.product.attributes),
    }


def _instructions(it: Subscription, how: Writing) -> list[Json]:
    regular = _phase(it, how, "regular", it.price, it.trial.end if it.trial else None, None)
    if it.trial is None:
        return [regular]
    return [_phase(it, how, "trial", 0, it.trial.start, it.trial.end), regular]


def _phase(it: Subscription, how: Writing, kind: str, price: int, start: int | None, end: int | None) -> Json:
    """One phase of the price. That of a trial is by inference."""
    return {
        "product": it.product.path,
        "type": kind,
        **how.date("periodStartDate", start),
        **how.date("periodEndDate", end),
        "intervalUnit": it.product.interval,
        "intervalLength": it.product.interval_length,
        "discountPercent": 0,
        "discountPercentValue": 0,
        "discountPercentDisplay": "0%",
        **how.money("discountTotal", 0),
        **how.money("unitDiscount", 0),
        **how.money("price", price),
        **how.money("priceTotal", price * it.quantity),
        **how.money("unitPrice", price),
        **how.money("total", price * it.quantity),
    }
