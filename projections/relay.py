"""Copies events to the streams they turned out to belong to, so that each subscription's stream is complete in itself.

A refund names a payment, a payment an invoice, an invoice a subscription: each link is found in an event of the
stream that knows it, and followed hop by hop. A link is due from its birth and whenever its stream grows, and the
copies have the event's own id, so neither order nor a crash in between loses or doubles anything. Nor does a process
that lost its lease meanwhile: what it settles counts only if the stream has not grown since it looked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domain.events import Event, NewEvent, Stream
from domain.history import TRANSLATED
from domain.receipts import RELAYED
from projections.ports import EventLog
from projections.tables import Pool, Tables

_LINKS = 200
_EVENTS = 500
_BYTES = 8 * 1024 * 1024
"""Of bodies in one append; one that is larger goes alone."""


async def relay_due_links(log: EventLog, pool: Pool, tables: Tables, partitions: list[int]) -> bool:
    """Follows the due links that start in these partitions; true when there were any."""
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["due_links"], {"partitions": partitions, "limit": _LINKS})
        links = await cursor.fetchall()
    # Lots, because nearly every link has nothing or one event to tell, and a flush to disk each would cost the most.
    copies: list[NewEvent] = []
    settled: list[dict[str, Any]] = []
    for partition, from_stream, to_stream, relayed, grown in links:
        events = await log.read_stream(from_stream, relayed, _EVENTS)
        copies += [_relayed(event, to_stream) for event in events if _belongs_there_too(event)]
        settled.append(
            {
                "partition": partition,
                "from_stream": from_stream,
                "to_stream": to_stream,
                "before": relayed,
                "after": events[-1].position if events else relayed,
                "grown": grown,
                "more": len(events) == _EVENTS,
            }
        )
        if len(copies) >= _EVENTS or sum(len(copy.body) for copy in copies) >= _BYTES:
            await _settle(log, pool, tables, copies, settled)
            copies, settled = [], []
    if settled:
        await _settle(log, pool, tables, copies, settled)
    return bool(links)


async def _settle(
    log: EventLog, pool: Pool, tables: Tables, copies: Sequence[NewEvent], settled: Sequence[dict[str, Any]]
) -> None:
    """Appends first: what is settled has been copied."""
    for some in _portions(copies):
        await log.append(some)
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(tables["settle_link"], settled)


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
