"""Events with their seals, read span by span on a blocking connection, for whoever checks or exports them."""

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from psycopg import Connection

from domain.events import Stream
from service.store.findings import Finding
from service.store.records import Record, genesis, record_of
from service.store.sql import statements

_SEAL = statements("seal.sql")


class Positions(Protocol):
    """The positions of a partition with `after` < position <= `upto`."""

    @property
    def partition(self) -> int: ...
    @property
    def after(self) -> int: ...
    @property
    def upto(self) -> int: ...


class Seal(msgspec.Struct, frozen=True):
    headers: bytes
    """The digest of the event's headers when it was sealed."""
    chain: bytes


class Extent(msgspec.Struct, frozen=True):
    """How far each table reaches in a partition; a head is None where its row is missing."""

    partition: int
    head: int | None
    seal_head: int | None
    events: int
    seals: int
    below: int | None = None
    """The first position of events in front of the first, where the chain does not reach."""

    def findings(self) -> Iterator[Finding]:
        """What the ends alone give away."""
        if self.below is not None:
            yield Finding.of("inserted", self.partition, self.below, "in front of the partition's first event")
        known = max(self.head or 0, self.seals, self.seal_head or 0)
        if self.events < known:
            cut = known - self.events
            yield Finding.of("truncated tail", self.partition, self.events + 1, f"{cut} were known to exist")
        if self.events > (self.head or 0):
            lacks = "the partition's head does not reach it"
            yield Finding.of("inserted", self.partition, (self.head or 0) + 1, lacks)
        if self.seals < (self.seal_head or 0):
            yield Finding.of("missing seal", self.partition, self.seals + 1, "with all that followed it")
        if self.seals > (self.seal_head or 0):
            lacks = "the partition's seal_head does not reach it"
            yield Finding.of("altered seal", self.partition, (self.seal_head or 0) + 1, lacks)


def extents(connection: Connection[Any], partitions: Sequence[int]) -> list[Extent]:
    """How far those partitions reach, in one snapshot."""
    return [Extent(*row) for row in connection.execute(_SEAL["extents"], {"partitions": list(partitions)}).fetchall()]


def foreign(connection: Connection[Any]) -> list[Finding]:
    """Of events in partitions that there are not: the first on either side."""
    found = connection.execute(_SEAL["foreign"]).fetchall()
    return [Finding.of("inserted", partition, position, "there is no such partition") for partition, position in found]


def seals(connection: Connection[Any], partition: int, after: int, upto: int) -> dict[int, Seal]:
    """The seals of a span, by position."""
    parameters = {"partition": partition, "after": after, "upto": upto}
    rows = connection.cursor(binary=True).execute(_SEAL["seals"], parameters).fetchall()
    return {position: Seal(headers, chain) for position, headers, chain in rows}


def value_before(connection: Connection[Any], partition: int, position: int) -> bytes | None:
    """The chain's value in front of a position, None where that seal is missing."""
    if position == 1:
        return genesis(partition)
    before = seals(connection, partition, position - 2, position - 1).get(position - 1)
    return before.chain if before else None


def copy_records(
    connection: Connection[Any],
    span: Positions,
    *,
    stream: Stream | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Generator[Record, None, None]:
    """The events of a span by position; headers and bodies only of that stream, recorded in [since, until).

    Close it (`contextlib.closing`) when leaving early: until then the connection is busy.
    """
    parameters = {
        "partition": span.partition,
        "after": span.after,
        "upto": span.upto,
        "stream": stream,
        "since": since,
        "until": until,
    }
    return _copied(connection, "copy_records", parameters)


def copy_without_bodies(
    connection: Connection[Any], partition: int, after: int, upto: int
) -> Generator[Record, None, None]:
    """The events of a span by position, with headers but without bodies."""
    return _copied(connection, "copy_without_bodies", {"partition": partition, "after": after, "upto": upto})


def _copied(connection: Connection[Any], statement: str, parameters: dict[str, Any]) -> Generator[Record, None, None]:
    with connection.cursor() as cursor, cursor.copy(_SEAL[statement], parameters) as copy:
        for row in copy:
            if record := record_of(bytes(row)):
                yield record
