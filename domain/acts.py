"""What an operator decides about licenses: events with an author, a reason and, if it is to end by itself, an expiry.

An act is kept under its event's id. Nothing that a provider says wipes it: it counts until it is undone by another act
or lapses, which time makes an event of. What acts make of licenses stands in `domain/licensing/overrides.py`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from domain.durations import later
from domain.facts import Fact
from domain.upcasting import encode_own

_NEXT = timedelta(microseconds=1)
"""What is over before it begins lapses right after it."""


class Deed(msgspec.Struct, frozen=True, kw_only=True, tag_field="act"):
    """What is decided. Its event's type is the tag, after `operator.`."""


class LicenseDisabled(Deed, frozen=True, kw_only=True, tag="license_disabled"):
    """The license is to stop working, whatever is paid."""

    license: str


class LicenseEnabled(Deed, frozen=True, kw_only=True, tag="license_enabled"):
    """The license is to work, whatever the provider says, as long as it is sold."""

    license: str


class LicenseExtended(Deed, frozen=True, kw_only=True, omit_defaults=True, tag="license_extended"):
    """The license is to work until that instant at least; what is paid for longer counts for longer."""

    license: str
    until: datetime
    by: str = ""
    """The duration that was asked for, where it was one."""


Set = str | int | bool | tuple[str, ...]


class FieldSet(Deed, frozen=True, kw_only=True, tag="field_set"):
    """A field of the license is to have that value; `custom_fields.NAME` is one custom field."""

    license: str
    field: str
    value: Set


class Merged(Deed, frozen=True, kw_only=True, tag="merged"):
    """Two streams are one purchase by mistake: the licenses of `kept` stand, those of `duplicate` do not.

    The same event, under the same id, stands in both streams.
    """

    duplicate: str
    kept: str


class Undone(Deed, frozen=True, kw_only=True, tag="undone"):
    """An earlier act counts no more. An undoing may be undone in its turn."""

    undoes: str
    what: str = ""
    """What that was, in words."""


AnyDeed = LicenseDisabled | LicenseEnabled | LicenseExtended | FieldSet | Merged | Undone
DEEDS: tuple[type[Deed], ...] = (LicenseDisabled, LicenseEnabled, LicenseExtended, FieldSet, Merged, Undone)


class OperatorActed(Fact, frozen=True, kw_only=True):
    """An operator decided something, until `expires` if that is given."""

    author: str
    reason: str
    deed: AnyDeed
    expires: datetime | None = None


class OverrideLapsed(Fact, frozen=True, kw_only=True):
    """Tenure's own: the instant came until which an act was to count."""

    act: str


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An act as it stands in a stream; `at` is when it was done."""

    id: str
    at: datetime
    author: str
    reason: str
    deed: AnyDeed
    expires: datetime | None = None

    @property
    def type(self) -> str:
        return type_of(self.deed)

    @property
    def ends(self) -> datetime | None:
        """When it is over by itself: an extension once it is reached."""
        ends = self.deed.until if isinstance(self.deed, LicenseExtended) else self.expires
        return None if ends is None else max(ends, later(self.at, _NEXT))

    @property
    def age(self) -> tuple[datetime, str]:
        """Of two acts on one thing the later counts."""
        return self.at, self.id


def type_of(deed: Deed) -> str:
    """The type under which an act is appended, such as `operator.license_disabled`."""
    return f"operator.{deed.__struct_config__.tag}"


TYPES = {f"operator.{each.__struct_config__.tag}" for each in DEEDS}


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    author: str
    reason: str
    deed: AnyDeed
    expires: datetime | None = None


_decoder = msgspec.json.Decoder(_Body)


def write_body(fact: OperatorActed) -> bytes:
    """The body of an act's event."""
    body = _Body(author=fact.author, reason=fact.reason, deed=fact.deed, expires=fact.expires)
    return encode_own(type_of(fact.deed), body)


def read_body(body: bytes) -> OperatorActed:
    """What a body in the form of today says. Raises msgspec.MsgspecError."""
    said = _decoder.decode(body)
    return OperatorActed(author=said.author, reason=said.reason, deed=said.deed, expires=said.expires)


def in_force(acts: Mapping[str, Act], lapsed: Collection[str]) -> list[Act]:
    """The acts that count, the latest last: neither undone nor lapsed. An undoing undoes only what is older."""
    counting: list[Act] = []
    undone: set[str] = set()
    for act in sorted(acts.values(), key=lambda each: each.age, reverse=True):
        if act.id in undone or act.id in lapsed:
            continue
        if isinstance(act.deed, Undone):
            undone.add(act.deed.undoes)
        counting.append(act)
    return counting[::-1]


def lapsing(acts: Mapping[str, Act], lapsed: Collection[str]) -> Iterator[tuple[datetime, Act]]:
    """The acts that count and end by themselves, each with its instant."""
    for act in in_force(acts, lapsed):
        if act.ends is not None:
            yield act.ends, act


def say(act: OperatorActed | Act) -> str:
    """The act in a few words, as a timeline tells it."""
    what = words(act.deed)
    ends = "" if act.expires is None else f", until {act.expires:%Y-%m-%d %H:%M}"
    return f"{what} by {act.author}{ends}: {act.reason}"


def words(deed: AnyDeed) -> str:
    """What is decided, in a few words."""
    match deed:
        case LicenseDisabled():
            return f"license {deed.license} disabled"
        case LicenseEnabled():
            return f"license {deed.license} enabled"
        case LicenseExtended():
            return f"license {deed.license} extended to {deed.until:%Y-%m-%d %H:%M}"
        case FieldSet():
            return f"{deed.field} of license {deed.license} set to {plain(deed.value)}"
        case Merged():
            return f"{deed.duplicate} merged into {deed.kept}"
        case Undone():
            return f"{deed.what or deed.undoes}: undone"


def plain(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value != "" else "nothing"
