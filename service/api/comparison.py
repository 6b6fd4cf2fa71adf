"""Which licenses were believed active at an instant, and which really were."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException

from domain.events import Stream
from domain.past import Past
from projections.comparing import Difference, compare
from projections.past import MOST_AT_ONCE, Place, lots
from projections.sources import source_for
from service.api.paging import Cursor, read_cursor, write_cursor
from service.api.parameters import Instant, instant_of
from service.lookup import Reader
from service.problems import api_problems

_NO_INSTANT = "Say which instant you mean: at=2026-03-03, or finer and with its offset."
_TO_COME = "It lies in the future: nobody believes anything of it yet."
_BEFORE = "It lies before `at`: what was learned since is to be compared."


class ComparisonPage(msgspec.Struct, frozen=True, kw_only=True):
    """The differences among some streams, and how many licenses of those were believed active and really were.

    `unclear` are streams of which even now it is not known what they licensed. `next` is the cursor of what follows,
    null at the end.
    """

    at: datetime
    known_at: datetime | None
    believed: int
    really: int
    items: Sequence[Difference]
    unclear: Sequence[Stream]
    next: str | None


class ComparisonOfPast(Controller):
    path = "/comparison"
    tags = ("licenses",)

    @get("/", responses=api_problems())
    async def compare_licenses(
        self, reader: NamedDependency[Reader], at: Instant = None, known_at: Instant = None, cursor: Cursor = None
    ) -> ComparisonPage:
        """Compares what was believed at an instant with what is known since (until `known_at`, else now) to be so.

        A page is what about 20,000 events tell, with or without differences; add up the numbers of all pages.
        """
        instant, since = instant_of("at", at), instant_of("known_at", known_at)
        if instant is None:
            raise ValidationException(_NO_INSTANT, extra=[{"key": "at", "message": _NO_INSTANT}])
        if since is not None and since < instant:
            raise ValidationException(_BEFORE, extra=[{"key": "known_at", "message": _BEFORE}])
        if instant > await reader.queries.now():
            raise ValidationException(_TO_COME, extra=[{"key": "at", "message": _TO_COME}])
        return await _compare(reader, instant, since, read_cursor(cursor, Place) or Place())


async def _compare(reader: Reader, at: datetime, known_at: datetime | None, after: Place) -> ComparisonPage:
    believed = really = read = 0
    items: list[Difference] = []
    unclear: list[Stream] = []
    goes_on: Place | None = None
    async for lot in lots(reader.log, Past(as_of=at, known_at=known_at), after):
        for stream, events in lot.streams:
            compared = compare(stream, events, source_for(reader.sources, stream), at, known_at)
            believed, really = believed + compared.believed, really + compared.really
            items += compared.differences
            unclear += [stream] if compared.unclear else []
            await asyncio.sleep(0)  # others of this process have their turn
        read += lot.size
        if read >= MOST_AT_ONCE:
            goes_on = Place(lot.partition, lot.last)
            break
    return ComparisonPage(
        at=at,
        known_at=known_at,
        believed=believed,
        really=really,
        items=items,
        unclear=unclear,
        next=write_cursor(goes_on) if goes_on else None,
    )
