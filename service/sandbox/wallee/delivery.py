"""Changes as webhooks deliver them: which are told, the exact bytes, the signature."""

from collections.abc import Collection, Mapping

import msgspec

from service.sandbox.wallee.calendar import instant
from service.sandbox.wallee.model import Happening, Kind
from service.sandbox.wallee.space import Space

ENTITIES: Mapping[Kind, tuple[int, str]] = {
    "transaction": (1472041829003, "Transaction"),
    "refund": (1472041839405, "Refund"),
    "level": (1472041819798, "ChargeFlowLevel"),
    # The numbers of the subscription's entity types are not published: these are made up.
    "subscription": (1990000000001, "Subscription"),
    "charge": (1990000000002, "SubscriptionCharge"),
    "version": (1990000000003, "SubscriptionVersion"),
    "suspension": (1990000000004, "SubscriptionSuspension"),
}
"""Number and technical name of the entity types."""

LISTENERS: Mapping[Kind, int] = {kind: place for place, kind in enumerate(ENTITIES, 101)}


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """How the webhook listeners are set up.

    `states` names, by kind of entity, the states that are told; a kind that is not named is not listened to, and None
    listens to everything. `every_change` tells also what leaves a state as it is. `signed` switches both the signature
    and the `state` of the body on, as wallee's one setting does.
    """

    states: Mapping[Kind, frozenset[str]] | None = None
    every_change: bool = True
    signed: bool = True

    def tells(self, it: Happening) -> bool:
        told = self.states is None or it.state in self.states.get(it.kind, frozenset())
        return told and (it.changed or self.every_change)


EVERYTHING = Listening()
LICENSING = Listening(
    states={
        "subscription": frozenset(
            {"ACTIVE", "SUSPENDED", "TERMINATION_SCHEDULED", "TERMINATING", "TERMINATED", "FAILED"}
        ),
        "charge": frozenset({"PROCESSING", "SUCCESSFUL", "FAILED", "DISCARDED"}),
        "version": frozenset({"ACTIVE"}),
        "suspension": frozenset({"RUNNING", "ENDED"}),
        "level": frozenset({"PENDING", "FAILED", "SUCCESSFUL"}),
        "transaction": frozenset({"FAILED", "FULFILL", "DECLINE", "VOIDED"}),
        "refund": frozenset({"SUCCESSFUL"}),
    }
)
"""What listeners for licenses would be set up for."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook request, and what it is about. `signature` is None where the listener is not set up for it.

    `created` is in seconds since 1970; `place` is that of the happening, for a look at the space as it was then.
    """

    body: bytes
    signature: str | None
    event_id: int
    kind: Kind
    entity: int
    created: int
    place: int
    act: int

    @property
    def headers(self) -> dict[str, str]:
        signed = {} if self.signature is None else {"x-signature": self.signature}
        return {"content-type": "application/json", **signed}

    def __repr__(self) -> str:
        return f"Delivery({self.kind} {self.entity}, event {self.event_id} at {self.created})"


def deliveries(
    space: Space, listening: Listening = EVERYTHING, *, kinds: Collection[Kind] | None = None
) -> list[Delivery]:
    """What the listeners send, in true order; `kinds` leaves only those of some entities."""
    told = (it for it in space.happenings if listening.tells(it) and (kinds is None or it.kind in kinds))
    return [delivery(it, space, listening) for it in told]


def delivery(it: Happening, space: Space, listening: Listening = EVERYTHING) -> Delivery:
    """One change as bytes, with the keys in the order and without the spaces of a signed sample."""
    number, name = ENTITIES[it.kind]
    fields = {
        "entityId": it.entity,
        "eventId": it.id,
        "listenerEntityId": number,
        "listenerEntityTechnicalName": name,
        "spaceId": space.space_id,
        **({"state": it.state} if listening.signed else {}),
        "timestamp": f"{instant(it.created):%Y-%m-%dT%H:%M:%S}+0000",
        "webhookListenerId": LISTENERS[it.kind],
    }
    body = msgspec.json.encode(fields)
    return Delivery(
        body=body,
        signature=space.signing.sign(body) if listening.signed else None,
        event_id=it.id,
        kind=it.kind,
        entity=it.entity,
        created=it.created,
        place=it.place,
        act=it.act,
    )
