"""Billing periods: whole seconds since 1970, months counted from an anchor so that the 31st stays the 31st."""

import calendar as months
from datetime import UTC, datetime
from typing import Literal

Interval = Literal["day", "week", "month", "year"]

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_FIXED = {"day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": 12}


def seconds(instant: datetime) -> int:
    """Raises ValueError for a naive instant: whose midnight it means cannot be guessed."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; write it with tzinfo=UTC")
    return int(instant.timestamp())


def instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def shifted(anchor: int, interval: Interval, count: int) -> int:
    """The anchor moved by `count` intervals; a day that the month lacks becomes its last day."""
    if interval in _FIXED:
        return anchor + count * _FIXED[interval]
    start = instant(anchor)
    year, month = divmod(start.year * 12 + start.month - 1 + count * _MONTHS[interval], 12)
    day = min(start.day, months.monthrange(year, month + 1)[1])
    return seconds(start.replace(year=year, month=month + 1, day=day))


def period_end(anchor: int, interval: Interval, every: int, start: int) -> int:
    """When the period that begins at `start` ends: the first billing date of that anchor after it."""
    count = every
    while shifted(anchor, interval, count) <= start:
        count += every
    return shifted(anchor, interval, count)


def period_start(anchor: int, interval: Interval, every: int, within: int) -> int:
    """The last billing date of that anchor up to `within`, or the anchor itself before the first."""
    count = 0
    while shifted(anchor, interval, count + every) <= within:
        count += every
    return shifted(anchor, interval, count)
