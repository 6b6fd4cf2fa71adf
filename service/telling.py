"""Timelines in pages: told once, then remembered for a while, so that a long one is not read again for every page.

What is asked is fixed by the first page: the position up to which the stream is told, beside the two instants. Events
are only ever added, so these determine the whole timeline, whichever process tells it; a page that is asked for again
says the same, and what arrives meanwhile stands in the next telling.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Annotated

import msgspec

from domain.events import Event, Stream
from domain.past import Past
from projections.kinds import is_of
from projections.ports import EventLog
from projections.sources import Source
from projections.timeline import Entry, timeline

MOST_EVENTS = 20_000
"""Of one stream in a timeline; real ones have tens to hundreds."""


class TooLong(Exception):
    """The stream has more events than are told at once."""


class Turned(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page goes on: of the stream's telling up to a position, after so many entries."""

    upto: Annotated[int, msgspec.Meta(ge=0)]
    told: Annotated[int, msgspec.Meta(ge=0)]


Key = tuple[Stream, int, Past]


class Tellings:
    """The timelines that were told last, with at most `most` entries together."""

    def __init__(self, most: int = 2 * MOST_EVENTS) -> None:
        self._most = most
        self._told: OrderedDict[Key, Sequence[Entry]] = OrderedDict()

    async def page(
        self,
        log: EventLog,
        stream: Stream,
        source: Source,
        past: Past,
        *,
        only: Collection[str] = (),
        after: Turned | None = None,
        limit: int,
    ) -> tuple[list[Entry], Turned | None]:
        """Entries of these kinds in the provider's order, and where they go on; None after the last. Raises TooLong."""
        upto, entries = await self._entries(log, stream, source, past, after.upto if after else None)
        chosen: list[Entry] = []
        for number, entry in enumerate(entries):
            if number >= (after.told if after else 0) and is_of(entry, only):
                if len(chosen) == limit:
                    return chosen, Turned(upto, number)
                chosen.append(entry)
        return chosen, None

    async def _entries(
        self, log: EventLog, stream: Stream, source: Source, past: Past, upto: int | None
    ) -> tuple[int, Sequence[Entry]]:
        if upto is None:
            upto = await self._latest(log, stream, past)
        if upto is not None and (told := self._told.get((stream, upto, past))) is not None:
            self._told.move_to_end((stream, upto, past))
            return upto, told
        events = [event for event in await read_whole(log, stream) if upto is None or event.position <= upto]
        upto = max((event.position for event in events), default=0)
        # In a thread: a long one takes a second, in which webhooks are to be answered.
        told = await asyncio.to_thread(timeline, events, source.provider, as_of=past.as_of, known_at=past.known_at)
        self._remember((stream, upto, past), told)
        return upto, told

    async def _latest(self, log: EventLog, stream: Stream, past: Past) -> int | None:
        """Up to where this was told last, if nothing came since."""
        known = [upto for name, upto, asked in self._told if (name, asked) == (stream, past)]
        return max(known) if known and not await log.read_stream(stream, max(known), 1) else None

    def _remember(self, key: Key, told: Sequence[Entry]) -> None:
        self._told[key] = told
        while len(self._told) > 1 and sum(map(len, self._told.values())) > self._most:
            self._told.popitem(last=False)


async def read_whole(log: EventLog, stream: Stream) -> list[Event]:
    """All events of a stream. Raises TooLong."""
    events = await log.read_stream(stream, limit=MOST_EVENTS + 1)
    if len(events) > MOST_EVENTS:
        raise TooLong(f"{stream} has more than {MOST_EVENTS} events, which is the most that is told at once.")
    return events
