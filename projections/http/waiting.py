"""How long a server asks to be left alone."""

import re
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
"""Seconds; nobody is left alone for longer, whatever a server asks."""


def seconds_to_wait(retry_after: str | None, date: str | None) -> float | None:
    """What a `Retry-After` header asks for, in seconds (0 to LONGEST_WAIT); a date is taken relative to `Date`."""
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", retry_after.strip()):
        return min(float(retry_after), LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(retry_after) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT)
