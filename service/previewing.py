"""A subscription as an act finds it, and what an act would change: the same fold and the same rules, on a copy."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.events import Stream
from domain.licensing import License, entitle
from domain.licensing.overrides import Overrides, overrides_of
from domain.past import PRESENT
from domain.policy import Policy
from domain.subscription import Subscription
from projections.past import stand
from projections.queries import LicenseView
from projections.sources import source_for
from service.lookup import Ambiguous, NotFound, Reader, find_subscription
from service.telling import read_whole

_UNTOLD = {"because", "customer"}
_NOTHING = Overrides({})


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
    """A subscription by all that is recorded up to `position`, and the license of it that is meant.

    None where the subscription is meant whole.
    """

    stream: Stream
    subscription: Subscription
    policies: Mapping[str, Policy]
    rows: tuple[LicenseView, ...]
    position: int
    license: str = ""

    @property
    def desired(self) -> list[License]:
        """The license that is meant, as each target would have it."""
        every = (entitle(self.stream, self.subscription, policy) for policy in self.policies.values())
        return [each for entitled in every for each in entitled.licenses if each.id == self.license]

    @property
    def overrides(self) -> Overrides:
        return self.overrides_after(self.subscription)

    def overrides_after(self, subscription: Subscription) -> Overrides:
        """What operators decided, if the subscription were that."""
        return overrides_of(self.stream, subscription) or _NOTHING

    def working(self) -> Counter[tuple[str, str]]:
        """How many licenses are to work at each target, of each product."""
        return Counter((row.target, row.desired.product_code) for row in self.rows if row.enabled and not row.withheld)

    def held(self) -> Counter[tuple[str, str]]:
        """How many of them a license server is known to hold, and to have working."""
        return Counter(
            (row.target, row.desired.product_code)
            for row in self.rows
            if row.enabled and row.applied and row.applied.remote and row.applied.fields.get("enabled") is not False
        )

    def paid_beyond(self, instant: datetime) -> bool:
        """Whether the license that is meant works and is paid for beyond that instant, or for ever."""
        return any(each.enabled and (each.expiry is None or each.expiry > instant) for each in self.desired)


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

    It is found by what is projected, and told by what is recorded. Raises NotFound, Ambiguous, TooLong, and ActRefused
    where no act would count.
    """
    named = await reader.queries.licenses_named(text, by_key=by_key)
    view, projected = await find_subscription(reader, named[0].stream if named else text)
    source = source_for(reader.sources, view.stream)
    events = await read_whole(reader.log, view.stream)
    # In a thread: a long one takes a second, in which webhooks are to be answered.
    then = await asyncio.to_thread(stand, view.stream, events, source, PRESENT)
    if then is None:
        raise NotFound(f"Nothing is known of {text}.")
    if stopped := projected.stopped or then.fold.stopped:
        raise ActRefused(
            f"{view.stream} is stopped ({stopped}): no act would count. Mend that first, then: "
            f"tenure streams retry {view.stream} --reason WHY"
        )
    if not source.targets:
        raise ActRefused(f"The source of {view.stream} is not in the settings: add it again first.")
    meant = "" if whole else named[0].id if named else _only(text, then.licenses)
    if meant and all(row.id != meant for row in then.licenses):
        raise NotFound(f"{text} is no license of {view.stream} any more.")
    return Standing(
        stream=view.stream,
        subscription=then.fold.subscription,
        policies=source.targets,
        rows=tuple(then.licenses),
        position=then.view.position,
        license=meant,
    )


def _only(text: str, rows: Sequence[LicenseView]) -> str:
    names = sorted({row.id for row in rows})
    if not names:
        raise NotFound(f"{text} has no license: tenure explain {text} says why.")
    if len(names) > 1:
        raise Ambiguous(text, names, "licenses; name one of them")
    return names[0]
