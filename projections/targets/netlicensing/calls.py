"""The calls that a plan for NetLicensing is made of. Each makes one request at most, but for reading the catalog."""

from domain.licensing import License
from domain.receipts import Fields, Refusal
from projections.targets import Call
from projections.targets.digests import hashed

AS_LICENSEE, PART = "licensee", "license "
"""How a doubt says what has to be looked at: its subject as a licensee, or the license of that number."""


class ReadCatalog(Call, frozen=True, kw_only=True):
    """Reads by which templates a product or bundle may be licensed.

    With `wanted` what was read before does not do: it is read anew, and refused should that not help either;
    `feature` is the one in question, if it is one, and `kept` the templates by which there are licenses already.
    After the `refusal` of a creation it helps only if something else is read than what is `known`, a digest.
    """

    product: str
    is_bundle: bool
    wanted: License | None = None
    kept: tuple[str, ...] = ()
    feature: str = ""
    known: str = ""
    refusal: Refusal | None = None

    @property
    def name(self) -> str:
        return self.refusal.call if self.refusal else "read catalog"


class NameLicenses(Call, frozen=True, kw_only=True):
    """Records keys and licensees of licenses that are about to be created; asks nobody."""

    keys: dict[str, str]
    holders: dict[str, str]


class CreateLicensee(Call, frozen=True, kw_only=True):
    """Creates a licensee; `looked` is when a look has shown that there is none."""

    holder: str
    product: str
    fields: Fields
    looked: bool = False

    @property
    def doubts(self) -> tuple[str, ...]:
        return (f"{self.holder}\n{AS_LICENSEE}",)


class ChangeLicensee(Call, frozen=True, kw_only=True):
    """Sets absolute values on a licensee."""

    holder: str
    fields: Fields

    @property
    def doubts(self) -> tuple[str, ...]:
        return (f"{self.holder}\n{AS_LICENSEE}",)


class OfPart(Call, frozen=True, kw_only=True):
    """A call about one license there, of the license of ours that it is a part of.

    `remote` is by which number that one is known there, empty for none yet.
    """

    license: str
    number: str
    remote: str


class CreateLicense(OfPart, frozen=True, kw_only=True):
    """Creates a license; `looked` is when a look has shown that there is none."""

    holder: str
    template: str
    fields: Fields
    subscription: str = ""
    looked: bool = False


class FindLicense(OfPart, frozen=True, kw_only=True):
    """Looks whether a license exists whose creation had an unclear outcome and that is no longer wanted."""

    template: str
    holder: str


class ChangeLicense(OfPart, frozen=True, kw_only=True):
    """Sets absolute values on one license."""

    fields: Fields


class DisableLicense(OfPart, frozen=True, kw_only=True):
    """Takes a license out of every validation; `replaced`: as others take its place."""

    replaced: bool = False


class RefuseProperty(Call, frozen=True, kw_only=True):
    """Asks nobody: the name is one of NetLicensing's own."""

    of: str

    @property
    def name(self) -> str:
        return "set custom field"


def doubt_of(number: str, *names: str) -> tuple[str, ...]:
    """What `Call.sets` says, so that a look finds the license there and what was about to be set of it."""
    return (f"{PART}{number}", *names)


_UNASKED = frozenset({"because", "expiry", "margin_hours", "customer", "target", "consumption_period"})
_ASKED = tuple(name for name in License.__struct_fields__ if name not in _UNASKED)


def digest(what: str, *licenses: License) -> str:
    """What is desired of these licenses, in short, for naming them."""
    return f"{what}:{hashed([[getattr(each, name) for name in _ASKED] for each in licenses])}"
