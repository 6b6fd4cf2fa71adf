"""What wallee's objects have in common, as far as Tenure reads them (field names: public SDK 6.4.0, API v2.0).

A link to another object holds its `id` and nothing else, unless it is expanded. Dates are texts with an offset, with a
colon in it or without. Money is a JSON number of the currency's unit, read as the decimal text it stands there as.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

Text = Annotated[str, Meta(pattern=r"^[^\x00]*\Z")]
"""PostgreSQL's text and jsonb cannot hold a zero character."""
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An id, or the version of an object, which rises with every change of it."""

MOST = 2**31 - 1

PERSONAL = frozenset(
    {
        "billingAddress",
        "customerEmailAddress",
        "emailAddress",
        "familyName",
        "givenName",
        "organizationName",
        "shippingAddress",
    }
)
"""Fields that no license depends on: one that cannot be read says no more than one that is missing."""


class Link(Struct, frozen=True):
    """An object of which the id counts."""

    id: Number


Ref = Link | Number | None


class Versioned(Struct, frozen=True, kw_only=True, rename="camel"):
    """What all objects have."""

    id: Number
    version: Number | None = None


class Address(Struct, frozen=True, kw_only=True, rename="camel"):
    given_name: Text | None = None
    family_name: Text | None = None
    organization_name: Text | None = None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.given_name, self.family_name) if part)


T = TypeVar("T", bound=Versioned)


def id_of(ref: Ref) -> int | None:
    return ref.id if isinstance(ref, Link) else ref


def newest(objects: Iterable[T]) -> T | None:
    """Ids rise; lists come in any order."""
    return max(objects, key=lambda each: each.id, default=None)


def by_id(objects: Iterable[T]) -> list[T]:
    """Each once, the newest last; what comes up between two pages of a list moves others to the next."""
    return sorted({each.id: each for each in objects}.values(), key=lambda each: each.id)


def instant(text: str) -> datetime:
    """A date without a time is its first instant in UTC. Raises ValueError for a time without an offset, or no date."""
    try:
        at = datetime.fromisoformat(text)
        if len(text) == len("2026-03-01"):
            return at.replace(tzinfo=UTC)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("Expected a date with time and offset")


def instant_or_none(text: str | None) -> datetime | None:
    return instant(text) if text else None


def first_told(*texts: str | None) -> datetime | None:
    """The first of these dates that is told."""
    return instant_or_none(next((text for text in texts if text), None))


def whole_units(quantity: Decimal | None) -> int:
    """A quantity, one where none is told; a part of a unit is licensed as a whole one.

    Raises ValueError for one that is no quantity.
    """
    if quantity is None:
        return 1
    # The exponent first: an absurd one would become a number of a billion digits.
    if not quantity.is_finite() or quantity < 0 or (quantity and quantity.adjusted() > 9):
        raise ValueError("Expected a quantity")
    units = int(quantity.to_integral_value(ROUND_CEILING))
    if units > MOST:
        raise ValueError("Expected a quantity")
    return units
