"""Which version of the projections is read: one row, which running processes notice, and who makes another version."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.failures import FAILURES, in_short
from projections.tables import VERSIONS, Pool, Tables, TablesDiffer, schema_of

Connection = AsyncConnection[Any]
Purpose = Literal["live", "rebuild", "simulation"]

LEASE = timedelta(seconds=10)
"""How long a version stays its maker's when that says nothing any more."""
LOOK = 0.5
"""Seconds between two looks at which version is read."""

_log = structlog.get_logger("tenure.versions")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version; `held` while `owner` makes it. `rules` is empty where nobody knows what it was derived by."""

    version: int
    is_read: bool
    purpose: Purpose
    rules: str
    complete: bool
    """Everything was loaded once."""
    owner: str | None
    made_at: datetime
    read_at: datetime | None
    held: bool


class VersionHeld(Exception):
    """Another process makes the version at this moment."""


class NoSuchVersion(Exception):
    """There is none of that number that could be dropped."""


async def read_version(connection: Connection) -> int | None:
    """The number of the version that is read; None where nothing says so yet."""
    cursor = await connection.execute(VERSIONS["has_versions"])
    if await cursor.fetchone() != (True,):
        return None
    cursor = await connection.execute(VERSIONS["read_version"])
    return next((version for (version,) in await cursor.fetchall()), None)


async def read_again(connection: Connection) -> int | None:
    """Where no version is read any more, reads the one that was read last; None where there is none."""
    cursor = await connection.execute(VERSIONS["has_versions"])
    if await cursor.fetchone() != (True,):
        return None
    cursor = await connection.execute(VERSIONS["read_again"])
    return next((version for (version,) in await cursor.fetchall()), None)


async def tables_read(connection: Connection) -> Tables:
    """The version that is read. Raises TablesDiffer where the database has none."""
    version = await read_version(connection)
    if version is None:
        raise TablesDiffer("the database does not say which projections are read: run `tenure migrate`")
    return Tables(version)


async def rules_read(connection: Connection) -> str:
    """By which rules the version that is read was derived, all of it; empty where nobody knows."""
    cursor = await connection.execute(VERSIONS["rules_read"])
    return next((rules for (rules,) in await cursor.fetchall()), "")


async def mix_rules(connection: Connection, known: str, mixed: str) -> None:
    """Notes that the version that is read, if it is still by the known rules, gets rows by others."""
    await connection.execute(VERSIONS["mix_rules"], {"known": known, "mixed": mixed})


async def versions(connection: Connection) -> list[Version]:
    """All versions, the oldest first."""
    async with connection.cursor(row_factory=class_row(Version)) as cursor:
        return await (await cursor.execute(VERSIONS["list_versions"])).fetchall()


@asynccontextmanager
async def following(pool: Pool, tables: Tables, *, look: float = LOOK) -> AsyncIterator[None]:
    """Lets `tables` be those of the version that is read, within `look` seconds of a switch, while it is entered."""
    watching = asyncio.create_task(_follow(pool, tables, look))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def _follow(pool: Pool, tables: Tables, look: float) -> None:
    while True:
        await asyncio.sleep(look)
        try:
            async with pool.connection() as connection:
                cursor = await connection.execute(VERSIONS["read_version"])
                found = await cursor.fetchone()
        except FAILURES as error:
            _log.warning("could not look which projections are read; trying again", error=in_short(error))
            continue
        if found and found[0] != tables.version:
            _log.info("other projections are read now", before=tables.version, after=found[0])
            tables.follow(found[0])


async def begin(connection: Connection, purpose: Purpose, rules: str, owner: str) -> tuple[Tables, bool]:
    """A version to be made, held by the owner, and whether it goes on from what is there already.

    One that was begun for the same purpose by the same rules is gone on with; what was begun otherwise, and nobody
    holds, is dropped, simulations too. Raises VersionHeld while another process makes one of that purpose.
    """
    held_by = {"owner": owner, "ttl": LEASE}
    async with connection.transaction():
        await connection.execute(VERSIONS["lock_versions"])
        there = await versions(connection)
        for each in there:
            # Whoever simulated was killed, else it would be dropped already.
            if each.purpose == "simulation" and not each.held:
                await _forget(connection, each.version)
        for each in (each for each in there if each.purpose == purpose):
            if each.held and each.owner != owner:
                raise VersionHeld(f"{each.owner} is making version {each.version}: wait until that ends, or stop it")
            if purpose == "rebuild" and each.rules == rules:
                await connection.execute(VERSIONS["take_version"], {"version": each.version, **held_by})
                tables = Tables(each.version)
                # Only its maker projects it, and the leases of one that was killed outlive it.
                for name in ("free_partitions", "forget_owners"):
                    await connection.execute(tables[name])
                return tables, True
            await _forget(connection, each.version)
        cursor = await connection.execute(VERSIONS["add_version"], {"purpose": purpose, "rules": rules, **held_by})
        (number,) = await cursor.fetchone() or (0,)
        tables = Tables(number)
        await tables.drop(connection)  # left by a number that was forgotten
        await tables.make(connection, indexed=False)
    return tables, False


async def hold(connection: Connection, version: int, owner: str) -> bool:
    """Goes on holding a version; false when it is another's by now."""
    arguments = {"version": version, "owner": owner, "ttl": LEASE}
    return (await connection.execute(VERSIONS["hold_version"], arguments)).rowcount == 1


async def leave(connection: Connection, version: int, owner: str) -> None:
    """Lets others go on with a version at once."""
    await connection.execute(VERSIONS["leave_version"], {"version": version, "owner": owner})


async def complete(connection: Connection, version: int, owner: str) -> None:
    """Notes that everything was loaded."""
    await connection.execute(VERSIONS["complete_version"], {"version": version, "owner": owner})


async def drop(connection: Connection, version: int, owner: str) -> None:
    """Drops a version with all its tables. Raises NoSuchVersion, also for the one that is read, and VersionHeld."""
    async with connection.transaction():
        await connection.execute(VERSIONS["lock_versions"])
        found = {each.version: each for each in await versions(connection)}
        each = found.get(version)
        if each is None:
            there = ", ".join(str(number) for number, other in found.items() if not other.is_read) or "none"
            raise NoSuchVersion(f"There is no version {version} to be dropped; there is: {there}.")
        if each.is_read:
            raise NoSuchVersion(f"Version {version} is the one that is read, and is not dropped.")
        if each.held and each.owner != owner:
            raise VersionHeld(f"{each.owner} is making version {version}: wait until that ends, or stop it")
        await _forget(connection, version)


async def _forget(connection: Connection, version: int) -> None:
    await connection.execute(VERSIONS["forget_version"], {"version": version})
    await connection.execute(f"drop schema if exists {schema_of(version)} cascade".encode())
