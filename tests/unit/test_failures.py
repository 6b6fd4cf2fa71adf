"""What commands say when they cannot do what was asked."""

import psycopg
import pytest

from projections.tables import TablesDiffer
from service.commands.failures import explain
from service.store.errors import DatabaseOutdated, StoreUnavailable


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable("the event store could not be read (heads): UndefinedTable; run `tenure migrate`"),
        DatabaseOutdated("the database lacks 0002_append: run `tenure migrate` with this version first"),
        TablesDiffer("the database lacks the schema projection_1: run `tenure migrate`"),
    ],
)
def test_an_error_that_says_what_to_do_is_shown_in_its_own_words(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(error) == 3
    assert capsys.readouterr().err == f"tenure: {error}\n"


def test_a_database_that_cannot_be_reached_is_told_with_the_setting_to_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert explain(psycopg.OperationalError("connection\nrefused")) == 3
    assert "cannot be reached: connection refused. Check [database] url" in capsys.readouterr().err


def test_a_role_without_the_right_is_told_so_and_not_taken_for_a_finding(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert explain(psycopg.errors.InsufficientPrivilege("permission denied for table head")) == 3
    assert "refuses: permission denied for table head. Connect as the role that owns" in capsys.readouterr().err


def test_a_fault_of_the_program_is_not_explained_away() -> None:
    assert explain(ZeroDivisionError()) is None
