"""The attributes a vendor sets in a store's catalog: one row for each, which documentation and checks are made from.

Where a store keeps them is its provider's business. `stores` says where LicenseSpring's own integration documents one;
Tenure reads each of them from every store.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
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
MOST = 999_999_999

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute: what it does in a vendor's words, where it is documented, what it sets, which texts are allowed.

    `field` is the field of `Terms`, or of `Reading` where the terms have none; empty for one that Tenure has no need
    of. `license` names the fields of `License` in which it ends. `read` raises ValueError on a text that is not
    `allowed`. For other license types than `types`, or other prices than `prices`, it means nothing.
    """

    name: str
    does: str
    stores: tuple[Store, ...]
    field: str
    license: tuple[str, ...]
    read: Callable[[str], Any]
    allowed: str
    types: tuple[LicenseType, ...] = TYPES
    prices: Prices = "any"


def _number(least: int, most: int = MOST) -> Callable[[str], int]:
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


def _target(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", text):
        raise ValueError(text)
    return text


def _uuid(text: str) -> str:
    return str(UUID(text))


_code = _text(1, LONGEST_NAME)
_BOTH: tuple[Store, ...] = ("stripe", "fastspring")
_A_CODE = f"a product code of 1 to {LONGEST_NAME} characters"
_A_DURATION = "a number and one of d, w, m, y, such as 30d or 1y, of at most 100 years"
_YES_OR_NO = "true or false, 1 or 0, yes or no"

_ROWS = (
    Attribute(
        name="short_code",
        does="names the product at LicenseSpring; without it nothing is licensed",
        stores=("stripe",),
        field="product_code",
        license=("product_code",),
        read=_code,
        allowed=_A_CODE,
    ),
    Attribute(
        name="product_short_code",
        does="the same as `short_code`",
        stores=("fastspring",),
        field="product_code",
        license=("product_code",),
        read=_code,
        allowed=_A_CODE,
    ),
    Attribute(
        name="uuid",
        does="nothing: Tenure has its own key for LicenseSpring's API",
        stores=("fastspring",),
        field="",
        license=(),
        read=_uuid,
        allowed="a UUID",
    ),
    Attribute(
        name="license_policy",
        does="makes the licenses by this template of LicenseSpring's",
        stores=("stripe",),
        field="policy_code",
        license=("policy_code",),
        read=_code,
        allowed=f"the code of a license policy, of 1 to {LONGEST_NAME} characters",
    ),
    Attribute(
        name="license_target",
        does="names the one license server, of those that the source has in Tenure's settings, which holds the license",
        stores=(),
        field="target",
        license=("target",),
        read=_target,
        allowed="the name of a target in the settings: lower-case letters, digits and hyphens",
    ),
    Attribute(
        name="license_type",
        does="how the license ends: never, by its date, with the subscription, or when it is used up",
        stores=_BOTH,
        field="license_type",
        license=("license_type",),
        read=_license_type,
        allowed="one of " + ", ".join(TYPES),
    ),
    Attribute(
        name="valid_duration",
        does="how long the license works from its first activation on",
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
        does="whether new versions are included for a time only",
        stores=_BOTH,
        field="maintenance",
        license=("maintenance",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="maintenance_duration",
        does="for how long new versions are included",
        stores=_BOTH,
        field="maintenance_duration",
        license=("maintenance", "maintenance_duration"),
        read=_duration,
        allowed=_A_DURATION,
    ),
    Attribute(
        name="max_activations",
        does="on how many devices one license may be used",
        stores=_BOTH,
        field="max_activations",
        license=("max_activations",),
        read=_number(1),
        allowed=f"a whole number from 1 to {MOST}",
    ),
    Attribute(
        name="floating_cloud",
        does="how many may use one license at the same time",
        stores=_BOTH,
        field="floating_users",
        license=("floating_users", "max_activations"),
        read=_number(0),
        allowed=f"a whole number from 0 (it does not float) to {MOST}, at most max_activations",
    ),
    Attribute(
        name="floating_users_from_quantity",
        does="lets as many more use it at the same time with every unit",
        stores=_BOTH,
        field="floating_users_from_quantity",
        license=("floating_users", "max_activations"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="is_single_license",
        does="makes one license for all units, which allows as much as they would together",
        stores=("stripe",),
        field="single_license",
        license=("max_activations", "max_license_users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="single_license",
        does="the same as `is_single_license`",
        stores=("fastspring",),
        field="single_license",
        license=("max_activations", "max_license_users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="max_license_users",
        does="how many people may be assigned to one license",
        stores=("stripe",),
        field="max_license_users",
        license=("max_license_users",),
        read=_number(0),
        allowed=f"a whole number from 0 (unlimited) to {MOST}",
    ),
    Attribute(
        name="max_consumptions",
        does="how much may be used up of one license, anew with each paid interval",
        stores=("fastspring",),
        field="max_consumptions",
        license=("max_consumptions",),
        read=_number(1),
        allowed=f"a whole number from 1 to {MOST}",
        types=("consumption",),
    ),
    Attribute(
        name="is_license_manager",
        does="lets the customer manage the licenses of the order",
        stores=_BOTH,
        field="managed_by_customer",
        license=("managed_by_customer", "users"),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="assign_customer_as_user",
        does="makes the customer a user too, where the order names others",
        stores=_BOTH,
        field="customer_is_user",
        license=("users",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name="grace_period",
        does="how many hours the license goes on working after its end",
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
        does="lets the license work for so long before anything is paid",
        stores=("stripe",),
        field="unpaid_duration",
        license=("enabled", "expiry", "trial"),
        read=_duration,
        allowed=_A_DURATION,
    ),
    Attribute(
        name="added_days",
        does="moves the end by so many days",
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
        does="sells it without a license",
        stores=("stripe",),
        field="ignored",
        license=(),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
    Attribute(
        name=CUSTOM_FIELD + "{NAME}",
        does="sets the license's custom field NAME",
        stores=_BOTH,
        field="custom_fields",
        license=("custom_fields",),
        read=_text(0, LONGEST_VALUE),
        allowed=f"a name of 1 to {LONGEST_NAME} characters and a value of at most {LONGEST_VALUE}",
    ),
    Attribute(
        name="feature_code",
        does="adds this feature of the product; alone, to the licenses bought with it",
        stores=("fastspring",),
        field="feature",
        license=("features",),
        read=_code,
        allowed=f"the code of a product feature, of 1 to {LONGEST_NAME} characters",
    ),
    Attribute(
        name="is_product_bundle",
        does="says that the product is a bundle, and each product in it is licensed too",
        stores=("stripe",),
        field="is_bundle",
        license=("is_bundle",),
        read=_boolean,
        allowed=_YES_OR_NO,
    ),
)

ATTRIBUTES: dict[str, Attribute] = {row.name: row for row in _ROWS}
"""Every attribute by its name; that of the custom fields stands for all that begin with `custom_field_`."""


_NEEDED = [row.name for row in _ROWS if row.field]
_LIKENESS = 0.8
"""Of two names, from 0 to 1; most slips of the fingers stay above it."""


def attribute_of(name: str) -> Attribute | None:
    """The row that tells how an attribute of that name is read, if it is known."""
    return ATTRIBUTES.get(CUSTOM_FIELD + "{NAME}" if name.startswith(CUSTOM_FIELD) else name)


def meant(name: str) -> str:
    """The attribute that a name looks like which is none; empty where it looks like none that Tenure has a need of."""
    known = attribute_of(name) is not None or len(name) > LONGEST_NAME
    return "" if known else _alike(re.sub(r"[\s-]", "_", name.strip().lower()))


@lru_cache(maxsize=4096)
def _alike(name: str) -> str:
    return next(iter(get_close_matches(name, _NEEDED, n=1, cutoff=_LIKENESS)), "")
