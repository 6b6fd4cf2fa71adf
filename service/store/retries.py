"""What a failed statement calls for, and how long to wait before the next try."""

from collections.abc import Iterator
from enum import Enum, auto
from random import random

import psycopg
from psycopg_pool import PoolClosed

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0


class Verdict(Enum):
    AGAIN = auto()
    """The same connection will do: the server chose this transaction as the one to give way."""
    ELSEWHERE = auto()
    """Again on a new connection: this one is lost, or its server is stopping, full, or a standby."""
    REFUSED = auto()
    """The values cannot be stored, now or later."""
    HOPELESS = auto()
    """Trying again cannot help: a missing table or right, a closed pool, a fault of the program."""


_CORRUPT = {"23505", "XX001", "XX002"}
"""Not the values' fault although 23505 stands among the integrity errors: a head that lags behind its partition."""

_QUOTE_VALUES = {"22", "23"}
"""Classes whose messages may quote what was to be stored."""

_POOLER = "behind a connection pooler in transaction mode, open the store with prepare_threshold=None"
_HINTS = {
    "26000": _POOLER,
    "42P05": _POOLER,
    "42P01": "run `tenure migrate`",
    "42883": "run `tenure migrate`",
    "23505": "a head lags behind its partition: was a backup restored in part?",
}

_BY_CLASS = {
    "08": Verdict.ELSEWHERE,  # connection lost
    "22": Verdict.REFUSED,  # data
    "23": Verdict.REFUSED,  # constraints
    "0A": Verdict.ELSEWHERE,  # a prepared statement whose function was replaced by a migration
    "25": Verdict.ELSEWHERE,  # read-only: a standby, after a failover
    "26": Verdict.ELSEWHERE,  # a prepared statement that a pooler or restart has dropped
    "40": Verdict.AGAIN,  # serialisation, deadlock
    "53": Verdict.ELSEWHERE,  # out of connections, memory or disk
    "54": Verdict.REFUSED,  # too large for an index or a row
    "55": Verdict.AGAIN,  # a lock was not to be had in time
    "57": Verdict.ELSEWHERE,  # terminated, shutting down, starting up
    "58": Verdict.ELSEWHERE,  # a fault of the disk or system
}
"""The first two characters of a SQLSTATE; https://www.postgresql.org/docs/current/errcodes-appendix.html."""


def verdict(error: Exception) -> Verdict:
    """Whether, and where, to try again what failed with that error."""
    if not isinstance(error, psycopg.Error):
        return Verdict.ELSEWHERE if isinstance(error, OSError) else Verdict.HOPELESS  # TimeoutError is an OSError
    if isinstance(error, PoolClosed) or error.sqlstate in _CORRUPT:
        return Verdict.HOPELESS
    if error.sqlstate is None:
        return Verdict.ELSEWHERE if _unanswered(error) else Verdict.REFUSED
    return _BY_CLASS.get(error.sqlstate[:2], Verdict.HOPELESS)


def reason(error: Exception) -> str:
    """What happened, without values of events, which a server or driver may quote."""
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    if error.sqlstate is None:
        return " ".join(str(error).split()) if _unanswered(error) else type(error).__name__
    constraint = f" of {error.diag.constraint_name}" if error.diag.constraint_name else ""
    message = "" if error.sqlstate[:2] in _QUOTE_VALUES else f": {error.diag.message_primary}"
    hint = _HINTS.get(error.sqlstate, "")
    return f"{type(error).__name__}{constraint} (SQLSTATE {error.sqlstate}){message}{hint and f'; {hint}'}"


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try, for ever: doubling, and spread so that processes do not move in step."""
    longest = FIRST_PAUSE_SECONDS
    while True:
        yield longest * (0.5 + random() / 2)  # noqa: S311 - spread, not secrecy
        longest = min(longest * 2, LONGEST_PAUSE_SECONDS)


def _unanswered(error: psycopg.Error) -> bool:
    """No server has judged: the connection broke, or none could be made. Else the driver refused the values."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
