"""Instants as people and programs write them: ISO 8601, or a date for the beginning of that day; UTC."""

from datetime import UTC, date, datetime

ACCEPTED = "2026-03-03, the beginning of that day in UTC, or 2026-03-03T14:00:00Z"


class NoInstant(ValueError):
    """The text names no instant; the message says what would."""


def read_instant(text: str, *, offset: bool = False) -> datetime:
    """The instant in UTC; `offset`: a time has to come with one, since it could mean anything. Raises NoInstant."""
    try:
        if len(text) == len("2026-03-03"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None and not offset:
            return instant.replace(tzinfo=UTC)
    except ValueError:
        raise NoInstant(f"{text[:60]!r} is no instant; write {ACCEPTED}") from None
    if instant.tzinfo is None:
        raise NoInstant("Give the offset too, such as Z or +01:00.")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise NoInstant("Give an instant between the years 1 and 9999 in UTC.") from None
