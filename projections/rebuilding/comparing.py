"""Compares two versions of the projections, as of one moment."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

import msgspec
from psycopg import AsyncConnection

from domain.events import PARTITIONS, Stream, partition_of
from projections.ports import EventLog
from projections.rebuilding.changes import LicenseChange, StreamChange, license_change, stream_change
from projections.rebuilding.loading import Derivation
from projections.rebuilding.mending import stand_in
from projections.rebuilding.ringing import ring_in_mind
from projections.tables import Tables

Connection = AsyncConnection[Any]
Change = TypeVar("Change", LicenseChange, StreamChange)

MOST_TOLD = 10_000
"""Of licenses, and of streams, that are told one by one; the others are counted."""


TOGETHER = 16
"""Partitions that are compared at once."""


class Difference(msgspec.Struct, kw_only=True):
    """What a version would change. `licenses` and `streams` hold the first MOST_TOLD; the numbers count all.

    `reasons_only` counts the licenses of which nothing but the reason of a field is another; they are among those told.
    """

    compared_streams: int = 0
    compared_licenses: int = 0
    changed_licenses: int = 0
    changed_streams: int = 0
    changed_states: int = 0
    reasons_only: int = 0
    moving: int = 0
    """Changes that may be but an event which only one of the two versions knew."""
    pushes: dict[str, int] = {}
    """Target → subscriptions that would be pushed to it, and are not to be now."""
    new_links: int = 0
    """Streams that lead to another one only now: what is relayed through them is not in the comparison."""
    unreadable: list[str] = []
    """Tables of the version that is read which are gone or lack a column, and count as empty."""
    licenses: list[LicenseChange] = []
    streams: list[StreamChange] = []

    @property
    def nothing(self) -> bool:
        return not (self.changed_licenses or self.changed_streams)


async def compare(
    connection: Connection, log: EventLog, old: Tables, new: Tables, derivation: Derivation
) -> Difference:
    """How `new` differs from `old`, once the timers have rung that are due by the new one alone.

    Raises psycopg.Error and what the log raises.
    """
    found = Difference(pushes={}, licenses=[], streams=[], unreadable=[])
    async with connection.transaction(force_rollback=True):
        await connection.execute("set transaction isolation level repeatable read")
        found.unreadable = await stand_in(connection, old, new)
        await ring_in_mind(connection, log, old, new, derivation)
        positions = await _positions(connection, old, new)
        for first in range(0, PARTITIONS, TOGETHER):
            some = {"partitions": list(range(first, first + TOGETHER))}
            licenses = [each async for each in _licenses(connection, old, new, some)]
            streams = [each async for each in _streams(connection, old, new, some)]
            cursor = await connection.execute(new["count_derived"], some)
            (many_streams, many_licenses) = await cursor.fetchone() or (0, 0)
            found.compared_streams += many_streams
            found.compared_licenses += many_licenses
            _tell(found, await _marked(log, licenses, positions), await _marked(log, streams, positions))
        cursor = await connection.execute(new.comparing("count_new_work", old))
        found.pushes = dict(await cursor.fetchall())
        cursor = await connection.execute(new.comparing("count_new_links", old))
        (found.new_links,) = await cursor.fetchone() or (0,)
    return found


def _tell(found: Difference, licenses: list[LicenseChange], streams: list[StreamChange]) -> None:
    found.changed_licenses += len(licenses)
    found.changed_streams += len(streams)
    found.changed_states += sum(each.changes_state for each in streams)
    found.reasons_only += sum(
        bool(each.fields) and all(field.field.startswith("why ") for field in each.fields) for each in licenses
    )
    found.moving += sum(each.moving for each in licenses) + sum(each.moving for each in streams)
    found.licenses += licenses[: max(0, MOST_TOLD - len(found.licenses))]
    found.streams += streams[: max(0, MOST_TOLD - len(found.streams))]


async def _positions(connection: Connection, old: Tables, new: Tables) -> dict[int, tuple[int, int]]:
    """Of each partition the positions up to which one version is projected, and the other."""
    cursor = await connection.execute(new.comparing("positions_of_both", old))
    return {partition: (min(some), max(some)) async for partition, *some in cursor}


async def _licenses(
    connection: Connection, old: Tables, new: Tables, some: Mapping[str, list[int]]
) -> AsyncIterator[LicenseChange]:
    cursor = await connection.execute(new.comparing("changed_licenses", old), some)
    async for stream, id_, target, before, after in cursor:
        yield license_change(stream, id_, target, before, after)


async def _streams(
    connection: Connection, old: Tables, new: Tables, some: Mapping[str, list[int]]
) -> AsyncIterator[StreamChange]:
    cursor = await connection.execute(new.comparing("changed_streams", old), some)
    async for stream, before, after in cursor:
        yield stream_change(stream, before, after)


async def _marked(log: EventLog, changes: list[Change], positions: Mapping[int, tuple[int, int]]) -> list[Change]:
    """The changes, with those marked whose stream has events that one version had not come to yet."""
    streams = {each.stream for each in changes}
    moving = {stream for stream in streams if await _is_moving(log, stream, positions)}
    return [msgspec.structs.replace(each, moving=True) if each.stream in moving else each for each in changes]


async def _is_moving(log: EventLog, stream: Stream, positions: Mapping[int, tuple[int, int]]) -> bool:
    behind, ahead = positions.get(partition_of(stream), (0, 0))
    if behind == ahead:
        return False
    return any(event.position <= ahead for event in await log.read_stream(stream, behind, 1))
