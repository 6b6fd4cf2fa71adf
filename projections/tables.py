"""The tables of one projection version and the named statements that work on them."""

import re
from pathlib import Path

from psycopg import AsyncConnection, sql

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def _statements(file: str) -> dict[str, str]:
    """The statements of a file, each after its `-- name:` line."""
    parts = _NAME.split((_FOLDER / file).read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


class Tables:
    """One version of the projections: a schema of its own, and its statements by name."""

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.schema = f"projection_{version}"
        self._statements = {
            name: self._in_schema(text)
            for file in ("runner.sql", "pusher.sql", "queries.sql")
            for name, text in _statements(file).items()
        }

    def __getitem__(self, name: str) -> sql.Composed:
        return self._statements[name]

    def _in_schema(self, text: str) -> sql.Composed:
        # The files are part of the program, and the schema's name is made of a number.
        return sql.SQL(text).format(schema=sql.Identifier(self.schema))

    async def prepare(self, connection: AsyncConnection[object]) -> None:
        """Makes the schema and its tables where they do not exist; several processes may try at once."""
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('tenure projections'))")
            await connection.execute(self._in_schema((_FOLDER / "schema.sql").read_text(encoding="utf-8")))
