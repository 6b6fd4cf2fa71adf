"""What LicenseSpring says it holds, in the words of the plan."""

from collections.abc import Collection

from domain.receipts import AppliedLicense, Fields, LicenseChanged, OrderChanged, Value
from projections.targets.licensespring.answers import Customer, License
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.entitlements import custom_fields_of
from projections.targets.licensespring.express import ACTIVATIONS, COUNTED, CUSTOM_FIELD, FEATURE, FREED, USER, address
from projections.targets.licensespring.people import managers_of

OF_COMPANIONS = ("license_type", "is_trial", "validity_period", "allow_grace_period", "grace_period", FREED)
"""What is asked of the licenses that a bundle brought along."""

_CUSTOMER_FIELDS = ("email", "first_name", "last_name", "company_name", "reference")


def told(held: License, names: Collection[str]) -> Fields:
    """What the license is said to be, of these names; what is not said is left out."""
    fields: Fields = {} if held.enabled is None else {"enabled": held.enabled}
    for name in names:
        value = _told(held, name)
        if value is not None:
            fields[name] = value
    return fields


def told_of_customer(customer: Customer) -> Fields:
    """What the customer is said to be."""
    return {name: getattr(customer, name) for name in _CUSTOMER_FIELDS if getattr(customer, name)}


async def look_at_license(
    client: LicenseSpring, target: str, license_id: str, known: AppliedLicense, asked: Collection[str]
) -> LicenseChanged:
    """How a license and those of its bundle stand: all that was ever set, and what else is `asked`.

    What is not told is unknown from now on, so that the plan sets it again; but a billing interval whose consumption
    is counted is never told, and forgetting it would give it away twice.
    """
    names = {*known.fields, *asked} - {"enabled", COUNTED}
    held = await client.license(int(known.remote))
    fields = dict.fromkeys(sorted(names)) | told(held, names) | await _custom_fields(client, held, names)
    companions = {}
    for remote, before in known.companions.items():
        beside = await client.license(int(remote))
        unknown: Fields = dict.fromkeys(name for name in before if name != "enabled")
        companions[remote] = unknown | told(beside, OF_COMPANIONS)
    return LicenseChanged(target=target, license=license_id, fields=fields, companions=companions)


async def look_at_order(
    client: LicenseSpring, target: str, order: str, known: Fields, asked: Collection[str]
) -> OrderChanged:
    """Who of those that were ever added, or are `asked` for, manages the order."""
    _, managers = await managers_of(client, order)
    names = sorted({*known, *asked})
    return OrderChanged(target=target, order=order, fields={name: name.partition(":")[2] in managers for name in names})


async def _custom_fields(client: LicenseSpring, held: License, names: Collection[str]) -> Fields:
    asked = sorted(name for name in names if name.startswith(CUSTOM_FIELD))
    if not asked or held.product is None:
        return {}
    values = {row.product_custom_field: row.value for row in await custom_fields_of(client, held.id)}
    fields: Fields = {}
    for name in asked:
        field = await client.catalog.custom_field(held.product.id, name.removeprefix(CUSTOM_FIELD))
        fields[name] = values.get(field, "") if field is not None else ""
    return fields


def _told(held: License, name: str) -> Value:
    kind, colon, which = name.partition(":")
    match kind + colon:
        case "validity_period":
            return None if held.expiry_date is None else held.expiry_date.isoformat()
        case kind if kind == FREED:
            return None if held.times_activated is None else held.times_activated == 0
        case kind if kind == FEATURE:
            features = held.product_features
            return None if features is None else any(feature.code == which for feature in features)
        case kind if kind == USER:
            return any(address(user.true_email or "") == which for user in held.license_users)
        case kind if kind == ACTIVATIONS:
            users = (user for user in held.license_users if address(user.true_email or "") == which)
            return next((user.max_activations for user in users), None)
        case _ if colon or name == COUNTED:
            return None
        case _:
            value = getattr(held, name, None)
            return value if isinstance(value, str | int) else None
