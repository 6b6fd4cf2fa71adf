"""The calls that a plan for LicenseSpring is made of."""

import msgspec

from domain.licensing import License, User
from domain.receipts import Fields
from projections.targets import Call
from projections.targets.digests import hashed
from projections.targets.licensespring.express import express_dates


class NewLicense(msgspec.Struct, frozen=True, kw_only=True):
    """What a license is created with, besides the fields that all of its order share."""

    key: str
    fields: Fields
    features: tuple[str, ...] = ()
    custom_fields: dict[str, str] = {}
    users: tuple[User, ...] = ()
    max_activations: int | None = None
    """On how many devices each of its users may use it."""
    consumption_period: str = ""


class Order(Call, frozen=True, kw_only=True):
    """An order with licenses of one product: license id → what it is created with."""

    product_code: str
    licenses: dict[str, NewLicense]
    user_based: bool = False
    is_bundle: bool = False

    @property
    def keys(self) -> dict[str, str]:
        """License id → its key; empty keys where the product is licensed by user."""
        return {identifier: license_.key for identifier, license_ in self.licenses.items()}


class CreateOrder(Order, frozen=True, kw_only=True):
    """Creates an order. `manager` is the address of the customer who may manage it, empty for nobody."""

    license_type: str
    policy_code: str
    subscription: str
    customer: Fields
    manager: str = ""


class FindOrder(Order, frozen=True, kw_only=True):
    """Looks whether an order exists whose creation had an unclear outcome and that is no longer wanted."""


class RefuseBundles(Call, frozen=True, kw_only=True):
    """Asks nobody: LicenseSpring takes one bundle in an order."""

    product_codes: tuple[str, ...]

    @property
    def name(self) -> str:
        return "hold two bundles in one order"


class OfLicense(Call, frozen=True, kw_only=True):
    """A call about one license there: its own, or with `companion` one that the server made with its bundle."""

    license: str
    remote: str
    companion: bool = False


class EnableLicense(OfLicense, frozen=True, kw_only=True):
    """Makes a license usable."""


class DisableLicense(OfLicense, frozen=True, kw_only=True):
    """Makes every activation and check of a license fail."""


class FreeDevices(OfLicense, frozen=True, kw_only=True):
    """Takes the devices of a disabled license from it."""


class ChangeLicense(OfLicense, frozen=True, kw_only=True):
    """Sets absolute values on one license."""

    fields: Fields


class ResetConsumption(OfLicense, frozen=True, kw_only=True):
    """Lets the total of what was consumed start again from 0, for this billing interval."""

    period: str


class ChangeFeatures(OfLicense, frozen=True, kw_only=True):
    """Adds and removes product features, by code; others stay with all their values."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


class SetCustomField(OfLicense, frozen=True, kw_only=True):
    """Sets a custom field of a license, or with None takes it away."""

    product_code: str
    field: str
    value: str | None


class AssignUser(OfLicense, frozen=True, kw_only=True):
    user: User
    max_activations: int | None


class UnassignUser(OfLicense, frozen=True, kw_only=True):
    email: str


class ChangeActivations(OfLicense, frozen=True, kw_only=True):
    """On how many devices users of a license may use it: address → number."""

    activations: dict[str, int]


class AddManager(Call, frozen=True, kw_only=True):
    email: str


class RemoveManager(Call, frozen=True, kw_only=True):
    email: str


class ChangeCustomer(Call, frozen=True, kw_only=True):
    """Sets absolute values on the customer of the licenses."""

    customer: str
    fields: Fields


def digest(what: str, *licenses: License) -> str:
    """What is desired of these licenses, in short, for one kind of call about them."""
    return f"{what}:{hashed([_wish(each) for each in licenses])}"


_UNASKED = frozenset(
    {"because", "stream", "subscription", "line", "unit", "expiry", "margin_hours", "target", "begins"}
)
_ASKED = tuple(name for name in License.__struct_fields__ if name not in _UNASKED)


def _wish(desired: License) -> list[object]:
    # Said in LicenseSpring's words already here, so that what these cannot say is found before anything is made.
    return [express_dates(desired), *(getattr(desired, name) for name in _ASKED)]
