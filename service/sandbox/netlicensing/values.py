"""How the texts of forms are read: into one spelling per value, which is again a text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from service.sandbox.netlicensing import errors

Reader = Callable[[str, str, datetime], str]
"""Property's name, what was sent, the sandbox's time; raises Refused."""

LONGEST_NUMBER = 1000
LONGEST_TEXT = 100_000
LARGEST = 2**31 - 1
CHECKOUT_ACTIONS = ("checkOut", "checkIn")


def written(instant: datetime) -> str:
    """An instant as answers show it: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def flag(name: str, sent: str, _now: datetime) -> str:
    if sent.lower() not in ("true", "false"):
        raise errors.unexpected(errors.NOT_A_CHOICE.format(name, sent, "true, false"))
    return sent.lower()


def whole(name: str, sent: str, _now: datetime) -> str:
    """A whole number, -1 (unlimited) or more."""
    return _at_least(-1, name, sent)


def count(name: str, sent: str, _now: datetime) -> str:
    return _at_least(0, name, sent)


def text(name: str, sent: str, _now: datetime) -> str:
    if len(sent) > LONGEST_TEXT:
        raise errors.malformed(f"{name} is longer than {LONGEST_TEXT}.")
    return sent


def number(name: str, sent: str, _now: datetime) -> str:
    if not sent.strip():
        raise errors.malformed(errors.NOT_PROVIDED.format(name))
    if len(sent) > LONGEST_NUMBER or any(letter in sent for letter in "/;\\"):
        raise errors.malformed(f"{name} is no number of an entity.")
    return sent


def money(name: str, sent: str, _now: datetime) -> str:
    try:
        amount = Decimal(sent)
        if amount.is_finite() and 0 <= amount < 10**9:
            return f"{amount:.2f}"
    except InvalidOperation:
        pass
    raise errors.unexpected(f"{name}: '{sent}' is no amount.")


def an_instant(name: str, sent: str, now: datetime) -> str:
    """ISO 8601, a bare date (midnight, UTC), or `now`; without a zone it is UTC."""
    if sent.lower() == "now":
        return written(now)
    try:
        if len(sent) == len("2026-01-01"):
            day = date.fromisoformat(sent)
            return written(datetime(day.year, day.month, day.day, tzinfo=UTC))
        read = datetime.fromisoformat(sent)
        return written(read if read.tzinfo else read.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise errors.unexpected(f"{name}: '{sent}' is no date and no time.") from None


def choice(*values: str) -> Reader:
    def read(name: str, sent: str, _now: datetime) -> str:
        if sent not in values:
            raise errors.unexpected(errors.NOT_A_CHOICE.format(name, sent, ", ".join(values)))
        return sent

    return read


def _at_least(least: int, name: str, sent: str) -> str:
    digits = sent.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or not least <= int(sent) <= LARGEST:
        raise errors.unexpected(f"{name}: '{sent}' is no whole number of {least} or more.")
    return str(int(sent))
