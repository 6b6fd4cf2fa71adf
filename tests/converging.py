"""Two databases that must end alike: one takes what happened in true order, the other in any."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from domain.events import Event
from domain.policy import Policy
from domain.providers import Provider
from tests.deliveries import Delivery, derived, events_of
from tests.projecting import Projected, projecting

TABLES = ("stream", "license", "link", "push", "want", "timer")


class Worlds:
    """Both are emptied between examples: one for the true order, one for any other."""

    def __init__(self, dsns: tuple[str, str], provider: Provider, feeds: Mapping[str, Policy] | None = None) -> None:
        self._provider = provider
        self._feeds = feeds
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self.true, self.other = self._loop.run(self._enter(dsns))

    async def _enter(self, dsns: tuple[str, str]) -> tuple[Projected, Projected]:
        first, second = [
            await self._open.enter_async_context(projecting(dsn, provider=self._provider, feeds=self._feeds))
            for dsn in dsns
        ]
        return first, second

    def converge(self, told: Sequence[Delivery], arriving: Sequence[Delivery], cuts: Sequence[int]) -> dict[str, Any]:
        """Compares every row, fold and timeline; gives them as they are after the true order."""
        return self._loop.run(self._converge(told, arriving, cuts))

    async def _converge(
        self, told: Sequence[Delivery], arriving: Sequence[Delivery], cuts: Sequence[int]
    ) -> dict[str, Any]:
        for world in (self.true, self.other):
            await empty(world)
        for delivery in told:
            await self.true.append(events_of([delivery], provider=self._provider))
        await self.true.runner.project_until_idle()
        start = 0
        for cut in [*sorted(cuts), len(arriving)]:
            for delivery in arriving[start:cut]:
                await self.other.append(events_of([delivery], provider=self._provider))
            await self.other.runner.project_until_idle()
            start = max(start, cut)
        await self.true.append(await rung(self.other))
        await self.true.runner.project_until_idle()
        expected, found = await derived(self.true), await derived(self.other)
        for part, rows in expected.items():
            assert found[part] == rows, part
        return expected

    def close(self) -> None:
        self._loop.run(self._open.aclose())
        self._loop.close()


async def rung(world: Projected) -> list[Event]:
    """What its timers appended: a round that ended in a debt may ring one that the other never had."""
    streams = [row[0] for row in (await world.rows())["stream"]]
    return [event for stream in streams for event in await world.log.read_stream(stream) if event.origin == "timer"]


async def empty(world: Projected) -> None:
    """Forgets everything, past the triggers that forbid it: only a test may."""
    tables = ", ".join(f"projection_1.{name}" for name in TABLES)
    async with world.pool.connection() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(f"truncate event, {tables}".encode())
        await connection.execute("update head set position = 0 where position > 0")
        await connection.execute("update projection_1.lease set position = 0")
