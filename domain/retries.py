"""What an operator has tried again of a stream: folding it once it stopped, or asking for what it lacks.

Such an event decides nothing, so it is no act among those that count over what a provider says. It stands on the
second track beside the receipts: also in a stream that stopped it is told like any other, and it is appending it that
has the stream folded anew.
"""

import msgspec

from domain.events import Event
from domain.upcasting import encode_own, upcast

STREAM_RETRIED = "operator.stream_retried"


class StreamRetried(msgspec.Struct, frozen=True, kw_only=True):
    """Who had a stream tried again, and why."""

    author: str
    reason: str


_decoder = msgspec.json.Decoder(StreamRetried)


def encode_retry(retried: StreamRetried) -> bytes:
    """The body of its event."""
    return encode_own(STREAM_RETRIED, retried)


def read_retry(event: Event) -> StreamRetried:
    """Raises ValueError."""
    return _decoder.decode(upcast(event.type, event.body))


def say_retry(retried: StreamRetried) -> str:
    """The retry in a few words, as a timeline tells it."""
    return f"{retried.author} had this tried again: {retried.reason}"
