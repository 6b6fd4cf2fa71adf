"""The only place that wires: settings in, a process out."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.providers.table import PROVIDERS
from projections.budget import Budget
from projections.fetcher import Asked, Fetcher, FetcherSettings
from projections.ports import EventLog, Provided
from projections.pusher import Account, Pusher, PusherSettings
from projections.queries import Queries
from projections.runner import Runner, RunnerSettings
from projections.sources import Source as Projected
from projections.tables import Pool, Tables
from projections.targets import Target
from projections.targets.licensespring.client import open_licensespring
from projections.targets.licensespring.target import LicenseSpringTarget
from service import settings as configured
from service.auth import Access
from service.fulfillment import LicenseGenerator
from service.fulfillment import Source as Asking
from service.health import database_check, part_check
from service.lookup import Reader
from service.metrics import Metrics
from service.process import Process, Work
from service.secrets import Secret, api_key_variable
from service.settings import Part, Settings, SettingsInvalid
from service.sources.keys import HasKeys, KeyRing, key_ring
from service.sources.reading import AccountUnfit
from service.sources.table import GENERATORS, READING, RECEIVING
from service.store import EventStore
from service.store.limits import Limits
from service.store.migrate import check as check_store
from service.store.migrate import migrate
from service.tables import Finding, key_of
from service.webhooks import Receiver
from service.webhooks import Source as Received

POOL_SECONDS = 10.0
_NO_KEY = Secret("not-configured")
"""For a process that plans calls but never makes them."""


@asynccontextmanager
async def licensespring(name: str, target: configured.Target, key: Secret) -> AsyncIterator[Target]:
    async with open_licensespring(f"{target.url.rstrip('/')}/api/v1/", key.reveal()) as client:
        yield LicenseSpringTarget(name, client)


TARGETS: dict[str, Callable[[str, configured.Target, Secret], AbstractAsyncContextManager[Target]]] = {
    "licensespring": licensespring,
}
"""The license servers by the name that settings give them."""


async def prepare(dsn: str) -> None:
    """Brings the database to the schema of this version. Raises MigrationError and TablesDiffer."""
    await migrate(dsn)
    async with await _connect(dsn) as connection:
        await Tables().prepare(connection)


async def check(dsn: str) -> None:
    """Returns if the database has the schema of this version. Raises MigrationError and TablesDiffer."""
    await check_store(dsn)
    async with await _connect(dsn) as connection:
        await Tables().check(connection)


async def _connect(dsn: str) -> AsyncConnection[Any]:
    # Each statement is sent once, so none is worth preparing, which a pooler might not bear.
    return await AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=None)


@asynccontextmanager
async def reading(settings: Settings, dsn: str) -> AsyncIterator[Reader]:
    """What commands read and ask with."""
    async with _pool(settings, dsn) as pool, _store(settings, dsn) as log:
        yield Reader(log=log, queries=Queries(pool, Tables()), sources=_projected(settings))


@asynccontextmanager
async def wired(
    settings: Settings, dsn: str, parts: Collection[Part], *, open_to_all: bool = False
) -> AsyncIterator[Process]:
    """A process with those parts; on leaving, what was accepted is made durable and connections are closed.

    Raises psycopg.OperationalError and StoreUnavailable where the database cannot be used, MigrationError and
    TablesDiffer where its schema is not that of this version.
    """
    await (prepare(dsn) if settings.database.migrate_at_start else check(dsn))
    metrics, tables = Metrics(), Tables()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(_pool(settings, dsn))
        # Filled below: the store has to be there before the runner that it wakes.
        waking: list[Callable[[], None]] = []
        log = await stack.enter_async_context(_store(settings, dsn, on_append=lambda _: _call_all(waking)))
        targets = {
            name: await stack.enter_async_context(
                TARGETS[target.server](name, target, settings.secrets.targets.get(name, _NO_KEY))
            )
            for name, target in settings.targets.items()
        }
        asked = {
            name: await stack.enter_async_context(provided(settings, name))
            for name in (settings.sources if "fetcher" in parts else ())
            if not why_unasked(settings, name)
        }
        keys = {
            name: await stack.enter_async_context(_public_keys(settings, name))
            for name, source in (settings.sources.items() if "receiver" in parts else ())
            if RECEIVING[source.provider].key_id is not None and not why_unasked(settings, name)
        }
        runner = _runner(settings, log, pool, tables, targets)
        fetcher = _fetcher(settings, log, pool, tables, asked, metrics)
        pusher = _pusher(settings, log, pool, tables, targets)
        waking.append(runner.wake)
        runner.on_progress(pusher.wake)
        runner.on_progress(fetcher.wake)
        runner.on_rung(metrics.timers_rung.inc)
        background = (("runner", runner.run), ("fetcher", fetcher.run), ("pusher", pusher.run))
        work: dict[str, Work] = {name: run for name, run in background if name in parts}
        running: dict[str, asyncio.Task[None]] = {}
        yield Process(
            reader=Reader(log=log, queries=Queries(pool, tables), sources=_projected(settings)),
            access=Access(settings.secrets.viewer_tokens, settings.secrets.operator_tokens, open_to_all=open_to_all),
            metrics=metrics,
            receiver=_receiver(settings, log, metrics, keys) if "receiver" in parts else None,
            generator=_generator(settings, log, metrics, targets) if "receiver" in parts else None,
            checks={"database": database_check(pool, tables), **{name: part_check(name, running) for name in work}},
            work=work,
            running=running,
        )


def _call_all(functions: Collection[Callable[[], None]]) -> None:
    for function in functions:
        function()


def _store(
    settings: Settings, dsn: str, on_append: Callable[[frozenset[int]], object] | None = None
) -> AbstractAsyncContextManager[EventStore]:
    return EventStore.open(
        dsn,
        on_append=on_append,
        limits=Limits(deadline=settings.database.timeout_seconds),
        prepare_threshold=0 if settings.database.prepared_statements else None,
    )


@asynccontextmanager
async def _pool(settings: Settings, dsn: str) -> AsyncIterator[Pool]:
    connection = {"autocommit": True} | ({} if settings.database.prepared_statements else {"prepare_threshold": None})
    pool: Pool = AsyncConnectionPool(
        dsn, min_size=1, max_size=settings.database.connections, kwargs=connection, timeout=POOL_SECONDS, open=False
    )
    async with pool:
        yield pool


def _runner(settings: Settings, log: EventLog, pool: Pool, tables: Tables, targets: Mapping[str, Target]) -> Runner:
    numbers = settings.project
    return Runner(
        log=log,
        pool=pool,
        tables=tables,
        sources=_projected(settings),
        targets=targets,
        owner=_owner(),
        settings=RunnerSettings(poll=numbers.poll_seconds, lease=numbers.lease_seconds, batch=numbers.batch),
    )


def _pusher(settings: Settings, log: EventLog, pool: Pool, tables: Tables, targets: Mapping[str, Target]) -> Pusher:
    numbers = settings.push
    accounts = {
        name: Account(
            target=targets[name],
            budget=Budget(per_second=target.requests_per_minute / 60, burst=target.burst),
        )
        for name, target in settings.targets.items()
    }
    return Pusher(
        log=log,
        pool=pool,
        tables=tables,
        accounts=accounts,
        owner=_owner(),
        settings=PusherSettings(
            concurrency=numbers.concurrency,
            poll=numbers.poll_seconds,
            lease=numbers.lease_seconds,
            longest_delay=numbers.longest_delay_seconds,
        ),
    )


def why_unasked(settings: Settings, name: str) -> str:
    """Why a source's provider is not asked for what its deliveries leave out, with the remedy; empty when it is."""
    if settings.sources[name].provider not in READING:
        return "this version cannot ask its provider"
    return "" if name in settings.secrets.api_keys else f"no API key: set {api_key_variable(name)}"


@asynccontextmanager
async def provided(settings: Settings, name: str) -> AsyncIterator[Provided]:
    """The API of a source's provider, to be asked where `why_unasked` says nothing.

    Raises SettingsInvalid where API key or account is not of the provider's form; nothing is asked before that.
    """
    source = settings.sources[name]
    reading = READING[source.provider]
    async with AsyncExitStack() as stack:
        try:
            key = settings.secrets.api_keys[name].reveal()
            api = await stack.enter_async_context(reading.open(source.api.url or reading.url, key, source.account))
        except AccountUnfit as error:
            unfit = Finding(key_of(("sources", name, "account")), f"does not fit ({error})", "Correct it.")
            raise SettingsInvalid([unfit]) from None
        except ValueError as error:
            raise SettingsInvalid([Finding(api_key_variable(name), f"does not fit ({error})", "Correct it.")]) from None
        yield api


@asynccontextmanager
async def _public_keys(settings: Settings, name: str) -> AsyncIterator[KeyRing]:
    """The public keys that a source's deliveries are signed with, from its provider's API. Raises SettingsInvalid."""
    async with provided(settings, name) as api:
        if not isinstance(api, HasKeys):
            raise TypeError(f"the API of {settings.sources[name].provider} gives no public keys")
        async with key_ring(name, api) as keys:
            yield keys


async def check_api_keys(settings: Settings) -> None:
    """Returns if every API key is of its provider's form, else raises SettingsInvalid with all that are not."""
    found: list[Finding] = []
    for name in settings.sources:
        if not why_unasked(settings, name):
            try:
                async with provided(settings, name):
                    pass
            except SettingsInvalid as invalid:
                found.extend(invalid.findings)
    if found:
        raise SettingsInvalid(found)


def _fetcher(
    settings: Settings, log: EventLog, pool: Pool, tables: Tables, asked: Mapping[str, Provided], metrics: Metrics
) -> Fetcher:
    numbers = settings.fetch
    return Fetcher(
        log=log,
        pool=pool,
        tables=tables,
        sources={name: _asked(settings.sources[name], api) for name, api in asked.items()},
        owner=_owner(),
        settings=FetcherSettings(
            concurrency=numbers.concurrency,
            poll=numbers.poll_seconds,
            lease=numbers.lease_seconds,
            longest_delay=numbers.longest_delay_seconds,
            doubtful_delays=numbers.doubtful_delays_seconds,
        ),
        unasked={name: reason for name in settings.sources if (reason := why_unasked(settings, name))},
        on_outcome=lambda source, outcome: metrics.fetches.labels(source, outcome).inc(),
    )


def _asked(source: configured.Source, api: Provided) -> Asked:
    reading = READING[source.provider]
    pace = source.api.requests_per_minute or reading.requests_per_minute
    return Asked(
        provider=PROVIDERS[source.provider],
        provided=api,
        budget=Budget(per_second=pace / 60, burst=reading.burst),
        sure_after=reading.sure_after,
    )


def _receiver(settings: Settings, log: EventLog, metrics: Metrics, keys: Mapping[str, KeyRing]) -> Receiver:
    sources = {
        name: Received(
            name=name,
            provider=PROVIDERS[source.provider],
            receiving=RECEIVING[source.provider],
            live=source.live,
            secrets=settings.secrets.sources.get(name, ()),
            account=source.account,
            keys=keys.get(name),
        )
        for name, source in settings.sources.items()
    }
    return Receiver(
        sources,
        log,
        metrics,
        lambda: datetime.now(UTC),
        body_limit_bytes=settings.server.body_limit_bytes,
        body_timeout_seconds=settings.server.body_timeout_seconds,
    )


def _generator(settings: Settings, log: EventLog, metrics: Metrics, targets: Mapping[str, Target]) -> LicenseGenerator:
    sources = {
        name: Asking(
            name=name,
            generating=GENERATORS.get(source.provider),
            live=source.live,
            keys=settings.secrets.generator_keys.get(name, ()),
            target=targets[source.target],
        )
        for name, source in settings.sources.items()
    }
    return LicenseGenerator(
        sources,
        log,
        metrics,
        lambda: datetime.now(UTC),
        body_timeout_seconds=settings.server.body_timeout_seconds,
    )


def _projected(settings: Settings) -> dict[str, Projected]:
    return {
        name: Projected(
            name=name,
            provider=PROVIDERS[source.provider],
            policy=source.policy,
            target=source.target,
            patience=timedelta(seconds=settings.fetch.patience_seconds),
            unasked=why_unasked(settings, name),
            live=source.live,
        )
        for name, source in settings.sources.items()
    }


def _owner() -> str:
    """Names this process in leases; the end tells it from an earlier process of the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
