"""What the timers of a version will do that are due by it and by no other: told before anything is appended.

A policy of fewer days has timers whose instant is past, and nobody had reason to ring them. They will ring within a
second of the switch, or never if there is none, so a comparison rings them in a transaction that is rolled back.
"""

from typing import Any

from psycopg import AsyncConnection

from domain.events import Event, Stream, partition_of
from domain.history import refold
from projections.folding import rows_of
from projections.ports import EventLog
from projections.rebuilding.loading import Derivation
from projections.rows import Rows
from projections.sources import source_for
from projections.tables import Tables
from projections.writing import write_rows

MOST_ROUNDS = 50
"""What rang may set another timer, which is due as well; in practice a few times."""
_AT_ONCE = 500


async def ring_in_mind(
    connection: AsyncConnection[Any], log: EventLog, old: Tables, new: Tables, derivation: Derivation
) -> None:
    """Writes the rows as they will be; to be called in a transaction that is rolled back.

    Raises psycopg.Error and what the log raises.
    """
    rung: dict[Stream, list[Event]] = {}
    for _ in range(MOST_ROUNDS):
        cursor = await connection.execute(new.comparing("timers_due_alone", old))
        due = await cursor.fetchall()
        if not due:
            return
        upto: dict[Stream, int] = {}
        for stream, event_id, at, type_, body, position, now in due:
            upto[stream] = position
            event = Event(
                stream=stream,
                event_id=event_id,
                type=type_,
                origin="timer",
                occurred_at=at,
                received_at=now,
                body=body,
                partition=partition_of(stream),
                # Behind all that is there.
                position=position + 1 + len(rung.get(stream, ())),
                recorded_at=now,
                digest=b"",
            )
            rung.setdefault(stream, []).append(event)
        streams = list(upto)
        for first in range(0, len(streams), _AT_ONCE):
            rows = [
                await _rows(log, stream, upto[stream], rung[stream], derivation)
                for stream in streams[first : first + _AT_ONCE]
            ]
            await write_rows(connection, new, rows)


async def _rows(log: EventLog, stream: Stream, upto: int, rung: list[Event], derivation: Derivation) -> Rows:
    source = source_for(derivation.sources, stream)
    events = [event for event in await log.read_stream(stream) if event.position <= upto]
    return rows_of(stream, refold([*events, *rung], source.provider), upto, source, derivation.targets)
