"""How a process asks providers' APIs for what deliveries leave out: which, with what, and the fetcher that does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from domain.providers.table import PROVIDERS
from projections.budget import Budget
from projections.fetcher import Asked, Fetcher, FetcherSettings
from projections.ports import EventLog, Provided
from projections.tables import Pool, Tables
from service.metrics import Metrics
from service.secrets import api_key_variable
from service.settings import Settings, SettingsInvalid, Source
from service.sources.reading import AccountUnfit
from service.sources.table import READING
from service.tables import Finding, key_of
from service.wiring.owner import owner


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


def make_fetcher(
    settings: Settings, log: EventLog, pool: Pool, tables: Tables, asked: Mapping[str, Provided], metrics: Metrics
) -> Fetcher:
    numbers = settings.fetch
    return Fetcher(
        log=log,
        pool=pool,
        tables=tables,
        sources={name: _asked(settings.sources[name], api) for name, api in asked.items()},
        owner=owner(),
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


def _asked(source: Source, api: Provided) -> Asked:
    reading = READING[source.provider]
    pace = source.api.requests_per_minute or reading.requests_per_minute
    return Asked(
        provider=PROVIDERS[source.provider],
        provided=api,
        budget=Budget(per_second=pace / 60, burst=reading.burst),
        sure_after=reading.sure_after,
    )
