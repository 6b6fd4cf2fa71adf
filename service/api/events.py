"""The feed of all events, for programs that follow along, and the raw deliveries behind them."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter

from domain.events import PARTITIONS, Event, Origin
from projections.ports import EventLog
from service.api.paging import Cursor, Limit, Page, read_cursor, write_cursor
from service.auth import OPERATOR_ONLY
from service.lookup import NotFound, Reader
from service.problems import api_problems

_ALL = range(PARTITIONS)
_NO_PAGE = {"x-content-type-options": "nosniff", "content-disposition": "attachment", "cache-control": "no-store"}
"""A delivery comes from outside: no browser may take it for a page of ours."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event without its body. `digest` is the SHA-256 of the body, in hexadecimal; times are UTC."""

    partition: int
    position: int
    stream: str
    event_id: str
    type: str
    origin: Origin
    cause: str
    item: str
    content_type: str
    occurred_at: datetime
    received_at: datetime
    recorded_at: datetime
    digest: str


Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a reader of the feed is: the last position it has of each partition, and whose turn is next."""

    turn: Annotated[int, msgspec.Meta(ge=0, lt=PARTITIONS)]
    positions: Annotated[list[Position], msgspec.Meta(min_length=PARTITIONS, max_length=PARTITIONS)]


START = Place(0, [0] * PARTITIONS)


class EventFeed(Controller):
    path = "/events"
    tags = ("events",)

    @get("/", responses=api_problems())
    async def read_feed(
        self, reader: NamedDependency[Reader], after: Cursor = None, limit: Limit = 100
    ) -> Page[EventView]:
        """Gives the events after a place in the feed, each partition's in their order and without gaps.

        `next` is never null here: ask with it again later. It is the same as `after` while nothing is new.
        """
        place = read_cursor(after, Place, "after") or START
        events, reached = await _read_on(reader.log, place, limit)
        return Page([_view(event) for event in events], write_cursor(reached))

    @get(
        "/{partition:int}/{position:int}/body",
        opt=OPERATOR_ONLY,
        responses=api_problems(404) | {200: ResponseSpec(bytes, description="The body of the request, byte for byte.")},
    )
    async def show_body(
        self,
        reader: NamedDependency[Reader],
        partition: Annotated[int, PathParameter(ge=0, lt=PARTITIONS)],
        position: Annotated[int, PathParameter(ge=1, le=2**63 - 1)],
    ) -> Response[bytes]:
        """Gives the body of the delivery that carried an event, byte for byte. It may hold personal data."""
        events = await reader.log.read_partition(partition, position - 1, 1)
        if not events or events[0].position != position:
            raise NotFound(f"There is no event {position} in partition {partition}.")
        return Response(events[0].body, media_type="application/octet-stream", headers=_NO_PAGE)


async def _read_on(log: EventLog, place: Place, limit: int) -> tuple[list[Event], Place]:
    """Up to `limit` more events. Partitions take turns, so that a busy one does not starve the others."""
    heads = await log.heads(_ALL)
    positions = list(place.positions)
    events: list[Event] = []
    turn = place.turn
    for step in _ALL:
        partition = (place.turn + step) % PARTITIONS
        if heads.get(partition, 0) <= positions[partition]:
            continue
        read = await log.read_partition(partition, positions[partition], limit - len(events))
        if read:
            events += read
            positions[partition] = read[-1].position
            turn = (partition + 1) % PARTITIONS
        if len(events) == limit:
            break
    return events, Place(turn, positions)


def _view(event: Event) -> EventView:
    shared = {name: getattr(event, name) for name in EventView.__struct_fields__ if name != "digest"}
    return EventView(**shared, digest=event.digest.hex())
