"""Lives of subscriptions heard of in order and in parts: each part extends the stored fold, or is known not to."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from domain.events import Event, Stream
from domain.history import decode_fold, encode_fold, extend, extends, refold
from domain.providers.stripe import PROVIDER
from service.sandbox.stripe import Shape, lifecycles

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def streams_of(shape: Shape) -> Iterator[list[Event]]:
    """What each named life tells each of its streams, in true order."""
    for life in lifecycles(shape).values():
        streams: dict[Stream, list[Event]] = {}
        for delivery in life(shape):
            for told in PROVIDER.unpack("shop", delivery.body, False, NOW):
                stream = streams.setdefault(told.stream, [])
                stream.append(
                    Event(
                        **{name: getattr(told, name) for name in told.__struct_fields__},
                        origin="webhook",
                        received_at=NOW,
                        recorded_at=NOW,
                        body=delivery.body,
                        digest=b"",
                        partition=0,
                        position=len(stream) + 1,
                    )
                )
        yield from streams.values()


def is_tied(events: Sequence[Event]) -> bool:
    return any(one.occurred_at == other.occurred_at for one, other in pairwise(events))


@pytest.mark.parametrize("shape", list(Shape))
def test_wherever_a_life_is_cut_its_parts_give_the_fold_of_the_whole(shape: Shape) -> None:
    extended = tied = 0
    for events in streams_of(shape):
        whole = encode_fold(refold(events, PROVIDER))
        for cut in range(1, len(events)):
            fold, rest = decode_fold(encode_fold(refold(events[:cut], PROVIDER))), events[cut:]
            if extends(fold, rest, PROVIDER):
                assert encode_fold(extend(fold, rest, PROVIDER)) == whole
                extended += 1
                tied += is_tied(rest)
    assert extended > tied > 0
