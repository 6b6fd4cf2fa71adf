"""Which failures of the database mean what, for those who must go on."""

import psycopg

from projections.ports import LogUnavailable

FAILURES = (psycopg.Error, OSError, LogUnavailable)
"""What passes by itself, or is a fault that must be seen in the log again and again; never a reason to end."""

UNWRITABLE = (
    *(psycopg.DataError, psycopg.IntegrityError),
    *(psycopg.errors.ProgramLimitExceeded, psycopg.errors.CardinalityViolation),
)


_ABSENT = ("08", "53", "57")
"""Classes of SQLSTATE that are about the connection or the server, not about what was asked."""


def is_absence(error: BaseException) -> bool:
    """Whether the database is not there, or not for us, at the moment."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(_ABSENT))


def in_short(error: BaseException) -> str:
    """What kind of error it was; a database's own words may hold what stands in a row."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
