"""Durations as vendors write them: `N[dwmy]`, a number of days, weeks, months or years."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"[1-9][0-9]{0,4}[dwmy]")
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"m": 1, "y": 12}
_LAST = datetime(9000, 1, 1, tzinfo=UTC)


def is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None


def after(start: datetime, duration: str) -> datetime:
    """The instant that a duration after another one.

    Months and years keep the day of the month, or take the last one of a shorter month. What lies beyond the year 9000
    is its beginning, so that a margin or a day can be added to whatever comes out.
    """
    count, unit = int(duration[:-1]), duration[-1]
    try:
        if unit in _DAYS:
            return min(start + timedelta(days=count * _DAYS[unit]), _LAST)
        years, month = divmod(start.month - 1 + count * _MONTHS[unit], 12)
        year, month = start.year + years, month + 1
        end = start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        return _LAST
    return min(end, _LAST)
