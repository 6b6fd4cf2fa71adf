"""Time passing as an event: what a stream's fold set a timer for is appended when the database's clock says so.

A timer's event has an id that follows from what it is about, and the instant it was set for as `occurred_at`: any
number of processes append one, and however late it is appended it folds where it belongs. One that rang although a
payment had come just before changes nothing, for the same reason.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import structlog

from domain.events import NewEvent, Stream
from projections.ports import EventLog
from projections.tables import Pool, Tables

_AT_ONCE = 200

_log = structlog.get_logger("tenure.timers")


async def ring_due_timers(log: EventLog, pool: Pool, tables: Tables, partitions: Collection[int]) -> int:
    """Appends the events of the timers of these partitions that are due; how many.

    A stream with events that are not folded yet is left for the next time: they may take its timer back.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["due_timers"], {"partitions": list(partitions), "limit": _AT_ONCE})
        due = await cursor.fetchall()
    rung: list[dict[str, Any]] = []
    events: list[NewEvent] = []
    for partition, stream, event_id, at, type_, body, position, now in due:
        if not await log.read_stream(stream, position, 1):
            events.append(_event(stream, event_id, at, type_, body, now))
            rung.append({"partition": partition, "stream": stream, "event_id": event_id})
    if not rung:
        return 0
    appended = await log.append(events)
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(tables["mark_rung"], rung)
    count = sum(not each.repeated for each in appended)
    _log.info("timers rang", count=count)
    return count


def _event(stream: Stream, event_id: str, at: datetime, type_: str, body: bytes, now: datetime) -> NewEvent:
    return NewEvent(
        stream=stream,
        event_id=event_id,
        type=type_,
        origin="timer",
        occurred_at=at,
        received_at=now,
        body=body,
    )
