"""What time alone will change: the events that are to be appended when their instant comes.

No fold reads a clock. Whoever has one appends these, at whatever time it gets to it: they carry the instant at which
they were due, and an id that follows from what they say, so that two who append the same make one event.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from domain.acts import OverrideLapsed, lapsing
from domain.durations import later
from domain.events import Stream
from domain.facts import GraceEnded, TimePassed
from domain.licensing import entitle
from domain.licensing.access import in_grace, is_over, owes_nothing
from domain.licensing.claims import Claim, claims_of
from domain.own import GRACE_ENDED, OVERRIDE_LAPSED, TIME_PASSED
from domain.policy import PastDueDays, Policy
from domain.subscription import EventRef, Subscription
from domain.upcasting import encode_own

_NEXT = timedelta(microseconds=1)
"""Without any grace it is over right after it fell past due, not at that instant: ties are the provider's to settle."""


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be appended to the stream, of origin `timer`, once it is `at` or later; `at` is its `occurred_at`."""

    at: datetime
    event_id: str
    type: str
    body: bytes


def due_timers(
    stream: Stream,
    subscription: Subscription,
    policies: Sequence[Policy],
) -> tuple[Timer, ...]:
    """What is still to ring if nothing else happens, the earliest first; it may be due already.

    Each target has its policy, so a grace may end at one that goes on at another: the last is over when no line has
    any left anywhere.
    """
    lapses = (_lapses(act.id, at) for at, act in lapsing(subscription.acts, subscription.lapsed))
    ends = _ends(stream, subscription, policies)
    return tuple(sorted([*_graces(subscription, policies), *lapses, *ends], key=lambda timer: timer.at))


def _lapses(act: str, at: datetime) -> Timer:
    fact = OverrideLapsed(act=act)
    return Timer(
        at=at, event_id=f"{OVERRIDE_LAPSED}:{act}", type=OVERRIDE_LAPSED, body=encode_own(OVERRIDE_LAPSED, fact)
    )


def _ends(stream: Stream, subscription: Subscription, policies: Sequence[Policy]) -> Iterator[Timer]:
    """Of licenses whose end the clock alone can tell."""
    for at in sorted(
        {at for policy in policies if policy.ends_some for at in entitle(stream, subscription, policy).ends}
    ):
        fact = TimePassed(instant=at)
        instant = at.astimezone(UTC).isoformat()
        yield Timer(at=at, event_id=f"{TIME_PASSED}:{instant}", type=TIME_PASSED, body=encode_own(TIME_PASSED, fact))


def _graces(subscription: Subscription, policies: Sequence[Policy]) -> tuple[Timer, ...]:
    since = subscription.past_due_since
    if since is None or not in_grace(subscription):
        return ()
    told = later(subscription.past_due_told or since.at, _NEXT)
    claims = [claim for claim in claims_of(subscription).current if claim.units]
    owing = [claim for claim in claims if not owes_nothing(subscription, claim.line)]
    ends = _ends_of_grace(subscription, policies, owing, since)
    known = [(at, days) for days, at in ends.items() if at is not None]
    ordered = sorted(known, key=lambda end: (end[0], end[1] == "provider", end[1]))
    last = ordered[-1] if ordered and len(known) == len(ends) and len(owing) == len(claims) else None
    return tuple(
        # What was told late ended before it was known, and an end is folded after its beginning.
        _grace_ends(since.at, max(at, told), days, last=(at, days) == last)
        for at, days in ordered
        if not is_over(subscription.grace, days)
    )


def _ends_of_grace(
    s: Subscription, policies: Sequence[Policy], owing: Sequence[Claim], since: EventRef
) -> dict[PastDueDays, datetime | None]:
    """When each grace that is granted to a licensed line is over; None while only the provider could say."""
    ends: dict[PastDueDays, datetime | None] = {}
    for days, hours in _granted(policies, owing):
        if days != "provider":
            ends[days] = later(since.at, max(timedelta(days=days), _NEXT))
        elif s.gave_up is None:
            ends[days] = None
        else:
            over = max(later(s.gave_up.at, timedelta(hours=hours)), later(since.at, _NEXT))
            ends[days] = max(over, ends.get(days) or over)
    return ends


def _granted(policies: Iterable[Policy], owing: Sequence[Claim]) -> Iterator[tuple[PastDueDays, int]]:
    for policy in policies:
        for claim in owing:
            own = policy.of(claim.terms.product_code)
            margin = claim.terms.margin_hours
            yield own.past_due_days, own.renewal_margin_hours if margin is None else margin


def _grace_ends(since: datetime, at: datetime, days: PastDueDays, *, last: bool) -> Timer:
    fact = GraceEnded(since=since, days=None if days == "provider" else days, last=last)
    return Timer(
        at=at,
        event_id=f"{GRACE_ENDED}:{since.astimezone(UTC).isoformat()}:{days}",
        type=GRACE_ENDED,
        body=encode_own(GRACE_ENDED, fact),
    )
