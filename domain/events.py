"""One entry of the event store, as the pure parts of Tenure see it."""

from datetime import datetime
from typing import Literal, NewType
from zlib import crc32

import msgspec

Stream = NewType("Stream", str)
"""`{source}/{kind}/{provider's id}`; the id may itself hold slashes, source and kind never do."""

Origin = Literal["webhook", "backfill", "readback", "relay", "operator", "timer", "receipt"]

PARTITIONS = 256
LONGEST_STREAM = 400
"""Bytes of UTF-8 in a stream's name; it stands in indexes, whose entries PostgreSQL bounds."""


def stream_of(source: str, kind: str, identifier: str) -> Stream:
    """Names the stream of one subscription or purchase."""
    return Stream(f"{source}/{kind}/{identifier}")


def source_of(stream: Stream) -> str:
    return stream.split("/", 1)[0]


def kind_of(stream: Stream) -> str:
    return stream.split("/", 2)[1]


def identifier_of(stream: Stream) -> str:
    return stream.split("/", 2)[2]


def partition_of(stream: Stream) -> int:
    """The slice (0 to 255) a stream lives in, for ever: a changed route would break deduplication."""
    return crc32(stream.encode()) & (PARTITIONS - 1)


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is to be appended.

    `body` is the exact body of the request that carried it and `item` the JSON pointer (RFC 6901) of the part
    this event is, empty for the whole. `headers` holds what is needed to check authenticity again, names in
    lower case. `cause` names what led to it (`{stream}#{event_id}`), empty when it came from outside.
    """

    stream: Stream
    event_id: str
    type: str
    origin: Origin
    occurred_at: datetime
    received_at: datetime
    body: bytes
    item: str = ""
    cause: str = ""
    headers: dict[str, str] = {}
    content_type: str = "application/json"


class Event(NewEvent, frozen=True, kw_only=True):
    """An event of the store: gapless `position` in its `partition`, and when the store took it."""

    partition: int
    position: int
    recorded_at: datetime
    digest: bytes
    """SHA-256 of the body as it was first stored."""

    @property
    def source(self) -> str:
        return source_of(self.stream)
