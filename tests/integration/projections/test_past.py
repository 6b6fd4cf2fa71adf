"""Lists of the past, on a real store: what is folded now for an instant is what was shown live at that instant."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream, stream_of
from domain.past import Past
from projections.past import Place, Then, lots, page_then, stand
from projections.queries import KNOWN, LicenseView, StreamView
from projections.sources import source_for
from service.picking import pick_licenses, pick_stream
from tests.projecting import Projected, projecting
from tests.stories import FEBRUARY, JANUARY, MARCH, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

STREAMS = [stream_of("acme", "subscription", f"sub_{number}") for number in range(12)]


def life(stream: Stream, rnd: random.Random) -> list[Event]:
    """A subscription that is paid, changed, overdue and ended, or not."""
    acts: list[tuple[f.Fact, ...]] = [
        (described(line(quantity=rnd.randint(1, 3))), activated()),
        (paid("in_1", period(JANUARY, FEBRUARY)),),
        (described(line(quantity=rnd.randint(1, 3))),),
        (f.PaymentFellOverdue(),),
        (f.SubscriptionActivated(), paid("in_2", period(FEBRUARY, MARCH))),
        (f.SubscriptionTerminated(),),
    ]
    return [
        happened(
            JANUARY + timedelta(days=5 * number, hours=rnd.randint(0, 9)), *facts, stream=stream, named=f"e{number}"
        )
        for number, facts in enumerate(acts[: rnd.randint(1, len(acts))])
    ]


async def clock(projected: Projected) -> datetime:
    async with projected.pool.connection() as connection:
        (at,) = await (await connection.execute("select clock_timestamp()")).fetchone() or (None,)
    assert isinstance(at, datetime)
    return at.astimezone(UTC)


async def shown_now(projected: Projected) -> tuple[list[StreamView], list[LicenseView]]:
    """What the lists of the present show."""
    streams = await projected.queries.streams(limit=1000)
    licenses = await projected.queries.licenses(limit=1000)
    return streams, licenses


async def shown_then(projected: Projected, past: Past, limit: int = 1000) -> tuple[list[StreamView], list[LicenseView]]:
    async def whole(pick: Any) -> list[Any]:
        items: list[Any] = []
        after: Place | None = Place()
        while after is not None:
            some, after = await page_then(projected.log, projected.sources, past, pick, after=after, limit=limit)
            items += some
        return items

    return await whole(pick_stream), await whole(pick_licenses)


def comparable(streams: Sequence[StreamView], licenses: Sequence[LicenseView]) -> tuple[Any, Any]:
    """Without where things stand in the store, and what is still to be done."""
    return (
        sorted((msgspec.structs.replace(view, position=0) for view in streams), key=lambda view: view.stream),
        sorted((msgspec.structs.replace(view, due=None) for view in licenses), key=lambda view: (view.id, view.target)),
    )


async def test_the_lists_as_known_at_an_instant_are_those_that_were_shown_then(database: str) -> None:
    rnd = random.Random(7)
    arriving = [event for stream in STREAMS for event in life(stream, rnd)]
    rnd.shuffle(arriving)
    async with projecting(database) as projected:
        shown: list[tuple[datetime, Any]] = []
        for some in (arriving[:10], arriving[10:25], arriving[25:]):
            await projected.take(some)
            shown.append((await clock(projected), comparable(*await shown_now(projected))))
        for at, lists in shown:
            for limit in (1000, 3):
                assert comparable(*await shown_then(projected, Past(known_at=at), limit)) == lists
        before = await shown_then(projected, Past(known_at=JANUARY))
        assert before == ([], [])


async def test_the_lists_as_of_an_instant_count_only_what_had_happened(database: str) -> None:
    created = happened(JANUARY, described(line(quantity=2)), activated(), named="created")
    ended = happened(FEBRUARY, f.SubscriptionTerminated(), named="ended")
    async with projecting(database) as projected:
        await projected.take([ended, created])
        [january], licenses = await shown_then(projected, Past(as_of=FEBRUARY - timedelta(seconds=1)))
        assert (january.state, january.events, [view.enabled for view in licenses]) == ("active", 1, [True, True])
        [february], licenses = await shown_then(projected, Past(as_of=FEBRUARY))
        assert (february.state, [view.enabled for view in licenses]) == ("terminated", [False, False])
        # The filters are those of the lists of the present.
        assert february.status in KNOWN
        past = Past(as_of=FEBRUARY)
        [then] = [each async for each in _all(projected, past)]
        assert pick_stream(then, state="active") == []
        assert pick_stream(then, source="other") == []
        assert pick_licenses(then, enabled=True) == []
        assert len(pick_licenses(then, target="ls", enabled=False)) == 2


async def _all(projected: Projected, past: Past) -> Any:
    async for lot in lots(projected.log, past):
        for stream, events in lot.streams:
            then: Then | None = stand(stream, events, source_for(projected.sources, stream), past)
            assert then is not None
            yield then


async def test_a_lot_holds_whole_streams_however_few_events_are_wanted(database: str) -> None:
    # All in one partition, so that its lots follow each other.
    streams = [stream for number in range(2000) if (stream := stream_of("acme", "subscription", f"s{number}"))]
    from domain.events import partition_of

    same = [stream for stream in streams if partition_of(stream) == 7][:5]
    async with projecting(database) as projected:
        for stream in same:
            await projected.append([happened(JANUARY + timedelta(days=day), stream=stream) for day in range(3)])
        found: list[tuple[Stream, int]] = []
        after = ""
        while (lot := await projected.log.read_lot(7, after, 4, Past())) is not None:
            assert lot.size == 3
            found += [(stream, len(events)) for stream, events in lot.streams]
            after = lot.last
        assert found == [(stream, 3) for stream in sorted(same)]
        empty = await projected.log.read_lot(7, "", 100, Past(as_of=JANUARY - timedelta(days=1)))
        assert empty is not None
        assert (empty.streams, empty.size, empty.last) == ([], 15, max(same))


async def test_a_page_reads_only_so_much_and_goes_on_even_when_it_found_nothing(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.past.MOST_AT_ONCE", 1)
    rnd = random.Random(3)
    async with projecting(database) as projected:
        await projected.append([event for stream in STREAMS for event in life(stream, rnd)])
        pages = []
        after: Place | None = Place()
        while after is not None:
            found, after = await page_then(
                projected.log, projected.sources, Past(as_of=MARCH), pick_stream, after=after, limit=1000
            )
            pages.append([view.stream for view in found])
        assert len(pages) > 3, "each page ends with a lot"
        assert sorted(stream for page in pages for stream in page) == sorted(STREAMS)
        nothing, goes_on = await page_then(
            projected.log,
            projected.sources,
            Past(as_of=JANUARY - timedelta(days=1)),
            pick_stream,
            after=Place(),
            limit=5,
        )
        assert nothing == []
        assert goes_on is not None
