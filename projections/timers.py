"""Time passing as an event: what a stream's fold set a timer for is appended when the database's clock says so.

A timer's event has an id that follows from what it is about, and the instant it was set for as `occurred_at`: any
number of processes append one, and however late it is appended it folds where it belongs. One that rang although a
payment had come just before changes nothing, for the same reason.
"""

from collections.abc import Collection
from datetime import datetime

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
    grown = await log.grown([(stream, position) for _, stream, *_, position, _ in due]) if due else ()
    rung = [
        (partition, _event(stream, event_id, at, type_, body, now))
        for partition, stream, event_id, at, type_, body, position, now in due
        if (stream, position) not in grown
    ]
    if not rung:
        return 0
    appended = await log.append([event for _, event in rung])
    async with pool.connection() as connection:
        marked = {
            "partition": [partition for partition, _ in rung],
            "stream": [event.stream for _, event in rung],
            "event_id": [event.event_id for _, event in rung],
        }
        await connection.execute(tables["mark_rung"], marked)
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
