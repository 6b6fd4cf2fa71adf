"""What LicenseSpring answers, read tolerantly: unknown parts are ignored, missing or mistyped ones are None.

Sources: docs.licensespring.com/management-api (license/retrieve, order/list-orders, customer/create), LicenseSpring's
Go SDK, and clients that run against the real service. Passwords (`initial_password`, `new_passwords`) stand in several
answers in clear; no struct here has a place for them.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

import msgspec

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    short_code: str | None = None
    product_name: str | None = None


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    reference: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    phone: str | None = None
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    state: str | None = None
    customer_account: int | None = None
    metadata: dict[str, Any] | None = None


class LicenseUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a license; `true_email` is the address, the field called `email` carries an internal suffix."""

    id: int
    true_email: str | None = None
    is_manager: bool | None = None
    max_activations: int | None = None


class License(msgspec.Struct, frozen=True, kw_only=True):
    """A license as LicenseSpring holds it.

    `status` is for people only (its words changed over time): decide by `enabled` and `validity_period`.
    `license_key` is None for user-based products. `grace_period` is hours. Times are strings as LicenseSpring wrote
    them, UTC; `expiry_date` reads the one that is compared.
    """

    id: int
    license_key: str | None = None
    order: int | None = None
    order_item: int | None = None
    order_store_id: str | None = None
    subscription_id: str | None = None
    status: str | None = None
    license_type: str | None = None
    enabled: bool | None = None
    active: bool | None = None
    is_trial: bool | None = None
    trial_days: int | None = None
    valid_duration: str | None = None
    validity_period: str | None = None
    start_date: str | None = None
    allow_grace_period: bool | None = None
    grace_period: int | None = None
    enable_maintenance_period: bool | None = None
    maintenance_duration: str | None = None
    maintenance_period: str | None = None
    max_activations: int | None = None
    times_activated: int | None = None
    allow_unlimited_activations: bool | None = None
    max_transfers: int | None = None
    transfer_count: int | None = None
    max_license_users: int | None = None
    max_consumptions: int | None = None
    total_consumptions: int | None = None
    allow_unlimited_consumptions: bool | None = None
    allow_overages: bool | None = None
    max_overages: int | None = None
    reset_consumption: bool | None = None
    consumption_period: str | None = None
    is_floating: bool | None = None
    is_floating_cloud: bool | None = None
    floating_users: int | None = None
    floating_timeout: int | None = None
    prevent_vm: bool | None = None
    license_template: int | None = None
    note: str | None = None
    metadata: dict[str, Any] | None = None
    time_activated: str | None = None
    time_disabled: str | None = None
    last_check: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    product: Product | None = None
    customer: Customer | None = None
    license_users: tuple[LicenseUser, ...] = ()

    @property
    def expiry_date(self) -> date | None:
        """The UTC date in `validity_period`, None when there is none or it cannot be read."""
        try:
            return date.fromisoformat((self.validity_period or "")[:10])
        except ValueError:
            return None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order; `store_id` is the id we gave it. `licenses` is empty where an answer does not list them."""

    id: int
    store_id: str | None = None
    customer: Customer | None = None
    licenses: tuple[License, ...] = ()
    is_test: bool | None = None
    is_trial: bool | None = None
    has_active_licenses: bool | None = None
    metadata: dict[str, Any] | None = None
    created_at: str | None = None
    updated_at: str | None = None


def license_in(row: object) -> License | None:
    """The license in an answer, None when it has no id."""
    if not isinstance(row, dict):
        return None
    return _read(
        License,
        row,
        order=_id_in(row.get("order")),
        order_item=_id_in(row.get("order_item")),
        license_template=_id_in(row.get("license_template")),
        product=_product_in(row.get("product")),
        customer=customer_in(row.get("customer")),
        license_users=tuple(_users_in(row)),
    )


def order_in(row: object) -> Order | None:
    """The order in an answer, in either of the two known shapes of create_order; None when it has no id."""
    if not isinstance(row, dict):
        return None
    store_id = row.get("store_id") or row.get("client_order_id")
    return _read(
        Order,
        row | {"id": row.get("id") or row.get("order_id"), "store_id": store_id},
        customer=customer_in(row.get("customer")),
        licenses=tuple(_licenses_in(row, store_id)),
    )


def customer_in(row: object) -> Customer | None:
    """The customer in an answer, given as an object or by id alone; None when there is no id."""
    return _read(Customer, row if isinstance(row, dict) else {"id": row})


def _licenses_in(order: dict[str, Any], store_id: object) -> Iterator[License]:
    for item in _rows(order.get("order_items")) or _rows(order.get("back_office_order_items")):
        product = item.get("product") or item.get("product_id")
        inherited = {"product": product, "order": order.get("id"), "order_store_id": store_id}
        for row in _rows(item.get("licenses")):
            if one := license_in(inherited | {name: value for name, value in row.items() if value is not None}):
                yield one


def _users_in(license_: dict[str, Any]) -> Iterator[LicenseUser]:
    for row in _rows(license_.get("license_users")) or _rows([license_.get("license_user")]):
        if user := _read(LicenseUser, row):
            yield user


def _product_in(value: object) -> Product | None:
    return _read(Product, value if isinstance(value, dict) else {"id": value})


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _id_in(value: object) -> object:
    return value.get("id") if isinstance(value, dict) else value


def _read(kind: type[Answer], row: dict[str, Any], **parts: object) -> Answer | None:
    """A struct from the fields that can be read, `parts` taking precedence; None when the id cannot."""
    read: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = parts.get(field.name, row.get(field.name))
        if value is None:
            continue
        try:
            read[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError:
            continue
    return kind(**read) if "id" in read else None
