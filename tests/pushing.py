"""A pusher between the projections and a LicenseSpring sandbox, over real HTTP, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from domain import facts as f
from domain.events import Event
from projections.budget import Budget
from projections.pusher import Account, Pusher, PusherSettings
from projections.targets.licensespring.client import open_licensespring
from projections.targets.licensespring.target import LicenseSpringTarget
from service.demo.matching import differences, licenses_in
from service.sandbox.licensespring import RunningSandbox, SandboxSettings, running_sandbox
from service.sandbox.licensespring.settings import ProductSeed
from tests.projecting import Projected, projecting
from tests.stories import FEBRUARY, JANUARY, MARCH, STREAM, activated, described, happened, line, paid, period

QUIET = SandboxSettings(products=(ProductSeed(short_code="APP"),), plan="unlimited", flood_protection=False, seed=1)
AT_ONCE = PusherSettings(first_delay=0, longest_delay=0)
PLENTY = Budget(per_second=10_000, burst=1_000)


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """A projection, its pusher, and the LicenseSpring it pushes to."""

    projected: Projected
    pusher: Pusher
    sandbox: RunningSandbox

    async def settle(self, rounds: int = 50) -> None:
        """Projects and pushes until nothing is left to do; fails when that does not come to an end."""
        for _ in range(rounds):
            await self.projected.runner.project_until_idle()
            if await self.pusher.push_until_idle() == 0 and not await self._awake():
                return
        raise AssertionError("projecting and pushing do not come to an end")

    async def _awake(self) -> bool:
        """Ends the short pauses of what waits for a relay; false when there are none."""
        schema = self.projected.tables.schema
        paused = "due and attempts = 0 and next_at > now() and next_at < now() + interval '2 s'"
        async with self.projected.pool.connection() as connection:
            cursor = await connection.execute(f"update {schema}.push set next_at = now() where {paused}")
        return cursor.rowcount > 0

    def held(self) -> list[dict[str, Any]]:
        """The licenses the sandbox holds."""
        return licenses_in(self.sandbox.control.holdings())

    async def mismatches(self) -> list[str]:
        """How what the sandbox holds differs from what is desired."""
        return differences(await self.projected.queries.licenses(limit=1000), self.held())


@asynccontextmanager
async def pushing(
    dsn: str, settings: SandboxSettings = QUIET, *, timeout: float = 10.0, **options: Any
) -> AsyncIterator[Pushed]:
    """A projection of `dsn` that pushes to a sandbox of its own; nothing runs but when told to."""
    async with running_sandbox(settings) as sandbox, pushing_to(dsn, sandbox, timeout=timeout, **options) as pushed:
        yield pushed


@asynccontextmanager
async def pushing_to(
    dsn: str, sandbox: RunningSandbox, *, owner: str = "pusher-1", timeout: float = 10.0, **options: Any
) -> AsyncIterator[Pushed]:
    """The same with a sandbox that is there already, as a second process would."""
    async with open_licensespring(f"{sandbox.url}/api/v1/", sandbox.api_key, timeout=timeout) as client:
        target = LicenseSpringTarget("ls", client)
        async with projecting(dsn, targets={"ls": target}, owner=owner, **options) as projected:
            pusher = Pusher(
                log=projected.log,
                pool=projected.pool,
                tables=projected.tables,
                accounts={"ls": Account(target=target, budget=PLENTY)},
                owner=owner,
                settings=AT_ONCE,
            )
            yield Pushed(projected=projected, pusher=pusher, sandbox=sandbox)


# --- a life to push -----------------------------------------------------------------------------------------

ADA = f.CustomerDescribed(reference="cus_ada", email="ada@example.com", name="Ada Example")


def bought(quantity: int = 2, stream: str = STREAM) -> Event:
    return happened(
        JANUARY,
        ADA,
        described(line(quantity=quantity, start=JANUARY, end=FEBRUARY)),
        activated(),
        paid("in_1", period(JANUARY, FEBRUARY)),
        f.PaymentLinked(payment="pi_1", invoice="in_1"),
        stream=stream,
    )


RENEWED = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)))
ENDED = happened(MARCH, f.SubscriptionTerminated())
LIFE = (bought(), RENEWED, ENDED)


async def live(pushed: Pushed, events: tuple[Event, ...] = LIFE) -> None:
    """Lets events happen one after another, each followed by all that follows from it."""
    for event in events:
        await pushed.projected.append([event])
        await pushed.settle()
