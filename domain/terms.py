"""License terms: one reader for the attributes of every store (the table of them is in `domain/attributes.py`).

An attribute that is not known, or that means nothing beside the others, is a warning; one that is wrong is an error
that says what is allowed, and so are attributes of licenses without a code: a price that is no license has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec

from domain.attributes import (
    ATTRIBUTES,
    CUSTOM_FIELD,
    LONGEST_NAME,
    RECURRING_TYPES,
    Attribute,
    LicenseType,
    attribute_of,
    meant,
)

__all__ = [
    "ATTRIBUTES",
    "Attribute",
    "CodeMissing",
    "LicenseType",
    "Reading",
    "Terms",
    "TermsError",
    "read_terms",
    "works_unpaid",
]

_SHOWN, _MOST_NAMED = 80, 5
_NEEDS = {"time-limited": "valid_duration", "consumption": "max_consumptions"}
_SINGLE = ("is_single_license", "single_license")
_CODES = {row.name: row for row in ATTRIBUTES.values() if row.field in {"product_code", "feature"}}


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
    target: str = ""


class TermsError(ValueError):
    """Attributes cannot be used; each of `errors` names one with its value, the product and what is allowed.

    `warnings` are of the others.
    """

    def __init__(self, errors: Sequence[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)
        self.warnings = tuple(warnings)


class CodeMissing(TermsError):
    """There are attributes of licenses, or what looks like one, and no code to make licenses or a feature of."""


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


def read_terms(
    attributes: Mapping[str, str], *, product: str, recurring: bool, kind: Literal["product", "price"] = "product"
) -> Reading:
    """Reads one line's attributes. Raises TermsError, which lists everything that is wrong.

    `kind` says in texts what `product` is the name of. A line that has nothing to do with licenses is not licensed, and
    its attributes are nobody's business.
    """
    return _read_terms(tuple(attributes.items()), product, recurring, kind)


@lru_cache(maxsize=4096)
def _read_terms(
    items: tuple[tuple[str, str], ...], product: str, recurring: bool, kind: Literal["product", "price"]
) -> Reading:
    """A catalog has few products, and each of their sales is read again and again."""
    attributes = dict(items)
    if _ignored(attributes):
        return Reading(None, ignored=True)
    if not any(map(_is_of_licenses, attributes)):
        return Reading(None)
    of = f"{kind} {product}"
    values, warnings, errors = _read_each(attributes, of)
    if not _CODES.keys() & attributes.keys():
        raise CodeMissing([_missing(attributes, of), *errors], warnings)
    feature = values.pop("feature", "")
    if any(row.field == "product_code" and name in attributes for name, row in _CODES.items()):
        values.setdefault("license_type", "subscription" if recurring else "perpetual")
        errors += _contradictions(attributes, values, of, recurring)
        if not errors:
            warnings += _without_meaning(attributes, values, of, recurring)
    if errors:
        raise TermsError(errors, warnings)
    return Reading(Terms(**values) if "product_code" in values else None, tuple(warnings), feature)


def _ignored(attributes: Mapping[str, str]) -> bool:
    """Whether the vendor wants no license; a text that does not say is an error, with all the others."""
    row = ATTRIBUTES["ignore_product_in_licensespring"]
    try:
        return row.name in attributes and bool(row.read(attributes[row.name].strip()))
    except ValueError:
        return False


def _is_of_licenses(name: str) -> bool:
    row = attribute_of(name)
    return bool(meant(name)) if row is None else row.field != ""


def _missing(attributes: Mapping[str, str], of: str) -> str:
    """That there is no code, with the one that may have been meant."""
    names = [name[:_SHOWN] for name in sorted(attributes) if _is_of_licenses(name)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    likely = [f"was {meant(name)} meant by {name}?" for name in sorted(attributes) if meant(name) in _CODES]
    hint = f" ({likely[0]})" if likely else ""
    *codes, last = _CODES
    told = f"{', '.join(names[:_MOST_NAMED])}{more}"
    return f"{', '.join(codes)} or {last} of {of} is missing; nothing is licensed by {told} alone{hint}"


def _read_each(attributes: Mapping[str, str], of: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """Values by the field they set, warnings, errors."""
    values: dict[str, Any] = {}
    set_by: dict[str, str] = {}
    warnings: list[str] = []
    errors: list[str] = []
    for name, text in sorted(attributes.items()):
        row = attribute_of(name)
        if row is None:
            hint = f"; was {meant(name)} meant?" if meant(name) else ""
            warnings.append(f"attribute {name[:_SHOWN]!r} of {of} is not known and was ignored{hint}")
            continue
        try:
            value = _value(row, name, text.strip())
        except ValueError:
            wrong = _wrong(name, text, of, row.allowed)
            if row.field:
                errors.append(wrong)
            else:
                warnings.append(f"{wrong}; it was ignored, as nothing needs it")
            continue
        if row.field == "custom_fields":
            values["custom_fields"] = {**values.get("custom_fields", {}), name.removeprefix(CUSTOM_FIELD): value}
        elif values.get(row.field, value) != value:
            other = set_by[row.field]
            both = f"{attributes[other][:_SHOWN]!r} and {text[:_SHOWN]!r}"
            errors.append(f"{other} and {name} of {of} are {both}; allowed: one of them, or the same in both")
        elif row.field not in {"", "ignored"}:
            values[row.field], set_by[row.field] = value, name
    return values, warnings, errors


def _value(row: Attribute, name: str, text: str) -> Any:
    if row.field == "custom_fields" and not 1 <= len(name) - len(CUSTOM_FIELD) <= LONGEST_NAME:
        raise ValueError(name)
    return row.read(text)


def _wrong(name: str, text: str, of: str, allowed: str) -> str:
    return f"{name[:_SHOWN]} of {of} is {text[:_SHOWN]!r}; allowed: {allowed}"


def _contradictions(
    attributes: Mapping[str, str], values: Mapping[str, Any], of: str, recurring: bool
) -> Iterator[str]:
    """What is wrong although each attribute by itself is right."""
    kind, floating, seats = values["license_type"], values.get("floating_users"), values.get("max_activations")
    if recurring and kind not in RECURRING_TYPES:
        allowed = " or ".join(RECURRING_TYPES)
        yield f"license_type of {of} is {kind!r}; allowed for a recurring price: {allowed}"
    elif kind in _NEEDS and _NEEDS[kind] not in attributes:
        yield f"{_NEEDS[kind]} of {of} is missing; a {kind} license needs one"
    if floating is not None and seats is not None and floating > seats:
        allowed = f"at most max_activations, which is {seats}"
        yield _wrong("floating_cloud", attributes["floating_cloud"], of, allowed)
    # One that is wrong is an error already.
    single = values.get("single_license", any(name in attributes for name in _SINGLE))
    if values.get("floating_users_from_quantity") and not single:
        name, allowed = "floating_users_from_quantity", f"true only together with {' or '.join(_SINGLE)}"
        yield _wrong(name, attributes[name], of, allowed)


def _without_meaning(attributes: Mapping[str, str], values: dict[str, Any], of: str, recurring: bool) -> list[str]:
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
        warnings.append(f"{row.name} of {of} means nothing for {only} and was ignored")
    if values.get("maintenance_duration") is not None and not values.setdefault("maintenance", True):
        values.pop("maintenance_duration")
        off = "while enable_maintenance_duration is false"
        warnings.append(f"maintenance_duration of {of} means nothing {off} and was ignored")
    return warnings
