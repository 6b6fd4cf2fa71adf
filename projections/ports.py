"""What projections need from the rest of the process; `service` wires the real thing in."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from domain.events import Event, NewEvent, Stream
from domain.past import Past


class LogUnavailable(Exception):
    """The event store cannot be used right now; the same may be asked again later."""


class Appended(msgspec.Struct, frozen=True):
    """Where an event stands in the store. `repeated` is true when it was there before."""

    partition: int
    position: int
    repeated: bool


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Some whole streams of a partition, in the order of their names, with those of their events that were asked for.

    `last` is the last of them, be it with or without such events; `size` is how many events they have in all.
    """

    partition: int
    last: Stream
    size: int
    streams: Sequence[tuple[Stream, Sequence[Event]]]


class EventLog(Protocol):
    """The event store, as readers and the writers of receipts see it."""

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        """Makes the events durable, all or none, and says where each stands."""
        ...

    async def heads(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The last position of each of those partitions, 0 for an empty one."""
        ...

    async def read_partition(self, partition: int, after: int, limit: int) -> list[Event]:
        """The next events of a partition in position order."""
        ...

    async def read_stream(self, stream: Stream, after: int = 0, limit: int | None = None) -> list[Event]:
        """A stream's events in position order."""
        ...

    async def grown(self, upto: Sequence[tuple[Stream, int]]) -> Collection[tuple[Stream, int]]:
        """Those of the streams with a position that have later events."""
        ...

    async def read_lot(self, partition: int, after: str, most: int, past: Past) -> Lot | None:
        """The next whole streams of a partition, of about `most` events; None when there are no more."""
        ...


class BulkLog(EventLog, Protocol):
    """The event store, as those see it who read many partitions and streams at once."""

    async def read_between(self, bounds: Sequence[tuple[int, int, int]]) -> list[Event]:
        """The events of partitions, ascending, with `after` < position <= `upto` (partition, after, upto).

        In that order; where they are large the last ones are missing, but never all.
        """
        ...

    async def read_streams(self, asked: Sequence[tuple[Stream, int]], limit: int | None = None) -> list[list[Event]]:
        """What each of these streams holds after that position, in position order, at most `limit` of each.

        Of the first ones, as many as may be read at once, but always of one: ask again for the others.
        """
        ...


class SearchableLog(EventLog, Protocol):
    """The event store, as those see it who ask for events by their ids, and decide by what they read."""

    async def find_named(self, partition: int, event_id: str) -> list[Event]:
        """The events of that id in a partition, of whatever streams, by position; a few."""
        ...

    async def append_if_unmoved(
        self, events: Sequence[NewEvent], upto: Mapping[Stream, int]
    ) -> Sequence[Appended] | None:
        """Appends what was decided by those streams up to those positions; None if one has later events by now."""
        ...


class Provided(Protocol):
    """The API of one configured provider account, for reading only."""

    async def read(self, about: str) -> list[bytes] | None:
        """The pages of what was asked for (`domain.readback.Want.about`), each a JSON text exactly as it came.

        None means that the API knows of no such thing. Lists are followed to their end, within bounds. Raises
        `projections.provided.ProvidedError`.
        """
        ...
