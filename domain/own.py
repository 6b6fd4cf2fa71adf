"""What Tenure's own events say: those that time makes, told by their type whatever the provider."""

from collections.abc import Callable

import msgspec

from domain.events import Event
from domain.facts import Fact, GraceEnded
from domain.providers import Untranslatable

GRACE_ENDED = "tenure.grace_ended"

_grace_ended = msgspec.json.Decoder(GraceEnded)


def _read(decoder: msgspec.json.Decoder[GraceEnded]) -> Callable[[Event], tuple[Fact, ...]]:
    def read(event: Event) -> tuple[Fact, ...]:
        try:
            return (decoder.decode(event.body),)
        except msgspec.MsgspecError as error:
            raise Untranslatable(f"{event.type}: {error}") from None

    return read


OWN: dict[str, Callable[[Event], tuple[Fact, ...]]] = {GRACE_ENDED: _read(_grace_ended)}
"""The body of such an event is the fact itself."""
