"""Tables of the fields that requests may carry, and how each kind of value is read.

Reads values as leniently as Django REST Framework does: numbers and booleans may come as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, TypeVar, assert_never

from service.sandbox.licensespring import errors
from service.sandbox.licensespring.durations import add_duration, expiry_of, parse_date, parse_instant
from service.sandbox.licensespring.errors import FieldError
from service.sandbox.licensespring.settings import SandboxSettings

T = TypeVar("T")

LONGEST_TEXT = 10_000
SOME_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


class Kind(Enum):
    FLAG = "flag"
    COUNT = "count"
    COUNT_OR_MINUS_ONE = "count or -1"
    ID = "id"
    TEXT = "text"
    DURATION = "duration"
    DATE = "date"
    EXPIRY = "expiry of a new license"
    NEW_EXPIRY = "expiry in a PATCH"
    CYCLE = "cycle"
    OBJECT = "object"


TERMS: Mapping[str, Kind] = {
    "is_trial": Kind.FLAG,
    "trial_days": Kind.COUNT,
    "valid_duration": Kind.DURATION,
    "validity_period": Kind.EXPIRY,
    "start_date": Kind.DATE,
    "allow_grace_period": Kind.FLAG,
    "grace_period": Kind.COUNT,
    "enable_maintenance_period": Kind.FLAG,
    "maintenance_duration": Kind.DURATION,
    "maintenance_period": Kind.DATE,
    "max_activations": Kind.COUNT,
    "allow_unlimited_activations": Kind.FLAG,
    "max_transfers": Kind.COUNT_OR_MINUS_ONE,
    "max_license_users": Kind.COUNT,
    "max_consumptions": Kind.COUNT,
    "total_consumptions": Kind.COUNT,
    "allow_unlimited_consumptions": Kind.FLAG,
    "allow_negative_consumptions": Kind.FLAG,
    "allow_overages": Kind.FLAG,
    "max_overages": Kind.COUNT,
    "reset_consumption": Kind.FLAG,
    "consumption_period": Kind.CYCLE,
    "is_floating": Kind.FLAG,
    "is_floating_cloud": Kind.FLAG,
    "floating_users": Kind.COUNT,
    "floating_timeout": Kind.COUNT,
    "can_borrow": Kind.FLAG,
    "max_borrow_time": Kind.COUNT,
    "prevent_vm": Kind.FLAG,
    "is_air_gapped": Kind.FLAG,
    "is_hardware_key_auth": Kind.FLAG,
    "installation_file": Kind.ID,
    "note": Kind.TEXT,
    "metadata": Kind.OBJECT,
}

NOT_PATCHABLE = {
    "start_date",
    "allow_unlimited_consumptions",
    "allow_negative_consumptions",
    "can_borrow",
    "max_borrow_time",
    "is_air_gapped",
    "is_hardware_key_auth",
}
PATCH: Mapping[str, Kind] = {
    **{name: kind for name, kind in TERMS.items() if name not in NOT_PATCHABLE},
    "validity_period": Kind.NEW_EXPIRY,
}
"""The terms that a PATCH is documented to change; `order` and `enabled` come on top."""

CUSTOMER: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "email",
            "first_name",
            "last_name",
            "company_name",
            "phone",
            "reference",
            "address",
            "postcode",
            "city",
            "country",
            "state",
        ),
        Kind.TEXT,
    ),
    "customer_account": Kind.ID,
    "metadata": Kind.OBJECT,
}

FEATURE: Mapping[str, Kind] = {
    "max_consumption": Kind.COUNT,
    "total_consumptions": Kind.COUNT,
    "expiry_date": Kind.DATE,
    "allow_overages": Kind.FLAG,
    "max_overages": Kind.COUNT,
    "reset_consumption": Kind.FLAG,
    "consumption_period": Kind.CYCLE,
    "metadata": Kind.OBJECT,
}

SEAT: Mapping[str, Kind] = {
    "is_manager": Kind.FLAG,
    "max_activations": Kind.COUNT,
    "total_activations": Kind.COUNT,
}


def flag(value: Any) -> bool:
    match value:
        case bool():
            return value
        case 0 | 1:
            return bool(value)
        case str() if value.lower() in {"true", "1"}:
            return True
        case str() if value.lower() in {"false", "0"}:
            return False
    raise FieldError("Must be a valid boolean.")


def whole(value: Any, least: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise FieldError("A valid integer is required.")
    try:
        number = int(value)
    except ValueError:
        raise FieldError("A valid integer is required.") from None
    if least is not None and number < least:
        raise FieldError(f"Ensure this value is greater than or equal to {least}.")
    if abs(number) >= 2**63:
        raise FieldError("A valid integer is required.")
    return number


def text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FieldError("Not a valid string.")
    if len(string := str(value)) > LONGEST_TEXT:
        raise FieldError(f"Ensure this field has no more than {LONGEST_TEXT} characters.")
    return string


def mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FieldError("Value must be a JSON object.")
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FieldError("Expected a list of items.")
    return value


def optional_text(value: Any) -> str | None:
    return None if value is None else text(value)


def duration(value: Any) -> str | None:
    if value in (None, ""):
        return None
    add_duration(SOME_INSTANT, given := text(value))
    return given


def day(value: Any) -> date | None:
    return None if value is None else parse_date(text(value))


def cycle(value: Any, settings: SandboxSettings) -> str | None:
    yearly = {"both": ("annually", "annualy")}.get(settings.yearly_consumption, (settings.yearly_consumption,))
    if value in (None, ""):
        return None
    if value not in ("daily", "weekly", "monthly", *yearly):
        raise FieldError(f'"{value}" is not a valid choice.')
    return str(value)


def ordered_expiry(value: Any, settings: SandboxSettings) -> datetime | None:
    """`validity_period` of a new license: a date, or a date and time in ISO form or with a blank."""
    if value is None:
        return None
    try:
        return expiry_of(parse_date(text(value)), settings.date_only_expiry)
    except FieldError:
        return parse_instant(text(value))


def patched_expiry(value: Any, settings: SandboxSettings) -> datetime | None:
    """`validity_period` of a PATCH: documented as a date; what a time of day does is a setting."""
    if value is None:
        return None
    try:
        return expiry_of(parse_date(text(value)), settings.date_only_expiry)
    except FieldError:
        match settings.patch_datetime:
            case "refused":
                raise
            case "accepted":
                return parse_instant(text(value))
            case "truncated":
                return expiry_of(parse_instant(text(value)).date(), settings.date_only_expiry)
            case _:
                assert_never(settings.patch_datetime)


READERS: Mapping[Kind, Callable[[Any, SandboxSettings], Any]] = {
    Kind.FLAG: lambda value, _: flag(value),
    Kind.COUNT: lambda value, _: whole(value, 0),
    Kind.COUNT_OR_MINUS_ONE: lambda value, _: whole(value, -1),
    Kind.ID: lambda value, _: None if value is None else whole(value, 0),
    Kind.TEXT: lambda value, _: "" if value is None else text(value),
    Kind.DURATION: lambda value, _: duration(value),
    Kind.DATE: lambda value, _: day(value),
    Kind.EXPIRY: ordered_expiry,
    Kind.NEW_EXPIRY: patched_expiry,
    Kind.CYCLE: cycle,
    Kind.OBJECT: lambda value, _: mapping(value),
}


def one(name: str, reader: Callable[[Any], T], value: Any) -> T:
    """A single value; raises ApiError naming the field when it cannot be read."""
    try:
        return reader(value)
    except FieldError as error:
        raise errors.fields({name: str(error)}) from None


def read_all(
    table: Mapping[str, Kind], sent: Mapping[str, Any], settings: SandboxSettings
) -> tuple[dict[str, Any], dict[str, str]]:
    """What was sent of a table's fields, as it is stored; and the texts for those that cannot be read."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in (name for name in table if name in sent):
        try:
            values[name] = READERS[table[name]](sent[name], settings)
        except FieldError as error:
            wrong[name] = str(error)
    return values, wrong
