"""The one authority for generated keys: what was recorded first in the fulfillment's stream, whoever recorded it.

A provider's license generator asks for keys at the checkout, the order tells of the purchase later, or earlier. Both
ways write here under the same event id, of which the store takes one; whoever comes second reads what stands.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from domain.events import LONGEST_STREAM, NewEvent, Stream, source_of, stream_of
from domain.receipts import RELAYED, Applied, KeysGenerated, apply_receipt, read_receipt, type_of
from projections.ports import EventLog

KIND = "fulfillment"
_ATTEMPTS = 20
"""Each is lost to another record of more keys of the same product, so in practice one or two are needed."""


class Contended(Exception):
    """Others went on recording keys of the same product; the same may be asked again."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the keys of one product of a purchase are recorded, and for which target."""

    stream: Stream
    target: str
    product: str


def place_of(stream: Stream, target: str, fulfillment: str) -> Place | None:
    """Where the keys of a license belong (`License.fulfillment`); None where no stream can have that name."""
    reference, _, product = fulfillment.partition("/")
    place = Place(stream=stream_of(source_of(stream), KIND, reference), target=target, product=product)
    return place if reference and product and len(place.stream.encode()) <= LONGEST_STREAM else None


def keys_event(place: Place, keys: Sequence[str], after: int, at: datetime) -> NewEvent:
    """The record of keys that come after so many others; of two of one place and number the store takes the first."""
    receipt = KeysGenerated(target=place.target, product=place.product, keys=tuple(keys), after=after)
    return NewEvent(
        stream=place.stream,
        event_id=f"{type_of(receipt)}:{place.target}:{after}:{place.product}",
        type=type_of(receipt),
        origin="receipt",
        occurred_at=at,
        received_at=at,
        body=msgspec.json.encode(receipt),
    )


async def standing_keys(log: EventLog, place: Place) -> tuple[str, ...]:
    """All keys recorded at the place, in the order in which they belong to units."""
    applied: dict[str, Applied] = {}
    for event in await log.read_stream(place.stream):
        if event.type in RELAYED:
            applied = apply_receipt(applied, read_receipt(event), event.occurred_at)
    return (applied.get(place.target) or Applied()).generated.get(place.product, ())


async def keys_for(
    log: EventLog,
    place: Place,
    count: int,
    *,
    mint: Callable[[int], Sequence[str]],
    at: datetime,
    told: Sequence[NewEvent] = (),
) -> tuple[str, ...]:
    """The first `count` keys of the place, durable; those that do not exist yet are minted.

    `told` is made durable in the same append: what led to it is kept together with it, or neither is. Raises
    Contended, and whatever the log raises.
    """
    standing: tuple[str, ...] = ()
    for _ in range(_ATTEMPTS):
        minted = tuple(mint(count - len(standing)))
        *_, recorded = await log.append([*told, keys_event(place, minted, len(standing), at)])
        if not recorded.repeated:
            return standing + minted
        # Recorded before, or by somebody else just now: what stands counts.
        standing = await standing_keys(log, place)
        if len(standing) >= count:
            return standing[:count]
    raise Contended(f"the keys of {place.product} change all the time")
