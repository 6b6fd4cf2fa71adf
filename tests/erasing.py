"""What a database still knows of somebody: every table, every column, every schema, decoded as far as it can be."""

import re
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from domain.erasure import Person
from projections.sources import Source
from service.erasure import Erasure, Found
from service.store import cleaning, erasing

_HEX = re.compile(r"\\x((?:[0-9a-f]{2})+)")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
union all select 'pg_catalog', 'pg_stats' -- samples of columns, kept for the planner
"""


def traces(dsn: str, words: Iterable[str]) -> list[str]:
    """Where any of these words stands, in any case: `table.column: word`."""
    # A short one is looked for as a word: three letters are part of many a digest.
    wanted = {
        word: re.compile(rf"(?<!\w){re.escape(word)}(?!\w)" if len(word) < 8 else re.escape(word), re.IGNORECASE)
        for word in words
    }
    assert wanted
    found: set[str] = set()
    with psycopg.connect(dsn) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            where = "where schemaname not in ('pg_catalog', 'information_schema')" if table == "pg_stats" else ""
            everything = sql.SQL("select * from {} ").format(sql.Identifier(schema, table)) + sql.SQL(where)
            cursor = connection.execute(everything)
            names = [column.name for column in cursor.description or ()]
            for row in cursor:
                for name, value in zip(names, row, strict=True):
                    text = _text(value)
                    found.update(f"{schema}.{table}.{name}: {word}" for word in wanted if wanted[word].search(text))
    return sorted(found)


def _text(value: Any) -> str:
    if not isinstance(value, bytes | memoryview):
        text = str(value)
        text += "".join(bytes.fromhex(each).decode("utf-8", "replace") for each in _HEX.findall(text))
        return text.replace("%40", "@")
    text = bytes(value).decode("utf-8", "replace")
    # As JSON escapes it, and as forms do.
    unescaped = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)
    return f"{text} {unescaped}".replace("%40", "@").replace("+", " ")


def forget(dsn: str, sources: dict[str, Source], person: Person) -> Found:
    """Erases a person, as the command does."""
    with erasing.connect(dsn) as connection:
        erasure = Erasure(connection, sources, person)
        erasure.run(erasure.look(), "tests", "request 7")
        found = erasure.found([])
        assert cleaning.tidy(connection)
    return found
