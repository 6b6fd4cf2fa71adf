"""Why a link is broken: whether the event was altered, or belongs elsewhere, or another one belongs here."""

from typing import Any

import msgspec
from psycopg import Connection

from service.store.findings import Finding
from service.store.records import Record, headers_digest, link, record_digest
from service.store.sealed import Seal, copy_without_bodies, seals, value_before
from service.store.sql import statements

_SEAL = statements("seal.sql")
WINDOW = 10_000
"""How far around a broken link another place is looked for; what was moved farther is called altered."""


def diagnosed(connection: Connection[Any], finding: Finding) -> Finding:
    """The finding with the kind that fits best, where its own is unsure, and with whose event stands there.

    Raises psycopg.Error.
    """
    found = _explained(connection, finding) if finding.unsure else finding
    place = {"partition": found.partition, "position": found.position}
    stream, event_id, at = connection.execute(_SEAL["names"], place).fetchone() or (None, None, None)
    return msgspec.structs.replace(found, stream=stream, event_id=event_id, occurred_at=at)


def _explained(connection: Connection[Any], finding: Finding) -> Finding:
    partition, position = finding.partition, finding.position
    first, last = max(position - WINDOW, 1), position + WINDOW
    around = _Around(
        {record.position: record for record in copy_without_bodies(connection, partition, first - 1, last)},
        seals(connection, partition, first - 1, last),
    )
    before = value_before(connection, partition, first)
    if before is not None:
        around.seals[first - 1] = Seal(b"", before)
    return around.explain(partition, position)


class _Around:
    def __init__(self, records: dict[int, Record], seals: dict[int, Seal]) -> None:
        self.records = records
        self.seals = seals

    def explain(self, partition: int, position: int) -> Finding:
        """What happened at a broken link."""
        if self._follows_without_seal(position):
            return Finding.of("altered seal", partition, position)
        home = next((at for at in self.seals if at != position and self._fits(position, at)), None)
        owner = next((at for at in self.records if at != position and self._fits(at, position)), None)
        if home is not None and home == owner:
            return Finding.of("swapped", partition, position, f"with position {home}")
        if home is None and owner == position + 1:
            return Finding.of("inserted", partition, position, "those behind it were moved up")
        if home == position + 1 and owner is None:
            return Finding.of("removed", partition, position, "those behind it were moved down")
        if home is not None:
            return Finding.of("swapped", partition, position, f"it belongs to position {home}")
        if owner is not None:
            return Finding.of("swapped", partition, position, f"the one that belongs here stands at {owner}")
        before = self.records.get(position - 1)
        if before and self.records[position].recorded_at < before.recorded_at:
            return Finding.of("back-dated", partition, position)
        return Finding.of("altered field", partition, position)

    def _follows_without_seal(self, position: int) -> bool:
        """Whether the next link holds over this event as it stands, without its seal."""
        before, after, following = (
            self.seals.get(position - 1),
            self.seals.get(position + 1),
            self.records.get(position + 1),
        )
        if not (before and after and following):
            return False
        return link(self._value(before, self.records[position], position), _digest(following)) == after.chain

    def _fits(self, standing: int, at: int) -> bool:
        """Whether the event standing at one position was sealed at the other."""
        before, seal, record = self.seals.get(at - 1), self.seals.get(at), self.records.get(standing)
        return bool(before and seal and record) and self._value(before, record, at) == seal.chain  # type: ignore[arg-type, union-attr]

    @staticmethod
    def _value(before: Seal, record: Record, at: int) -> bytes:
        return link(before.chain, _digest(record, at))


def _digest(record: Record, position: int | None = None) -> bytes:
    return record_digest(record, headers_digest(record.headers or b""), position)
