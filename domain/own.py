"""What events say that are the same whoever the provider is: what time makes, what operators do, requests for keys."""

from collections.abc import Callable

import msgspec

from domain.acts import TYPES, NewerBody, OverrideLapsed, read_body
from domain.events import Event, Origin
from domain.facts import Fact, GraceEnded, Noted, TimePassed
from domain.providers import Untranslatable

GRACE_ENDED = "tenure.grace_ended"
OVERRIDE_LAPSED = "tenure.override_lapsed"
TIME_PASSED = "tenure.time_passed"
KEYS_REQUESTED = "fulfillment.requested"
"""A provider's license generator asked for keys; what it was answered is a receipt (`KeysGenerated`)."""


def _read(read: Callable[[bytes], Fact]) -> Callable[[Event], tuple[Fact, ...]]:
    def facts(event: Event) -> tuple[Fact, ...]:
        try:
            return (read(event.body),)
        except (msgspec.MsgspecError, NewerBody) as error:
            raise Untranslatable(f"{event.type}: {error}") from None

    return facts


def _keys_requested(_: Event) -> tuple[Fact, ...]:
    return (Noted(about="the license generator asked for keys"),)


OWN: dict[tuple[Origin, str], Callable[[Event], tuple[Fact, ...]]] = {
    ("timer", GRACE_ENDED): _read(msgspec.json.Decoder(GraceEnded).decode),
    ("timer", OVERRIDE_LAPSED): _read(msgspec.json.Decoder(OverrideLapsed).decode),
    ("timer", TIME_PASSED): _read(msgspec.json.Decoder(TimePassed).decode),
    ("webhook", KEYS_REQUESTED): _keys_requested,
    ("relay", KEYS_REQUESTED): _keys_requested,
    **{("operator", type_): _read(read_body) for type_ in sorted(TYPES)},
}
"""What each type says where Tenure itself made it so. The body of what time makes is the fact itself."""
