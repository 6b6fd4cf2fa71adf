"""Which filters and orderings each list knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from service.sandbox.licensespring.filters import RANGE, Field, Filter, Kind, filters
from service.sandbox.licensespring.records import (
    Customer,
    Device,
    License,
    LicenseCustomField,
    LicenseUser,
    Order,
    Policy,
    Product,
    Record,
)
from service.sandbox.licensespring.rows import Rows

R = TypeVar("R", bound=Record)

CONTAINS = ("icontains",)
ANY_TEXT = ("exact", "icontains", "startswith")


class Listing(msgspec.Struct, Generic[R], frozen=True):
    """`largest_page` is the silent cap on `limit`; `sortable` are the names that `order_by` takes."""

    filters: Mapping[str, Filter[R]]
    sortable: Mapping[str, Callable[[R], Any]]
    largest_page: int = 10_000


def _customer_of(rows: Rows, row: Order | License) -> Customer | None:
    order = row if isinstance(row, Order) else rows.the(Order, row.order)
    return rows.get(Customer, order.customer)


def _buyer(name: str) -> Callable[[Rows, Any], list[Any]]:
    def values_of(rows: Rows, row: Any) -> list[Any]:
        customer = _customer_of(rows, row)
        return [] if customer is None else [getattr(customer, name)]

    return values_of


def _buyer_name(rows: Rows, row: Any) -> list[str]:
    customer = _customer_of(rows, row)
    return [] if customer is None else [f"{customer.first_name} {customer.last_name}"]


def _seated(rows: Rows, row: License) -> list[str]:
    return [rows.the(LicenseUser, seat.user).true_email for seat in row.seats]


def _managers(rows: Rows, row: License) -> list[str]:
    order = rows.the(Order, row.order)
    managers = [*order.managers, *(seat.user for seat in row.seats if seat.is_manager)]
    return [rows.the(LicenseUser, manager).true_email for manager in managers]


def _devices(name: str) -> Callable[[Rows, License], list[Any]]:
    return lambda rows, row: [getattr(device, name) for device in rows.find(Device, "license", row.id)]


def _of_order(rows: Rows, store_id: str) -> list[License]:
    orders = rows.find(Order, "store_id", store_id)
    return [license_ for order in orders for license_ in rows.find(License, "order", order.id)]


def _indexed(kind: type[R], index: str) -> Callable[[Rows, Any], list[R]]:
    return lambda rows, value: rows.find(kind, index, value)


def _own(*names: str) -> dict[str, Callable[[Any], Any]]:
    def getter(name: str) -> Callable[[Any], Any]:
        return lambda row: getattr(row, name)

    return {name: getter(name) for name in names}


LICENSES: Listing[License] = Listing(
    filters(
        Field("id", Kind.WHOLE, lambda _, row: [row.id], ("in",)),
        Field(
            "license_key",
            Kind.TEXT,
            lambda _, row: [row.license_key],
            (*ANY_TEXT, "isnull"),
            _indexed(License, "license_key"),
        ),
        Field("active", Kind.FLAG, lambda _, row: [row.active]),
        Field("enabled", Kind.FLAG, lambda _, row: [row.enabled]),
        Field(
            "order__store_id",
            Kind.TEXT,
            lambda rows, row: [rows.the(Order, row.order).store_id],
            ANY_TEXT,
            _of_order,
        ),
        Field(
            "subscription_id",
            Kind.TEXT,
            lambda _, row: [row.subscription_id],
            find=_indexed(License, "subscription_id"),
        ),
        Field("customer_id", Kind.WHOLE, lambda rows, row: [rows.the(Order, row.order).customer]),
        Field("customer_email", Kind.TEXT, _buyer("email"), ("exact", "icontains")),
        Field("customer_company_name", Kind.TEXT, _buyer("company_name"), CONTAINS),
        Field("customer_name", Kind.TEXT, _buyer_name, CONTAINS),
        Field("customer__reference", Kind.TEXT, _buyer("reference"), CONTAINS),
        Field("customer__account", Kind.WHOLE, _buyer("customer_account")),
        Field("product_id", Kind.WHOLE, lambda _, row: [row.product]),
        Field("product__short_code", Kind.TEXT, lambda rows, row: [rows.the(Product, row.product).short_code]),
        Field("product_name", Kind.TEXT, lambda rows, row: [rows.the(Product, row.product).product_name], CONTAINS),
        Field(
            "product__authorization_method",
            Kind.TEXT,
            lambda rows, row: [rows.the(Product, row.product).authorization_method],
        ),
        Field("product_features__id", Kind.WHOLE, lambda _, row: [feature.id for feature in row.features]),
        Field("license_users__id", Kind.WHOLE, lambda _, row: [seat.user for seat in row.seats]),
        Field("license_users__true_email", Kind.TEXT, _seated, ("exact", "icontains")),
        Field("manager__true_email", Kind.TEXT, _managers, ("exact", "icontains")),
        Field("devices__hostname", Kind.TEXT, _devices("hostname"), ("exact", "icontains")),
        Field("devices__hardware_id", Kind.TEXT, _devices("hardware_id")),
        Field("license_template__id", Kind.WHOLE, lambda _, row: [row.template]),
        Field("license_template__code", Kind.TEXT, lambda rows, row: [rows.the(Policy, row.template).code]),
        Field(
            "is_any_floating",
            Kind.FLAG,
            lambda _, row: [row.terms.is_floating or row.terms.is_floating_cloud],
        ),
        Field("note", Kind.TEXT, lambda _, row: [row.terms.note], CONTAINS),
        Field("validity_period", Kind.INSTANT, lambda _, row: [row.terms.validity_period], RANGE),
        Field("time_activated", Kind.INSTANT, lambda _, row: [row.time_activated], RANGE),
        Field("updated_at", Kind.INSTANT, lambda _, row: [row.updated_at], RANGE),
    ),
    {
        **_own("id", "license_key", "license_type", "active", "enabled", "times_activated", "time_activated"),
        **_own("created_at", "updated_at", "last_check", "subscription_id"),
        "validity_period": lambda row: row.terms.validity_period,
        "max_activations": lambda row: row.terms.max_activations,
    },
    largest_page=100,
)

ORDERS: Listing[Order] = Listing(
    filters(
        Field("store_id", Kind.TEXT, lambda _, row: [row.store_id], ANY_TEXT, _indexed(Order, "store_id")),
        Field("customer_id", Kind.WHOLE, lambda _, row: [row.customer], find=_indexed(Order, "customer")),
        Field("customer__email", Kind.TEXT, _buyer("email"), ANY_TEXT),
        Field("customer_email", Kind.TEXT, _buyer("email")),
        Field("customer_company_name", Kind.TEXT, _buyer("company_name"), ("exact", "icontains")),
        Field("customer_name", Kind.TEXT, _buyer_name, CONTAINS),
        Field("customer_reference", Kind.TEXT, _buyer("reference"), CONTAINS),
        Field("customer__account", Kind.WHOLE, _buyer("customer_account")),
    ),
    _own("id", "store_id", "created_at", "updated_at"),
)

CUSTOMERS: Listing[Customer] = Listing(
    filters(
        Field("email", Kind.TEXT, lambda _, row: [row.email], ANY_TEXT),
        Field("company_name", Kind.TEXT, lambda _, row: [row.company_name], CONTAINS),
        Field("first_name", Kind.TEXT, lambda _, row: [row.first_name], CONTAINS),
        Field("last_name", Kind.TEXT, lambda _, row: [row.last_name], CONTAINS),
        Field("phone", Kind.TEXT, lambda _, row: [row.phone], CONTAINS),
        Field(
            "reference",
            Kind.TEXT,
            lambda _, row: [row.reference],
            ("__exact", "icontains", "startswith"),
            _indexed(Customer, "reference"),
        ),
        Field("account", Kind.WHOLE, lambda _, row: [row.customer_account]),
    ),
    _own("id", "email", "first_name", "last_name", "company_name", "reference"),
)

PRODUCTS: Listing[Product] = Listing(
    filters(
        Field("short_code", Kind.TEXT, lambda _, row: [row.short_code]),
        Field("is_archived", Kind.FLAG, lambda _, _row: [False]),
    ),
    _own("id", "short_code", "product_name", "created_at", "updated_at"),
)

CUSTOM_FIELDS: Listing[LicenseCustomField] = Listing(
    filters(
        Field("license", Kind.WHOLE, lambda _, row: [row.license], find=_indexed(LicenseCustomField, "license")),
    ),
    _own("id", "license"),
)

POLICIES: Listing[Policy] = Listing(
    filters(
        Field("product", Kind.WHOLE, lambda _, row: [row.product]),
        Field("is_air_gapped", Kind.FLAG, lambda _, row: [row.terms.is_air_gapped]),
        Field("is_archived", Kind.FLAG, lambda _, _row: [False]),
        Field("is_default", Kind.FLAG, lambda _, row: [row.is_default]),
    ),
    _own("id", "code", "created_at", "updated_at"),
)

DEVICES: Listing[Device] = Listing(
    filters(
        Field("license", Kind.WHOLE, lambda _, row: [row.license], find=_indexed(Device, "license")),
        Field("blacklisted", Kind.FLAG, lambda _, _row: [False]),
        Field("hostname", Kind.TEXT, lambda _, row: [row.hostname]),
        Field("hardware_id", Kind.TEXT, lambda _, row: [row.hardware_id]),
    ),
    _own("id", "hardware_id", "hostname", "time_activated", "created_at", "updated_at"),
)
