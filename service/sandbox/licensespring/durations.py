"""Dates and durations as the API writes them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from service.sandbox.licensespring.errors import FieldError

DURATION = re.compile(r"([1-9][0-9]{0,4})([dwmy])")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def add_duration(start: datetime, duration: str) -> datetime:
    """`start` plus `14d`, `2w`, `1m` or `1y`; months keep the day or fall to the month's last.

    Raises FieldError for anything else.
    """
    found = DURATION.fullmatch(duration)
    if found is None:
        raise FieldError("Enter a number followed by d, w, m or y, such as 1m.")
    count, unit = int(found[1]), found[2]
    try:
        match unit:
            case "d":
                return start + timedelta(days=count)
            case "w":
                return start + timedelta(weeks=count)
            case "m":
                return _add_months(start, count)
            case _:
                return _add_months(start, 12 * count)
    except (ValueError, OverflowError) as error:
        raise FieldError("Ensure this duration is not that long.") from error


def _add_months(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def parse_date(text: str) -> date:
    """A plain `YYYY-MM-DD`; raises FieldError for anything else."""
    if DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise FieldError("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")


def parse_instant(text: str) -> datetime:
    """A date with time (blank or T between, zone or none, then UTC); aware UTC.

    Raises FieldError for anything else, a plain date included.
    """
    if not DATE.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    raise FieldError("Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm:ss.")


def expiry_of(day: date, reading: Literal["start_of_day", "end_of_day"]) -> datetime:
    """The instant at which a license that is valid "until" a plain date expires."""
    return datetime.combine(day, time(23, 59, 59) if reading == "end_of_day" else time(), tzinfo=UTC)


def written(instant: datetime | None) -> str | None:
    """As answers write it: whole seconds and a Z."""
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")
