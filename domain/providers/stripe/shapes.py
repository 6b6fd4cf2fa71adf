"""What Stripe's objects have in common, as far as Tenure reads them.

Times are Unix seconds, amounts the currency's smallest unit. Where a field moved between API versions, the shapes
name the new place and the old one (docs.stripe.com/changelog; basil, 2025-03-31, moved most).
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from urllib.parse import quote

from msgspec import Meta, Struct

T = TypeVar("T")

LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z, the last one a datetime can hold."""

Text = str
"""Without zero characters, which `Reader` sees to."""
Seconds = Annotated[int, Meta(ge=0, le=LAST_SECOND)]
Amount = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def instant_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


class Named(Struct, frozen=True):
    """An object of which only the id counts."""

    id: Text


Ref = Text | Named | None
"""The id of another object, or that object itself where it was expanded."""


def id_of(ref: Ref) -> str:
    """The id, empty where there is none."""
    return ref.id if isinstance(ref, Named) else ref or ""


def named(identifier: str) -> str:
    """An id as a part of a path or query of Stripe's API."""
    return quote(identifier, safe="")


class Page(Struct, Generic[T], frozen=True):
    """An embedded list. It holds the first page only; `has_more` says that there are others."""

    data: list[T]
    has_more: bool = False


class Content(Struct, Generic[T], frozen=True):
    object: T


class Notification(Struct, Generic[T], frozen=True):
    """The body of an event about an object of type T."""

    data: Content[T]


class Recurring(Struct, frozen=True):
    usage_type: Text | None = None


class Price(Struct, frozen=True):
    """A price as it was at that moment; None for `metadata` where the price is only named."""

    id: Text
    product: Ref = None
    metadata: dict[Text, Text] | None = None
    recurring: Recurring | None = None

    @property
    def is_metered(self) -> bool:
        """Whether what was used is billed after each period (`usage_type`)."""
        return self.recurring is not None and self.recurring.usage_type == "metered"
