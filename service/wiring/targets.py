"""The license servers of a process: each account's target and pace, and the pusher that serves them."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from domain.policy import Policy, set_keys
from domain.providers.table import PROVIDERS
from projections.budget import Budget, take_turn
from projections.ports import EventLog
from projections.pusher import Account, Pusher, PusherSettings
from projections.tables import Pool, Tables
from projections.targets import Target, Turn
from service import settings as configured
from service.secrets import Secret, target_variable
from service.settings import Settings, SettingsInvalid, Source
from service.tables import Finding
from service.targets.table import SERVING
from service.wiring.owner import owner

_NO_KEY = Secret("not-configured")
"""For a process that plans calls but never makes them."""


def policies(settings: Settings, source: Source) -> dict[str, Policy]:
    """Target → the policy of a source there: what is not decided is as its provider, and over it the server, says."""
    provided = PROVIDERS[source.provider].policy
    return {
        name: source.policy.over(provided, SERVING[settings.targets[name].server].policy) for name in source.targets
    }


def pace_of(target: configured.Target) -> int:
    """How many requests a minute its account bears."""
    return target.requests_per_minute or SERVING[target.server].requests_per_minute


def decided(settings: Settings, name: str) -> dict[str, dict[str, str]]:
    """Target → key of the policy → which of those who may decide it did; later ones go over earlier ones."""
    source = settings.sources[name]
    by_provider = dict.fromkeys(PROVIDERS[source.provider].policy, f"the default for {source.provider}")
    by_source = dict.fromkeys(set_keys(source.policy), f"[sources.{name}.policy]")
    of_servers = {target: settings.targets[target].server for target in source.targets}
    return {
        target: {**by_provider, **dict.fromkeys(SERVING[server].policy, f"the default for {server}"), **by_source}
        for target, server in of_servers.items()
    }


@asynccontextmanager
async def open_accounts(settings: Settings, pool: Pool, tables: Tables) -> AsyncIterator[dict[str, Account]]:
    """All license servers by the name that settings give them.

    Raises SettingsInvalid where a key is not of the server's form; nothing is sent before that.
    """
    accounts: dict[str, Account] = {}
    async with AsyncExitStack() as stack:
        for name, target in settings.targets.items():
            serving = SERVING[target.server]
            budget = Budget(
                per_second=pace_of(target) / 60,
                burst=target.burst or serving.burst,
            )
            turn = partial(take_turn, pool, tables, name, budget)
            opened = await stack.enter_async_context(_open(settings, name, turn))
            accounts[name] = Account(target=opened, budget=budget, paced=serving.paced)
        yield accounts


@asynccontextmanager
async def open_planners(settings: Settings) -> AsyncIterator[dict[str, Target]]:
    """All license servers by name, for a process that plans calls and makes none. Raises as `open_accounts`."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(_open(settings, name, _no_turn)) for name in settings.targets}


@asynccontextmanager
async def _open(settings: Settings, name: str, turn: Turn) -> AsyncIterator[Target]:
    target = settings.targets[name]
    serving = SERVING[target.server]
    key = settings.secrets.targets.get(name, _NO_KEY).reveal()
    options = serving.options() if target.options is None else target.options
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(serving.open(name, target.url or serving.url, key, options, turn))
        except ValueError as error:
            found = Finding(target_variable(name), f"does not fit ({error})", "Correct it.")
            raise SettingsInvalid([found]) from None
        yield opened


async def _no_turn() -> None:
    raise RuntimeError("this process makes no calls")


def targets_of(accounts: Mapping[str, Account], names: Collection[str]) -> dict[str, Target]:
    return {name: accounts[name].target for name in names}


def make_pusher(
    settings: Settings, log: EventLog, pool: Pool, tables: Tables, accounts: Mapping[str, Account]
) -> Pusher:
    numbers = settings.push
    return Pusher(
        log=log,
        pool=pool,
        tables=tables,
        accounts=accounts,
        owner=owner(),
        settings=PusherSettings(
            concurrency=numbers.concurrency,
            poll=numbers.poll_seconds,
            lease=numbers.lease_seconds,
            longest_delay=numbers.longest_delay_seconds,
        ),
    )
