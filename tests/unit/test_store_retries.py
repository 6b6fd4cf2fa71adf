"""What a failed statement calls for is one table."""

from itertools import islice

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from service.store.retries import LONGEST_PAUSE_SECONDS, Verdict, pauses, reason, verdict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.SerializationFailure(), Verdict.AGAIN),
        (errors.DeadlockDetected(), Verdict.AGAIN),
        (errors.LockNotAvailable(), Verdict.AGAIN),
        (errors.AdminShutdown(), Verdict.ELSEWHERE),
        (errors.CannotConnectNow(), Verdict.ELSEWHERE),
        (errors.TooManyConnections(), Verdict.ELSEWHERE),
        (errors.DiskFull(), Verdict.ELSEWHERE),
        (errors.ReadOnlySqlTransaction(), Verdict.ELSEWHERE),
        (errors.FeatureNotSupported(), Verdict.ELSEWHERE),
        (psycopg.OperationalError("the connection is lost"), Verdict.ELSEWHERE),
        (psycopg.InterfaceError("the connection is closed"), Verdict.ELSEWHERE),
        (PoolTimeout(), Verdict.ELSEWHERE),
        (TimeoutError(), Verdict.ELSEWHERE),
        (ConnectionResetError(), Verdict.ELSEWHERE),
        (errors.CheckViolation(), Verdict.REFUSED),
        (errors.NotNullViolation(), Verdict.REFUSED),
        (errors.UntranslatableCharacter(), Verdict.REFUSED),
        (errors.ProgramLimitExceeded(), Verdict.REFUSED),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), Verdict.REFUSED),
        (errors.UniqueViolation(), Verdict.HOPELESS),
        (errors.UndefinedFunction(), Verdict.HOPELESS),
        (errors.InsufficientPrivilege(), Verdict.HOPELESS),
        (PoolClosed(), Verdict.HOPELESS),
        (KeyError("a fault of the program"), Verdict.HOPELESS),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_an_error_calls_for(error: Exception, expected: Verdict) -> None:
    assert verdict(error) is expected


def test_reasons_quote_the_server_but_no_values() -> None:
    assert "connection refused" in reason(psycopg.OperationalError("connection refused\n"))
    assert "secret" not in reason(psycopg.DataError("value secret"))
    assert "secret" not in reason(KeyError("secret"))
    assert "tenure migrate" in reason(errors.UndefinedFunction())
    assert "prepare_threshold=None" in reason(errors.DuplicatePreparedStatement())


def test_pauses_grow_to_a_bound_and_are_never_nothing() -> None:
    first = list(islice(pauses(), 20))

    assert all(0 < pause <= LONGEST_PAUSE_SECONDS for pause in first)
    assert first[0] < 0.05
    assert first[-1] >= LONGEST_PAUSE_SECONDS / 2
