"""The read tables, in an erasure: those of every version of the projections, whether anybody reads it or not."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from psycopg import Connection, sql

from domain.erasure import Redaction
from domain.events import Stream, partition_of
from projections.tables import VERSIONS, schema_of
from service.store.sql import statements

_ERASE = statements("erase.sql")

_READ_BY_PEOPLE = frozenset({"problem", "error", "why"})
"""Columns whose text may hold a name in the middle of a sentence."""


def pending(connection: Connection[Any], streams: Sequence[Stream]) -> list[tuple[Stream, str]]:
    """Streams of which a license server has still to be told something, each with it, by the version that is read."""
    found: list[tuple[Stream, str]] = []
    for (version,) in connection.execute(VERSIONS["read_version"]).fetchall():
        query = sql.SQL(
            "select stream, target from {} where partition = any(%(partitions)s) and stream = any(%(streams)s)"
            " and (due or doubt <> '{{}}') order by stream, target"
        ).format(sql.Identifier(schema_of(version), "push"))
        where = {"partitions": _partitions(streams), "streams": sorted(set(streams))}
        found += connection.execute(query, where).fetchall()
    return found


def hold(connection: Connection[Any], streams: Sequence[Stream]) -> None:
    """Takes the streams' partitions, in every version, from whoever projects them, until the transaction ends.

    Whoever read a body before it was replaced has lost its lease, and must read again to write: nothing of the person
    comes back. A partition that is being loaded is waited for. No version begins meanwhile.
    """
    connection.execute(VERSIONS["lock_versions"])
    for (schema,) in connection.execute(_ERASE["versions"]).fetchall():
        take = sql.SQL(
            "with held as (select partition from {lease} where partition = any(%(partitions)s) order by 1 for update)"
            " update {lease} as lease set owner = null, expires_at = null"
            " from held where lease.partition = held.partition"
        ).format(lease=sql.Identifier(schema, "lease"))
        connection.execute(take, {"partitions": _partitions(streams)})


def clean(connection: Connection[Any], streams: Sequence[Stream], redaction: Redaction) -> None:
    """Rewrites by value what read tables of any version hold of those streams.

    Whoever projects a version derives it anew, because of the events that say what was erased. Others are kept until
    they are dropped, and read by nobody.
    """
    where = {"partitions": _partitions(streams), "streams": list(streams)}
    for schema, table, columns, types in connection.execute(_ERASE["rows_of_streams"]).fetchall():
        name = sql.Identifier(schema, table)
        listed = sql.SQL(", ").join(
            sql.SQL("{}::text" if type_.startswith("json") else "{}").format(sql.Identifier(column))
            for column, type_ in zip(columns, types, strict=True)
        )
        select = sql.SQL(
            "select ctid::text, {} from {}"
            " where partition = any(%(partitions)s) and stream = any(%(streams)s) for update"
        ).format(listed, name)
        for place, *values in connection.execute(select, where).fetchall():
            changed = {
                column: clean
                for column, type_, value in zip(columns, types, values, strict=True)
                if column != "stream"
                and value is not None
                and (clean := _cleaned(column, type_, value, redaction)) != value
            }
            if changed:
                setting = sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in changed
                )
                update = sql.SQL("update {} set {} where ctid = %(ctid)s::tid").format(name, setting)
                connection.execute(update, {**changed, "ctid": place})


def tidy(connection: Connection[Any]) -> bool:
    """Has the server forget the replaced rows, and what it sampled of them for its plans; false where it is busy.

    Without it autovacuum does the same, later.
    """
    rows = connection.execute(_ERASE["rows_of_streams"]).fetchall()
    tables = [("event",), *((schema, table) for schema, table, *_ in rows)]
    try:
        connection.execute("set lock_timeout = '10s'")
        for table in tables:
            # A version may be dropped meanwhile.
            with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(*table)))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
        return False
    return True


def _partitions(streams: Sequence[Stream]) -> list[int]:
    return sorted({partition_of(stream) for stream in streams})


def _cleaned(column: str, type_: str, value: Any, redaction: Redaction) -> Any:
    match type_:
        case "json" | "jsonb":
            decoded = msgspec.json.decode(value)
            clean = redaction.redact_value(decoded)
            return value if clean == decoded else msgspec.json.encode(clean).decode()
        case "ARRAY":
            return [redaction.redact_text(each, free=False) for each in value]
        case "bytea":
            return _cleaned_bytes(bytes(value), redaction)
        case _:
            return redaction.redact_text(value, free=column in _READ_BY_PEOPLE)


def _cleaned_bytes(value: bytes, redaction: Redaction) -> bytes:
    """A stored fold, which is MessagePack, or the JSON of an event that is to come."""
    for decode, encode in (
        (msgspec.json.decode, msgspec.json.encode),
        (msgspec.msgpack.decode, msgspec.msgpack.encode),
    ):
        try:
            decoded = decode(value)
        except (ValueError, RecursionError):
            continue
        clean = redaction.redact_value(decoded)
        return value if clean == decoded else encode(clean)
    return value
