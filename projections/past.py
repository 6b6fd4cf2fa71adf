"""How subscriptions and licenses stood, by what was known: one or all, folded when asked. Writes nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec

from domain.events import PARTITIONS, Event, Stream
from domain.history import Fold
from domain.past import Past, fold_then
from projections.folding import rows_of
from projections.ports import EventLog, Lot
from projections.queries import LicenseView, StreamView, license_view, stream_view
from projections.sources import Source, source_for

T = TypeVar("T")

LOT = 2_000
"""Events that are in memory at once, unless one stream has more."""
MOST_AT_ONCE = 20_000
"""Events that one page of a list reads before it ends, full or not."""


class Then(msgspec.Struct, frozen=True):
    """One stream as it stood."""

    view: StreamView
    fold: Fold
    licenses: Sequence[LicenseView]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a reading of all streams is: they come by partition, then by name."""

    partition: Annotated[int, msgspec.Meta(ge=0, le=PARTITIONS)] = 0
    stream: str = ""


def stand(stream: Stream, events: Sequence[Event], source: Source, past: Past) -> Then | None:
    """How a stream stood; None while there was nothing of it.

    Licenses follow from today's code, settings and catalog, and from what was known of the customer then; what a
    license server held, from its answers until then.
    """
    fold = fold_then(events, source.provider, past)
    if fold is None:
        return None
    position = max(event.position for event in events if past.holds(event))
    rows = rows_of(stream, fold, position, source, {})
    return Then(
        view=stream_view(msgspec.structs.asdict(rows.stream)),
        fold=fold,
        licenses=[
            # What had to be done is planned by a target of that day, which is not here.
            license_view({**msgspec.structs.asdict(row), "due": None})
            for row in sorted(rows.licenses, key=lambda row: (row.id, row.target))
        ],
    )


async def lots(log: EventLog, past: Past, after: Place = Place()) -> AsyncIterator[Lot]:  # noqa: B008 - frozen
    """All streams after that place, each whole and once, a lot at a time."""
    for partition in range(after.partition, PARTITIONS):
        name = after.stream if partition == after.partition else ""
        while (lot := await log.read_lot(partition, name, LOT, past)) is not None:
            yield lot
            name = lot.last


async def page_then(
    log: EventLog,
    sources: Mapping[str, Source],
    past: Past,
    pick: Callable[[Then], Sequence[T]],
    *,
    after: Place,
    limit: int,
) -> tuple[list[T], Place | None]:
    """What `pick` takes of the next streams, and where the next page goes on; None after the last.

    A page ends with the stream that fills it, or when MOST_AT_ONCE events are read: it may hold more than `limit`
    items, or none.
    """
    items: list[T] = []
    read = 0
    async for lot in lots(log, past, after):
        read += lot.size
        for stream, events in lot.streams:
            then = stand(stream, events, source_for(sources, stream), past)
            items += pick(then) if then else ()
            await asyncio.sleep(0)  # others of this process have their turn
            if len(items) >= limit:
                return items, Place(lot.partition, stream)
        if read >= MOST_AT_ONCE:
            return items, Place(lot.partition, lot.last)
    return items, None
