"""Events as rows: what may be stored, the rows of an append, and a row read back as an event."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from domain.events import LONGEST_STREAM, Event, NewEvent, Origin, Stream, partition_of
from service.store.errors import UnstorableEvent

TEXT_BYTES = {"stream": LONGEST_STREAM, "event_id": 1000, "item": 1000, "type": 400, "cause": 1500, "content_type": 400}
"""The longest texts, in bytes of UTF-8. Together stream and event_id must fit an index entry (2,704 bytes)."""

HEADER_BYTES = 64 * 1024

# Every time in between can be read back in any time zone.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

EVENT_TYPES = (
    *("int2", "int8", "text", "text", "text", "text", "text", "text"),
    *("timestamptz", "timestamptz", "timestamptz", "text", "text", "bytea", "bytea"),
)
"""The types of the columns called `event` in read.sql."""

FOLDED_TYPES = (
    *("int2", "int8", "text", "text", "text", "text", "text"),
    *("timestamptz", "timestamptz", "timestamptz", "bytea"),
)
"""The same of the columns called `folded`."""

_REQUIRED = ("stream", "event_id", "type")
_ORIGINS: frozenset[str] = frozenset(get_args(Origin))
_headers = msgspec.json.Decoder(dict[str, str])


Row = tuple[int, str, str, str, str, str, str, datetime, datetime, str, str, int]
"""The first arguments of append_event; the last is the number of the body within its request."""


class Request(msgspec.Struct, frozen=True):
    """The events of one append, checked, and written as rows; `bodies` holds each body once."""

    rows: list[Row]
    bodies: list[bytes]
    size: int
    """Bytes of bodies and headers."""


def request_of(events: Sequence[NewEvent]) -> Request:
    """Raises UnstorableEvent."""
    rows: list[Row] = []
    bodies: list[bytes] = []
    size = 0
    numbers: dict[int, int] = {}  # by identity: comparing bodies would cost more than sending one twice
    for index, event in enumerate(events):
        try:
            header_set = _checked(event)
        except ValueError as error:
            raise UnstorableEvent(f"event {index + 1} of {len(events)} cannot be stored: {error}") from None
        number = numbers.setdefault(id(event.body), len(bodies))
        if number == len(bodies):
            bodies.append(event.body)
            size += len(event.body)
        size += len(header_set)
        rows.append(
            (
                *(partition_of(event.stream), event.stream, event.event_id, event.item, event.type, event.origin),
                *(event.cause, event.occurred_at, event.received_at, header_set, event.content_type, number),
            )
        )
    return Request(rows, bodies, size)


def event_of(row: Sequence[Any]) -> Event:
    """An event from the columns called `event` in read.sql."""
    return Event(
        partition=row[0],
        position=row[1],
        stream=Stream(row[2]),
        event_id=row[3],
        item=row[4],
        type=row[5],
        origin=row[6],
        cause=row[7],
        occurred_at=_utc(row[8]),
        received_at=_utc(row[9]),
        recorded_at=_utc(row[10]),
        headers=_headers.decode(row[11]),
        content_type=row[12],
        body=row[13],
        digest=row[14],
    )


def folded_event_of(row: Sequence[Any]) -> Event:
    """An event from the columns called `folded` in read.sql: without headers, cause, content type and digest."""
    partition, position, stream, event_id, item, type_, origin, occurred_at, received_at, recorded_at, body = row
    return Event(
        partition=partition,
        position=position,
        stream=stream,
        event_id=event_id,
        item=item,
        type=type_,
        origin=origin,
        occurred_at=_utc(occurred_at),
        received_at=_utc(received_at),
        recorded_at=_utc(recorded_at),
        body=body,
        digest=b"",
    )


def _utc(moment: datetime) -> datetime:
    """The driver gives times in the session's zone, which behind a connection pooler is not ours to set."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _checked(event: NewEvent) -> str:
    """The event's headers as JSON. Raises ValueError with what cannot be stored, and why."""
    for name, longest in TEXT_BYTES.items():
        _check_text(name, getattr(event, name), longest)
    for name in _REQUIRED:
        if not getattr(event, name):
            raise ValueError(f"{name} is empty")
    parts = event.stream.split("/", 2)
    if len(parts) < 3 or not all(parts):
        raise ValueError("stream is not of the form {source}/{kind}/{identifier}")
    if event.origin not in _ORIGINS:
        raise ValueError(f"origin is none of {', '.join(sorted(_ORIGINS))}")
    for name in ("occurred_at", "received_at"):
        moment: datetime = getattr(event, name)
        if moment.tzinfo is None or not EARLIEST <= moment <= LATEST:
            raise ValueError(f"{name} has no time zone, or is outside the years {EARLIEST.year} to {LATEST.year}")
    return _checked_headers(event.headers)


def _checked_headers(headers: dict[str, str]) -> str:
    for name, value in headers.items():
        _check_text("a header's name", name, HEADER_BYTES)
        _check_text("a header", value, HEADER_BYTES)
    text = msgspec.json.encode(headers)
    if len(text) > HEADER_BYTES:
        raise ValueError(f"headers are longer than {HEADER_BYTES} bytes; keep only what proves authenticity")
    return text.decode()


def _check_text(name: str, text: str, longest: int) -> None:
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{name} is not valid Unicode") from None
    if "\0" in text:
        raise ValueError(f"{name} holds a NUL character, which PostgreSQL cannot store")
    if size > longest:
        raise ValueError(f"{name} is longer than {longest} bytes")
