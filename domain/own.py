"""What events say that are the same whoever the provider is: those that time makes, and requests for keys."""

from collections.abc import Callable

import msgspec

from domain.events import Event, Origin
from domain.facts import Fact, GraceEnded, Noted
from domain.providers import Untranslatable

GRACE_ENDED = "tenure.grace_ended"
KEYS_REQUESTED = "fulfillment.requested"
"""A provider's license generator asked for keys; what it was answered is a receipt (`KeysGenerated`)."""

_grace_ended = msgspec.json.Decoder(GraceEnded)


def _read(decoder: msgspec.json.Decoder[GraceEnded]) -> Callable[[Event], tuple[Fact, ...]]:
    def read(event: Event) -> tuple[Fact, ...]:
        try:
            return (decoder.decode(event.body),)
        except msgspec.MsgspecError as error:
            raise Untranslatable(f"{event.type}: {error}") from None

    return read


def _keys_requested(_: Event) -> tuple[Fact, ...]:
    return (Noted(about="the license generator asked for keys"),)


OWN: dict[tuple[Origin, str], Callable[[Event], tuple[Fact, ...]]] = {
    ("timer", GRACE_ENDED): _read(_grace_ended),
    ("webhook", KEYS_REQUESTED): _keys_requested,
    ("relay", KEYS_REQUESTED): _keys_requested,
}
"""What each type says where Tenure itself made it so. The body of what time makes is the fact itself."""
