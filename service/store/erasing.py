"""The store's side of an erasure: reads every body once, replaces some, and says so, all or nothing.

Blocking, as `verifying` is: nobody else waits for this connection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from domain.erasure import Redaction
from domain.events import Event, NewEvent, Stream, partition_of
from service.store import cleaning
from service.store.appending import append_of
from service.store.rows import EVENT_TYPES, event_of, request_of
from service.store.sql import statements

_ERASE, _READ = statements("erase.sql"), statements("read.sql")


class ErasedMeanwhile(Exception):
    """Another act of erasure replaced a body after this one had read it; nothing was changed."""


class Replacement(msgspec.Struct, frozen=True):
    event: Event
    body: bytes


def connect(dsn: str) -> Connection[Any]:
    return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, fallback_application_name="tenure erase")


def heads(connection: Connection[Any]) -> dict[int, int]:
    """How far each partition has come that holds anything."""
    return dict(connection.execute(_ERASE["heads"]).fetchall())


def scan(
    connection: Connection[Any],
    after: Mapping[int, int],
    upto: Mapping[int, int],
    progress: Callable[[int], None] | None = None,
) -> Iterator[Event]:
    """Every event of the store between those positions, streamed; the connection is busy meanwhile."""
    count = 0
    for partition, last in upto.items():
        parameters = {"partition": partition, "after": after.get(partition, 0), "upto": last}
        with connection.cursor() as cursor, cursor.copy(_READ["copy_by_position"], parameters) as copy:
            copy.set_types(EVENT_TYPES)
            for row in copy.rows():
                count += 1
                if progress and not count % 500:
                    progress(500)
                yield event_of(row)
    if progress:
        progress(count % 500)


def read_stream(connection: Connection[Any], stream: Stream, after: int = 0) -> list[Event]:
    """The stream's events behind that position."""
    return _events(connection, "read_stream", {"partition": partition_of(stream), "stream": stream, "after": after})


def originals(connection: Connection[Any], names: Sequence[str]) -> list[Event]:
    """The events of these names, each `STREAM#EVENT_ID`, as relayed ones say where they come from."""
    parts = [name.partition("#") for name in names]
    streams, event_ids = [Stream(stream) for stream, _, _ in parts], [event_id for _, _, event_id in parts]
    partitions = [partition_of(stream) for stream in streams]
    where = {"partitions": partitions, "streams": streams, "event_ids": event_ids}
    return _events(connection, "originals", where) if names else []


def _events(connection: Connection[Any], name: str, parameters: Mapping[str, object]) -> list[Event]:
    cursor = connection.cursor(binary=True)
    return [event_of(row) for row in cursor.execute(_ERASE[name], parameters).fetchall()]


def erase(
    connection: Connection[Any],
    replacements: Sequence[Replacement],
    told: Sequence[NewEvent],
    redaction: Redaction,
) -> None:
    """Replaces the bodies, cleans the read tables, and appends the events that say so, in one transaction.

    A process that is killed leaves all or nothing. Raises ErasedMeanwhile and psycopg.Error.
    """
    with connection.transaction():
        connection.execute(_ERASE["begin"])
        streams = sorted({each.event.stream for each in replacements})
        cleaning.hold(connection, streams)
        for each in replacements:
            place = {"partition": each.event.partition, "position": each.event.position}
            replaced = connection.execute(_ERASE["redact"], {**place, "before": each.event.body, "body": each.body})
            if replaced.rowcount != 1:
                raise ErasedMeanwhile
        cleaning.clean(connection, streams, redaction)
        # Last, because appends to the same partitions wait from here on.
        cursor = connection.cursor(binary=True)
        cursor.execute(*append_of([request_of(told)]))
        cursor.fetchall()
