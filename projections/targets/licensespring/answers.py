"""What LicenseSpring answers, read tolerantly: unknown parts are ignored, missing or mistyped ones are None.

Sources: docs.licensespring.com/management-api (license/retrieve, order/list-orders, customer/create), LicenseSpring's
Go SDK, and clients that run against the real service. Passwords (`initial_password`, `new_passwords`) stand in several
answers in clear; no struct here has a place for them.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar

import msgspec

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    short_code: str | None = None
    product_name: str | None = None
    authorization_method: str | None = None
    """`license-key` or `user`."""


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


FEATURE_VALUES = (
    "max_consumption",
    "total_consumptions",
    "expiry_date",
    "allow_overages",
    "max_overages",
    "reset_consumption",
    "consumption_period",
    "metadata",
    "is_floating",
    "is_floating_cloud",
    "floating_users",
    "floating_timeout",
)
"""What can be said of one feature when the features of a license are replaced (page license/update-features)."""


class HeldFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature on a license; `values` are those of FEATURE_VALUES that are set, as they can be sent back."""

    id: int
    code: str = ""
    values: dict[str, Any] = {}


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
    product_features: tuple[HeldFeature, ...] | None = None
    """None where the answer does not list them, or one of them cannot be named."""

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
        order=id_in(row.get("order")),
        order_item=id_in(row.get("order_item")),
        license_template=id_in(row.get("license_template")),
        product=product_in(row.get("product")),
        customer=customer_in(row.get("customer")),
        license_users=tuple(_users_in(row)),
        product_features=_features_in(row.get("product_features")),
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
    for item in rows_in(order.get("order_items")) or rows_in(order.get("back_office_order_items")):
        product = item.get("product") or item.get("product_id")
        inherited = {"product": product, "order": order.get("id"), "order_store_id": store_id}
        for row in rows_in(item.get("licenses")):
            if one := license_in(inherited | {name: value for name, value in row.items() if value is not None}):
                yield one


def _users_in(license_: dict[str, Any]) -> Iterator[LicenseUser]:
    for row in rows_in(license_.get("license_users")) or rows_in([license_.get("license_user")]):
        if user := user_in(row):
            yield user


def _features_in(value: object) -> tuple[HeldFeature, ...] | None:
    features = [_feature_in(row) for row in rows_in(value)]
    whole = [feature for feature in features if feature is not None and feature.code]
    return tuple(whole) if isinstance(value, list) and len(whole) == len(value) else None


def _feature_in(row: dict[str, Any]) -> HeldFeature | None:
    offered = row.get("product_feature")
    code = offered.get("code") if isinstance(offered, dict) else offered or row.get("code")
    values = {name: row[name] for name in FEATURE_VALUES if row.get(name) is not None}
    if isinstance(until := values.get("expiry_date"), str):
        values["expiry_date"] = until[:10]
    return _read(HeldFeature, row, code=code if isinstance(code, str) else "", values=values)


def product_in(value: object) -> Product | None:
    """The product in an answer, given as an object or by id alone; None when there is no id."""
    return _read(Product, value if isinstance(value, dict) else {"id": value})


def user_in(row: object) -> LicenseUser | None:
    """The license user in an answer, None when it has no id."""
    return _read(LicenseUser, row) if isinstance(row, dict) else None


def rows_in(value: object) -> list[dict[str, Any]]:
    """The objects of a list, which may come as a page."""
    listed = value.get("results") if isinstance(value, dict) else value
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def id_in(value: object) -> object:
    """The id of a related object, which may be given by id alone."""
    return value.get("id") if isinstance(value, dict) else value


# It reads annotations anew each time.
_fields = cache(msgspec.structs.fields)


def _read(kind: type[Answer], row: dict[str, Any], **parts: object) -> Answer | None:
    """A struct from the fields that can be read, `parts` taking precedence; None when the id cannot."""
    try:
        return msgspec.convert(row | parts, kind, strict=False)
    except msgspec.ValidationError:
        # Something is not as it should be. The rest is.
        return _read_each(kind, row, parts)


def _read_each(kind: type[Answer], row: dict[str, Any], parts: Mapping[str, object]) -> Answer | None:
    read: dict[str, Any] = {}
    for field in _fields(kind):
        value = parts.get(field.name, row.get(field.name))
        if value is None:
            continue
        try:
            read[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError:
            continue
    return kind(**read) if "id" in read else None
