"""The providers Tenure understands: what their deliveries hold and what it means, as pure functions.

Adding one means a module here, one in `service/sources/`, and one line in the table of `domain/providers/table.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import msgspec

from domain.events import Event, Stream, stream_of
from domain.facts import Fact


class Untranslatable(Exception):
    """An authentic event whose body is not of the shape its type promises; the text says where."""


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """One event found in a delivery. `item` is the JSON pointer of its place in the body, empty for the whole."""

    stream: Stream
    event_id: str
    type: str
    occurred_at: datetime
    item: str = ""


UNREADABLE = "unreadable"
"""The type of an event that stands for a delivery nobody could read; it stops its stream, which is its own."""


def unreadable(source: str, body: bytes, received_at: datetime) -> Unpacked:
    """An authentic delivery that could not be read: kept as one event, in a stream that its content names."""
    digest = sha256(body).hexdigest()[:32]
    stream = stream_of(source, UNREADABLE, digest)
    return Unpacked(stream=stream, event_id=digest, type=UNREADABLE, occurred_at=received_at)


Unpack = Callable[[str, bytes, bool | None, datetime], list[Unpacked]]
Translate = Callable[[Event], Sequence[Fact]]


class Settle(Protocol):
    """Orders events of one stream that carry the same instant, `tied`, given all `earlier` ones in their order.

    The result depends on the two sets of events alone.
    """

    def __call__(self, tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]: ...


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider module promises.

    `unpack(source, body, live, received_at)` never raises: a body it cannot read becomes `unreadable`.
    `translate(event)` raises Untranslatable. `settle` orders what carries the same instant.
    """

    name: str
    unpack: Unpack
    translate: Translate
    settle: Settle
