"""What a command prints and exits with when it cannot do what was asked."""

import sys
from collections.abc import Sequence

NOT_FOUND, USAGE, UNAVAILABLE, PART_FAILED = 1, 2, 3, 4


class CommandFailed(Exception):
    """The command ends with that exit code, after these lines on standard error."""

    def __init__(self, exit_code: int, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.exit_code = exit_code
        self.lines: Sequence[str] = lines


def usage(what: str) -> CommandFailed:
    return CommandFailed(USAGE, what)


def explain(error: Exception) -> int | None:
    """Prints one clear line for what a user or operator can mend and says how to exit; None for anything else."""
    failed = _understood(error)
    if failed is None:
        return None
    for line in failed.lines:
        sys.stderr.write(f"tenure: {line}\n")
    return failed.exit_code


def _understood(error: Exception) -> CommandFailed | None:
    # Imported here, so that a command that needs no database does not load its driver.
    import psycopg

    from domain.upcasting import UpcastersIncomplete
    from projections.ports import LogUnavailable
    from projections.tables import TablesDiffer
    from service.attention import NothingToRetry
    from service.embedded import EmbeddedServerError
    from service.lookup import Ambiguous, NotFound
    from service.previewing import ActRefused
    from service.settings import SettingsInvalid
    from service.store.errors import MigrationError
    from service.telling import TooLong

    match error:
        case CommandFailed():
            return error
        case NotFound() | TooLong() | NothingToRetry() | ActRefused():
            return CommandFailed(NOT_FOUND, str(error))
        case Ambiguous(candidates=candidates):
            return CommandFailed(USAGE, str(error), *candidates)
        case SettingsInvalid(findings=findings):
            return CommandFailed(USAGE, *(str(finding) for finding in findings))
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return CommandFailed(
                UNAVAILABLE,
                "The database lacks Tenure's tables of this version: run `tenure migrate`, and `tenure rebuild` where"
                " that does not help: it derives all of them anew.",
            )
        case EmbeddedServerError() | MigrationError() | TablesDiffer() | LogUnavailable() | UpcastersIncomplete():
            return CommandFailed(UNAVAILABLE, str(error))
        case TimeoutError():
            return CommandFailed(
                UNAVAILABLE, "The database did not answer in time: look at what it does, then try again."
            )
        case psycopg.errors.InsufficientPrivilege():
            return CommandFailed(
                UNAVAILABLE,
                f"The database refuses: {' '.join(str(error).split())}. Connect as the role that owns Tenure's tables"
                " (the one that ran `tenure migrate`), or let that role grant this one what it lacks.",
            )
        case psycopg.OperationalError():
            reason = " ".join(str(error).split())
            end = "" if reason.endswith((".", "?")) else "."
            return CommandFailed(
                UNAVAILABLE,
                f"The database cannot be reached: {reason}{end} Check [database] url or TENURE_DATABASE_URL.",
            )
        case _:
            return None
