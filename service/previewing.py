"""What an act would change, before it is recorded: the same fold and the same rules, on a copy."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from domain.acts import Act
from domain.events import Stream
from domain.licensing import License, entitle
from domain.policy import Policy
from domain.subscription import Subscription
from projections.queries import LicenseView
from projections.sources import source_for
from service.lookup import Ambiguous, NotFound, Reader, find_subscription, licenses_of

_UNTOLD = {"because", "customer"}


class ActRefused(Exception):
    """The act would do harm or nothing; the text says what to do instead."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one license at one target that an act changes."""

    license: str
    target: str
    field: str
    before: Any
    after: Any


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as it is projected, and the license of it that is meant; none where it is meant whole."""

    stream: Stream
    subscription: Subscription
    policies: Mapping[str, Policy]
    rows: tuple[LicenseView, ...]
    license: str = ""

    @property
    def desired(self) -> list[License]:
        """The license that is meant, as each target would have it."""
        every = (entitle(self.stream, self.subscription, policy) for policy in self.policies.values())
        return [each for entitled in every for each in entitled.licenses if each.id == self.license]

    @property
    def expiry(self) -> datetime | None:
        """The latest at any target."""
        return max((each.expiry for each in self.desired if each.expiry is not None), default=None)

    def working(self) -> Counter[str]:
        """How many licenses of each product are to work, of the one that is meant or of all."""
        meant = {row.id: row for row in self.rows if self.license in {"", row.id} and row.enabled and not row.withheld}
        return Counter(row.desired.product_code for row in meant.values())

    def held(self) -> Counter[str]:
        """How many of them a license server is known to hold, and to have working."""
        there = {
            row.id: row
            for row in self.rows
            if row.enabled and row.applied and row.applied.remote and row.applied.fields.get("enabled") is not False
        }
        return Counter(row.desired.product_code for row in there.values())

    def licenses_after(self, subscription: Subscription) -> list[License]:
        """All licenses, as each target would have them, if the subscription were that."""
        return [
            each for policy in self.policies.values() for each in entitle(self.stream, subscription, policy).licenses
        ]

    def paid_beyond(self, instant: datetime) -> bool:
        """Whether the license that is meant works and is paid for beyond that instant, or for ever."""
        return any(each.enabled and (each.expiry is None or each.expiry > instant) for each in self.desired)


def with_act(s: Subscription, act: Act) -> Subscription:
    return msgspec.structs.replace(s, acts={**s.acts, act.id: act})


def changes(standing: Standing, after: Subscription) -> tuple[Change, ...]:
    """What would become of the licenses, field by field; values as in JSON."""
    found: list[Change] = []
    for target, policy in standing.policies.items():
        now = {each.id: each for each in entitle(standing.stream, standing.subscription, policy).licenses}
        for each in entitle(standing.stream, after, policy).licenses:
            found += [
                Change(
                    license=each.id,
                    target=target,
                    field=field,
                    before=msgspec.to_builtins(getattr(now[each.id], field)),
                    after=msgspec.to_builtins(getattr(each, field)),
                )
                for field in each.__struct_fields__
                if field not in _UNTOLD and each.id in now and getattr(each, field) != getattr(now[each.id], field)
            ]
    return tuple(found)


async def standing_of(reader: Reader, text: str, *, by_key: bool = False, whole: bool = False) -> Standing:
    """The license meant by its id (or key), or as the only one of a subscription; or that subscription `whole`.

    Raises NotFound, Ambiguous, TooLong, and ActRefused where no act would count.
    """
    named = await reader.queries.licenses_named(text, by_key=by_key)
    view, fold = await find_subscription(reader, named[0].stream if named else text)
    if fold.stopped:
        raise ActRefused(
            f"{view.stream} is stopped ({fold.stopped}): no act would count. Mend that first: tenure streams retry"
        )
    policies = source_for(reader.sources, view.stream).targets
    if not policies:
        raise ActRefused(f"The source of {view.stream} is not in the settings: add it again first.")
    rows = await licenses_of(reader, view.stream)
    meant = "" if whole else named[0].id if named else _only(text, rows)
    return Standing(
        stream=view.stream,
        subscription=fold.subscription,
        policies=policies,
        rows=tuple(rows),
        license=meant,
    )


def _only(text: str, rows: list[LicenseView]) -> str:
    names = sorted({row.id for row in rows})
    if not names:
        raise NotFound(f"{text} has no license: tenure explain {text} says why.")
    if len(names) > 1:
        raise Ambiguous(text, names, "licenses; name one of them")
    return names[0]
