"""A store with a long past, made fast: lives at Stripe and FastSpring, copied in instead of appended.

Of five subscriptions four are Stripe's with 20 webhooks each, one FastSpring's with 9 events in 7, which are larger.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from domain.events import PARTITIONS, Stream, partition_of
from domain.providers import Provider
from domain.providers.fastspring import PROVIDER as FASTSPRING
from domain.providers.stripe import PROVIDER as STRIPE
from service.sandbox.fastspring import LIFECYCLES
from tests.benchmarks.copies import COPIES, Pattern, fastspring_lives, long_lives
from tests.benchmarks.workload import SOURCE

STORE = "store"
AT_ONCE = 100
"""Generations that live at the same time, each with every life there is: so far apart lie the events of one stream."""
_OVERDUE = list(LIFECYCLES).index("overdue_and_recovered")
_MARK = f"{COPIES - 1:08d}"
_COLUMNS = {
    "partition": "int2",
    "position": "int8",
    **dict.fromkeys(["stream", "event_id", "item", "type", "origin", "cause"], "text"),
    **dict.fromkeys(["occurred_at", "received_at"], "timestamptz"),
    "headers": "jsonb",
    "content_type": "text",
    "body": "bytea",
    "digest": "bytea",
}


class Event(msgspec.Struct, frozen=True):
    """One of a request's events, as of the copy of that number whose digits all are `_MARK`'s."""

    stream: str
    event_id: str
    item: str
    type: str
    occurred_at: datetime


class Told(msgspec.Struct, frozen=True):
    """A request of a life, and the events in it."""

    life: Pattern
    place: int
    events: tuple[Event, ...]


def load(dsn: str, count: int) -> list[Stream]:
    """Fills an empty store with about so many events, a whole generation more at most; some of its subscriptions.

    What was appended is in the order in which it would have come, positions are gapless, and heads tell them.
    """
    heads = dict.fromkeys(range(PARTITIONS), 0)
    subscriptions: dict[Stream, None] = {}
    now, headers = datetime.now(UTC), Jsonb({})
    left, begin = count, 0
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        statement = f"copy event ({', '.join(_COLUMNS)}) from stdin (format binary)"
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(list(_COLUMNS.values()))
            while left > 0:
                until = begin + min(AT_ONCE, -(-left // _events_of_a_generation()))
                for stream, event, body in _generations(begin, until):
                    partition = partition_of(stream)
                    heads[partition] += 1
                    left -= 1
                    place = (partition, heads[partition], stream, _own(event.event_id, body[0]), event.item, event.type)
                    times = (event.occurred_at, now, headers, "application/json")
                    copy.write_row((*place, "webhook", "", *times, body[1], sha256(body[1]).digest()))
                    if "/subscription/" in stream and len(subscriptions) < count // 100:
                        subscriptions[stream] = None
                begin = until
        for partition, position in heads.items():
            cursor.execute("update head set position = %s where partition = %s", [position, partition])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze event")
        connection.execute("checkpoint")
    return list(subscriptions)


def _generations(begin: int, until: int) -> Iterator[tuple[Stream, Event, tuple[int, bytes]]]:
    for told in _all_told():
        for number in range(begin, until):
            body = told.life.body(told.place, number)
            for event in told.events:
                yield Stream(_own(event.stream, number)), event, (number, body)


def _own(name: str, number: int) -> str:
    return f"{name[:-8]}{number:08d}"


def _events_of_a_generation() -> int:
    return sum(len(told.events) for told in _all_told())


@cache
def _all_told() -> tuple[Told, ...]:
    """Every request of every life, the first of each before the second of any."""
    lives_of = ((STRIPE, SOURCE, long_lives()), (FASTSPRING, STORE, fastspring_lives()[_OVERDUE : _OVERDUE + 1]))
    told = [
        (place, Told(life, place, tuple(_events(provider, source, life, place))))
        for provider, source, lives in lives_of
        for life in lives
        for place in range(len(life.bodies))
    ]
    return tuple(each for _, each in sorted(told, key=lambda each: each[0]))


def _events(provider: Provider, source: str, life: Pattern, place: int) -> Iterator[Event]:
    for found in provider.unpack(source, life.body(place, COPIES - 1), None, datetime.now(UTC)):
        if not (found.stream.endswith(_MARK) and found.event_id.endswith(_MARK)):
            raise AssertionError(f"{found.stream} or {found.event_id} does not end with the copy's number")
        yield Event(found.stream, found.event_id, found.item, found.type, found.occurred_at)
