"""What answers providers: the receiver of webhooks, and the license generator."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import get_args

from domain.providers.table import PROVIDERS
from projections.ports import EventLog
from projections.pusher import Account
from projections.queries import Queries, Status
from service import fulfillment
from service.fulfillment import LicenseGenerator
from service.metrics import Metrics
from service.secrets import Secret
from service.settings import Settings
from service.sources import PUBLIC_KEY, NotAuthentic
from service.sources.keys import HasKeys, KeyRing, key_ring
from service.sources.table import GENERATORS, RECEIVING
from service.webhooks import Receiver, Source
from service.wiring.asking import provided, why_unasked
from service.wiring.targets import targets_of

STREAMS_LOOKED_AT, EVENTS_LOOKED_AT = 20, 20
"""For keys that proved deliveries before: few, since a provider has few keys."""


def signs_with_public_keys(settings: Settings, name: str) -> bool:
    """Whether a source's deliveries are checked with keys of its provider's API, and that can be asked."""
    return RECEIVING[settings.sources[name].provider].key_id is not None and not why_unasked(settings, name)


@asynccontextmanager
async def open_public_keys(settings: Settings, name: str, log: EventLog, queries: Queries) -> AsyncIterator[KeyRing]:
    """The public keys that a source's deliveries are signed with, from its provider's API. Raises SettingsInvalid.

    Those that proved what came last are known from the start: neither an API that is down nor a flood of invented ids
    keeps deliveries out that are signed with them.
    """
    async with provided(settings, name) as api:
        if not isinstance(api, HasKeys):
            raise TypeError(f"the API of {settings.sources[name].provider} gives no public keys")
        async with key_ring(name, api) as keys:
            for key_id, key in (await _proven_keys(settings, name, log, queries)).items():
                keys.remember(key_id, key)
            yield keys


async def _proven_keys(settings: Settings, name: str, log: EventLog, queries: Queries) -> dict[str, Secret]:
    """The keys beside the source's latest events, by their ids, each as far as it proves its event still."""
    receiving = RECEIVING[settings.sources[name].provider]
    found: dict[str, Secret] = {}
    for stream in await queries.streams(statuses=get_args(Status), source=name, limit=STREAMS_LOOKED_AT):
        for event in await log.read_stream(stream.stream, limit=EVENTS_LOOKED_AT):
            key = event.headers.get(PUBLIC_KEY)
            if key is None or receiving.key_id is None:
                continue
            try:
                receiving.recheck(event.headers, event.body, ())
                found.setdefault(receiving.key_id(event.headers), Secret(key))
            except NotAuthentic:
                continue
    return found


def make_receiver(settings: Settings, log: EventLog, metrics: Metrics, keys: Mapping[str, KeyRing]) -> Receiver:
    sources = {
        name: Source(
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
        _now,
        body_limit_bytes=settings.server.body_limit_bytes,
        body_timeout_seconds=settings.server.body_timeout_seconds,
    )


def make_generator(
    settings: Settings, log: EventLog, queries: Queries, metrics: Metrics, accounts: Mapping[str, Account]
) -> LicenseGenerator:
    sources = {
        name: fulfillment.Source(
            name=name,
            generating=GENERATORS.get(source.provider),
            live=source.live,
            keys=settings.secrets.generator_keys.get(name, ()),
            targets=targets_of(accounts, source.targets),
        )
        for name, source in settings.sources.items()
    }
    holders = partial(queries.licenses_named, by_key=True)
    timeout = settings.server.body_timeout_seconds
    return LicenseGenerator(sources, log, holders, metrics, _now, body_timeout_seconds=timeout)


def _now() -> datetime:
    return datetime.now(UTC)
