"""What was to be heard by now and was not: whoever can be asked is asked before Tenure ends a license by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

from domain.lifecycle import LICENSED
from domain.subscription import Subscription

UNHEARD = "#unheard="
"""Stands behind what is asked, and is not sent: it tells one question apart from the next about the same thing."""


def unheard(s: Subscription) -> str:
    """Names the instant to which a license reached and which is over; empty where something was heard that goes on."""
    if s.passed is None or s.state not in LICENSED or any(until > s.passed.at for until in _heard(s)):
        return ""
    return f"{s.passed.at.astimezone(UTC):%Y%m%dT%H%M%S}"


def _heard(s: Subscription) -> Iterator[datetime]:
    """To which instants something was paid or tried, or is current at the provider."""
    yield from (period.end for paid in s.invoices.values() for period in paid.periods)
    yield from (held.line.period_end for held in s.lines.values() if held.line.period_end is not None)
    if s.trial_end is not None:
        yield s.trial_end
