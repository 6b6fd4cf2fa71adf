"""The providers Tenure understands: what their deliveries hold and what it means, as pure functions.

Adding one means a package here with a line in the table of `domain/providers/table.py`, and modules in
`service/sources/` with a line in each table of `service/sources/table.py` that it is for. `service/sources/README.md`
goes through it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal, Protocol

import msgspec

from domain.events import Event, Stream, stream_of
from domain.facts import Fact
from domain.readback import TYPE, Want
from domain.subscription import Subscription


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


def unreadable(source: str, part: bytes, received_at: datetime, item: str = "") -> Unpacked:
    """An authentic delivery, or that part of one, that could not be read: kept in a stream that its content names."""
    digest = sha256(part).hexdigest()[:32]
    stream = stream_of(source, UNREADABLE, digest)
    return Unpacked(stream=stream, event_id=digest, type=UNREADABLE, occurred_at=received_at, item=item)


Unpack = Callable[[str, bytes, bool | None, datetime], list[Unpacked]]
Translate = Callable[[Event], Sequence[Fact]]
Wants = Callable[[Stream, Subscription], Sequence[Want]]
UnpackAnswer = Callable[[Stream, str, bytes], Sequence[tuple[Stream, str]]]


def wants_nothing(stream: Stream, subscription: Subscription) -> Sequence[Want]:  # noqa: ARG001
    """For a provider whose payloads say everything."""
    return ()


def belongs_to_asker(stream: Stream, about: str, body: bytes) -> Sequence[tuple[Stream, str]]:  # noqa: ARG001
    """An answer is an event of the stream that asked; its type is named after the first part of what was asked."""
    return [(stream, TYPE + re.split("[?/]", about, maxsplit=1)[0])]


class Settle(Protocol):
    """Orders events of one stream that carry the same instant, `tied`, given all `earlier` ones in their order.

    The result depends on the two sets of events alone.
    """

    def __call__(self, tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]: ...


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider module promises.

    `unpack(source, body, live, received_at)` never raises: what it cannot read becomes `unreadable`. It is empty for a
    delivery that holds no event.
    `translate(event)` raises Untranslatable. `settle` orders what carries the same instant.
    `wants(stream, subscription)` says what is still missing and could be asked from the provider's API, be it that it
    was asked before in vain (`open_wants` leaves those out). `unpack_answer(stream, about, body)` says in which
    streams an answer (the body of the event) is an event, and of which type there; the one that asked is among them.
    `sells` is what the license attributes stand at there, for texts. `policy` holds where the provider's subscriptions
    are by default treated otherwise than `Policy` says.
    """

    name: str
    unpack: Unpack
    translate: Translate
    settle: Settle
    wants: Wants = wants_nothing
    unpack_answer: UnpackAnswer = belongs_to_asker
    sells: Literal["product", "price"] = "product"
    policy: Mapping[str, object] = {}


def open_wants(provider: Provider, stream: Stream, subscription: Subscription) -> list[Want]:
    """What is to be asked from the provider's API: what is missing and was not answered yet."""
    return unanswered(provider.wants(stream, subscription), subscription)


def unanswered(wants: Iterable[Want], subscription: Subscription) -> list[Want]:
    """Those of the wants that were not answered yet."""
    return [want for want in wants if want.about not in subscription.answered]
