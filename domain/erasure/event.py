"""The operator event that says which events of its own stream were erased: by position, and not whose they were."""

import msgspec

from domain.events import Event
from domain.upcasting import encode_own, upcast

ERASED = "tenure.erased"


class Erased(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events of this stream whose body and headers were replaced by redacted forms, in the act of that name.

    An act appends one to each stream that it touches, so every stream, and every archive of one, says so by itself.
    """

    act: str
    author: str
    reason: str
    positions: tuple[int, ...]


_decoder = msgspec.json.Decoder(Erased)


def encode_erased(erased: Erased) -> bytes:
    return encode_own(ERASED, erased)


def read_erased(event: Event) -> Erased:
    """Raises ValueError."""
    return _decoder.decode(upcast(event.type, event.body))
