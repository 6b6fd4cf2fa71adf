"""A rebuild from its beginning to the switch: loaded, indexed, caught up, compared, and then read by everybody.

It may be killed at any point. What was loaded stays, and the next rebuild by the same rules goes on from there; the
switch is one transaction. Nothing is appended and nobody outside is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Any, Literal

import msgspec
import psycopg
from psycopg import AsyncConnection

from domain.events import PARTITIONS
from projections.failures import FAILURES
from projections.ports import BulkLog
from projections.rebuilding.comparing import Difference, compare
from projections.rebuilding.loading import Derivation
from projections.rebuilding.switching import switch
from projections.runner import Runner, RunnerSettings
from projections.tables import Pool, Tables
from projections.versions import LEASE, Purpose, VersionHeld, begin, complete, drop, hold, leave, tables_read
from service.rebuilding.workers import Crew, Opens, Site, cores

Phase = Literal["loading", "indexing", "catching up", "comparing", "switching"]
COMPARISONS = 3
"""How often what moves is compared anew."""
PAUSE = 0.3
"""Seconds in which those who project the version that is read come to what moves."""
EVENTS_PER_PROCESS = 10_000
"""As long as it takes to fold them, a process takes to start."""
_ALL = list(range(PARTITIONS))
_ANALYZED = ("stream", "license", "push", "want", "timer", "link")


class Progress(msgspec.Struct, kw_only=True):
    """How far a rebuild is; of events only those that are loaded from now on."""

    phase: Phase = "loading"
    events: int = 0
    total: int = 0
    bytes: int = 0
    """Of bodies."""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rebuild. `seconds` is what loading took, of `events` with `bytes` of bodies, by `processes`."""

    version: int
    before: int
    """The version that was read when it began."""
    purpose: Purpose
    switched: bool
    resumed: bool
    events: int
    bytes: int
    seconds: float
    processes: int
    difference: Difference


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild is made with."""

    dsn: str
    pool: Pool
    log: BulkLog
    opens: Opens
    rules: str
    owner: str
    processes: int = 0
    """0: one for each core."""
    on_progress: Callable[[Progress], None] = lambda _: None


async def rebuild(work: Work, purpose: Purpose = "rebuild", *, switching: bool = False) -> Rebuilt:
    """Makes another version by the rules at hand and compares it with the one that is read; switches only if told to.

    A simulation is dropped at the end, whatever happens; else the version is kept where there is no switch, and the
    next rebuild by the same rules goes on from it. Raises VersionHeld, NotRead, NoProgress, psycopg.Error and what the
    log raises.
    """
    async with work.pool.connection() as connection:
        new, resumed = await _begin(connection, purpose, work)
        # Not before: another rebuild may have been waited for, which then switched.
        old = await tables_read(connection)
    try:
        async with _holding(work, new):
            return await _made(work, purpose, old, new, resumed=resumed, switching=switching)
    finally:
        async with work.pool.connection() as connection:
            await leave(connection, new.version, work.owner)
            if purpose == "simulation":
                await drop(connection, new.version, work.owner)


async def _made(work: Work, purpose: Purpose, old: Tables, new: Tables, *, resumed: bool, switching: bool) -> Rebuilt:
    progress = Progress()
    began = monotonic()
    processes = await _load(work, new, progress)
    seconds = monotonic() - began
    async with work.opens() as derivation:
        runner = _runner(work, new, derivation)
        try:
            difference = await _compared(work, old, new, runner, derivation, progress)
            if switching:
                _enter(work, progress, "switching")
                followed = None if "lease" in difference.unreadable else old
                async with work.pool.connection() as connection:
                    await switch(
                        connection, old, new, work.owner, caught_up=lambda: _caught_up_with(work, followed, runner)
                    )
        finally:
            await runner.release()
    return Rebuilt(
        version=new.version,
        before=old.version,
        purpose=purpose,
        switched=switching,
        resumed=resumed,
        events=progress.events,
        bytes=progress.bytes,
        seconds=seconds,
        processes=processes,
        difference=difference,
    )


async def _begin(connection: AsyncConnection[Any], purpose: Purpose, work: Work) -> tuple[Tables, bool]:
    """Waits for the lease of one that was killed; of one that lives VersionHeld tells."""
    give_up = monotonic() + LEASE.total_seconds() + 1
    while True:
        try:
            return await begin(connection, purpose, work.rules, work.owner)
        except VersionHeld:
            if monotonic() > give_up:
                raise
            await asyncio.sleep(0.25)


@asynccontextmanager
async def _holding(work: Work, tables: Tables) -> AsyncIterator[None]:
    """Says again and again that somebody makes this version. One that was lost all the same cannot be switched to."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 4)
            try:
                async with work.pool.connection() as connection:
                    await hold(connection, tables.version, work.owner)
            except FAILURES:
                continue

    holding = asyncio.create_task(go_on())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.wait({holding})


async def _load(work: Work, new: Tables, progress: Progress) -> int:
    """Loads what is not loaded yet, then makes indexes; both may have been done before. Says by how many processes."""
    processes = 1
    heads = await work.log.heads(_ALL)
    async with work.pool.connection() as connection:
        cursor = await connection.execute(new["unbuilt"])
        # The largest first, so that all cores end together.
        unbuilt = [(partition, heads.get(partition, 0)) for (partition,) in await cursor.fetchall()]
    partitions = sorted((each for each in unbuilt if each[1]), key=lambda each: -each[1])
    progress.total = sum(upto for _, upto in partitions)
    work.on_progress(progress)
    if partitions:
        site = Site(work.dsn, new.version, work.opens)
        processes = work.processes or max(1, min(cores(), progress.total // EVENTS_PER_PROCESS))
        async with Crew.open(site, processes) as crew:
            async for loaded in crew.load(partitions):
                progress.events += loaded.events
                progress.bytes += loaded.bytes
                work.on_progress(progress)
            _enter(work, progress, "indexing")
            await asyncio.gather(_link(work, new), _index(work, new))
            await crew.settle(_ALL)
    else:
        # Whoever loaded it may have been killed before.
        await asyncio.gather(_link(work, new), _index(work, new))
    async with work.pool.connection() as connection:
        await complete(connection, new.version, work.owner)
    return processes


async def _link(work: Work, new: Tables) -> None:
    """Links are loaded as if each had something to relay; most have not."""
    async with _connected(work) as connection:
        for name in ("settle_unheard", "key_links"):
            await connection.execute(new[name])


async def _index(work: Work, new: Tables) -> None:
    async with _connected(work) as connection:
        for statement in new.indexes():
            await connection.execute(statement)
        for table in _ANALYZED:
            await connection.execute(f"analyze {new.schema}.{table}".encode())


@asynccontextmanager
async def _connected(work: Work) -> AsyncIterator[AsyncConnection[Any]]:
    """For statements about whole tables."""
    async with await psycopg.AsyncConnection.connect(work.dsn, autocommit=True) as connection:
        await connection.execute("set maintenance_work_mem = '256MB'")
        await connection.execute("set work_mem = '64MB'")
        yield connection


def _runner(work: Work, new: Tables, derivation: Derivation) -> Runner:
    """Projects what came meanwhile; others follow links and ring timers, by the version that is read."""
    return Runner(
        log=work.log,
        pool=work.pool,
        tables=new,
        sources=derivation.sources,
        targets=derivation.targets,
        owner=work.owner,
        settings=RunnerSettings(),
        appends=False,
    )


async def _compared(
    work: Work, old: Tables, new: Tables, runner: Runner, derivation: Derivation, progress: Progress
) -> Difference:
    """What differs when both versions have come to the same events, as far as they do."""
    for number in count(1):
        _enter(work, progress, "catching up")
        await runner.project_to(await work.log.heads(_ALL))
        _enter(work, progress, "comparing")
        async with work.pool.connection() as connection:
            difference = await compare(connection, work.log, old, new, derivation)
        if not difference.moving or number == COMPARISONS:
            return difference
        await asyncio.sleep(PAUSE)
    raise AssertionError


async def _caught_up_with(work: Work, old: Tables | None, runner: Runner) -> Mapping[int, int]:
    """Projects as far as the old version has come, or all there is where that says nothing."""
    heads = await work.log.heads(_ALL)
    if old is None:
        await runner.project_to(heads)
        return heads
    async with work.pool.connection() as connection:
        cursor = await connection.execute(old["positions"])
        reached = dict(await cursor.fetchall())
    # Of what a damaged version claims no more than there is.
    await runner.project_to({each: min(position, heads.get(each, 0)) for each, position in reached.items()})
    return heads


def _enter(work: Work, progress: Progress, phase: Phase) -> None:
    progress.phase = phase
    work.on_progress(progress)
