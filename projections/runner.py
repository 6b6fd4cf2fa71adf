"""The runner: reads each leased partition in order, folds, and commits rows and checkpoint together.

Exactly once without a table of what was seen: the checkpoint moves by compare-and-set in the transaction that
writes the rows, so a process that lost its lease writes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
import psycopg
import structlog

from domain.events import partition_of
from domain.version import CODE
from projections.advancing import Advancing, Page
from projections.failures import FAILURES, UNWRITABLE, in_short, is_absence
from projections.folding import refused_rows
from projections.leases import Leases
from projections.ports import BulkLog
from projections.relay import relay_due_links
from projections.rows import Rows
from projections.sources import Source, source_for
from projections.tables import Pool, Tables
from projections.targets import Target
from projections.timers import ring_due_timers
from projections.writing import Advance, LostLease, write_advances, write_rows

_log = structlog.get_logger("tenure.runner")


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`poll` is how often heads are looked at when nobody wakes the runner; times in seconds."""

    poll: float = 0.25
    lease: float = 15.0
    batch: int = 500
    backoff: float = 1.0


class NoProgress(Exception):
    """What was to be projected cannot be, or is another's."""


class Runner:
    """Projects the partitions it can lease, until it is told to stop."""

    def __init__(
        self,
        *,
        log: BulkLog,
        pool: Pool,
        tables: Tables,
        sources: Mapping[str, Source],
        targets: Mapping[str, Target],
        owner: str,
        settings: RunnerSettings | None = None,
        appends: bool = True,
    ) -> None:
        """Where it `appends` nothing, no link is followed and no timer rings: for a version that is not read yet."""
        self._log = log
        self._pool = pool
        self._read = tables
        self._sources = sources
        self._targets = targets
        self._owner = owner
        self._settings = settings or RunnerSettings()
        self._appends = appends
        self._stand_on(tables.still())
        self._ailing = False
        self._looked = 0.0
        """When it was last seen to what follows from what was projected, by the loop's clock."""
        self._woken = asyncio.Event()
        self._on_progress: list[Callable[[], None]] = []
        self._on_rung: list[Callable[[int], None]] = []

    def _stand_on(self, tables: Tables) -> None:
        """Checkpoints, folds and rows are of one version."""
        self._tables = tables
        self._leases = Leases(tables, self._owner, timedelta(seconds=self._settings.lease))
        self._gone_through: set[int] = set()
        """Partitions in which nothing is left that other code found nothing for: a look at all of it costs."""
        self._advancing = Advancing(
            log=self._log,
            pool=self._pool,
            tables=tables,
            sources=self._sources,
            targets=self._targets,
            batch=self._settings.batch,
        )

    async def _follow(self) -> bool:
        """Goes over to the version that is read; whether that is another one now."""
        if self._read.version == self._tables.version:
            return False
        await self._release()
        self._stand_on(self._read.still())
        return True

    def wake(self) -> None:
        """Says that something was appended, so that the runner need not wait for its poll."""
        self._woken.set()

    def on_progress(self, callback: Callable[[], None]) -> None:
        """Registers a function without arguments, called after rows were written."""
        self._on_progress.append(callback)

    def on_rung(self, callback: Callable[[int], None]) -> None:
        """Registers a function that is called with the number of timers whose events were appended."""
        self._on_rung.append(callback)

    async def run(self, stop: asyncio.Event) -> None:
        """Projects until `stop` is set, then gives its partitions back."""
        try:
            renewed = 0.0
            loop = asyncio.get_running_loop()
            while not stop.is_set():
                self._woken.clear()
                try:
                    if await self._follow() or self._leases.lost or loop.time() - renewed > self._settings.lease / 3:
                        await self._renew()
                        renewed = loop.time()
                    busy = await self.project_once()
                except FAILURES as error:
                    _log.warning("the database failed the runner; trying again", error=in_short(error))
                    renewed = 0.0
                    await _either(stop, self._settings.backoff)
                    continue
                if not busy:
                    await _either(stop, self._settings.poll, self._woken)
        finally:
            await self._release()

    async def _renew(self) -> None:
        async with self._pool.connection() as connection:
            await self._leases.renew(connection)
        await self._retry_stopped()

    async def _release(self) -> None:
        try:
            async with self._pool.connection(timeout=5) as connection:
                await self._leases.release(connection)
        except FAILURES:
            _log.warning("the leases could not be given back; they expire by themselves")

    async def project_until_idle(self) -> None:
        """Leases what is free and projects and relays until nothing is left to do."""
        await self._follow()
        async with self._pool.connection() as connection:
            await self._leases.renew(connection)
        while await self.project_once():
            pass

    async def project_to(self, positions: Mapping[int, int]) -> None:
        """Projects until no leased partition is behind these positions, and appends nothing where it is not to.

        Raises NoProgress where a partition cannot be projected, and psycopg.Error.
        """
        renewed = -self._settings.lease
        loop = asyncio.get_running_loop()
        while True:
            if self._leases.lost or loop.time() - renewed > self._settings.lease / 3:
                async with self._pool.connection() as connection:
                    await self._leases.renew(connection)
                renewed = loop.time()
            held = dict(self._leases.held)
            if all(held.get(partition, 0) >= position for partition, position in positions.items()):
                return
            await self.project_once()
            if held == self._leases.held and not self._leases.lost:
                behind = min(each for each, position in positions.items() if held.get(each, 0) < position)
                raise NoProgress(f"partition {behind} cannot be projected: the log says why")

    async def release(self) -> None:
        """Gives all partitions back, for others to go on with."""
        await self._release()

    async def project_once(self) -> bool:
        """One round over the leased partitions; true when there was something to do."""
        held = dict(self._leases.held)
        heads = await self._log.heads(list(held))
        behind = {each: head for each, position in held.items() if (head := heads.get(each, 0)) > position}
        self._ailing = False
        async for pages in self._advancing.lots(behind, held):
            await self._project_together(pages)
        followed = False
        now = asyncio.get_running_loop().time()
        # While events keep coming, not after each few of them: a look costs, and so does each fold of what is relayed.
        if self._appends and (not behind or now - self._looked >= self._settings.poll):
            followed, self._looked = await self._append_what_follows(heads), now
        if behind:
            for callback in self._on_progress:
                callback()
        # What ails a partition will not pass by asking at once.
        return (bool(behind) and not self._ailing) or followed

    async def _append_what_follows(self, heads: Mapping[int, int]) -> bool:
        """Follows links and rings timers; true when there were any."""
        relayed = await relay_due_links(self._log, self._pool, self._tables, list(self._leases.held))
        # Where more is behind than a round takes, history is being projected: its timers may have rung long ago.
        current = [
            partition for partition, position in self._leases.held.items() if position >= heads.get(partition, 0)
        ]
        rung = await ring_due_timers(self._log, self._pool, self._tables, current)
        for rang in self._on_rung if rung else ():
            rang(rung)
        return relayed or bool(rung)

    async def _project_together(self, pages: Sequence[Page]) -> None:
        """One flush to disk for all; where one partition is in the way of the others, each by itself."""
        try:
            await self._write(await self._advancing.advances(pages))
        except (LostLease, psycopg.Error) as error:
            if is_absence(error):
                raise
            for page in pages:
                await self._project_alone(page.partition, page.before)

    async def _project_alone(self, partition: int, position: int) -> None:
        """One partition by itself: what ails it must not hold up the others."""
        try:
            await self._project(partition, position)
        except LostLease:
            self._leases.lose(partition)
        except psycopg.Error as error:
            if is_absence(error):
                raise
            _log.error("a partition cannot be projected and is tried again", partition=partition, error=in_short(error))
            self._ailing = True

    async def _project(self, partition: int, position: int) -> None:
        page = await self._advancing.page(partition, position)
        for advance in await self._advancing.advances([page] if page else []):
            await self._commit(advance)

    async def _commit(self, advance: Advance) -> None:
        try:
            await self._write([advance])
        except UNWRITABLE:
            # One stream's rows must not hold up the others: find whose they are.
            writable = [await self._writable(rows) for rows in advance.rows]
            await self._write([msgspec.structs.replace(advance, rows=writable)])

    async def _write(self, advances: Sequence[Advance]) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await write_advances(connection, self._tables, self._leases.owner, advances)
        self._leases.held.update((each.partition, each.after) for each in advances)

    async def _writable(self, rows: Rows) -> Rows:
        """The rows, or a stopped stream in their place when the database refuses them."""
        try:
            async with self._pool.connection() as connection, connection.transaction(force_rollback=True):
                await write_rows(connection, self._tables, [rows])
        except UNWRITABLE as error:
            return refused_rows(rows, in_short(error), source_for(self._sources, rows.stream.stream), self._targets)
        return rows

    async def _retry_stopped(self) -> None:
        """Folds streams again that other code could not understand, or could not tell whose they are."""
        fresh = self._leases.held.keys() - self._gone_through
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                self._tables["stopped_by_other_code"],
                {
                    "partitions": list(self._leases.held),
                    "fresh": list(fresh),
                    "code": CODE,
                    "limit": self._settings.batch,
                },
            )
            streams = [stream for (stream,) in await cursor.fetchall()]
        for stream in streams:
            partition = partition_of(stream)
            position = self._leases.held.get(partition)
            if position is None:
                continue
            _log.info("folding a stream again that other code left", stream=stream)
            try:
                await self._commit(await self._advancing.again(stream, position))
            except LostLease:
                self._leases.lose(partition)
        if len(streams) < self._settings.batch:
            self._gone_through |= fresh


async def _either(stop: asyncio.Event, seconds: float, woken: asyncio.Event | None = None) -> None:
    """Waits until stopped, woken, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, woken) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
