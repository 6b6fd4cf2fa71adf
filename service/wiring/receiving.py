"""What answers providers: the receiver of webhooks, and the license generator."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from domain.providers.table import PROVIDERS
from projections.ports import EventLog
from projections.pusher import Account
from projections.queries import Queries
from service import fulfillment
from service.fulfillment import LicenseGenerator
from service.metrics import Metrics
from service.settings import Settings
from service.sources.keys import HasKeys, KeyRing, key_ring
from service.sources.table import GENERATORS, RECEIVING
from service.webhooks import Receiver, Source
from service.wiring.asking import provided, why_unasked
from service.wiring.targets import targets_of


def signs_with_public_keys(settings: Settings, name: str) -> bool:
    """Whether a source's deliveries are checked with keys of its provider's API, and that can be asked."""
    return RECEIVING[settings.sources[name].provider].key_id is not None and not why_unasked(settings, name)


@asynccontextmanager
async def open_public_keys(settings: Settings, name: str) -> AsyncIterator[KeyRing]:
    """The public keys that a source's deliveries are signed with, from its provider's API. Raises SettingsInvalid."""
    async with provided(settings, name) as api:
        if not isinstance(api, HasKeys):
            raise TypeError(f"the API of {settings.sources[name].provider} gives no public keys")
        async with key_ring(name, api) as keys:
            yield keys


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
