"""Which events were erased: their bodies and headers are redacted, so digests no longer agree with them."""

from typing import Any

import msgspec
from psycopg import Connection

from domain.events import Stream, partition_of
from service.store.sql import statements

_ERASURES = statements("erase.sql")["erasures"]


class _Named(msgspec.Struct):
    """What matters here of an erasure event, in whatever version it is written."""

    positions: tuple[int, ...] = ()


_named = msgspec.json.Decoder(_Named)


class Erasures(msgspec.Struct, frozen=True):
    """The events that erasure events name, by partition and position."""

    erased: frozenset[tuple[int, int]] = frozenset()

    def is_erased(self, partition: int, position: int) -> bool:
        """Whether an erasure event names the event at that position."""
        return (partition, position) in self.erased


def erasures(connection: Connection[Any]) -> Erasures:
    """What the store's erasure events name; nothing follows from one that cannot be read."""
    found: set[tuple[int, int]] = set()
    for stream, body in connection.execute(_ERASURES).fetchall():
        try:
            named = _named.decode(body)
        except msgspec.MsgspecError:
            continue
        found.update((partition_of(Stream(stream)), position) for position in named.positions)
    return Erasures(frozenset(found))
