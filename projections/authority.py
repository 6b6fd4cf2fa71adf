"""The one authority for generated keys: what was recorded first in the fulfillment's stream, whoever recorded it.

A provider's license generator asks for keys at the checkout, the order tells of the purchase later, or earlier. Both
ways write here under the same event id, of which the store takes one; whoever comes second reads what stands. In the
same way licenses take their places in the list of keys.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

import msgspec

from domain.events import LONGEST_STREAM, NewEvent, Stream, source_of, stream_of
from domain.receipts import (
    RELAYED,
    Applied,
    KeysClaimed,
    KeysGenerated,
    apply_receipt,
    encode_receipt,
    read_receipt,
    type_of,
)
from projections.ports import EventLog

KIND = "fulfillment"
_ATTEMPTS = 20
"""Each is lost to another record of more keys of the same product, so in practice one or two are needed."""


class Mint(Protocol):
    """Chooses so many keys, where the purchase has the `known` ones of the product already."""

    def __call__(self, count: int, /, *, known: Sequence[str]) -> Sequence[str]: ...


class Contended(Exception):
    """Others went on recording keys of the same product; the same may be asked again."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the keys of one product of a purchase are recorded, and for which target."""

    stream: Stream
    target: str
    product: str


class Standing(msgspec.Struct, frozen=True):
    """What is recorded at a place: the keys in their order, and the ids of the licenses that they belong to."""

    keys: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()

    def is_ahead_of(self, held: Applied, product: str) -> bool:
        """Whether some of it has not reached that stream yet."""
        known, claimed = held.generated.get(product, ()), held.claimed.get(product, ())
        return len(self.keys) > len(known) or len(self.licenses) > len(claimed)


def place_of(stream: Stream, target: str, fulfillment: str) -> Place | None:
    """Where the keys of a license belong (`License.fulfillment`); None where no stream can have that name."""
    reference, _, product = fulfillment.partition("/")
    place = Place(stream=stream_of(source_of(stream), KIND, unquote(reference)), target=target, product=product)
    return place if reference and product and len(place.stream.encode()) <= LONGEST_STREAM else None


async def standing_at(log: EventLog, place: Place) -> Standing:
    """All that is recorded at the place."""
    applied: dict[str, Applied] = {}
    for event in await log.read_stream(place.stream):
        if event.type in RELAYED:
            applied = apply_receipt(applied, read_receipt(event), event.occurred_at)
    held = applied.get(place.target) or Applied()
    return Standing(held.generated.get(place.product, ()), held.claimed.get(place.product, ()))


async def keys_for(
    log: EventLog,
    place: Place,
    count: int,
    *,
    mint: Mint,
    at: datetime,
    told: Sequence[NewEvent] = (),
    under: str = "",
) -> tuple[str, ...]:
    """The first `count` keys of the place, durable; those that do not exist yet are minted.

    `told` is made durable in the same append: what led to it is kept together with it, or neither is. `under` counts
    where nothing is recorded yet (`KeysGenerated`). Raises Contended, and whatever the log raises.
    """
    standing: tuple[str, ...] = ()
    for _ in range(_ATTEMPTS):
        minted = tuple(mint(count - len(standing), known=standing))
        receipt = KeysGenerated(
            target=place.target,
            product=place.product,
            keys=minted,
            after=len(standing),
            under="" if standing else under,
        )
        *_, recorded = await log.append([*told, _event(place, receipt, at)])
        if not recorded.repeated:
            return standing + minted
        # Recorded before, or by somebody else just now: what stands counts.
        standing = (await standing_at(log, place)).keys
        if len(standing) >= count:
            return standing[:count]
    raise Contended(f"the keys of {place.product} change all the time")


async def claim(
    log: EventLog,
    place: Place,
    standing: Standing,
    keys: Mapping[str, str],
    *,
    mint: Mint,
    at: datetime,
) -> bool:
    """Claims the next places for the licenses (id → a key for it) that have none, with keys that are not there yet.

    Empty keys are of licenses without keys: they take their place all the same. False when there was nothing to
    record; else what stands afterwards counts, whoever recorded it. Raises whatever the log raises.
    """
    known = set(standing.licenses)
    fresh = tuple(each for each in keys if each not in known)
    licenses = standing.licenses + fresh
    records: list[KeysClaimed | KeysGenerated] = []
    target, product = place.target, place.product
    places = [place for place, license_ in enumerate(licenses) if keys.get(license_)]
    keyless = licenses[len(standing.keys) : places[-1] + 1] if places else ()
    if keyless:
        # A place before them may be of a license of another stream.
        chosen = tuple(keys.get(each) or mint(1, known=standing.keys)[0] for each in keyless)
        records.append(
            KeysGenerated(target=target, product=product, keys=chosen, after=len(standing.keys), asked=False)
        )
    if fresh:
        records.append(KeysClaimed(target=target, product=product, licenses=fresh, after=len(standing.licenses)))
    if records:
        await log.append([_event(place, each, at) for each in records])
    return bool(records)


def _event(place: Place, receipt: KeysGenerated | KeysClaimed, at: datetime) -> NewEvent:
    """A record; of two of one kind, place and number the store takes the first."""
    return NewEvent(
        stream=place.stream,
        event_id=f"{type_of(receipt)}:{place.target}:{receipt.after}:{place.product}",
        type=type_of(receipt),
        origin="receipt",
        occurred_at=at,
        received_at=at,
        body=encode_receipt(receipt),
    )
