"""What a license is, and which one it is."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NewType

import msgspec

from domain.acts import TYPES
from domain.events import Stream, partition_of
from domain.subscription import Customer, EventRef
from domain.terms import Terms

LicenseId = NewType("LicenseId", str)


class Because(msgspec.Struct, frozen=True):
    """Why a field has its value: the rule, and the event that set it (None where only a default did)."""

    rule: str
    event: EventRef | None = None


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is to use a license of a product that is licensed by user."""

    email: str
    name: str = ""
    manager: bool = False


class License(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a license server should hold for one unit of one line.

    `expiry` is the paid-through instant, exactly as the provider says it; `margin_hours` is how long beyond it the
    license keeps working by itself. Where a number is None, the license server's own default for the product counts.
    `because` explains every field.
    """

    id: LicenseId
    stream: Stream
    subscription: str
    line: str
    unit: int
    product_code: str
    license_type: str
    enabled: bool
    trial: bool = False
    expiry: datetime | None = None
    margin_hours: int = 0
    policy_code: str = ""
    """The license server's own template for licenses of this product; empty: the product's default."""
    max_activations: int | None = None
    floating_users: int | None = None
    """How many may use it at the same time, in the cloud; None: it does not float."""
    max_license_users: int | None = None
    """How many users it may have; 0: any number."""
    max_consumptions: int | None = None
    consumption_period: str = ""
    """Names the billing interval whose consumption is counted: when it changes, the total starts again from 0."""
    valid_duration: str | None = None
    maintenance: bool | None = None
    maintenance_duration: str | None = None
    features: tuple[str, ...] = ()
    """Codes of product features, sorted."""
    custom_fields: dict[str, str] = {}
    users: tuple[User, ...] = ()
    """Who uses it, where the product is licensed by user; nobody else loses access by not standing here."""
    managed_by_customer: bool = False
    """The customer may manage the licenses of the order."""
    note: str = ""
    free_devices: bool = False
    """The devices that use it are to be freed, now that it is over."""
    is_bundle: bool = False
    """The product is a bundle: the license server makes a license of each product in it, too, that share its fate."""
    fulfillment: str = ""
    """`{reference}/{product}` under which the provider's license generator may ask for this license's key."""
    customer: Customer = Customer()
    target: str = ""
    """The target that the vendor named for the product; empty: all that the source has."""
    begins: datetime | None = None
    """The earliest instant that it was paid, tried or allowed for; never moves later while the license lives."""
    because: dict[str, Because] = {}

    @property
    def disabled_by_act(self) -> bool:
        """Whether an operator decided that it is not to work: nothing puts that off."""
        why = self.because.get("enabled")
        return not self.enabled and why is not None and why.event is not None and why.event.type in TYPES


def license_id(stream: Stream, line: str, unit: int, terms: Terms) -> LicenseId:
    """A deterministic id that also names its partition, so that a license is found without asking all of them."""
    identity = "\n".join((stream, line, str(unit), terms.product_code, terms.license_type))
    return LicenseId(f"lic_{partition_of(stream):02x}{hashlib.sha256(identity.encode()).hexdigest()[:18]}")


def in_order(licenses: Iterable[License]) -> tuple[License, ...]:
    """The licenses by line, product, type and unit: of those that are made together the first one never changes."""
    return tuple(sorted(licenses, key=lambda each: (each.line, each.product_code, each.license_type, each.unit)))
