"""What FastSpring's dates say: the period that counts, the trial, how long the store goes on trying to collect.

The current period is not told, only its end (`next`) and the interval. When a payment is overdue `next` stays the day
on which it was due.
"""

from calendar import monthrange
from datetime import datetime, timedelta

from domain.facts import TrialStarted
from domain.providers.fastspring.shapes import instant, instant_or_none
from domain.providers.fastspring.subscription_shapes import Interval, Subscription

Period = tuple[datetime | None, datetime | None]

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_AT_THE_BEGINNING = timedelta(days=2)
"""`begin` is a day, and what happens on it may be told late in a nightly run."""


def moved(at: datetime, interval: Interval, times: int = 1) -> datetime:
    """So many intervals later, or earlier; a day that the month does not have becomes its last.

    Raises ValueError beyond the years that a date can hold.
    """
    length = max(0, int(interval.interval_length or 0)) * times
    unit = (interval.interval_unit or "").lower()
    try:
        if unit in _MONTHS:
            year, month = divmod(at.year * 12 + at.month - 1 + length * _MONTHS[unit], 12)
            return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
        return at + timedelta(days=length * _DAYS.get(unit, 0))
    except (OverflowError, ValueError):
        raise ValueError("Dates beyond what a calendar holds") from None


def paid_through(subscription: Subscription) -> datetime | None:
    """The end of what was paid for; None where the vendor charges when they like."""
    return None if subscription.adhoc else instant_or_none(subscription.next)


def current_period(subscription: Subscription, *, overdue: bool = False) -> Period:
    """The period that counts as current: overdue, the one that is to be paid, or all the time it may be in.

    Whoever manages a subscription by hand has no periods.
    """
    ends = paid_through(subscription)
    if ends is None:
        return None, None
    if overdue:
        return ends, max(moved(ends, subscription.interval), _given_up(subscription, ends))
    begins = instant_or_none(subscription.begin)
    starts = moved(ends, subscription.interval, -1)
    return (starts if begins is None else max(starts, begins)), ends


def _given_up(subscription: Subscription, due: datetime) -> datetime:
    """When the store ends a subscription that stays unpaid: some time after the last of its notices."""
    notices, setting = subscription.payment_overdue, subscription.cancellation_setting
    last = moved(due, notices, max(0, int(notices.total or 0))) if notices else due
    return moved(last, setting) if setting else last


def is_beginning(subscription: Subscription, at: datetime) -> bool:
    """Whether what happened then belongs to the subscription's very beginning."""
    begins = instant_or_none(subscription.begin)
    return begins is not None and at < begins + _AT_THE_BEGINNING


def is_first_period(subscription: Subscription, at: datetime) -> bool:
    """Whether `next` is the end of the first period; in a trial or without periods, whether it changed only then."""
    begins, ends = instant_or_none(subscription.begin), paid_through(subscription)
    if begins is None or is_beginning(subscription, at):
        return True
    if ends is None or trial_of(subscription, at) is not None:
        changed = instant_or_none(subscription.changed)
        return changed is None or is_beginning(subscription, changed)
    return moved(ends, subscription.interval, -1) < begins + timedelta(days=1)


def trial_of(subscription: Subscription, at: datetime) -> TrialStarted | None:
    """The trial it is in at that time, if any.

    The state says so, or (the vendor's own example calls one in trial active) the first phase of its price is a trial,
    or costs nothing, and has not ended. None once something was charged since the first order.
    """
    if (subscription.sequence or 0) > 1 and subscription.state != "trial":
        return None
    first = subscription.instructions[0] if subscription.instructions else None
    free = first is not None and (first.type == "trial" or (first.unit_price is not None and not first.unit_price))
    ends = first.period_end_date if first is not None and free else None
    if ends is not None and instant(ends) > at:
        return TrialStarted(until=instant(ends))
    until = instant_or_none(subscription.next if ends is None else ends)
    # One that is over was sent again long after, or its charge is still to be made.
    if subscription.state == "trial" and (until is None or until > at):
        return TrialStarted(until=until)
    return None
