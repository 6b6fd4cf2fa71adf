"""Runs Stripe's simulated API on a real socket: inside tests and demos."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from service.sandbox.serving import serving
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.api import DEFAULT_KEY, SimulatedApi


class RunningStripeApi(NamedTuple):
    """`url` is where it listens, without `/v1` and without a slash at the end; `api` is what answers there."""

    url: str
    api: SimulatedApi

    @property
    def key(self) -> str:
        return self.api.key


@asynccontextmanager
async def running_stripe_api(
    accounts: Sequence[Account],
    *,
    key: str = DEFAULT_KEY,
    per_second: int | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[RunningStripeApi]:
    """Serves the API of these accounts from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    api = SimulatedApi(accounts, key=key, per_second=per_second)
    async with serving(api, host=host, port=port) as url:
        yield RunningStripeApi(url, api)
