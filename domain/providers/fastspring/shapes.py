"""What FastSpring's objects have in common, as far as Tenure reads them.

Times are milliseconds since 1970 in UTC, most of them midnight of a day. Money is a JSON number of the currency's unit
and is read as the decimal text it stands there as. Every reference is an id where webhook expansion is off and an
object where it is on, and inside some objects it is an id all the same: each reader takes both.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

Text = str
"""Without zero characters, which `Reader` sees to."""
Milliseconds = Annotated[int, Meta(ge=0, le=253_402_300_799_000)]
Count = Annotated[float, Meta(ge=0, le=2**31 - 1)]
"""A whole number, which JSON may write as 3.0."""
Whole = int | float
"""What nothing depends on but a date."""
Money = Decimal
Attributes = dict[Text, Any]
"""Attributes a vendor set in the catalog; texts, as far as is known. Lists and objects are nothing Tenure reads.

Not spelt out as a union: one of a bounded text with lists and objects corrupts memory (msgspec 0.22).
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def instant_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else instant(milliseconds)


def whole(number: float | None) -> int:
    """Raises ValueError for a part of a unit."""
    found = int(number or 0)
    if found != (number or 0):
        raise ValueError("Expected a whole number")
    return found


def texts(attributes: Attributes) -> dict[str, str]:
    """The attributes as texts; those without a value of one word are left out."""
    return {name: _text(value) for name, value in attributes.items() if isinstance(value, str | int | float)}


def _text(value: str | float) -> str:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("Expected a text without zero characters")
    return str(value).lower() if isinstance(value, bool) else str(value)


class Identified(Struct, frozen=True, rename="camel"):
    """An object of which the id counts. Most repeat it under the name of their kind."""

    id: Text | None = None

    @property
    def identifier(self) -> str:
        return self.id or ""


def id_of(ref: str | Identified | None) -> str:
    """The id, empty where there is none."""
    return ref.identifier if isinstance(ref, Identified) else ref or ""


class NamedSubscription(Identified, frozen=True, kw_only=True, rename="camel"):
    subscription: Text | None = None

    @property
    def identifier(self) -> str:
        return self.id or self.subscription or ""


class NamedOrder(Identified, frozen=True, kw_only=True, rename="camel"):
    order: Text | None = None

    @property
    def identifier(self) -> str:
        return self.id or self.order or ""


class Contact(Struct, frozen=True):
    """A person. `email` is empty or missing where nobody gave one."""

    first: Text | None = None
    last: Text | None = None
    email: Text | None = None
    company: Text | None = None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first, self.last) if part)


class Account(Identified, frozen=True, kw_only=True, rename="camel"):
    account: Text | None = None
    contact: Contact | None = None

    @property
    def identifier(self) -> str:
        return self.id or self.account or ""


class Product(Struct, frozen=True):
    """A product of the catalog; `product` is its path, by which everything names it."""

    product: Text | None = None
    attributes: Attributes | None = None


def path_of(product: str | Product | None) -> str:
    return (product.product or "") if isinstance(product, Product) else product or ""
