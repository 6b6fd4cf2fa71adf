"""What LicenseSpring lets be changed afterwards, and the rules between the fields; checked before anything is sent."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from projections.targets.licensespring.wire import NewCustomer

LICENSE_FIELDS = frozenset(
    {
        "max_activations",
        "allow_unlimited_activations",
        "max_consumptions",
        "total_consumptions",
        "allow_overages",
        "max_overages",
        "reset_consumption",
        "consumption_period",
        "is_trial",
        "trial_days",
        "valid_duration",
        "validity_period",
        "enable_maintenance_period",
        "maintenance_duration",
        "maintenance_period",
        "is_floating",
        "is_floating_cloud",
        "floating_users",
        "floating_timeout",
        "prevent_vm",
        "note",
        "max_license_users",
        "max_transfers",
        "allow_grace_period",
        "grace_period",
        "order",
        "metadata",
        "installation_file",
    }
)
"""What a license can be changed in (page license/update); other names may be ignored without a word.

`enabled` is missing on purpose: only an SDK knows it here, while `enable` and `disable` are documented.
"""

CUSTOMER_FIELDS = frozenset(NewCustomer.__struct_fields__)

DURATION = re.compile(r"[1-9][0-9]*[dwmy]")
DAY = re.compile(r"\d{4}-\d\d-\d\d")

COMPANIONS = {
    "valid_duration": "is_trial",
    "validity_period": "is_trial",
    "trial_days": "is_trial",
    "maintenance_duration": "enable_maintenance_period",
    "maintenance_period": "enable_maintenance_period",
}
"""Fields that are applied only when another one comes along (page license/update)."""


def license_change(fields: Mapping[str, object]) -> dict[str, object]:
    """The body of a license's PATCH, dates written as `YYYY-MM-DD`.

    Raises ValueError naming the rule when LicenseSpring would refuse the fields or ignore them silently.
    """
    _check_names(fields, LICENSE_FIELDS, "license")
    for name, companion in COMPANIONS.items():
        if name in fields and companion not in fields:
            raise ValueError(f"{name} must be sent together with {companion}")
    if "valid_duration" in fields and "validity_period" in fields:
        raise ValueError("valid_duration and validity_period must not be sent together")
    for name in ("valid_duration", "maintenance_duration"):
        value = fields.get(name)
        if isinstance(value, str) and not DURATION.fullmatch(value):
            raise ValueError(f"{name} must be a number and one of d, w, m, y, not {value!r}")
    return {
        name: _day(name, value) if name in {"validity_period", "maintenance_period"} else value
        for name, value in fields.items()
    }


def customer_change(fields: Mapping[str, object]) -> dict[str, object]:
    """The body of a customer's PATCH. Raises ValueError for a name that is not documented."""
    _check_names(fields, CUSTOMER_FIELDS, "customer")
    return dict(fields)


def _check_names(fields: Mapping[str, object], known: frozenset[str], what: str) -> None:
    if not fields:
        raise ValueError(f"nothing to change in the {what}: name at least one field")
    if unknown := sorted(set(fields) - known):
        raise ValueError(f"not documented as changeable in a {what}: {', '.join(unknown)}")


def _day(name: str, value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if value is None or (isinstance(value, str) and DAY.fullmatch(value)):
        return value
    raise ValueError(f"{name} must be a date (YYYY-MM-DD) when a license is changed, not {value!r}")
