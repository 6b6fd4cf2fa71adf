"""What the sandbox can be told: its seed data, and one named setting per point that LicenseSpring leaves open.

The defaults are the most likely behaviour of the real service or, where that is unknown, the behaviour that finds
mistakes of a client earliest. `README.md` beside this file says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

DEFAULT_API_KEY = "SANDBOX0.0123456789abcdef0123456789abcdef"

Plan = Literal["free", "business_starter", "business_plus", "enterprise", "unlimited"]
Authorization = Literal["license-key", "user"]
LicenseType = Literal["perpetual", "time-limited", "subscription", "consumption"]


class FeatureSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature a product offers; licenses name it by its code."""

    code: str
    name: str = ""
    feature_type: Literal["activation", "consumption"] = "activation"
    max_consumption: int = 0


class CustomFieldSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A custom field that licenses of a product may have; orders name it, later changes go by its id."""

    name: str
    data_type: Literal["text", "number", "date/time"] = "text"
    default_value: str = ""


class PolicySeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A license policy: license fields (as create_order names them) for licenses that do not send them."""

    code: str
    default_license_type: LicenseType | None = None
    terms: Mapping[str, Any] = {}


class ProductSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product of the catalog. Its default policy, which it always has, holds `default_license_type` and `terms`."""

    short_code: str
    product_name: str = ""
    authorization_method: Authorization = "license-key"
    default_license_type: LicenseType = "subscription"
    terms: Mapping[str, Any] = {}
    policies: tuple[PolicySeed, ...] = ()
    features: tuple[FeatureSeed, ...] = ()
    custom_fields: tuple[CustomFieldSeed, ...] = ()
    bundle: tuple[str, ...] = ()
    """Short codes of the products in it, which makes it a bundle; they may be added later."""


DEFAULT_PRODUCTS = (
    ProductSeed(
        short_code="demo",
        product_name="Demo",
        features=(
            FeatureSeed(code="export", name="Export"),
            FeatureSeed(code="reports", name="Reports", feature_type="consumption", max_consumption=100),
        ),
        custom_fields=(CustomFieldSeed(name="Team"),),
    ),
    ProductSeed(short_code="demo-team", product_name="Demo for teams", authorization_method="user"),
    ProductSeed(short_code="demo-perpetual", product_name="Demo, bought once", default_license_type="perpetual"),
    ProductSeed(short_code="demo-suite", product_name="Demo, all of it", bundle=("demo", "demo-perpetual")),
)


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that shapes one sandbox company; decodes from a JSON file."""

    products: tuple[ProductSeed, ...] = DEFAULT_PRODUCTS
    api_keys: tuple[str, ...] = (DEFAULT_API_KEY,)
    company_id: int = 1
    now: datetime | None = None
    """Start of the sandbox's clock (aware); the real time when absent."""
    seed: int | None = None
    """Makes license keys and passwords repeatable; unpredictable when absent."""
    calls_kept: int = 1000

    plan: Plan = "free"
    flood_protection: bool = True

    duplicate_order: Literal["code", "field_map", "detail", "conflict"] = "code"
    order_errors: Literal["code", "field_map", "detail"] = "code"
    create_order_answer: Literal["full", "order_id"] = "full"
    customer_matching: Literal["email", "never"] = "email"
    repeat_of_enable_disable: Literal["ok", "refused"] = "ok"
    repeat_of_assign: Literal["ok", "refused"] = "ok"
    throttled_answer: Literal["retry_after", "bare"] = "retry_after"
    date_only_expiry: Literal["start_of_day", "end_of_day"] = "start_of_day"
    patch_datetime: Literal["refused", "accepted", "truncated"] = "refused"
    patch_enabled: Literal["accepted", "ignored"] = "accepted"
    patch_unknown_field: Literal["ignored", "refused"] = "ignored"
    metadata_patch: Literal["replace", "merge"] = "replace"
    duration_and_date: Literal["refused", "duration_ignored"] = "refused"
    dates_without_is_trial: Literal["refused", "accepted", "not_applied"] = "refused"
    yearly_consumption: Literal["both", "annually", "annualy"] = "both"
    created_customer_status: Literal[201, 200] = 201
    inactive_status: Literal["Inactive", "Not Activated"] = "Inactive"
    bulk_with_unknown_id: Literal["all_or_nothing", "unknown_skipped", "stops_there"] = "all_or_nothing"
    bundle_members: Literal["policy", "as_sent"] = "policy"
    bundle_answer: Literal["list", "page"] = "list"
    floating_over_activations: Literal["refused", "accepted"] = "refused"
    unknown_custom_field: Literal["refused", "ignored"] = "refused"
    custom_field_twice: Literal["refused", "replaced"] = "refused"
    custom_field_related: Literal["id", "object"] = "id"
    feature_values_not_sent: Literal["kept", "reset"] = "kept"
    check_on_unknown_device: Literal["answered", "refused"] = "answered"
