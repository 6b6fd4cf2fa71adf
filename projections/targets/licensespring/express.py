"""A desired license in the words of LicenseSpring. Pure.

Fields of a license are named as LicenseSpring names them. What it keeps beside them is recorded under names of ours,
`{kind}:{which}`, and so are two things that it does not tell at all. Only what was set by Tenure is ever recorded:
what a policy or a person set beside it is nobody's business here, and stays.
"""

from datetime import UTC, datetime, timedelta

from domain.licensing import License
from domain.receipts import Fields, Value
from domain.subscription import Customer

_DAY = timedelta(days=1)

FEATURE, CUSTOM_FIELD, USER, ACTIVATIONS, MANAGER = "feature:", "custom_field:", "user:", "activations:", "manager:"

COUNTED = "consumption_counted"
"""The billing interval whose consumption is counted; LicenseSpring knows only the total."""
FREED = "devices_freed"
"""Whether the devices were freed since the license was disabled."""

OFF: Fields = {"is_floating_cloud": False, "note": ""}
"""What takes a field back that was set and is no longer desired; for others the last value stays."""


def express(desired: License, *, user_based: bool = False) -> Fields:
    """The fields of a license of its own that say what is desired; what is not known is left to the product."""
    return {**express_dates(desired), **express_values(desired, user_based=user_based)}


def express_dates(desired: License, license_type: str = "") -> Fields:
    """Until when it works; `license_type` is that of the license there, should it be another's.

    The expiry is the first UTC date not before the paid-through instant: LicenseSpring takes dates and most likely
    counts them from their first minute. The margin becomes the grace period, in hours.
    """
    if desired.expiry is None:
        return {}
    if (license_type or desired.license_type) == "subscription":
        return {
            "is_trial": desired.trial,
            "validity_period": _round_up(desired.expiry),
            "allow_grace_period": desired.margin_hours > 0,
            "grace_period": desired.margin_hours,
        }
    # Only subscription licenses have a grace period on the server: for others the date carries the margin.
    reach = desired.expiry + timedelta(hours=desired.margin_hours)
    return {"is_trial": desired.trial, "validity_period": _round_up(reach)}


def express_values(desired: License, *, user_based: bool = False) -> Fields:
    """What it grants. Where it is used by users, each of them has the activations, not the license."""
    floating = desired.floating_users is not None
    maintained = True if desired.maintenance is None and desired.maintenance_duration else desired.maintenance
    fields: dict[str, Value] = {
        "max_activations": None if user_based else desired.max_activations,
        "is_floating_cloud": True if floating else None,
        "floating_users": desired.floating_users,
        "max_license_users": desired.max_license_users,
        "max_consumptions": desired.max_consumptions,
        "enable_maintenance_period": maintained,
        "maintenance_duration": desired.maintenance_duration,
        # LicenseSpring takes a duration or a date, never both; a date we know is exact.
        "valid_duration": desired.valid_duration if desired.expiry is None else None,
        "note": desired.note or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def express_features(desired: License) -> Fields:
    """The product features it has."""
    return {f"{FEATURE}{code}": True for code in desired.features}


def express_custom_fields(desired: License) -> Fields:
    """The texts of its custom fields."""
    return {f"{CUSTOM_FIELD}{name}": value for name, value in sorted(desired.custom_fields.items())}


def express_users(desired: License) -> Fields:
    """Who uses it."""
    return {f"{USER}{address(user.email)}": True for user in desired.users}


def express_activations(desired: License) -> Fields:
    """On how many devices each of its users may use it."""
    if desired.max_activations is None:
        return {}
    return {f"{ACTIVATIONS}{address(user.email)}": desired.max_activations for user in desired.users}


def express_manager(desired: License) -> Fields:
    """Who manages the licenses of its order."""
    managed = desired.managed_by_customer and desired.customer.email
    return {f"{MANAGER}{address(desired.customer.email)}": True} if managed else {}


def express_customer(customer: Customer) -> Fields:
    """The fields by which LicenseSpring knows a customer; what is not known is left out."""
    first, _, last = customer.name.partition(" ")
    fields: Fields = {
        "email": customer.email,
        "first_name": first,
        "last_name": last,
        "company_name": customer.company,
        "reference": customer.reference,
    }
    return {name: value for name, value in fields.items() if value}


def address(email: str) -> str:
    """An e-mail address as it is compared: LicenseSpring takes two spellings for one person."""
    return email.strip().casefold()


def _round_up(instant: datetime) -> str:
    instant = instant.astimezone(UTC)
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight if midnight == instant else midnight + _DAY).date().isoformat()
