"""The only place that wires: settings in, a process out. How each piece is made stands in `service.wiring`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from psycopg import AsyncConnection

from domain import upcasting
from projections.queries import Queries
from projections.tables import Tables
from projections.versions import following, read_again, read_version, tables_read
from service.auth import Access
from service.background import Background
from service.health import database_check, part_check
from service.lookup import Reader
from service.metrics import Metrics
from service.process import Process, Work
from service.settings import Part, Settings
from service.store.migrate import check as check_store
from service.store.migrate import migrate
from service.store.sealing import Sealer
from service.wiring.asking import make_fetcher, provided, why_unasked
from service.wiring.projecting import make_runner, projected
from service.wiring.receiving import make_generator, make_receiver, open_public_keys, signs_with_public_keys
from service.wiring.rules import rules_of, warn_of_other_rules
from service.wiring.storage import open_pool, open_store, sealing
from service.wiring.targets import make_pusher, open_accounts, targets_of


async def prepare(dsn: str, rules: str = "") -> Tables:
    """Brings the database to the schema of this version; says which projections are read.

    Where there are none yet they are made, to be filled by those rules.
    Raises MigrationError, TablesDiffer and UpcastersIncomplete.
    """
    upcasting.check()
    await migrate(dsn)
    async with await _connect(dsn) as connection:
        tables = Tables(await read_version(connection) or await read_again(connection) or 1)
        await tables.prepare(connection, rules)
    return tables


async def check(dsn: str) -> Tables:
    """Says which projections are read, if the database has the schema of this version.

    Raises what `prepare` does.
    """
    upcasting.check()
    await check_store(dsn)
    async with await _connect(dsn) as connection:
        await Tables(await read_version(connection) or 1).check(connection)
        return await tables_read(connection)


async def _connect(dsn: str) -> AsyncConnection[Any]:
    # Each statement is sent once, so none is worth preparing, which a pooler might not bear.
    return await AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=None)


@asynccontextmanager
async def reading(settings: Settings, dsn: str) -> AsyncIterator[Reader]:
    """What commands read and ask with."""
    async with open_pool(settings, dsn) as pool, open_store(settings, dsn) as log:
        async with pool.connection() as connection:
            tables = await tables_read(connection)
        yield Reader(log=log, queries=Queries(pool, tables), sources=projected(settings))


@asynccontextmanager
async def wired(
    settings: Settings,
    dsn: str,
    parts: Collection[Part],
    *,
    background: Background | None = None,
    runner: str = "",
    open_to_all: bool = False,
) -> AsyncIterator[Process]:
    """A process with those parts; on leaving, what was accepted is made durable and connections are closed.

    Other parts may work in the `background`. As `runner` it leases what a dead process of that name had.

    Raises psycopg.OperationalError and StoreUnavailable where the database cannot be used, MigrationError and
    TablesDiffer where its schema is not that of this version, SettingsInvalid where a key is not of its form.
    """
    tables = await (prepare(dsn, rules_of(settings)) if settings.database.migrate_at_start else check(dsn))
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, dsn))
        await stack.enter_async_context(following(pool, tables))
        if "runner" in parts:
            await warn_of_other_rules(pool, settings)
        # Filled below: the store has to be there before the runner that it wakes.
        waking: list[Callable[[], None]] = []
        log = await stack.enter_async_context(open_store(settings, dsn, on_append=lambda _: _call_all(waking)))
        accounts = await stack.enter_async_context(open_accounts(settings, pool, tables))
        asked = {
            name: await stack.enter_async_context(provided(settings, name))
            for name in (settings.sources if "fetcher" in parts else ())
            if not why_unasked(settings, name)
        }
        queries = Queries(pool, tables)
        keys = {
            name: await stack.enter_async_context(open_public_keys(settings, name, log, queries))
            for name in (settings.sources if "receiver" in parts else ())
            if signs_with_public_keys(settings, name)
        }
        projecting = make_runner(settings, log, pool, tables, targets_of(accounts, accounts), runner)
        fetcher = make_fetcher(settings, log, pool, tables, asked, metrics)
        pusher = make_pusher(settings, log, pool, tables, accounts)
        waking.append(projecting.wake)
        projecting.on_progress(pusher.wake)
        projecting.on_progress(fetcher.wake)
        projecting.on_rung(metrics.timers_rung.inc)
        able = (
            ("runner", projecting.run),
            ("fetcher", fetcher.run),
            ("pusher", pusher.run),
            ("sealer", Sealer(pool, settings=sealing(settings)).run),
        )
        work: dict[str, Work] = {name: run for name, run in able if name in parts}
        running: dict[str, asyncio.Task[None]] = {}
        checks = {"database": database_check(pool, tables), **{name: part_check(name, running) for name in work}}
        if background:
            waking.append(background.wake)
            work["background"] = partial(background.run, metrics)
            checks |= background.checks()
        yield Process(
            reader=Reader(log=log, queries=queries, sources=projected(settings)),
            access=Access(settings.secrets.viewer_tokens, settings.secrets.operator_tokens, open_to_all=open_to_all),
            metrics=metrics,
            unsealed=log.unsealed,
            receiver=make_receiver(settings, log, metrics, keys) if "receiver" in parts else None,
            generator=make_generator(settings, log, queries, metrics, accounts) if "receiver" in parts else None,
            checks=checks,
            wake=lambda: _call_all(waking),
            work=work,
            running=running,
        )


def _call_all(functions: Collection[Callable[[], None]]) -> None:
    for function in functions:
        function()
