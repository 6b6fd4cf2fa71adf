"""Days of a space: seconds since 1970 in UTC, and periods as ISO 8601 writes them."""

import calendar as months
import re
from datetime import UTC, datetime
from typing import Literal

Cycle = Literal["P7D", "P14D", "P1M", "P1Y"]

DAY = 86_400

_UNITS = {"D": 0, "M": 1, "Y": 12}


def seconds(instant: datetime) -> int:
    """Raises ValueError for a naive instant: whose midnight it means cannot be guessed."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; write it with tzinfo=UTC")
    return int(instant.timestamp())


def instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def shifted(anchor: int, cycle: Cycle, count: int = 1) -> int:
    """The anchor moved by `count` cycles; a day that the month lacks becomes its last day."""
    found = re.fullmatch(r"P([0-9]+)([DMY])", cycle)
    if found is None:
        raise ValueError(f"{cycle} is no period of days, months or years")
    length, unit = int(found[1]) * count, found[2]
    if unit == "D":
        return anchor + length * DAY
    start = instant(anchor)
    year, month = divmod(start.year * 12 + start.month - 1 + length * _UNITS[unit], 12)
    day = min(start.day, months.monthrange(year, month + 1)[1])
    return seconds(start.replace(year=year, month=month + 1, day=day))


def following(anchor: int, cycle: Cycle, after: int) -> int:
    """The first turn of that anchor after `after`."""
    count = 1
    while (turn := shifted(anchor, cycle, count)) <= after:
        count += 1
    return turn
