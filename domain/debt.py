"""What is owed: since when a subscription is past due, which payment made it so, and what settles it.

Owed is what is not paid for yet. A payment that fails amid a period that is paid, as for a declined upgrade, makes a
subscription past due all the same; but whatever is paid beyond that day stays licensed.
"""

from datetime import timedelta

import msgspec

from domain import facts as f
from domain.licensing.billing import paid_up
from domain.lifecycle import State
from domain.subscription import EventRef, FailedPayment, Grace, Subscription, dated

_TOGETHER = timedelta(hours=1)
"""That a payment failed and that it is past due are told by two events, in either order."""


def fell_overdue(s: Subscription, fact: f.PaymentFellOverdue, ref: EventRef) -> None:
    """A debt told again, of which nothing was owed at first, is another one once what was paid is over.

    Where the provider says since when it is, that tells one from another.
    """
    since = s.past_due_since
    if fact.since is not None or s.state is not State.PAST_DUE or since is None:
        return
    if not in_debt(s, since) and in_debt(s, ref):
        begin_debt(s, fact, ref)


def begin_debt(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    """It is past due from here on, or since the day told; a payment that failed long before is another affair."""
    s.past_due_since = dated(ref, fact.since if isinstance(fact, f.PaymentFellOverdue) else None)
    s.past_due_told, s.grace = ref.at, None
    if s.failed is not None and ref.at - s.failed.last.at > _TOGETHER:
        s.failed = None


def is_another(s: Subscription, fact: f.PaymentFellOverdue) -> bool:
    """Whether the debt told is another than the one it is past due for, by the day that the provider names."""
    known = s.past_due_since
    return fact.since is not None and known is not None and fact.since != known.at


def end_debt(s: Subscription) -> None:
    s.past_due_since = s.past_due_told = s.grace = s.failed = None


def payment_failed(s: Subscription, fact: f.PaymentFailed, ref: EventRef) -> None:
    """While it is past due only the payment counts that made it so; one without a name is the one in question."""
    known = s.failed
    same = known is not None and (known.invoice == fact.invoice or not known.invoice or not fact.invoice)
    if known is None or (not same and s.past_due_since is None):
        s.failed = FailedPayment(fact.invoice, ref, ref if fact.final else None)
    elif same:
        gave_up = (known.gave_up or ref) if fact.final else None
        s.failed = FailedPayment(known.invoice or fact.invoice, ref, gave_up)


def payment_made(s: Subscription, invoice: str) -> None:
    if s.failed is not None and s.failed.invoice == invoice:
        s.failed = None


def objection_to_end_of_grace(s: Subscription, fact: f.GraceEnded) -> str:
    """Why the end of a grace counts for nothing, which became known after the timer rang; empty if it counts."""
    since = s.past_due_since
    if since is None or since.at != fact.since:
        return "grace ended makes no sense: it was not past due since then"
    if fact.days is None and s.gave_up is None:
        return "grace ended makes no sense: the provider had not given up"
    if not in_debt(s, since):
        return "grace ended makes no sense: what is paid reaches beyond the day it fell past due"
    return ""


def end_grace(s: Subscription, fact: f.GraceEnded, ref: EventRef) -> None:
    """It is the last only if no line was paid meanwhile."""
    before = s.grace or Grace(ref)
    days = max((days for days in (before.days, fact.days) if days is not None), default=None)
    last = fact.last and s.past_due_since is not None and not _any_paid_up(s, s.past_due_since)
    grace = Grace(before.since, days, before.tried or fact.days is None, before.last or last)
    s.grace = grace if grace == s.grace else msgspec.structs.replace(grace, since=ref)


def settled(s: Subscription) -> bool:
    """Whether what Tenure suspended by itself is paid: then it need not wait for the provider's word."""
    since = s.past_due_since
    return s.state is State.SUSPENDED and s.grace is not None and since is not None and not in_debt(s, since)


def in_debt(s: Subscription, at: EventRef) -> bool:
    """Whether any line that is sold is paid no further than that; also where no line is known."""
    lines = _sold(s)
    return not lines or not all(paid_up(s, line, at.at) for line in lines)


def _any_paid_up(s: Subscription, at: EventRef) -> bool:
    return any(paid_up(s, line, at.at) for line in _sold(s))


def _sold(s: Subscription) -> list[f.Line]:
    return [held.line for held in s.lines.values() if held.line.quantity > 0]
