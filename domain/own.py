"""What events say that are the same whoever the provider is: what time makes, what operators do, requests for keys."""

from collections.abc import Callable

import msgspec

from domain.acts import TYPES, OverrideLapsed, read_body
from domain.erasure import ERASED, read_erased
from domain.events import Event, Origin
from domain.facts import Fact, GraceEnded, Noted, TimePassed
from domain.providers import Untranslatable
from domain.upcasting import upcast

GRACE_ENDED = "tenure.grace_ended"
OVERRIDE_LAPSED = "tenure.override_lapsed"
TIME_PASSED = "tenure.time_passed"
KEYS_REQUESTED = "fulfillment.requested"
"""A provider's license generator asked for keys; what it was answered is a receipt (`KeysGenerated`)."""


def _read(read: Callable[[bytes], Fact]) -> Callable[[Event], tuple[Fact, ...]]:
    def facts(event: Event) -> tuple[Fact, ...]:
        try:
            return (read(upcast(event.type, event.body)),)
        except ValueError as error:
            raise Untranslatable(f"{event.type}: {error}") from None

    return facts


def _keys_requested(_: Event) -> tuple[Fact, ...]:
    return (Noted(about="the license generator asked for keys"),)


def _erased(event: Event) -> tuple[Fact, ...]:
    try:
        told = read_erased(event)
    except ValueError as error:
        raise Untranslatable(f"{event.type}: {error}") from None
    count = len(told.positions)
    about = f"personal data was erased from {count} event{'s' * (count != 1)} by {told.author}: {told.reason}"
    return (Noted(about=about),)


OWN: dict[tuple[Origin, str], Callable[[Event], tuple[Fact, ...]]] = {
    ("timer", GRACE_ENDED): _read(msgspec.json.Decoder(GraceEnded).decode),
    ("timer", OVERRIDE_LAPSED): _read(msgspec.json.Decoder(OverrideLapsed).decode),
    ("timer", TIME_PASSED): _read(msgspec.json.Decoder(TimePassed).decode),
    ("operator", ERASED): _erased,
    ("webhook", KEYS_REQUESTED): _keys_requested,
    ("relay", KEYS_REQUESTED): _keys_requested,
    **{("operator", type_): _read(read_body) for type_ in sorted(TYPES)},
}
"""What each type says where Tenure itself made it so. The body of what time makes is the fact itself."""
