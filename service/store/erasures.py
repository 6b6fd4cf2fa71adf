"""Which events were erased: their bodies and headers are redacted, so digests no longer agree with them."""

from typing import Any

import msgspec
from psycopg import Connection


class Erasures(msgspec.Struct, frozen=True):
    """The events that erasure events name, by partition and position."""

    erased: frozenset[tuple[int, int]] = frozenset()

    def is_erased(self, partition: int, position: int) -> bool:
        """Whether an erasure event names the event at that position."""
        return (partition, position) in self.erased


def erasures(_connection: Connection[Any]) -> Erasures:
    """What the store's erasure events name: nothing, as long as no command appends any."""
    return Erasures()
