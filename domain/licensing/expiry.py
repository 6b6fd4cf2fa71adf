"""Until when a license works by itself: the expiry, and the margin beyond it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.durations import LAST, after, later
from domain.facts import Line
from domain.licensing.access import in_grace, keeps_paused, works_before_payment
from domain.licensing.billing import governing_period, paid_through
from domain.licensing.claims import Claim
from domain.licensing.license import Because
from domain.lifecycle import LICENSED, State
from domain.policy import Policy
from domain.subscription import Subscription

_HOUR = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(days=366)
"""A pause has no end of its own, and while it lasts nothing more is told."""


def expiry_of(s: Subscription, policy: Policy, claim: Claim) -> tuple[datetime | None, Because]:
    """The paid-through instant, at most LAST; None for what was bought once."""
    expiry, because = _ends(s, policy, claim)
    return None if expiry is None else min(expiry, LAST), because


def _ends(s: Subscription, policy: Policy, claim: Claim) -> tuple[datetime | None, Because]:
    line, terms = claim.line, claim.terms
    if works_before_payment(s, terms) and s.opened_since is not None and terms.unpaid_duration is not None:
        first = after(s.opened_since.at, terms.unpaid_duration)
        return first, Because(f"attribute unpaid_active_license_period: {terms.unpaid_duration}", s.opened_since)
    if not line.recurring:
        return None, Because("bought once: it does not expire by itself")
    if s.state is State.TRIALING and s.trial_end is not None:
        return s.trial_end, Because("the end of the trial", s.trial_since)
    ends, because = _paid_through(s, policy, line)
    if ends is not None and terms.added_days and (s.invoices or _joined_late(s, line)):
        # Days are added to what was paid for, and to nothing else.
        ends = after(ends, f"{terms.added_days}d")
        because = Because(f"{because.rule}, and added_days {terms.added_days}", because.event)
    return ends, because


def _paid_through(s: Subscription, policy: Policy, line: Line) -> tuple[datetime | None, Because]:
    since = s.lines[line.id].since if line.id in s.lines else None
    paid = paid_through(s, policy, line)
    own = paid is not None and any(period.line == line.id for period in paid.paid.periods)
    if not own and _joined_late(s, line):
        # Its invoice was paid before Tenure listened; the provider's word that all is well has to do.
        return line.period_end, Because("first seen amid this period, in good standing: its end", since)
    if paid is not None:
        return paid.period.end, Because(f"paid through by invoice {paid.invoice}", paid.paid.paid)
    return line.period_start, Because("no invoice is paid yet: the start of the current period", since)


def _joined_late(s: Subscription, line: Line) -> bool:
    """Whether we never heard of the beginning, and the subscription was in good standing amid this period."""
    if s.begun or s.state is not State.ACTIVE or s.state_since is None or line.period_start is None:
        return False
    return s.state_since.at >= line.period_start


def begins_of(s: Subscription, claim: Claim) -> tuple[datetime | None, Because]:
    """Since when it was paid, tried or allowed for at the earliest, as far as that is known."""
    told = (
        (period.start, invoice, paid.paid)
        for invoice, paid in s.invoices.items()
        for period in paid.periods
        if period.line == claim.line.id
    )
    first = min(told, key=lambda each: each[0], default=None)
    if first is not None:
        start, invoice, event = first
        return start, Because(f"the first period that was paid, by invoice {invoice}", event)
    since = s.trial_since or s.opened_since or s.state_since
    return (None if since is None else since.at), Because("nothing was paid for a period yet: since this event", since)


def consumption_period(s: Subscription, claim: Claim) -> tuple[str, Because]:
    """Names the billing interval whose consumption counts, by its first instant in ISO form."""
    counted = claim.terms.license_type == "consumption" and claim.line.recurring
    paid = governing_period(s, claim.line) if counted else None
    if paid is None:
        return "", Because("no paid interval whose consumption counts")
    return paid.period.start.isoformat(), Because(f"the interval paid by invoice {paid.invoice}", paid.paid.paid)


def margin_of(s: Subscription, policy: Policy, claim: Claim, expiry: datetime | None) -> tuple[int, Because]:
    """Whole hours beyond the expiry: of what the policy, the terms of collection and the state grant, the longest."""
    if expiry is None:
        return 0, Because("without expiry there is no margin")
    if s.state is State.PENDING:
        return 0, Because("what is not paid yet has no margin")
    line, own = claim.line, claim.terms.margin_hours
    margin = timedelta(hours=policy.renewal_margin_hours if own is None else own)
    usual = Because("policy renewal_margin_hours") if own is None else Because("attribute grace_period", claim.since)
    granted = [(later(expiry, margin), usual), *_past_due(s, policy, line, margin)]
    if s.days_until_due is not None and s.state in LICENSED:
        due = later(expiry, timedelta(days=s.days_until_due))
        granted.append((later(due, margin), Because("invoices are due after days_until_due", s.lines_since)))
    if line.period_end is not None:
        granted += [(later(line.period_end, margin), because) for because in _through_the_period(s, line)]
    if keeps_paused(s, policy) and s.state_since is not None:
        rule = "policy on_pause: licensed while it is paused, for a year at most"
        granted.append((later(s.state_since.at, _LONGEST_PAUSE), Because(rule, s.state_since)))
    if s.state is State.ACTIVE and s.state_since is not None:
        # A recovery is told by two deliveries, and the paid invoice may be the later one.
        rule = "in good standing since this event: the invoice may be told later"
        granted.append((later(s.state_since.at, margin), Because(rule, s.state_since)))
    reach, because = max(granted, key=lambda each: each[0])
    return -(-(reach - expiry) // _HOUR), because


def _past_due(s: Subscription, policy: Policy, line: Line, margin: timedelta) -> Iterator[tuple[datetime, Because]]:
    if not in_grace(s) or s.past_due_since is None:
        return
    days = policy.past_due_days
    if days != "provider":
        reach = later(s.past_due_since.at, timedelta(days=days))
        yield reach, Because(f"policy past_due_days: licensed for {days} days past due", s.past_due_since)
    elif line.period_end is not None:
        rule = "past due: licensed while the provider tries to collect this period"
        yield later(line.period_end, margin), Because(rule, s.past_due_since)


def _through_the_period(s: Subscription, line: Line) -> Iterator[Because]:
    """Why it is licensed to the end of the current period, although that is not paid."""
    if s.state is State.ACTIVE and line.in_arrears:
        yield Because("billed in arrears: licensed through the period that is being used", s.lines_since)
    if s.state is State.ACTIVE and s.collection_paused:
        yield Because("billing is paused: licensed while the provider counts it as active", s.lines_since)
