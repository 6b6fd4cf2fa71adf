"""The tables of one projection version and the named statements that work on them."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)

_SCHEMA = (_FOLDER / "schema.sql").read_text(encoding="utf-8")
_FORM = sha256(" ".join(re.sub("--.*", "", _SCHEMA).split()).encode()).hexdigest()[:16]
"""Tells tables from others under the same number: whoever changes a column and forgets the number is told so."""


def _statements(file: str) -> dict[str, str]:
    """The statements of a file, each after its `-- name:` line."""
    parts = _NAME.split((_FOLDER / file).read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


class TablesDiffer(Exception):
    """The database has no tables of this version, or such as another program made under the same number."""


class Tables:
    """One version of the projections: a schema of its own, and its statements by name."""

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.schema = f"projection_{version}"
        self._statements = {
            name: self._in_schema(text)
            for file in ("runner.sql", "pusher.sql", "fetcher.sql", "budget.sql", "queries.sql")
            for name, text in _statements(file).items()
        }

    def __getitem__(self, name: str) -> sql.Composed:
        return self._statements[name]

    def _in_schema(self, text: str) -> sql.Composed:
        # The files are part of the program, and the schema's name is made of a number.
        return sql.SQL(text).format(schema=sql.Identifier(self.schema))

    async def prepare(self, connection: AsyncConnection[Any]) -> None:
        """Makes the schema and its tables where they do not exist; several processes may try at once.

        Raises TablesDiffer.
        """
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('tenure projections'))")
            if await self._made_as(connection) is None:
                await connection.execute(self._in_schema(_SCHEMA))
                comment = sql.SQL("comment on schema {} is {}")
                await connection.execute(comment.format(sql.Identifier(self.schema), _FORM))
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
