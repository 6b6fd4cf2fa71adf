"""What is rebuilt is what was projected live, byte for byte, for every provider, however the events came in."""

from collections.abc import Sequence

import pytest

from domain.policy import Policy
from domain.providers import Provider
from domain.providers.fastspring import PROVIDER as FASTSPRING
from domain.providers.stripe import PROVIDER as STRIPE
from projections.targets import Target
from projections.targets.licensespring.target import LicenseSpringTarget
from service.sandbox import fastspring, stripe
from tests.deliveries import Delivery, events_of
from tests.projecting import Projected, projecting
from tests.rebuilding import rebuilt, rows_of

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

FEEDS = {"ls": Policy(), "other": Policy(on_refund="keep", past_due_days=3, renewal_margin_hours=1)}


TARGETS: dict[str, Target] = {name: LicenseSpringTarget(name, None) for name in FEEDS}  # type: ignore[arg-type]
"""They plan, and are asked for no call."""


async def check(dsn: str, provider: Provider, told: Sequence[Delivery]) -> None:
    """Takes everything backwards and then again, and compares what is rebuilt."""
    async with projecting(dsn, provider=provider, feeds=FEEDS, targets=TARGETS) as projected:
        await arrive(projected, provider, [*reversed(told), *told])
        made = await rebuilt(projected)
        assert made.difference.nothing, made.difference
        live, new = await rows_of(projected, 1), await rows_of(projected, made.version)
        assert all(live[table] for table in ("stream", "license", "link", "push"))
        for table, rows in live.items():
            assert new[table] == rows, table


async def arrive(projected: Projected, provider: Provider, told: Sequence[Delivery]) -> None:
    """In two parts, each followed by all that follows from it."""
    for part in (told[: len(told) // 3], told[len(told) // 3 :]):
        for some in batched(part, 50):
            await projected.append(events_of(some, provider=provider))
        await projected.runner.project_until_idle()


def batched(told: Sequence[Delivery], size: int) -> list[Sequence[Delivery]]:
    return [told[first : first + size] for first in range(0, len(told), size)]


@pytest.mark.parametrize("shape", list(stripe.Shape))
async def test_every_named_life_of_stripe_is_rebuilt_as_it_was_projected(database: str, shape: stripe.Shape) -> None:
    await check(database, STRIPE, [each for life in stripe.lifecycles(shape).values() for each in life(shape)])


@pytest.mark.parametrize("shape", list(fastspring.Shape))
async def test_every_named_life_of_fastspring_is_rebuilt_as_it_was_projected(
    database: str, shape: fastspring.Shape
) -> None:
    lives = fastspring.LIFECYCLES.values()
    await check(database, FASTSPRING, [each for life in lives for each in life(shape, most=1)])
