"""A rebuild by processes of its own, beside a service that receives, reads back and projects."""

import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from projections.versions import tables_read
from service.bootstrap import prepare
from service.rebuilding.rebuild import Rebuilt, Work, rebuild
from service.settings import Settings
from service.store import EventStore
from service.wiring.rules import derivation, rules_of, without_secrets
from service.wiring.storage import open_pool, open_store
from tests.benchmarks.workload import cohort
from tests.commands import tenure
from tests.integration.store.given import Connection, connected
from tests.integration.test_wallee_lives import ENDS, configured, selling, send, settled
from tests.rebuilding import COLUMNS

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@asynccontextmanager
async def working(settings: Settings, dsn: str, processes: int) -> AsyncIterator[Work]:
    async with open_pool(settings, dsn) as pool, open_store(settings, dsn) as log:
        yield Work(
            dsn=dsn,
            pool=pool,
            log=log,
            opens=partial(derivation, without_secrets(settings)),
            rules=rules_of(settings),
            owner="rebuild-1",
            processes=processes,
        )


async def rows(dsn: str, version: int) -> dict[str, Sequence[Any]]:
    found: dict[str, Sequence[Any]] = {}
    async with connected(dsn) as connection:
        for table, columns in COLUMNS.items():
            where = "where due or doubt <> '{}'" if table == "push" else ""
            statement = f"select {columns} from projection_{version}.{table} {where} order by 1, 2, 3"
            found[table] = await (await connection.execute(statement.encode())).fetchall()
    return found


async def made_anew(settings: Settings, dsn: str, processes: int, *, switching: bool) -> Rebuilt:
    async with working(settings, dsn, processes) as work:
        return await rebuild(work, switching=switching)


@pytest.mark.parametrize(("name", "processes"), list(zip(ENDS, (1, 2, 1, 1, 1), strict=True)))
async def test_a_life_at_wallee_is_rebuilt_as_it_was_projected_and_the_service_goes_over(
    database: str, name: str, processes: int
) -> None:
    async with selling(database, name) as (service, running, space):
        await send(service, space)
        await settled(service)
        asked = len(running.api.calls)
        made = await made_anew(configured(database, running.host), database, processes, switching=True)
        assert made.difference.nothing, made.difference
        before, after = await rows(database, 1), await rows(database, made.version)
        assert before["stream"]
        # What was answered and not told has no row of its own any more, wherever it is derived.
        assert after == before
        tables = service.process.reader.queries._tables
        deadline = time.monotonic() + 20
        while tables.version != made.version:
            assert time.monotonic() < deadline
            await settled(service)
        await send(service, space)
        await settled(service)
        [identifier] = space.book.subscriptions
        found = await service.process.reader.queries.streams(limit=10)
        assert str(identifier) in {view.identifier for view in found}
        assert len([call for call in list(running.api.calls)[asked:] if "/webhooks/" in call]) == 0


async def given_events(dsn: str, subscriptions: int, backlog: int) -> int:
    await prepare(dsn)
    some = cohort("killed", subscriptions, backlog)
    events = [*some.past, *some.backlog]
    async with EventStore.open(dsn) as log:
        for first in range(0, len(events), 500):
            await log.append(events[first : first + 500])
    return len(events)


async def test_a_rebuild_that_was_killed_goes_on_where_it_was(database: str, tmp_path: Path) -> None:
    count = await given_events(database, 250, 4_000)
    shop = tenure(tmp_path, database)
    killed = subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on
        shop.command("rebuild", "--dry-run"),
        cwd=shop.folder,
        env=dict(shop.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    loaded = await until_loaded(database, 20)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert loaded < 256
    async with connected(database) as connection:
        partial_ = await connection.execute(
            "select count(*) from projection_2.stream join projection_2.lease as lease using (partition)"
            " where lease.position = 0"
        )
        assert await partial_.fetchone() == (0,), "a partition is loaded whole or not at all"
    again = shop.run("rebuild", "--json")
    assert again.code == 0, again.err
    assert '"resumed": true' in again.out
    async with connected(database) as connection:
        assert (await tables_read(connection)).version == 2
        behind = "select count(*) from head left join projection_2.lease using (partition)"
        cursor = await connection.execute(f"{behind} where lease.position is distinct from head.position".encode())
        assert await cursor.fetchone() == (0,)
        cursor = await connection.execute("select sum(events) from projection_2.stream")
        assert await cursor.fetchone() == (count,)


@pytest.mark.parametrize(
    ("moment", "obstacle"),
    [
        ("right before", "lock table projection_1.push in row exclusive mode"),
        ("in the midst", "select from projection_version where version = 1 for update"),
        ("right after", ""),
    ],
)
async def test_a_rebuild_killed_around_its_switch_ends_as_one_that_nobody_stopped(
    database: str, tmp_path: Path, moment: str, obstacle: str
) -> None:
    await given_events(database, 60, 600)
    shop = tenure(tmp_path, database)
    loaded = shop.run("rebuild", "--dry-run")
    assert loaded.code == 0, loaded.err
    async with connected(database) as connection, connected(database) as holder:
        async with holder.transaction():
            if obstacle:
                await holder.execute(obstacle.encode())
            killed = subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on
                shop.command("rebuild"),
                cwd=shop.folder,
                env=dict(shop.environment),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                await until(
                    connection,
                    WAITS_FOR_A_LOCK if obstacle else b"select is_read from projection_version where version = 2",
                )
            finally:
                os.kill(killed.pid, signal.SIGKILL)
                killed.wait()
        assert (await tables_read(connection)).version == (1 if obstacle else 2), moment
        again = shop.run("rebuild", "--json")
        assert again.code == 0, again.err
        resumed = (await tables_read(connection)).version
        assert resumed == (2 if obstacle else 3)
        found = await rows(database, resumed)
        assert shop.run("rebuild").code == 0
        unstopped = (await tables_read(connection)).version
        assert unstopped == resumed + 1
        assert await rows(database, unstopped) == found
        assert found["stream"]


WAITS_FOR_A_LOCK = (
    b"select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
)


async def until(connection: Connection, question: bytes) -> None:
    deadline = time.monotonic() + 60
    while await (await connection.execute(question)).fetchone() != (True,):
        assert time.monotonic() < deadline


async def until_loaded(dsn: str, partitions: int) -> int:
    """How many partitions are loaded when there are at least that many."""
    question = b"select count(*) from projection_2.lease where position > 0"
    deadline = time.monotonic() + 60
    async with connected(dsn) as connection:
        while True:
            assert time.monotonic() < deadline
            cursor = await connection.execute("select to_regclass('projection_2.lease') is not null")
            if await cursor.fetchone() != (True,):
                continue
            (loaded,) = await (await connection.execute(question)).fetchone() or (0,)
            if loaded >= partitions:
                return int(loaded)
