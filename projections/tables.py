"""The tables of one projection version and the named statements that work on them."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)

_SCHEMA = (_FOLDER / "schema.sql").read_text(encoding="utf-8")
_BARE = re.sub("--.*", "", _SCHEMA)
_FORM = sha256(" ".join(_BARE.split()).encode()).hexdigest()[:16]
"""Tells tables from others under the same number: whoever changes a column and forgets the number is told so."""
_PARTS = [each.strip() for each in _BARE.split(";") if each.strip()]
_INDEXES = [each for each in _PARTS if each.startswith("create index")]
_LATE_KEY = re.compile(r",\s*primary key \(partition, from_stream, to_stream\)")
"""Of links, which are loaded in no order of it; `key_links` makes it."""
_FILES = ("runner.sql", "pusher.sql", "fetcher.sql", "budget.sql", "queries.sql", "rebuild.sql")


@cache
def _statements(file: str) -> dict[str, str]:
    """The statements of a file, each after its `-- name:` line."""
    parts = _NAME.split((_FOLDER / file).read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


VERSIONS = {name: text.encode() for name, text in _statements("versions.sql").items()}
"""Statements about versions, in no version's schema."""


class TablesDiffer(Exception):
    """The database has no tables of this version, or such as another program made under the same number."""


class Tables:
    """One version of the projections: a schema of its own, and its statements by name.

    Which version that is may change while a process runs (`follow`). What must not mix two of them, such as a
    checkpoint and the rows it stands for, works with `still`.
    """

    def __init__(self, version: int = 1) -> None:
        self.version = version

    @property
    def schema(self) -> str:
        return schema_of(self.version)

    def follow(self, version: int) -> None:
        """From now on, the statements are those of this version."""
        self.version = version

    def still(self) -> "Tables":
        """The version as it is now, which follows no other."""
        return Tables(self.version)

    def __getitem__(self, name: str) -> bytes:
        return _composed(self.version)[name]

    def comparing(self, name: str, other: "Tables") -> sql.Composed:
        """A statement of rebuild.sql that concerns this version and another one."""
        return _in_schema(_statements("rebuild.sql")[name], self.version, other.version)

    async def make(self, connection: AsyncConnection[Any], *, indexed: bool = True) -> None:
        """Makes the schema and its tables; to be loaded quickly, without what `indexes` and `key_links` make then."""
        for statement in _PARTS:
            if indexed:
                await connection.execute(_in_schema(statement, self.version))
            elif statement not in _INDEXES:
                await connection.execute(_in_schema(_LATE_KEY.sub("", statement), self.version))
        comment = sql.SQL("comment on schema {} is {}")
        await connection.execute(comment.format(sql.Identifier(self.schema), _FORM))

    def indexes(self) -> list[sql.Composed]:
        """The statements that make what `make` left out; each may be repeated."""
        return [_in_schema(statement, self.version) for statement in _INDEXES]

    async def drop(self, connection: AsyncConnection[Any]) -> None:
        """Drops the schema with all that is in it."""
        await connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(self.schema)))

    async def prepare(self, connection: AsyncConnection[Any], rules: str = "") -> None:
        """Makes the schema and its tables where they do not exist; several processes may try at once.

        Where there is no version yet this becomes the one that is read, by these rules. Raises TablesDiffer.
        """
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('tenure projections'))")
            known = {"version": self.version, "rules": rules if await self._made_as(connection) is None else ""}
            await connection.execute(VERSIONS["make_versions"])
            await connection.execute(VERSIONS["begin_versions"], known)
            if await self._made_as(connection) is None:
                await self.make(connection)
                await connection.execute(VERSIONS["set_rules"], known)
            await self.check(connection)

    async def check(self, connection: AsyncConnection[Any]) -> None:
        """Returns if the tables are there, as this program makes them. Raises TablesDiffer."""
        made_as = await self._made_as(connection)
        if made_as is None:
            raise TablesDiffer(f"the database lacks the schema {self.schema}: run `tenure migrate`")
        if made_as != _FORM:
            raise TablesDiffer(
                f"the schema {self.schema} has other tables than this version makes; all in it follows from events: "
                f"stop every process, `drop schema {self.schema} cascade`, and start again: `tenure serve` projects "
                "all events anew, and pushes only what still differs once a subscription's own events are projected"
            )

    async def _made_as(self, connection: AsyncConnection[Any]) -> str | None:
        """The form in which the schema was made; empty where that was not said, None where it does not exist."""
        cursor = await connection.execute(
            "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = %s",
            [self.schema],
        )
        return next((form for (form,) in await cursor.fetchall()), None)


def schema_of(version: int) -> str:
    return f"projection_{version}"


@lru_cache
def _composed(version: int) -> Mapping[str, bytes]:
    # As bytes, which the driver need not put together and take apart again at each call.
    return {name: _in_schema(text, version).as_bytes() for file in _FILES for name, text in _statements(file).items()}


def _in_schema(text: str, version: int, other: int | None = None) -> sql.Composed:
    # The files are part of the program, and the schemas' names are made of numbers.
    return sql.SQL(text).format(
        schema=sql.Identifier(schema_of(version)),
        version=sql.Literal(version),
        other=sql.Identifier(schema_of(version if other is None else other)),
    )
