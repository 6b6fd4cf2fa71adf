"""The same deliveries give the same subscriptions, licenses and timelines, in any order and however often.

Whole lives of Stripe subscriptions, in the three API versions, go through the real store and the real runner: once in
true order, and once shuffled, doubled and cut into rounds, each followed by all the projecting and relaying that it
leads to. Every derived row, every stored fold byte for byte, and every timeline must be the same.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.providers.stripe import PROVIDER
from service.sandbox.stripe import LIFECYCLES, Delivery, Shape, lifecycles
from tests.databases import Server
from tests.deliveries import derived, events_of
from tests.projecting import Projected, projecting
from tests.strategies.stripe import lifecycles as random_lifecycles
from tests.strategies.stripe import shuffled_and_doubled

EXAMPLES = 200


class Worlds:
    """Two databases that are emptied between examples: one for the true order, one for any other."""

    def __init__(self, dsns: tuple[str, str]) -> None:
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self.true, self.other = self._loop.run(self._enter(dsns))

    async def _enter(self, dsns: tuple[str, str]) -> tuple[Projected, Projected]:
        first, second = [await self._open.enter_async_context(projecting(dsn, provider=PROVIDER)) for dsn in dsns]
        return first, second

    def converge(self, told: list[Delivery], arriving: list[Delivery], cuts: list[int]) -> None:
        self._loop.run(self._converge(told, arriving, cuts))

    async def _converge(self, told: list[Delivery], arriving: list[Delivery], cuts: list[int]) -> None:
        for world in (self.true, self.other):
            await _empty(world)
        for delivery in told:
            await self.true.append(events_of([delivery]))
        await self.true.runner.project_until_idle()
        start = 0
        for cut in [*sorted(cuts), len(arriving)]:
            for delivery in arriving[start:cut]:
                await self.other.append(events_of([delivery]))
            await self.other.runner.project_until_idle()
            start = max(start, cut)
        expected, found = await derived(self.true), await derived(self.other)
        for part, rows in expected.items():
            assert found[part] == rows, part

    def close(self) -> None:
        self._loop.run(self._open.aclose())
        self._loop.close()


async def _empty(world: Projected) -> None:
    """Forgets everything, past the triggers that forbid it: only a test may."""
    tables = ", ".join(f"projection_1.{name}" for name in ("stream", "license", "link", "push"))
    async with world.pool.connection() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(f"truncate event, {tables}".encode())
        await connection.execute("update head set position = 0 where position > 0")
        await connection.execute("update projection_1.lease set position = 0")


@pytest.fixture
def worlds(server: Server, migrated_template: str) -> Iterator[Worlds]:
    with server.database(template=migrated_template) as true, server.database(template=migrated_template) as other:
        worlds = Worlds((server.dsn(true), server.dsn(other)))
        try:
            yield worlds
        finally:
            worlds.close()


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_lives_converge_whatever_the_order_of_arrival(worlds: Worlds, data: st.DataObject) -> None:
    told = data.draw(random_lifecycles(most_acts=6))
    arriving = data.draw(shuffled_and_doubled(told))
    cuts = data.draw(st.lists(st.integers(0, len(arriving)), max_size=4))
    worlds.converge(told, arriving, cuts)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", list(Shape))
def test_every_named_life_converges_backwards_and_doubled(worlds: Worlds, shape: Shape) -> None:
    for name, life in lifecycles(shape).items():
        told = life(shape)
        assert told, name
        worlds.converge(told, [*reversed(told), *told], [len(told) // 2, len(told)])


def test_there_are_lives_to_tell() -> None:
    assert len(LIFECYCLES) > 15
