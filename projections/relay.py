"""Copies events to the streams they turned out to belong to, so that each subscription's stream is complete in itself.

A refund names a payment, a payment an invoice, an invoice a subscription: each link is found in an event of the
stream that knows it, and followed hop by hop. A link is due from its birth and whenever its stream grows, and the
copies have the event's own id, so neither order nor a crash in between loses or doubles anything. Nor does a process
that lost its lease meanwhile: what it settles counts only if the stream has not grown since it looked.
"""

from collections.abc import Iterator, Sequence

import msgspec

from domain.events import Event, NewEvent, Stream
from domain.history import TRANSLATED
from domain.receipts import RELAYED
from projections.ports import BulkLog
from projections.tables import Pool, Tables
from projections.writing import columns_of

_LINKS = 2_000
"""Many, for the streams that copies go to are folded anew each time some come."""
_EVENTS = 500
_BYTES = 8 * 1024 * 1024
"""Of bodies in one append; one that is larger goes alone."""


class _Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was followed: up to where, and whether there is more; fields as in `settle_due_links`."""

    partition: int
    from_stream: Stream
    to_stream: Stream
    before: int
    after: int
    grown: int
    more: bool


async def relay_due_links(log: BulkLog, pool: Pool, tables: Tables, partitions: list[int]) -> bool:
    """Follows the due links that start in these partitions; true when there were any."""
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["due_links"], {"partitions": partitions, "limit": _LINKS})
        links = await cursor.fetchall()
    left = list(links)
    while left:
        # Together, because nearly every link has nothing or one event to tell; as many as fit into memory.
        read = await log.read_streams([(from_stream, relayed) for _, from_stream, _, relayed, _ in left], _EVENTS)
        copies: list[NewEvent] = []
        settled: list[_Settled] = []
        for (partition, from_stream, to_stream, relayed, grown), events in zip(left, read, strict=False):
            copies += [_relayed(event, to_stream) for event in events if _belongs_there_too(event)]
            settled.append(
                _Settled(
                    partition=partition,
                    from_stream=from_stream,
                    to_stream=to_stream,
                    before=relayed,
                    after=events[-1].position if events else relayed,
                    grown=grown,
                    more=len(events) == _EVENTS,
                )
            )
        del left[: len(read)]
        await _settle(log, pool, tables, copies, settled)
    return bool(links)


async def _settle(
    log: BulkLog, pool: Pool, tables: Tables, copies: Sequence[NewEvent], settled: Sequence[_Settled]
) -> None:
    """Appends first: what is settled has been copied."""
    for some in _portions(copies):
        await log.append(some)
    async with pool.connection() as connection:
        await connection.execute(tables["settle_due_links"], columns_of(_Settled, settled))


def _portions(events: Sequence[NewEvent]) -> Iterator[list[NewEvent]]:
    """The events in their order, in parts that one append takes."""
    portion: list[NewEvent] = []
    size = 0
    for event in events:
        if portion and (len(portion) == _EVENTS or size + len(event.body) > _BYTES):
            yield portion
            portion, size = [], 0
        portion.append(event)
        size += len(event.body)
    if portion:
        yield portion


def _belongs_there_too(event: Event) -> bool:
    return event.origin in TRANSLATED or event.type in RELAYED


def _relayed(event: Event, to: Stream) -> NewEvent:
    return NewEvent(
        stream=to,
        origin="relay",
        # The original is named, not the last hop: an event may arrive by two ways.
        cause=event.cause if event.origin == "relay" else f"{event.stream}#{event.event_id}",
        **{name: getattr(event, name) for name in _KEPT},
    )


_KEPT = tuple(
    field.name for field in msgspec.structs.fields(NewEvent) if field.name not in {"stream", "origin", "cause"}
)
