"""Whole partitions, for rebuilds: every stream with all its events."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from psycopg import Connection

from domain.events import Event, Stream, partition_of
from service.store.rows import FOLDED_TYPES, folded_event_of
from service.store.sql import statements

_READ = statements("read.sql")


IN_MEMORY = 20_000
"""Events of a partition that are sorted into streams here; of more, the database is asked to."""
PAGE = 1_000
"""Events that the driver and Python hold at once, each for itself: a page is read faster than it is copied out."""


def read_streams(connection: Connection[Any], partition: int, upto: int) -> Iterator[tuple[Stream, list[Event]]]:
    """Every stream of a partition with all its events up to that position, in position order.

    The events have what a fold reads: neither headers nor cause, content type and digest. It blocks: whoever folds as
    much as there is needs a core, and no event loop in between. The connection is busy until the iterator ends. Raises
    psycopg.Error.
    """
    if upto > IN_MEMORY:
        events = _by_stream(connection, partition, upto)
        yield from ((stream, list(some)) for stream, some in groupby(events, key=lambda event: event.stream))
        return
    streams: dict[Stream, list[Event]] = {}
    for event in _by_position(connection, partition, upto):
        streams.setdefault(event.stream, []).append(event)
    yield from streams.items()


def _by_position(connection: Connection[Any], partition: int, upto: int) -> Iterator[Event]:
    with connection.cursor(binary=True) as cursor:
        for after in range(0, upto, PAGE):
            page = {"partition": partition, "after": after, "upto": min(upto, after + PAGE)}
            yield from map(folded_event_of, cursor.execute(_READ["fold_by_position"], page).fetchall())


def _by_stream(connection: Connection[Any], partition: int, upto: int) -> Iterator[Event]:
    parameters = {"partition": partition, "upto": upto}
    with connection.cursor() as cursor, cursor.copy(_READ["fold_by_stream"], parameters) as copy:
        copy.set_types(FOLDED_TYPES)
        yield from map(folded_event_of, copy.rows())


def whole_copies(
    connection: Connection[Any],
    links: Sequence[tuple[Stream, Stream]],
    *,
    origins: Collection[str],
    types: Collection[str],
) -> list[tuple[Stream, Stream, int]]:
    """Of pairs of streams those where the second has every event of the first that has such an origin or type.

    Each with the last position of the first one's partition that was looked at. Raises psycopg.Error.
    """
    parameters = {
        "from_partitions": [partition_of(here) for here, _ in links],
        "from_streams": [here for here, _ in links],
        "to_partitions": [partition_of(there) for _, there in links],
        "to_streams": [there for _, there in links],
        "origins": list(origins),
        "types": list(types),
    }
    return connection.execute(_READ["whole_copies"], parameters, prepare=False).fetchall()
