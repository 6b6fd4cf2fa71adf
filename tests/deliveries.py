"""Deliveries of a simulated provider, on their way into a projection without HTTP in between."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from domain.events import NewEvent, Stream
from domain.providers import Provider
from domain.providers.stripe import PROVIDER
from projections.timeline import timeline
from tests.projecting import Projected

SOURCE = "acme"
ARRIVAL = ("received_at", "recorded_at", "lag", "late", "same_as", "partition", "position")
"""What a timeline says about arrival, not about what happened."""


class Delivery(Protocol):
    @property
    def body(self) -> bytes: ...


def events_of(deliveries: Iterable[Delivery], source: str = SOURCE, *, provider: Provider = PROVIDER) -> list[NewEvent]:
    """The events that a receiver would append for these deliveries."""
    now = datetime.now(UTC)
    return [
        NewEvent(
            stream=found.stream,
            event_id=found.event_id,
            type=found.type,
            item=found.item,
            origin="webhook",
            occurred_at=found.occurred_at,
            received_at=now,
            body=delivery.body,
        )
        for delivery in deliveries
        for found in provider.unpack(source, delivery.body, None, now)
    ]


async def derived(projected: Projected) -> dict[str, Any]:
    """Every row and every timeline, without what depends on the moment and order of arrival."""
    rows: dict[str, Any] = await projected.rows()
    provider = projected.sources[SOURCE].provider
    rows["timelines"] = {stream: await _timeline(projected, stream, provider) for stream, *_ in rows["stream"]}
    return rows


async def _timeline(projected: Projected, stream: Stream, provider: Provider) -> Sequence[dict[str, Any]]:
    entries = timeline(await projected.log.read_stream(stream), provider)
    return [
        {name: value for name, value in msgspec.structs.asdict(entry).items() if name not in ARRIVAL}
        for entry in entries
        if entry.kind != "receipt"
    ]
