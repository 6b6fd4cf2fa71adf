"""Whether a license works: by the state of the subscription, by policy, and by the money that went back."""

from typing import assert_never

from domain.facts import Line
from domain.licensing.billing import (
    concerns,
    governing_invoice,
    governing_period,
    paid_up,
    taken_back,
)
from domain.licensing.license import Because
from domain.lifecycle import State
from domain.policy import PastDueDays, Policy
from domain.subscription import Grace, Subscription, all_given_back
from domain.terms import Terms

PAUSED = "paused"
"""The reason of a suspension that is a pause, whoever the provider is."""


def access(s: Subscription, policy: Policy, line: Line) -> tuple[bool, Because]:
    """Whether the licenses of a line that is sold work; `policy` is that of its product."""
    granted, because = _by_state(s, policy, line)
    if granted and s.state is not State.PENDING:
        taken = money_taken_back(s, policy, line)
        if taken is not None:
            return False, taken
    return granted, because


def no_longer_sold(s: Subscription, line: Line) -> tuple[bool, Because]:
    """Units beyond the quantity, lines that were removed, forms that another product replaced."""
    if s.state is State.TERMINATED:
        return False, Because("the subscription was terminated", s.state_since)
    if line.id not in s.lines:
        return False, Because("the line was removed", s.lines_since)
    return False, Because("the line was lowered or replaced", s.lines[line.id].since)


def works_before_payment(s: Subscription, terms: Terms) -> bool:
    """Whether the terms give licenses while the first payment is open, and it is known since when it is."""
    return s.state is State.PENDING and s.opened_since is not None and terms.unpaid_duration is not None


def in_grace(s: Subscription) -> bool:
    """Whether it is past due, be it that its grace is over; a policy that grants more counts at once."""
    return s.state is State.PAST_DUE or (s.state is State.SUSPENDED and s.grace is not None)


def owes_nothing(s: Subscription, line: Line) -> bool:
    """Whether a line is paid beyond the day the subscription fell past due: then no grace ends for it."""
    return s.past_due_since is not None and paid_up(s, line, s.past_due_since.at)


def is_over(grace: Grace | None, days: PastDueDays) -> bool:
    """Whether the grace of a policy is over."""
    if grace is None:
        return False
    return grace.tried if days == "provider" else grace.days is not None and days <= grace.days


def keeps_paused(s: Subscription, policy: Policy) -> bool:
    return s.state is State.SUSPENDED and s.state_reason == PAUSED and policy.on_pause == "keep"


def _by_state(s: Subscription, policy: Policy, line: Line) -> tuple[bool, Because]:
    plain = Because(f"the subscription is {s.state}", s.state_since)
    match s.state:
        case State.PENDING:
            return True, Because("unpaid_active_license_period: works while the payment is open", s.opened_since)
        case State.TRIALING | State.ACTIVE:
            return True, plain
        case State.PAST_DUE | State.SUSPENDED if in_grace(s):
            return _by_grace(s, policy, line, plain)
        case State.PAST_DUE | State.SUSPENDED:
            kept = Because("policy on_pause: a pause keeps the licenses", s.state_since)
            return (True, kept) if keeps_paused(s, policy) else (False, plain)
        case State.TERMINATED:
            kept = Because("policy on_refund: a refund of the purchase keeps the licenses", s.state_since)
            refunded = s.purchase and all_given_back(s) and policy.on_refund == "keep"
            return (True, kept) if refunded else (False, plain)
        case _:
            assert_never(s.state)


def _by_grace(s: Subscription, policy: Policy, line: Line, plain: Because) -> tuple[bool, Because]:
    if s.grace is None or not is_over(s.grace, policy.past_due_days):
        return True, plain if s.state is State.PAST_DUE else Because("policy past_due_days: more is granted by now")
    if owes_nothing(s, line):
        paid = governing_period(s, line)
        reaches = Because("paid beyond the day it fell past due", paid.paid.paid if paid is not None else None)
        return True, reaches
    granted = "as long as the provider tried" if policy.past_due_days == "provider" else f"{policy.past_due_days} days"
    return False, Because(f"policy past_due_days: past due for {granted}", s.grace.since)


def money_taken_back(s: Subscription, policy: Policy, line: Line) -> Because | None:
    """Why what was paid for a line no longer counts, or may not, if so."""
    governing = None if s.purchase else governing_invoice(s, line)
    for dispute in s.disputes.values():
        if concerns(s, dispute, governing) and dispute.outcome is None and policy.on_dispute == "disable":
            return Because("policy on_dispute: a payment is disputed", dispute.since)
    if s.purchase:
        return taken_back(s, policy, None, line)
    return taken_back(s, policy, governing, line) if governing is not None else None
