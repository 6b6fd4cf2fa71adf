"""License terms: one reader for the attributes of every store (the table of them is in `domain/attributes.py`).

An attribute that is not known, or that means nothing beside the others, is a warning; one that is wrong is an error
that says what is allowed.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.attributes import (
    ATTRIBUTES,
    CUSTOM_FIELD,
    LONGEST_NAME,
    RECURRING_TYPES,
    Attribute,
    LicenseType,
    attribute_of,
)

__all__ = ["ATTRIBUTES", "Attribute", "LicenseType", "Reading", "Terms", "TermsError", "read_terms", "works_unpaid"]

_SHOWN = 80


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of a line is licensed as; durations are `N[dwmy]` (days, weeks, months, years).

    `single_license`: all units of the line are one license, which allows as much as they do together.
    `margin_hours` is in hours, None where the policy counts.
    """

    product_code: str
    license_type: LicenseType
    policy_code: str = ""
    max_activations: int | None = None
    valid_duration: str | None = None
    maintenance: bool | None = None
    maintenance_duration: str | None = None
    floating_users: int | None = None
    floating_users_from_quantity: bool = False
    single_license: bool = False
    max_license_users: int | None = None
    max_consumptions: int | None = None
    managed_by_customer: bool = False
    customer_is_user: bool = False
    margin_hours: int | None = None
    unpaid_duration: str | None = None
    added_days: int = 0
    is_bundle: bool = False
    custom_fields: dict[str, str] = {}


class TermsError(ValueError):
    """Attributes cannot be used; the text names each with its value, the product and what is allowed."""


class Reading(msgspec.Struct, frozen=True):
    """What the attributes of one line say: terms, none when the line is not licensed by itself, and warnings.

    `feature` is the code of the product feature that the line adds, empty for none: without terms it is an add-on to
    the licenses beside it, with terms a feature of its own licenses. `ignored`: the vendor wants no license for it.
    """

    terms: Terms | None
    warnings: tuple[str, ...] = ()
    feature: str = ""
    ignored: bool = False


def works_unpaid(attributes: Mapping[str, str]) -> bool:
    """Whether a line may be licensed before anything is paid."""
    return "unpaid_active_license_period" in attributes


def read_terms(attributes: Mapping[str, str], *, product: str, recurring: bool) -> Reading:
    """Reads one line's attributes. Raises TermsError, which lists everything that is wrong.

    A line without any code of a product or feature is not licensed, and its other attributes are nobody's business.
    """
    if _ignored(attributes, product):
        return Reading(None, ignored=True)
    if not any(ATTRIBUTES[name].field in {"product_code", "feature"} for name in attributes if name in ATTRIBUTES):
        return Reading(None)
    values, warnings, errors = _read_each(attributes, product)
    feature = values.pop("feature", "")
    if not errors and "product_code" in values:
        values.setdefault("license_type", "subscription" if recurring else "perpetual")
        errors += _contradictions(attributes, values, product, recurring)
        warnings += _without_meaning(attributes, values, product, recurring)
    if errors:
        raise TermsError("; ".join(errors))
    return Reading(Terms(**values) if "product_code" in values else None, tuple(warnings), feature)


def _ignored(attributes: Mapping[str, str], product: str) -> bool:
    row = ATTRIBUTES["ignore_product_in_licensespring"]
    text = attributes.get(row.name)
    if text is None:
        return False
    try:
        return bool(row.read(text.strip()))
    except ValueError:
        raise TermsError(_wrong(row.name, text, product, row.allowed)) from None


def _read_each(attributes: Mapping[str, str], product: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """Values by the field they set, warnings, errors."""
    values: dict[str, Any] = {}
    set_by: dict[str, str] = {}
    warnings: list[str] = []
    errors: list[str] = []
    for name, text in sorted(attributes.items()):
        row = attribute_of(name)
        if row is None:
            warnings.append(f"attribute {name[:_SHOWN]!r} of product {product} is not known and was ignored")
            continue
        try:
            value = _value(row, name, text.strip())
        except ValueError:
            errors.append(_wrong(name, text, product, row.allowed))
            continue
        if row.field == "custom_fields":
            values["custom_fields"] = {**values.get("custom_fields", {}), name.removeprefix(CUSTOM_FIELD): value}
        elif values.get(row.field, value) != value:
            other = set_by[row.field]
            both = f"{attributes[other][:_SHOWN]!r} and {text[:_SHOWN]!r}"
            errors.append(
                f"{other} and {name} of product {product} are {both}; allowed: one of them, or the same in both"
            )
        elif row.field not in {"", "ignored"}:
            values[row.field], set_by[row.field] = value, name
    return values, warnings, errors


def _value(row: Attribute, name: str, text: str) -> Any:
    if row.field == "custom_fields" and not 1 <= len(name) - len(CUSTOM_FIELD) <= LONGEST_NAME:
        raise ValueError(name)
    return row.read(text)


def _wrong(name: str, text: str, product: str, allowed: str) -> str:
    return f"{name[:_SHOWN]} of product {product} is {text[:_SHOWN]!r}; allowed: {allowed}"


def _contradictions(
    attributes: Mapping[str, str], values: Mapping[str, Any], product: str, recurring: bool
) -> list[str]:
    """What is wrong although each attribute by itself is right."""
    errors = []
    kind, floating, seats = values["license_type"], values.get("floating_users"), values.get("max_activations")
    if recurring and kind not in RECURRING_TYPES:
        allowed = " or ".join(RECURRING_TYPES)
        errors.append(f"license_type of product {product} is {kind!r}; allowed for a recurring price: {allowed}")
    elif kind == "time-limited" and "valid_duration" not in values:
        errors.append(f"valid_duration of product {product} is missing; a time-limited license needs one")
    elif kind == "consumption" and "max_consumptions" not in values:
        errors.append(f"max_consumptions of product {product} is missing; a consumption license needs one")
    if floating is not None and seats is not None and floating > seats:
        allowed = f"at most max_activations, which is {seats}"
        errors.append(_wrong("floating_cloud", attributes["floating_cloud"], product, allowed))
    if values.get("floating_users_from_quantity") and not values.get("single_license"):
        name, allowed = "floating_users_from_quantity", "true only together with is_single_license or single_license"
        errors.append(_wrong(name, attributes[name], product, allowed))
    return errors


def _without_meaning(attributes: Mapping[str, str], values: dict[str, Any], product: str, recurring: bool) -> list[str]:
    """Drops values that mean nothing for such a license, and says so."""
    warnings = []
    price = "recurring" if recurring else "one-time"
    for row in (ATTRIBUTES[name] for name in sorted(attributes) if name in ATTRIBUTES):
        if values["license_type"] not in row.types:
            only = f"a {values['license_type']} license"
        elif row.prices not in {"any", price}:
            only = f"a {price} price"
        else:
            continue
        values.pop(row.field, None)
        warnings.append(f"{row.name} of product {product} means nothing for {only} and was ignored")
    if values.get("maintenance_duration") is not None and not values.setdefault("maintenance", True):
        values.pop("maintenance_duration")
        off = "while enable_maintenance_duration is false"
        warnings.append(f"maintenance_duration of product {product} means nothing {off} and was ignored")
    return warnings
