"""License terms read from the attributes a vendor set in the provider's catalog.

Stripe: price metadata. Each attribute is a row of the table below: how its text is read and what is allowed.
An attribute that is not known is a warning; one that is wrong is an error that says what is allowed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import msgspec

LicenseType = Literal["perpetual", "time-limited", "subscription", "consumption"]
_TYPES: tuple[LicenseType, ...] = get_args(LicenseType)
_RECURRING_TYPES = ("subscription", "consumption")
_DURATION = re.compile(r"[1-9][0-9]{0,4}[dwmy]")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of a line is licensed as. `valid_duration` is `N[dwmy]` (days, weeks, months, years)."""

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
    """An attribute cannot be used; the text names attribute, value, product and what is allowed."""


class Reading(msgspec.Struct, frozen=True):
    """What the attributes of one line say: terms, none when the line is not licensed by itself, and warnings.

    `feature` is the code of the product feature that the line adds to the licenses beside it, empty for none.
    """

    terms: Terms | None
    warnings: tuple[str, ...] = ()
    feature: str = ""


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise ValueError("a whole number from 1")
    return int(text)


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("a number and one of d, w, m, y, such as 30d or 1y")
    return text


def _license_type(text: str) -> str:
    if text not in _TYPES:
        raise ValueError("one of " + ", ".join(_TYPES))
    return text


def _code(text: str) -> str:
    if not text or len(text) > 100:
        raise ValueError("a product code of 1 to 100 characters")
    return text


ATTRIBUTES: dict[str, tuple[str, Callable[[str], Any]]] = {
    # attribute             field of Terms      how its text is read
    "short_code": ("product_code", _code),
    "product_short_code": ("product_code", _code),
    "license_type": ("license_type", _license_type),
    "max_activations": ("max_activations", _whole_number),
    "valid_duration": ("valid_duration", _duration),
}


def read_terms(attributes: Mapping[str, str], *, product: str, recurring: bool) -> Reading:
    """Reads one line's attributes. Raises TermsError.

    A line without a product code is not licensed (an add-on, say): terms are None then.
    """
    values: dict[str, Any] = {}
    warnings = []
    for name, text in sorted(attributes.items()):
        if name not in ATTRIBUTES:
            warnings.append(f"attribute {name!r} of product {product} is not known and was ignored")
            continue
        field, read = ATTRIBUTES[name]
        try:
            values[field] = read(text.strip())
        except ValueError as error:
            raise TermsError(f"{name} of product {product} is {text[:80]!r}; allowed: {error}") from None
    if "product_code" not in values:
        return Reading(None)
    values.setdefault("license_type", "subscription" if recurring else "perpetual")
    if recurring and values["license_type"] not in _RECURRING_TYPES:
        allowed = " or ".join(_RECURRING_TYPES)
        raise TermsError(
            f"license_type of product {product} is {values['license_type']!r}; allowed for a recurring price: {allowed}"
        )
    if values["license_type"] == "time-limited" and "valid_duration" not in values:
        raise TermsError(f"valid_duration of product {product} is missing; a time-limited license needs one")
    return Reading(Terms(**values), tuple(warnings))
