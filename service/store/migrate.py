"""The schema, one numbered .sql file after the other, each in a transaction of its own."""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from service.store.errors import DatabaseNewer, DatabaseOutdated, MigrationEdited, MigrationFailed
from service.store.sql import FOLDER

OLDEST_SERVER = 150_000
LOCK_SECONDS = 60

_FOLDER = FOLDER / "migrations"
_NAME = re.compile(r"(?P<number>\d{4})_(?P<title>[a-z0-9_]+)\.sql")
_LOCK = 0x74656E757265  # "tenure"

_Connection = AsyncConnection[tuple[Any, ...]]


class Migration(msgspec.Struct, frozen=True):
    number: int
    name: str
    checksum: str
    text: bytes = b""


async def migrate(dsn: str, folder: Path = _FOLDER) -> list[str]:
    """Brings the database up to this program's schema; says the names of the migrations it applied.

    Any number of processes may do so at once. Raises MigrationError, psycopg.OperationalError, InsufficientPrivilege.
    """
    known, applied = _known(folder), list[str]()
    async with await _connect(dsn) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise MigrationFailed("Tenure needs PostgreSQL 15 or newer; this server is older")
        while name := await _apply_next(connection, known):
            applied.append(name)
    return applied


async def check(dsn: str, folder: Path = _FOLDER) -> None:
    """For a process that must not migrate: returns if the database has exactly this program's schema.

    Raises MigrationError, psycopg.OperationalError.
    """
    async with await _connect(dsn) as connection:
        waiting = _waiting(_known(folder), await _applied(connection))
    if waiting:
        names = ", ".join(migration.name for migration in waiting)
        raise DatabaseOutdated(f"the database lacks {names}: run `tenure migrate` with this version first")


async def _connect(dsn: str) -> _Connection:
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=None, fallback_application_name="tenure migrate"
    )


async def _apply_next(connection: _Connection, known: Sequence[Migration]) -> str | None:
    """Applies the first migration that waits, under a lock that makes other processes wait their turn."""
    name = "the migrations' lock"
    try:
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            await connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            applied = await _applied(connection)
            waiting = _waiting(known, applied)
            if not waiting:
                return None
            migration, name = waiting[0], waiting[0].name
            if not applied:
                await connection.execute(_TABLE)
            await connection.execute(migration.text)
            await connection.execute(
                "insert into migration (number, name, checksum) values (%s, %s, %s)",
                [migration.number, migration.name, migration.checksum],
            )
    except psycopg.errors.LockNotAvailable:
        raise MigrationFailed(
            f"{name} was not to be had within {LOCK_SECONDS} s: another process migrates or keeps a table locked."
            " Look at pg_stat_activity, then start again"
        ) from None
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege):
        raise
    except psycopg.Error as error:
        raise MigrationFailed(
            f"{name} could not be applied and was rolled back: {error.diag.message_primary}"
        ) from error
    return name


_TABLE = """
    create table if not exists migration (
        number     integer     primary key,
        name       text        not null,
        checksum   text        not null,
        applied_at timestamptz not null default clock_timestamp()
    )"""


async def _applied(connection: _Connection) -> list[Migration]:
    cursor = await connection.execute("select to_regclass('migration') is not null")
    if await cursor.fetchone() == (False,):
        return []
    cursor = await connection.execute("select number, name, checksum from migration order by number")
    return [Migration(*row) for row in await cursor.fetchall()]


def _known(folder: Path) -> list[Migration]:
    found = []
    for path in sorted(folder.glob("*.sql")):
        name = _NAME.fullmatch(path.name)
        if not name:
            raise MigrationFailed(f"{path.name} is no migration's name; call it like 0001_event_store.sql")
        # Whatever a checkout makes of line ends, the migration is the same.
        text = path.read_bytes().replace(b"\r\n", b"\n")
        found.append(Migration(int(name["number"]), path.stem, sha256(text).hexdigest(), text))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationFailed(f"the migrations in {folder.name} must be numbered 1, 2, 3, ... without a gap")
    return found


def _waiting(known: Sequence[Migration], applied: Sequence[Migration]) -> Sequence[Migration]:
    """The migrations still to be applied. Raises DatabaseNewer, MigrationEdited."""
    if len(applied) > len(known):
        newest = applied[-1].name
        raise DatabaseNewer(
            f"the database was migrated to {newest}, which this version does not know: start the newer version,"
            " or restore a backup from before the upgrade"
        )
    for ours, theirs in zip(known, applied, strict=False):
        if (ours.number, ours.checksum) != (theirs.number, theirs.checksum):
            raise MigrationEdited(
                f"{ours.name} differs from what was applied as {theirs.name}: restore the file, and put the change"
                " into a new migration"
            )
    return known[len(applied) :]
