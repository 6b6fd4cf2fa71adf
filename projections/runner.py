"""The runner: reads each leased partition in order, folds, and commits rows and checkpoint together.

Exactly once without a table of what was seen: the checkpoint moves by compare-and-set in the transaction that
writes the rows, so a process that lost its lease writes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.events import Event, Stream, partition_of
from domain.history import Fold, decode_fold, extend, extends, refold
from domain.subscription import Subscription
from domain.version import CODE
from projections.folding import Rows, rows_of
from projections.leases import Leases
from projections.ports import EventLog, LogUnavailable
from projections.relay import relay_due_links
from projections.sources import Source, source_for
from projections.tables import Tables
from projections.targets import Target
from projections.writing import Advance, LostLease, write_advances, write_rows

_log = structlog.get_logger("tenure.runner")

Pool = AsyncConnectionPool[AsyncConnection[Any]]


FAILURES = (psycopg.Error, OSError, LogUnavailable)
"""What passes by itself, or is a fault that must be seen in the log again and again; never a reason to end."""

UNWRITABLE = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)


_ABSENT = ("08", "53", "57")
"""Classes of SQLSTATE that are about the connection or the server, not about what was asked."""


def is_absence(error: BaseException) -> bool:
    """Whether the database is not there, or not for us, at the moment."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(_ABSENT))


def in_short(error: BaseException) -> str:
    """What kind of error it was; a database's own words may hold what stands in a row."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`poll` is how often heads are looked at when nobody wakes the runner; times in seconds."""

    poll: float = 0.25
    lease: float = 15.0
    batch: int = 500
    backoff: float = 1.0


_TOGETHER_BYTES = 8 * 1024 * 1024
"""Of bodies, beyond which no further partition joins a transaction."""


class _Page(msgspec.Struct, frozen=True):
    """The next events of a partition; at least one."""

    partition: int
    before: int
    events: Sequence[Event]

    @property
    def after(self) -> int:
        return self.events[-1].position


class Runner:
    """Projects the partitions it can lease, until it is told to stop."""

    def __init__(
        self,
        *,
        log: EventLog,
        pool: Pool,
        tables: Tables,
        sources: Mapping[str, Source],
        targets: Mapping[str, Target],
        owner: str,
        settings: RunnerSettings | None = None,
    ) -> None:
        self._log = log
        self._pool = pool
        self._tables = tables
        self._sources = sources
        self._targets = targets
        self._settings = settings or RunnerSettings()
        self._leases = Leases(tables, owner, timedelta(seconds=self._settings.lease))
        self._ailing = False
        self._woken = asyncio.Event()
        self._on_progress: list[Callable[[], None]] = []

    def wake(self) -> None:
        """Says that something was appended, so that the runner need not wait for its poll."""
        self._woken.set()

    def on_progress(self, callback: Callable[[], None]) -> None:
        """Registers a function without arguments, called after rows were written."""
        self._on_progress.append(callback)

    async def run(self, stop: asyncio.Event) -> None:
        """Projects until `stop` is set, then gives its partitions back."""
        try:
            renewed = 0.0
            loop = asyncio.get_running_loop()
            while not stop.is_set():
                self._woken.clear()
                try:
                    if loop.time() - renewed > self._settings.lease / 3:
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
        async with self._pool.connection() as connection:
            await self._leases.renew(connection)
        while await self.project_once():
            pass

    async def project_once(self) -> bool:
        """One round over the leased partitions; true when there was something to do."""
        held = dict(self._leases.held)
        heads = await self._log.heads(list(held))
        behind = [partition for partition, position in held.items() if heads.get(partition, 0) > position]
        self._ailing = False
        async for pages in self._pages(sorted(behind), held):
            await self._project_together(pages)
        relayed = await relay_due_links(self._log, self._pool, self._tables, list(self._leases.held))
        if behind:
            for callback in self._on_progress:
                callback()
        # What ails a partition will not pass by asking at once.
        return (bool(behind) and not self._ailing) or relayed

    async def _pages(self, behind: Sequence[int], held: Mapping[int, int]) -> AsyncIterator[list[_Page]]:
        """The next events of those partitions, in lots that are worth a transaction and fit into memory."""
        lot: list[_Page] = []
        events = size = 0
        for partition in behind:
            page = await self._log.read_partition(partition, held[partition], self._settings.batch)
            if page:
                lot.append(_Page(partition, held[partition], page))
                events += len(page)
                size += sum(len(event.body) for event in page)
            if events >= self._settings.batch or size >= _TOGETHER_BYTES:
                yield lot
                lot, events, size = [], 0, 0
        if lot:
            yield lot

    async def _project_together(self, pages: Sequence[_Page]) -> None:
        """One flush to disk for all; where one partition is in the way of the others, each by itself."""
        try:
            await self._write(await self._advances(pages))
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
        events = await self._log.read_partition(partition, position, self._settings.batch)
        if events:
            for advance in await self._advances([_Page(partition, position, events)]):
                await self._commit(advance)

    async def _advances(self, pages: Sequence[_Page]) -> list[Advance]:
        stored = await self._stored(pages)
        return [
            Advance(
                partition=page.partition,
                before=page.before,
                after=page.after,
                rows=[
                    self._rows(stream, fold, page.after) for stream, fold in (await self._folds(page, stored)).items()
                ],
            )
            for page in pages
        ]

    async def _stored(self, pages: Sequence[_Page]) -> dict[Stream, Fold | None]:
        """The folds of the pages' streams as they stand; None for one of other code, nothing for a new stream."""
        async with self._pool.connection() as connection, connection.pipeline():
            cursors = [
                await connection.execute(
                    self._tables["load_folds"],
                    {"partition": page.partition, "streams": list({event.stream for event in page.events})},
                    binary=True,
                )
                for page in pages
            ]
            return {
                stream: decode_fold(fold) if code == CODE else None
                for cursor in cursors
                for stream, code, fold in await cursor.fetchall()
            }

    async def _folds(self, page: _Page, stored: Mapping[Stream, Fold | None]) -> dict[Stream, Fold]:
        by_stream: dict[Stream, list[Event]] = {}
        for event in page.events:
            by_stream.setdefault(event.stream, []).append(event)
        folds = {}
        for stream, events in by_stream.items():
            provider = source_for(self._sources, stream).provider
            fold = stored.get(stream)
            if stream not in stored:
                # Rows go with the checkpoint: without one, no earlier event is of this stream.
                folds[stream] = refold(events, provider)
            elif fold is not None and extends(fold, events):
                folds[stream] = extend(fold, events, provider)
            else:
                folds[stream] = await self._refold(stream, page.after)
        return folds

    def _rows(self, stream: Stream, fold: Fold, position: int) -> Rows:
        if fold.stopped:
            _log.warning("a stream stopped", stream=stream, reason=fold.stopped)
        return rows_of(stream, fold, position, source_for(self._sources, stream), self._targets)

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
            reason = f"its rows cannot be written ({in_short(error)}): a fault in Tenure, please report it"
            stopped = Fold(subscription=Subscription(), stopped=reason)
            return self._rows(rows.stream.stream, stopped, rows.stream.position)
        return rows

    async def _retry_stopped(self) -> None:
        """Folds streams again that other code could not understand, or that an operator asked for."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                self._tables["stopped_by_other_code"],
                {"partitions": list(self._leases.held), "code": CODE, "limit": self._settings.batch},
            )
            streams = [stream for (stream,) in await cursor.fetchall()]
        for stream in streams:
            partition = partition_of(stream)
            position = self._leases.held.get(partition)
            if position is None:
                continue
            _log.info("folding a stopped stream again", stream=stream)
            try:
                rows = self._rows(stream, await self._refold(stream, position), position)
                await self._commit(Advance(partition=partition, before=position, after=position, rows=[rows]))
            except LostLease:
                self._leases.lose(partition)

    async def _refold(self, stream: Stream, upto: int) -> Fold:
        whole = await self._log.read_stream(stream)
        provider = source_for(self._sources, stream).provider
        return refold([event for event in whole if event.position <= upto], provider)


async def _either(stop: asyncio.Event, seconds: float, woken: asyncio.Event | None = None) -> None:
    """Waits until stopped, woken, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, woken) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
