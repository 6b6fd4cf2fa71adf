"""The sealer: extends each partition's hash chain behind its head, by any number of processes.

It takes no lock that an append takes. A partition is one sealer's at a time, by the row lock of its `seal_head`, so
the chain cannot fork; what another has taken is passed over. Seals and `seal_head` commit together.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.events import PARTITIONS
from service.store.records import Record, genesis, headers_digest, link, record_digest, record_of
from service.store.retries import reason
from service.store.sql import statements

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_SEAL = statements("seal.sql")
_WAIT_SECONDS = 0.05
_log = structlog.get_logger("tenure.sealer")


class SealerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`poll` and `backoff` in seconds; `batch` is how many events one transaction seals at most."""

    poll: float = 1.0
    backoff: float = 5.0
    batch: int = 2000


class Sealer:
    """Seals what was appended, until it is told to stop."""

    def __init__(
        self, pool: Pool, *, partitions: Sequence[int] = range(PARTITIONS), settings: SealerSettings | None = None
    ) -> None:
        self._pool = pool
        self._partitions = list(partitions)
        self._settings = settings or SealerSettings()
        self._broken: frozenset[int] = frozenset()

    async def run(self, stop: asyncio.Event) -> None:
        """Seals until `stop` is set; what fails for the moment is tried again."""
        while not stop.is_set():
            pause = self._settings.poll
            try:
                if await self.seal_once():
                    continue
            except (psycopg.Error, PoolTimeout, OSError) as error:
                _log.warning("the database failed the sealer; trying again", reason=reason(error))
                pause = self._settings.backoff
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def seal_until_idle(self) -> int:
        """Seals all that nobody else is about to seal; says how many events. Raises psycopg.Error."""
        total = 0
        while sealed := await self.seal_once():
            total += sealed
        return total

    async def reach_heads(self, patience: float) -> list[int]:
        """Seals up to where the heads are now, and waits that many seconds for others who seal, too.

        Says which partitions could not be sealed so far. Raises psycopg.Error.
        """
        heads = await self._positions("heads")
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            await self.seal_until_idle()
            sealed = await self._positions("sealed")
            lagging = [partition for partition, position in heads.items() if sealed.get(partition, 0) < position]
            if not lagging or asyncio.get_running_loop().time() > deadline:
                return sorted(lagging)
            await asyncio.sleep(_WAIT_SECONDS)

    async def _positions(self, statement: str) -> dict[int, int]:
        async with self._pool.connection() as connection:
            cursor = await _execute(connection, statement, {"partitions": self._partitions})
            return dict(await cursor.fetchall())

    async def seal_once(self) -> int:
        """One transaction over all partitions that lag behind; says how many events it sealed. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            cursor = await _execute(connection, "behind", {"partitions": self._partitions})
            behind = [partition for (partition,) in await cursor.fetchall()]
            if not behind:
                self._note_broken(frozenset())
                return 0
            async with connection.transaction():
                return await self._seal(connection, behind)

    async def _seal(self, connection: AsyncConnection[Any], behind: Sequence[int]) -> int:
        cursor = await _execute(connection, "claim", {"partitions": behind})
        claimed: dict[int, int] = dict(await cursor.fetchall())
        if not claimed:
            return 0
        chains = await _chains(connection, claimed)
        expected = {partition: position + 1 for partition, position in claimed.items() if partition in chains}
        added: list[tuple[int, int, bytes, bytes]] = []
        for record in await self._unsealed(connection, {each: claimed[each] for each in expected}):
            if record.position != expected[record.partition]:
                continue  # a gap: nothing behind it can be sealed
            headers = headers_digest(record.headers or b"")
            chain = link(chains[record.partition], record_digest(record, headers))
            added.append((record.partition, record.position, headers, chain))
            chains[record.partition] = chain
            expected[record.partition] += 1
        moved = {partition: position for partition, position, _, _ in added}
        if added:
            columns = [list(column) for column in zip(*added, strict=True)]
            names = ("partitions", "positions", "headers", "chains")
            await _execute(connection, "add_seals", dict(zip(names, columns, strict=True)))
            await _execute(
                connection, "move_seal_heads", {"partitions": list(moved), "positions": list(moved.values())}
            )
        self._note_broken(frozenset(claimed) - frozenset(moved))
        return len(added)

    async def _unsealed(self, connection: AsyncConnection[Any], claimed: Mapping[int, int]) -> list[Record]:
        parameters = {
            "partitions": list(claimed),
            "positions": list(claimed.values()),
            "limit": -(-self._settings.batch // max(len(claimed), 1)),
        }
        found: list[Record] = []
        async with connection.cursor() as cursor, cursor.copy(_SEAL["copy_unsealed"], parameters) as copy:
            async for row in copy:
                if record := record_of(bytes(row)):
                    found.append(record)  # noqa: PERF401 - a name in an asynchronous comprehension reads no better
        return found

    def _note_broken(self, broken: frozenset[int]) -> None:
        """Says once of each partition that it cannot be sealed."""
        for partition in sorted(broken - self._broken):
            _log.error("a partition cannot be sealed: run `tenure verify`", partition=partition)
        self._broken = broken


async def _execute(
    connection: AsyncConnection[Any], statement: str, parameters: Mapping[str, object]
) -> AsyncCursor[tuple[Any, ...]]:
    # Planned each time, with the tables as they are: a plan made over an empty table would stay.
    return await connection.execute(_SEAL[statement], parameters, prepare=False)


async def _chains(connection: AsyncConnection[Any], sealed: Mapping[int, int]) -> dict[int, bytes]:
    """The chain's value of each partition at its last seal; a partition that lacks that seal is left out.

    A statement of its own: only one that follows the lock sees all that its last holder committed.
    """
    parameters = {"partitions": list(sealed), "positions": list(sealed.values())}
    cursor = await _execute(connection, "chains", parameters)
    begun = {partition: genesis(partition) for partition, position in sealed.items() if position == 0}
    return begun | {partition: bytes(chain) for partition, chain in await cursor.fetchall()}
