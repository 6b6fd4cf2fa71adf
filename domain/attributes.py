"""The attributes a vendor sets in a store's catalog: one row for each, which documentation and checks are made from.

Stripe keeps them in the metadata of a price, FastSpring with a product. `stores` says where LicenseSpring's own
integration documents one; Tenure reads each of them from either store.
"""

import re
from collections.abc import Callable
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from domain.durations import is_duration

LicenseType = Literal["perpetual", "time-limited", "subscription", "consumption"]
Store = Literal["stripe", "fastspring"]
Prices = Literal["any", "recurring", "one-time"]

TYPES: tuple[LicenseType, ...] = get_args(LicenseType)
RECURRING_TYPES: tuple[LicenseType, ...] = ("subscription", "consumption")
CUSTOM_FIELD = "custom_field_"
LONGEST_NAME = 100
LONGEST_VALUE = 1000

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute: where it is documented, what it sets, and which texts are allowed.

    `field` is the field of `Terms`, or of `Reading` where the terms have none; empty for one that Tenure has no need
    of. `license` names the fields of `License` in which it ends. `read` raises ValueError on a text that is not
    `allowed`. For other license types than `types`, or other prices than `prices`, it means nothing.
    """

    name: str
    stores: tuple[Store, ...]
    field: str
    license: tuple[str, ...]
    read: Callable[[str], Any]
    allowed: str
    types: tuple[LicenseType, ...] = TYPES
    prices: Prices = "any"


def _number(least: int, most: int = 999_999_999) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return read


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _duration(text: str) -> str:
    if not is_duration(text):
        raise ValueError(text)
    return text


def _license_type(text: str) -> str:
    if text not in TYPES:
        raise ValueError(text)
    return text


def _text(least: int, most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not least <= len(text) <= most:
            raise ValueError(text)
        return text

    return read


def _uuid(text: str) -> str:
    return str(UUID(text))


_code = _text(1, LONGEST_NAME)
_BOTH: tuple[Store, ...] = ("stripe", "fastspring")
_A_CODE = f"a product code of 1 to {LONGEST_NAME} characters"
_A_DURATION = "a number and one of d, w, m, y, such as 30d or 1y"
_YES_OR_NO = "true or false, 1 or 0, yes or no"

_ROWS = (
    Attribute(
        name="short_code",
        stores=("stripe",),
        field="product_code",
        license=("product_code",),
        read=_code,
        allowed=_A_CODE,
    ),
    Attribute(
        name="product_short_code",
        stores=("fastspring",),
        field="product_code",
        license=("product_code",),
        read=_code,
        allowed=_A_CODE,
    ),
    Attribute(name="uuid", stores=("fastspring",), field="", license=(), read=_uuid, allowed="a UUID"),
    Attribute(
        name="license_policy",
        stores=("stripe",),
        field="policy_code",
        license=("policy_code",),
        read=_code,
        allowed=f"the code of a license policy, of 1 to {LONGEST_NAME} characters",
    ),
    Attribute(
        name="license_type",
        stores=_BOTH,
        field="license_type",
        license=("license_type",),
        read=_license_type,
        allowed="one of " + ", ".join(TYPES),
    ),
    Attribute(
        name="valid_duration",
        stores=_BOTH,
        field="valid_duration",
        license=("valid_duration",),
        read=_duration,
        allowed=_A_DURATION,
        types=("time-limited", "subscription", "consumption"),
        prices="one-time",
    ),
    Attribute(
        name="enable_maintenance_duration",
        stores=_BOTH,
        field="maintenance",
        license=("maintenance",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="maintenance_duration",
        stores=_BOTH,
        field="maintenance_duration",
        license=("maintenance", "maintenance_duration"),
        read=_duration,
        allowed=_A_DURATION,
    ),
    Attribute(
        name="max_activations",
        stores=_BOTH,
        field="max_activations",
        license=("max_activations",),
        read=_number(1),
        allowed="a whole number from 1",
    ),
    Attribute(
        name="floating_cloud",
        stores=_BOTH,
        field="floating_users",
        license=("floating_users",),
        read=_number(0),
        allowed="a whole number from 0 (it does not float), at most max_activations",
    ),
    Attribute(
        name="floating_users_from_quantity",
        stores=_BOTH,
        field="floating_users_from_quantity",
        license=("floating_users", "max_activations"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="is_single_license",
        stores=("stripe",),
        field="single_license",
        license=("max_activations", "max_license_users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="single_license",
        stores=("fastspring",),
        field="single_license",
        license=("max_activations", "max_license_users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="max_license_users",
        stores=("stripe",),
        field="max_license_users",
        license=("max_license_users",),
        read=_number(0),
        allowed="a whole number from 0 (unlimited)",
    ),
    Attribute(
        name="max_consumptions",
        stores=("fastspring",),
        field="max_consumptions",
        license=("max_consumptions",),
        read=_number(1),
        allowed="a whole number from 1",
        types=("consumption",),
    ),
    Attribute(
        name="is_license_manager",
        stores=_BOTH,
        field="managed_by_customer",
        license=("managed_by_customer", "users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="assign_customer_as_user",
        stores=_BOTH,
        field="customer_is_user",
        license=("users",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="grace_period",
        stores=("fastspring",),
        field="margin_hours",
        license=("margin_hours",),
        read=_number(0, 24 * 366),
        allowed=f"whole hours from 0 to {24 * 366}",
        types=RECURRING_TYPES,
        prices="recurring",
    ),
    Attribute(
        name="unpaid_active_license_period",
        stores=("stripe",),
        field="unpaid_duration",
        license=("enabled", "expiry", "trial"),
        read=_duration,
        allowed=_A_DURATION,
    ),
    Attribute(
        name="added_days",
        stores=("stripe",),
        field="added_days",
        license=("expiry",),
        read=_number(0, 3660),
        allowed="whole days from 0 to 3660",
        types=("subscription",),
        prices="recurring",
    ),
    Attribute(
        name="ignore_product_in_licensespring",
        stores=("stripe",),
        field="ignored",
        license=(),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name=CUSTOM_FIELD + "{NAME}",
        stores=_BOTH,
        field="custom_fields",
        license=("custom_fields",),
        read=_text(0, LONGEST_VALUE),
        allowed=f"a name of 1 to {LONGEST_NAME} characters and a value of at most {LONGEST_VALUE}",
    ),
    Attribute(
        name="feature_code",
        stores=("fastspring",),
        field="feature",
        license=("features",),
        read=_code,
        allowed=f"the code of a product feature, of 1 to {LONGEST_NAME} characters",
    ),
    Attribute(
        name="is_product_bundle",
        stores=("stripe",),
        field="is_bundle",
        license=("is_bundle",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
)

ATTRIBUTES: dict[str, Attribute] = {row.name: row for row in _ROWS}
"""Every attribute by its name; that of the custom fields stands for all that begin with `custom_field_`."""


def attribute_of(name: str) -> Attribute | None:
    """The row that tells how an attribute of that name is read, if it is known."""
    return ATTRIBUTES.get(CUSTOM_FIELD + "{NAME}" if name.startswith(CUSTOM_FIELD) else name)
