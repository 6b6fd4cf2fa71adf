"""A timeline of 10,000 events in pages: told once, and not read again for every page."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.events import Event, NewEvent, Stream
from domain.past import Past
from projections.ports import Appended, EventLog, Lot
from projections.timeline import Entry
from service.telling import Tellings, Turned
from tests.projecting import Projected, as_new, projecting
from tests.stories import JANUARY, STREAM, activated, described, happened, line

pytestmark = pytest.mark.anyio

EVENTS = 10_000


class Counted:
    """A log that counts the events it hands out."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.read = 0

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        return await self._log.append(events)

    async def heads(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return await self._log.heads(partitions)

    async def read_partition(self, partition: int, after: int, limit: int) -> list[Event]:
        return await self._log.read_partition(partition, after, limit)

    async def grown(self, upto: Sequence[tuple[Stream, int]]) -> Collection[tuple[Stream, int]]:
        return await self._log.grown(upto)

    async def read_lot(self, partition: int, after: str, most: int, past: Past) -> Lot | None:
        return await self._log.read_lot(partition, after, most, past)

    async def read_stream(self, stream: Stream, after: int = 0, limit: int | None = None) -> list[Event]:
        events = await self._log.read_stream(stream, after, limit)
        self.read += len(events)
        return events


async def filled(projected: Projected) -> Counted:
    events = [
        happened(
            JANUARY + timedelta(minutes=number),
            *(() if number else (described(line()), activated())),
            named=f"e{number}",
        )
        for number in range(EVENTS)
    ]
    for start in range(0, EVENTS, 500):
        await projected.log.append([as_new(event) for event in events[start : start + 500]])
    return Counted(projected.log)


async def paged(
    tellings: Tellings, log: EventLog, projected: Projected, limit: int, most: int = EVENTS, **how: Any
) -> list[Entry]:
    entries: list[Entry] = []
    after: Turned | None = None
    while len(entries) < most:
        some, after = await tellings.page(
            log,
            STREAM,
            projected.sources["acme"],
            how.get("past", Past()),
            only=how.get("only", ()),
            after=after,
            limit=limit,
        )
        entries += some
        if after is None:
            break
    return entries


@pytest.mark.timeout(240)
async def test_ten_thousand_events_are_read_once_for_all_their_pages(database: str) -> None:
    async with projecting(database) as projected:
        log, tellings = await filled(projected), Tellings()
        entries = await paged(tellings, log, projected, 200)
        assert [entry.event_id for entry in entries] == [f"e{number}" for number in range(EVENTS)]
        assert log.read == EVENTS
        # Asked again from the start: nothing came since, and nothing is read.
        assert len(await paged(tellings, log, projected, 200, most=1000)) == 1000
        assert log.read == EVENTS
        # Narrowed to a kind it is the same telling.
        assert [entry.after for entry in await paged(tellings, log, projected, 50, only={"transitions"})] == ["active"]
        assert log.read == EVENTS

        # What arrives while somebody turns the pages stands in the next telling, and shifts nothing in theirs.
        source = projected.sources["acme"]
        first, after = await tellings.page(log, STREAM, source, Past(), limit=5)
        await projected.log.append([as_new(happened(JANUARY - timedelta(days=1), named="late"))])
        second, _ = await tellings.page(log, STREAM, source, Past(), after=after, limit=5)
        assert [entry.event_id for entry in (*first, *second)] == [f"e{number}" for number in range(10)]
        anew, _ = await tellings.page(log, STREAM, source, Past(), limit=5)
        assert anew[0].event_id == "late"
        assert anew[0].late

        # A process that never told it, as after a restart, tells the same from a cursor; one that nobody gave out harms
        # no other.
        other = Tellings()
        again, _ = await other.page(log, STREAM, source, Past(), after=after, limit=5)
        assert [entry.event_id for entry in again] == [entry.event_id for entry in second]
        await other.page(log, STREAM, source, Past(), after=Turned(2**40, 0), limit=5)
        await projected.log.append([as_new(happened(JANUARY - timedelta(days=2), named="later"))])
        newest, _ = await other.page(log, STREAM, source, Past(), limit=1)
        assert newest[0].event_id == "later"


async def test_no_more_than_so_many_entries_are_remembered(database: str) -> None:
    async with projecting(database) as projected:
        await projected.append([happened(JANUARY + timedelta(days=day)) for day in range(6)])
        log, tellings = Counted(projected.log), Tellings(most=10)
        source = projected.sources["acme"]
        for day in (3, 4, 5, 3):
            await tellings.page(log, STREAM, source, Past(as_of=JANUARY + timedelta(days=day)), limit=1)
        # The first was forgotten when the third was told, and is read again.
        assert log.read == 4 * 6
