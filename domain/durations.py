"""Durations as vendors write them: `N[dwmy]`, a number of days, weeks, months or years."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"[1-9][0-9]{0,4}[dwmy]")
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"m": 1, "y": 12}
_LONGEST = {"d": 36_525, "w": 5_218, "m": 1_200, "y": 100}
"""A hundred years: no license server holds more, and a slip of the finger must not become for ever."""
LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""What lies beyond is not told apart, so that a margin or a day can be added to whatever comes out."""


def is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None and int(text[:-1]) <= _LONGEST[text[-1]]


def after(start: datetime, duration: str) -> datetime:
    """The instant that a duration after another one.

    Months and years keep the day of the month, or take the last one of a shorter month. What lies beyond LAST is LAST.
    """
    count, unit = int(duration[:-1]), duration[-1]
    try:
        if unit in _DAYS:
            return later(start, timedelta(days=count * _DAYS[unit]))
        years, month = divmod(start.month - 1 + count * _MONTHS[unit], 12)
        year, month = start.year + years, month + 1
        end = start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        return LAST
    return min(end, LAST)


def later(start: datetime, by: timedelta) -> datetime:
    """The instant that much after another one, at most LAST."""
    try:
        return min(start + by, LAST)
    except OverflowError:
        return LAST
