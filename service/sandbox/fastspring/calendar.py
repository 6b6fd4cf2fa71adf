"""Days of a store: milliseconds since 1970 in UTC, billing days at midnight, months counted from an anchor."""

import calendar as months
from datetime import UTC, datetime
from typing import Literal

Interval = Literal["day", "week", "month", "year"]

HOUR = 3_600_000
DAY = 24 * HOUR

_FIXED = {"day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": 12}


def milliseconds(instant: datetime) -> int:
    """Raises ValueError for a naive instant: whose midnight it means cannot be guessed."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; write it with tzinfo=UTC")
    return round(instant.timestamp() * 1000)


def instant(millisecond: int) -> datetime:
    return datetime.fromtimestamp(millisecond / 1000, UTC)


def midnight(millisecond: int) -> int:
    """The day's begin in UTC."""
    return millisecond - millisecond % DAY


def shifted(anchor: int, interval: Interval, count: int) -> int:
    """The anchor moved by `count` intervals; a day that the month lacks becomes its last day."""
    if interval in _FIXED:
        return anchor + count * _FIXED[interval]
    start = instant(anchor)
    year, month = divmod(start.year * 12 + start.month - 1 + count * _MONTHS[interval], 12)
    day = min(start.day, months.monthrange(year, month + 1)[1])
    return milliseconds(start.replace(year=year, month=month + 1, day=day))


def following(anchor: int, interval: Interval, length: int, day: int) -> int:
    """The first billing day of that anchor after `day`."""
    count = length
    while (turn := shifted(anchor, interval, count)) <= day:
        count += length
    return turn
