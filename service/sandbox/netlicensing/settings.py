"""What the sandbox can be told: its catalog, and one named setting per point that NetLicensing leaves open.

The defaults are the most likely behaviour of the real service or, where that is unknown, the behaviour that finds
mistakes of a client earliest. `README.md` beside this file says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from service.sandbox.netlicensing.seeds import DEFAULT_PRODUCTS, BundleSeed, ProductSeed

DEFAULT_API_KEY = "5a9dbc80-0000-4000-8000-000000000001"
DEFAULT_LOGIN = "demo:demo"

Role = Literal[
    "ROLE_APIKEY_LICENSEE",
    "ROLE_APIKEY_ANALYTICS",
    "ROLE_APIKEY_OPERATION",
    "ROLE_APIKEY_MAINTENANCE",
    "ROLE_APIKEY_ADMIN",
]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that shapes one sandbox account; decodes from a JSON file."""

    products: tuple[ProductSeed, ...] = DEFAULT_PRODUCTS
    bundles: tuple[BundleSeed, ...] = ()
    api_keys: tuple[str, ...] = (DEFAULT_API_KEY,)
    api_key_role: Role = "ROLE_APIKEY_OPERATION"
    logins: tuple[str, ...] = (DEFAULT_LOGIN,)
    """Of the vendor, as `user:password`."""
    now: datetime | None = None
    """Start of the sandbox's clock (aware); the real time when absent."""
    seed: int | None = None
    """Makes the numbers that the sandbox chooses repeatable; unpredictable when absent."""
    calls_kept: int = 1000

    requests_per_minute: int | None = None
    rate_limited_status: Literal[429, 402, 403] = 429
    rate_limited_retry_after: bool = True
    refused_requests_count: bool = False
    quota: Mapping[str, int] = {}

    bad_key_status: Literal[401, 403] = 401
    accept_any: Literal["refused", "json"] = "refused"
    error_id: Literal["name", "number"] = "name"
    duplicate_number_status: Literal[400, 409, 500, 200] = 400
    duplicate_number_id: Literal["IllegalOperationException", "ValidationException"] = "IllegalOperationException"
    number_case: Literal["sensitive", "insensitive"] = "sensitive"
    single_element: Literal["list", "object"] = "list"
    empty_list: Literal["empty", "null", "no_content"] = "empty"
    unknown_filter: Literal["ignored", "refused"] = "ignored"
    page_items: int = 100

    start_date_missing: Literal["refused", "now"] = "refused"
    start_date_change: Literal["accepted", "refused", "ignored"] = "accepted"
    parent_feature_sent: Literal["both", "parentfeature", "parentFeature"] = "both"
    parent_feature_shown: Literal["parentFeature", "parentfeature"] = "parentFeature"
    node_locked_field: Literal["both", "quota", "quantity"] = "both"
    bundle_templates_field: Literal["licenseTemplateNumbers", "licenseTemplatesNumbers"] = "licenseTemplateNumbers"
    license_price: Literal["ignored", "refused"] = "ignored"

    inactive_licensee: Literal["not_valid", "refused", "ignored"] = "not_valid"
    checkout_validity_unit: Literal["seconds", "days"] = "seconds"
    floating_without_session: Literal["omitted", "listed"] = "omitted"
    features_not_licensed: Literal["listed", "omitted"] = "listed"
    ttl: Literal["minutes", "instant"] = "minutes"
    after_transfer: Literal["kept", "unmarked"] = "kept"
