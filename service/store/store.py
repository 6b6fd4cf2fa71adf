"""The event store as the rest of the process sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any, Self, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.events import PARTITIONS, Event, NewEvent, Stream, partition_of
from domain.past import Past
from projections.ports import Appended, Lot
from service.store.appending import append_of
from service.store.batcher import SharedAppend
from service.store.errors import StoreUnavailable
from service.store.limits import Limits
from service.store.retries import Verdict, pauses, reason, verdict
from service.store.rows import event_of, request_of
from service.store.sql import statements

_READ = statements("read.sql") | statements("past.sql")
_LOCK_HEADS = statements("append.sql")["lock_heads"]
_PREPARED = frozenset({"grown", "heads", "read_between", "read_partition", "read_stream", "read_streams"})
"""Asked all the time, and as much work to plan as to answer; the others are planned with the table as it is."""

_MOST_STREAMS = 200

MOST_NAMED = 10

T = TypeVar("T")
Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much the store holds."""

    events: int
    partitions: int
    """Partitions that hold an event."""
    largest: int
    """Events of the fullest partition."""
    bytes: int
    """On disk, with indexes."""


class Unsealed(msgspec.Struct, frozen=True, kw_only=True):
    """A partition whose hash chain does not reach its head."""

    partition: int
    events: int
    oldest: float
    """How many seconds ago the first of them was recorded, by the database's clock."""


class EventStore:
    """The event log in PostgreSQL (`projections.ports.EventLog`); made by `EventStore.open`.

    Every method raises StoreUnavailable when the database could not be used within the deadline.
    """

    def __init__(
        self,
        shared: SharedAppend,
        pool: Pool,
        limits: Limits,
        on_append: Callable[[frozenset[int]], object] | None = None,
    ) -> None:
        self._shared = shared
        self._pool = pool
        self._limits = limits
        self._on_append = on_append

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        dsn: str,
        *,
        on_append: Callable[[frozenset[int]], object] | None = None,
        limits: Limits | None = None,
        connections: int = 4,
        prepare_threshold: int | None = 0,
    ) -> AsyncIterator[Self]:
        """The store of that database, which must be migrated; on leaving, all accepted appends are answered.

        Takes one connection for appends and up to `connections` for reads, when they are needed. Behind PgBouncer in
        transaction mode give `prepare_threshold=None`. `on_append` is called after each commit with the partitions
        that have new events.
        """
        if not 1 <= connections <= 100:
            raise ValueError("connections of the event store must be between 1 and 100")
        limits = limits or Limits()
        pool = AsyncConnectionPool(
            dsn,
            kwargs={
                "autocommit": True,
                "prepare_threshold": prepare_threshold,
                "fallback_application_name": "tenure read",
            },
            configure=None if prepare_threshold is None else _by_keys,
            min_size=0,
            max_size=connections,
            timeout=limits.deadline,
            open=False,
            name="event store",
        )
        async with (
            pool,
            SharedAppend(dsn, limits=limits, prepare_threshold=prepare_threshold, on_append=on_append) as shared,
        ):
            yield cls(shared, pool, limits, on_append)

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        """Makes the events durable, all or none, and says where each stands, in their order.

        Raises UnstorableEvent, StoreBusy, StoreUnavailable.
        """
        return await self._shared.append(events)

    async def append_if_unmoved(self, events: Sequence[NewEvent], upto: Mapping[Stream, int]) -> list[Appended] | None:
        """Appends what was decided by those streams up to those positions; None if one has later events by now.

        None, too, where only the answer to a commit was lost: who then looks again finds the own events. Raises
        UnstorableEvent.
        """
        append = append_of([request_of(events)])
        partitions = sorted({partition_of(each) for each in (*upto, *(event.stream for event in events))})

        async def attempt() -> list[Appended] | None:
            async with self._pool.connection() as connection, connection.transaction():
                cursor = connection.cursor(binary=True)
                await cursor.execute(_LOCK_HEADS, {"partitions": partitions})
                if await (await cursor.execute(_READ["grown"], _positions(list(upto.items())))).fetchone():
                    return None
                await cursor.execute(*append)
                return [Appended(*row) for row in await cursor.fetchall()]

        appended = await self._patiently("appended to", attempt)
        if self._on_append and appended:
            self._on_append(frozenset(one.partition for one in appended))
        return appended

    async def heads(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The last position of each of those partitions, 0 for an empty one."""
        return dict(await self._rows("heads", {"partitions": list(partitions)}))

    async def read_partition(self, partition: int, after: int, limit: int) -> list[Event]:
        """The next events of a partition in position order.

        They may be fewer than `limit` where bodies are large: an empty page alone says that there are no more.
        """
        return await self._events(
            "read_partition",
            {
                "partition": partition,
                "after": after,
                "limit": min(limit, self._limits.page_events),
                "page_bytes": self._limits.page_bytes,
            },
        )

    async def read_stream(self, stream: Stream, after: int = 0, limit: int | None = None) -> list[Event]:
        """A stream's events in position order, all of them without a limit."""
        if "\0" in stream:
            return []  # PostgreSQL holds no such text
        return await self._events(
            "read_stream", {"partition": partition_of(stream), "stream": stream, "after": after, "limit": limit}
        )

    async def read_between(self, bounds: Sequence[tuple[int, int, int]]) -> list[Event]:
        """The events of partitions, ascending, with `after` < position <= `upto` (partition, after, upto).

        From the beginning: where bodies are large, those that do not fit in a page are missing at the end.
        """
        partitions, after, upto = map(list, zip(*bounds, strict=True))
        bounded = {"partitions": partitions, "after": after, "upto": upto, "page_bytes": self._limits.page_bytes}
        return await self._events("read_between", bounded)

    async def read_streams(self, asked: Sequence[tuple[Stream, int]], limit: int | None = None) -> list[list[Event]]:
        """What each of these streams holds after that position, in position order, at most `limit` of each.

        Of the first ones, as many as fit in a page, but always of one: ask again for the others.
        """
        parameters = {
            "partitions": [partition_of(stream) for stream, _ in asked],
            "streams": [stream for stream, _ in asked],
            "after": [after for _, after in asked],
            "limit": limit,
            "page_bytes": self._limits.page_bytes,
        }
        found: list[list[Event]] = []
        for number, *row in await self._rows("read_streams", parameters):
            if number > len(found):
                found.append([])
            if row[0] is not None:
                found[-1].append(event_of(row))
        return found

    async def grown(self, upto: Sequence[tuple[Stream, int]]) -> set[tuple[Stream, int]]:
        """Those of the streams with a position that have later events."""
        return set(await self._rows("grown", _positions(upto)))

    async def read_lot(self, partition: int, after: str, most: int, past: Past) -> Lot | None:
        """The next whole streams of a partition in the order of their names, with what `past` holds of them.

        As many as have `most` events together, but always one; None when there are no more.
        """
        parameters = {"partition": partition, "after": after, "limit": _MOST_STREAMS}
        streams: list[str] = []
        events = 0
        for stream, count in await self._rows("streams_after", parameters):
            if streams and events + count > most:
                break
            streams.append(stream)
            events += count
        if not streams:
            return None
        chosen = {"partition": partition, "streams": streams, "as_of": past.as_of, "known_at": past.known_at}
        return Lot(
            partition=partition,
            last=Stream(streams[-1]),
            size=events,
            streams=[
                (stream, list(whole))
                for stream, whole in groupby(await self._events("read_past", chosen), key=lambda event: event.stream)
            ],
        )

    async def find(self, stream: Stream, event_id: str) -> Event | None:
        """The event of that id in the stream."""
        if "\0" in stream + event_id:
            return None
        found = await self._events("find", {"partition": partition_of(stream), "stream": stream, "event_id": event_id})
        return found[0] if found else None

    async def find_named(self, partition: int, event_id: str) -> list[Event]:
        """The events of that id in a partition, of whatever streams, by position; at most MOST_NAMED."""
        if "\0" in event_id:
            return []
        return await self._events("find_named", {"partition": partition, "event_id": event_id, "limit": MOST_NAMED})

    async def counts(self, partitions: Sequence[int] = range(PARTITIONS)) -> Counts:
        """How much those partitions hold, without reading events; `bytes` is of the whole store."""
        [(events, used, largest, size)] = await self._rows("counts", {"partitions": list(partitions)})
        return Counts(events=events, partitions=used, largest=largest, bytes=size)

    async def unsealed(self, partitions: Sequence[int] = range(PARTITIONS)) -> list[Unsealed]:
        """Those of the partitions that the sealer is behind in."""
        rows = await self._rows("unsealed", {"partitions": list(partitions)})
        return [Unsealed(partition=partition, events=events, oldest=oldest) for partition, events, oldest in rows]

    async def _events(self, name: str, parameters: Mapping[str, object]) -> list[Event]:
        return [event_of(row) for row in await self._rows(name, parameters)]

    async def _rows(self, name: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return await self._patiently(f"read ({name})", lambda: self._query(name, parameters))

    async def _patiently(self, doing: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Tries again what may come out another time, until the deadline."""
        failure: Exception = TimeoutError()
        try:
            async with asyncio.timeout(self._limits.deadline):
                for pause in pauses():
                    try:
                        return await attempt()
                    except psycopg.Error as error:
                        failure = error
                        if verdict(error) in {Verdict.REFUSED, Verdict.HOPELESS}:
                            break
                    await asyncio.sleep(pause)
        except TimeoutError:
            pass
        raise StoreUnavailable(f"the event store could not be {doing}: {reason(failure)}") from None

    async def _query(self, name: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            statement, prepare = _READ[name], name in _PREPARED
            cursor = await connection.cursor(binary=True).execute(statement, parameters, prepare=prepare)
            return await cursor.fetchall()


def _positions(upto: Sequence[tuple[Stream, int]]) -> dict[str, list[Any]]:
    streams = [stream for stream, _ in upto]
    positions = [position for _, position in upto]
    return {"partitions": [partition_of(each) for each in streams], "streams": streams, "positions": positions}


async def _by_keys(connection: AsyncConnection[tuple[Any, ...]]) -> None:
    """A prepared plan stays, perhaps one made over an empty table, where reading everything is cheapest."""
    await connection.execute("set enable_seqscan = off")
