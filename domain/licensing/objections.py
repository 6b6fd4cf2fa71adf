"""Whether an act on a license would do what it says: what is refused to an operator, and what `explain` suggests. Pure.

It is found out by the fold's own rules, on a copy of the subscription to which the act is added.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from domain.acts import Act, Deed, LicenseDisabled, LicenseEnabled, LicenseExtended, Merged
from domain.durations import LAST, after, later
from domain.events import Stream
from domain.licensing.entitlement import entitle
from domain.licensing.license import License
from domain.licensing.overrides import overrides_of
from domain.policy import Policy
from domain.subscription import Subscription

_NEXT = timedelta(microseconds=1)
_LONG_AGO = LAST.replace(year=1900)


def with_act(s: Subscription, act: Act) -> Subscription:
    """The same with one more act."""
    return msgspec.structs.replace(s, acts={**s.acts, act.id: act})


def next_instant(s: Subscription, now: datetime) -> datetime:
    """Now, and after every act so far: two of one instant would be settled by their ids."""
    return max([now, *(later(act.at, _NEXT) for act in s.acts.values())])


def objection(
    stream: Stream, s: Subscription, policies: Collection[Policy], deed: LicenseEnabled | LicenseExtended, at: datetime
) -> str:
    """Why it would not do what it says at that instant, with what to do instead; empty where it would.

    It has to work by at least one of the policies.
    """
    if reason := objection_as_duplicate(stream, s):
        return reason
    if isinstance(deed, LicenseExtended) and (reason := _of_extension(stream, s, policies, deed, at)):
        return reason
    act = Act(id="~", at=at, author="", reason="", deed=deed)
    then = _licenses(stream, with_act(s, act), policies, deed.license)
    if not then or any(each.enabled for each in then):
        return ""
    rule = then[0].because["enabled"].rule
    return f"{deed.license} would not work for that: {rule}. What is no longer sold or paid for stays so."


def objection_as_duplicate(stream: Stream, s: Subscription) -> str:
    """Why nothing that is decided about a duplicate counts; empty for what is none."""
    overrides = overrides_of(stream, s)
    merged = overrides.merged if overrides is not None else None
    if merged is None or not isinstance(merged.deed, Merged):
        return ""
    return (
        f"{stream} was merged into {merged.deed.kept} as a duplicate: act on that one, or undo the merge, "
        f"tenure license undo {merged.id}"
    )


def possible_acts(license_: License, s: Subscription, policy: Policy) -> frozenset[type[Deed]]:
    """Those of enabling, and of extending by a week, to which there is no objection now."""
    at = next_instant(s, _LONG_AGO)
    deeds: list[LicenseEnabled | LicenseExtended] = [LicenseEnabled(license=license_.id)]
    if license_.expiry is not None:
        deeds.append(LicenseExtended(license=license_.id, until=after(license_.expiry, "7d")))
    return frozenset(type(deed) for deed in deeds if not objection(license_.stream, s, [policy], deed, at))


def expiry_of(stream: Stream, s: Subscription, policies: Collection[Policy], name: str) -> datetime | None:
    """The latest by any of the policies."""
    each = [license_.expiry for license_ in _licenses(stream, s, policies, name)]
    return max((expiry for expiry in each if expiry is not None), default=None)


def _licenses(stream: Stream, s: Subscription, policies: Collection[Policy], name: str) -> list[License]:
    return [each for policy in policies for each in entitle(stream, s, policy).licenses if each.id == name]


def _of_extension(
    stream: Stream, s: Subscription, policies: Collection[Policy], deed: LicenseExtended, at: datetime
) -> str:
    name, end, expiry = deed.license, deed.until, expiry_of(stream, s, policies, deed.license)
    if expiry is None:
        return f"{name} does not expire by itself: there is nothing to extend."
    if end > LAST:
        return f"No license runs beyond {LAST:%Y-%m-%d}: give an earlier instant."
    if end <= expiry:
        return f"{name} runs until {expiry:%Y-%m-%d %H:%M} UTC already: nothing is shortened."
    if end <= at:
        return f"{end:%Y-%m-%d %H:%M} UTC is past: give an instant to come."
    overrides = overrides_of(stream, s)
    stopping = overrides.of(name).get("enabled") if overrides is not None else None
    if stopping is not None and isinstance(stopping.deed, LicenseDisabled):
        return (
            f"{name} was disabled by {stopping.author} ({stopping.reason}): undo that first, "
            f"tenure license undo {stopping.id}"
        )
    return ""
