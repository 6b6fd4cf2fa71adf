"""The objects as version 2.0 of the API shows them, with a link wherever one of them names another.

Names of fields follow the models of the public SDK 6.4.0 of 2026.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from service.sandbox.wallee.calendar import instant
from service.sandbox.wallee.model import (
    KINDS,
    Anything,
    Charge,
    Component,
    ComponentReference,
    Kind,
    Level,
    LineItem,
    PeriodBill,
    Product,
    ProductVersion,
    Refund,
    Subscriber,
    Subscription,
    Suspension,
    Transaction,
    Version,
)

Json = dict[str, Any]


class Link(msgspec.Struct, frozen=True):
    """Another object: its `id` alone, or all of it when it is expanded."""

    kind: Kind
    id: int


def date(second: int | None) -> str | None:
    """As the API writes an instant, with milliseconds and a Z."""
    return None if second is None else f"{instant(second):%Y-%m-%dT%H:%M:%S}.000Z"


def money(amount: int) -> float:
    return amount / 100


def written(it: Anything, space: int, *, live: bool = True) -> Json:
    """The object with its links; fields without a value are None. Not `live`: what was paid was a test."""
    own: Json = {"id": it.id, "version": it.version, "linkedSpaceId": space, "plannedPurgeDate": None}
    shown = own | _WRITERS[KINDS[type(it)]](it)
    return shown if live or "environment" not in shown else shown | {"environment": "PREVIEW"}


def _subscriber(it: Subscriber) -> Json:
    given, _, family = it.name.partition(" ")
    return {
        "emailAddress": it.email,
        "reference": it.reference,
        "externalId": it.external_id,
        "description": it.name,
        "language": it.language,
        "metaData": dict(it.metadata),
        "billingAddress": {
            "givenName": given,
            "familyName": family,
            "organizationName": it.company,
            "emailAddress": it.email,
            "country": "CH",
        },
        "additionalAllowedPaymentMethodConfigurations": [],
        "disallowedPaymentMethodConfigurations": [],
    }


def _product(it: Product) -> Json:
    return {
        "reference": it.reference,
        "name": it.name,
        "state": "ACTIVE",
        "productLocked": False,
        "failedPaymentSuspensionPeriod": it.suspended_for,
        "allowedPaymentMethodConfigurations": [],
        "sortOrder": 1,
    }


def _product_version(it: ProductVersion) -> Json:
    return {
        "product": Link("product", it.product.id),
        "reference": f"{it.product.reference}-{it.increment}",
        "name": {"en-US": it.product.name},
        "comment": it.comment,
        "incrementNumber": it.increment,
        "billingCycle": it.cycle,
        "defaultCurrency": "EUR",
        "enabledCurrencies": ["EUR"],
        "minimalNumberOfPeriods": 1,
        "numberOfNoticePeriods": 0,
        "state": "ACTIVE",
        "createdOn": date(it.activated),
        "activatedOn": date(it.activated),
        "obsoletedOn": None,
    }


def _component(it: Component) -> Json:
    return {
        "reference": Link("component-reference", it.reference.id),
        "name": {"en-US": it.reference.name},
        "description": {},
        "defaultComponent": it.default,
        "minimalQuantity": 0.0,
        "maximalQuantity": 1000.0,
        "quantityStep": 1.0,
        "sortOrder": 1,
    }


def _component_reference(it: ComponentReference) -> Json:
    return {"sku": it.sku, "name": it.name, "state": "ACTIVE"}


def _subscription(it: Subscription) -> Json:
    return {
        "state": it.state,
        "reference": it.reference,
        "description": None,
        "language": "en-US",
        "subscriber": Link("subscriber", it.subscriber),
        "currentProductVersion": Link("product-version", it.product_version.id),
        "createdOn": date(it.created),
        "initializedOn": date(it.initialized),
        "activatedOn": date(it.activated),
        "terminationScheduledOn": date(it.termination_scheduled),
        "plannedTerminationDate": date(it.planned_termination),
        "terminatingOn": date(it.terminating),
        "terminatedOn": date(it.terminated),
        "terminatedBy": None,
    }


def _version(it: Version) -> Json:
    return {
        "state": it.state,
        "subscription": Link("subscription", it.subscription),
        "productVersion": Link("product-version", it.product_version.id),
        "componentConfigurations": [
            {"id": each.id, "component": each.component.id, "quantity": float(each.quantity), "version": 1}
            for each in it.configured
        ],
        "billingCurrency": "EUR",
        "language": "en-US",
        "createdOn": date(it.created),
        "activatedOn": date(it.activated),
        "failedOn": date(it.failed),
        "terminationIssuedOn": date(it.termination_issued),
        "plannedTerminationDate": date(it.planned_termination),
        "terminatingOn": date(it.terminating),
        "terminatedOn": date(it.terminated),
        "expectedLastPeriodEnd": date(it.last_period_end),
    }


def _charge(it: Charge) -> Json:
    return {
        "state": it.state,
        "type": it.kind,
        "processingType": "CHARGE_FLOW" if it.flow else "SYNCHRONOUS",
        "subscription": Link("subscription", it.subscription),
        "transaction": None if it.transaction is None else Link("transaction", it.transaction),
        "reference": it.reference,
        "externalId": it.reference,
        "ledgerEntries": [],
        "language": "en-US",
        "createdOn": date(it.created),
        "plannedExecutionDate": date(it.planned),
        "succeedOn": date(it.succeeded),
        "failedOn": date(it.failed),
        "discardedOn": date(it.discarded),
        "discardedBy": None,
    }


def _period_bill(it: PeriodBill) -> Json:
    return {
        "state": it.state,
        "subscriptionVersion": Link("version", it.of),
        "periodStartDate": date(it.starts),
        "plannedPeriodEndDate": date(it.planned_end),
        "effectivePeriodEndDate": date(it.ended),
        "createdOn": date(it.created),
        "language": "en-US",
    }


def _suspension(it: Suspension) -> Json:
    return {
        "state": it.state,
        "reason": it.reason,
        "endAction": it.end_action,
        "subscription": Link("subscription", it.subscription),
        "periodBill": it.bill,
        "note": it.note,
        "createdOn": date(it.created),
        "plannedEndDate": date(it.planned_end),
        "effectiveEndDate": date(it.ended),
        "language": "en-US",
    }


def _level(it: Level) -> Json:
    return {
        "state": it.state,
        "transaction": Link("transaction", it.transaction),
        "linkedTransaction": it.transaction,
        "createdOn": date(it.created),
        "timeoutOn": date(it.timeout),
        "configuration": None,
        "synchronousCharge": None,
        "asynchronousCharge": None,
        "tokenCharge": None,
    }


def _transaction(it: Transaction) -> Json:
    given, _, family = it.customer.name.partition(" ")
    done = it.state in {"COMPLETED", "FULFILL", "DECLINE"}
    return {
        "state": it.state,
        "merchantReference": it.reference,
        "invoiceMerchantReference": it.reference,
        "currency": it.currency,
        "authorizationAmount": money(it.amount),
        "completedAmount": money(it.amount) if done else 0.0,
        "refundedAmount": money(it.refunded),
        "totalSettledAmount": 0.0,
        "customerEmailAddress": it.customer.email,
        "customerId": str(it.customer.id),
        "billingAddress": {
            "givenName": given,
            "familyName": family,
            "organizationName": it.customer.company,
            "emailAddress": it.customer.email,
            "country": "CH",
        },
        "lineItems": [_line_item(each, place) for place, each in enumerate(it.items, 1)],
        "metaData": {},
        "language": "en-US",
        "environment": "LIVE",
        "createdOn": date(it.created),
        "confirmedOn": date(it.confirmed),
        "processingOn": date(it.processing),
        "authorizedOn": date(it.authorized),
        "completedOn": date(it.completed),
        "deliveryDecisionMadeOn": date(it.decided),
        "failedOn": date(it.failed),
        "chargeRetryEnabled": not it.charge,
        "failureReason": _DECLINED if it.state == "FAILED" else None,
    }


def _line_item(it: LineItem, place: int) -> Json:
    return {
        "uniqueId": f"{it.sku}-{place}",
        "sku": it.sku,
        "name": it.name,
        "type": it.kind,
        "quantity": float(it.quantity),
        "amountIncludingTax": money(it.amount),
        "unitPriceIncludingTax": money(round(it.amount / it.quantity)),
        "discountIncludingTax": 0.0,
        "shippingRequired": False,
        "attributes": {name: {"label": _label(name), "value": value} for name, value in it.attributes.items()},
        "taxes": [],
    }


def _refund(it: Refund) -> Json:
    return {
        "state": it.state,
        "type": "MERCHANT_INITIATED_ONLINE",
        "transaction": Link("transaction", it.transaction),
        "amount": money(it.amount),
        "externalId": it.reference,
        "merchantReference": it.reference,
        "createdOn": date(it.created),
        "succeededOn": date(it.succeeded),
        "failedOn": None,
        "environment": "LIVE",
        "language": "en-US",
    }


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


_DECLINED: Json = {
    "id": 1_470_303_302_303,
    "category": "END_USER",
    "name": {"en-US": "Declined"},
    "description": {"en-US": "The payment was declined."},
}

_WRITERS: Mapping[Kind, Callable[[Any], Json]] = {
    "subscriber": _subscriber,
    "product": _product,
    "product-version": _product_version,
    "component": _component,
    "component-reference": _component_reference,
    "subscription": _subscription,
    "version": _version,
    "charge": _charge,
    "period-bill": _period_bill,
    "suspension": _suspension,
    "level": _level,
    "transaction": _transaction,
    "refund": _refund,
}
