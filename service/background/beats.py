"""What the process behind says: that it lives, and what it counted since it last said so."""

from collections.abc import Sequence

import msgspec

from service.metrics import Metrics

EVERY = 1.0
"""Seconds from beat to beat."""
LONGEST_BEAT = 1_000_000
"""Bytes; the counters are as many as the settings name sources."""


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """How much more a counter counted."""

    name: str
    labels: tuple[str, ...]
    more: float


class Beat(msgspec.Struct, frozen=True):
    counted: Sequence[Counted] = ()


_decoder = msgspec.json.Decoder(Beat)


def encode(beat: Beat) -> bytes:
    """One line."""
    return msgspec.json.encode(beat) + b"\n"


def decode(line: bytes) -> Beat:
    return _decoder.decode(line)


class Counting:
    """What the counters of this process counted, told piece by piece."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: dict[tuple[str, tuple[str, ...]], float] = {}

    def beat(self) -> Beat:
        """What came since the last call."""
        counted = []
        for name, labels, value in self._metrics.counts():
            more = value - self._told.get((name, labels), 0.0)
            if more:
                self._told[name, labels] = value
                counted.append(Counted(name, labels, more))
        return Beat(counted)
