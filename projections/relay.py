"""Copies events to the streams they turned out to belong to, so that each subscription's stream is complete in itself.

A refund names a payment, a payment an invoice, an invoice a subscription: each link is found in an event of the
stream that knows it, and followed hop by hop. A link is due from its birth and whenever its stream grows, and the
copies have the event's own id, so neither order nor a crash in between loses or doubles anything.
"""

from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.events import Event, NewEvent, Stream
from domain.history import TRANSLATED
from projections.ports import EventLog
from projections.tables import Tables

_BATCH = 200


async def relay_due_links(
    log: EventLog, pool: AsyncConnectionPool[AsyncConnection[Any]], tables: Tables, partitions: list[int]
) -> bool:
    """Follows the due links that start in these partitions; true when there were any."""
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["due_links"], {"partitions": partitions, "limit": _BATCH})
        links = await cursor.fetchall()
    for partition, from_stream, to_stream, relayed in links:
        events = await log.read_stream(from_stream, relayed)
        copies = [_relayed(event, to_stream) for event in events if event.origin in TRANSLATED]
        if copies:
            await log.append(copies)
        after = events[-1].position if events else relayed
        arguments = {"partition": partition, "from_stream": from_stream, "to_stream": to_stream}
        async with pool.connection() as connection:
            await connection.execute(tables["settle_link"], {**arguments, "before": relayed, "after": after})
    return bool(links)


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
