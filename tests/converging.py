"""Two databases that must end alike: one takes what happened in true order, the other in any."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from domain.events import Event, NewEvent
from domain.policy import Policy
from domain.providers import Provider
from tests.deliveries import Delivery, derived, events_of
from tests.projecting import Projected, as_new, projecting

Deciding = Callable[[Sequence[tuple[str, str]], Sequence[datetime]], Sequence[NewEvent]]
"""What operators decide about licenses (id, stream), at some of the instants at which something happened."""
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

    def converge_with_acts(
        self, told: Sequence[Delivery], arriving: Sequence[Delivery], cut: int, deciding: Deciding
    ) -> Sequence[NewEvent]:
        """The same with what operators decide, and with what time makes of it all; gives what was decided.

        One world hears of the acts last, the other in the midst of the deliveries, some before what they are about.
        """
        return self._loop.run(self._converge_with_acts(told, arriving, cut, deciding))

    async def _converge_with_acts(
        self, told: Sequence[Delivery], arriving: Sequence[Delivery], cut: int, deciding: Deciding
    ) -> Sequence[NewEvent]:
        true, other = self.true, self.other
        for world in (true, other):
            await empty(world)
        events = events_of(told, provider=self._provider)
        await true.append(events)
        await true.runner.project_until_idle()
        rows = await true.rows()
        licenses = sorted({(row[0], row[1]) for row in rows["license"]})
        acts = deciding(licenses, sorted({event.occurred_at for event in events}))
        for act in acts:
            await true.append([act])
            await true.runner.project_until_idle()
        for some in (
            acts[::2],
            events_of(arriving[:cut], provider=self._provider),
            acts[::-1],
            events_of(arriving[cut:], provider=self._provider),
        ):
            await other.append([*some])
            await other.runner.project_until_idle()
        for world, heard in ((true, await rung(other)), (other, await rung(true))):
            await world.append([as_new(event) for event in heard])
            await world.runner.project_until_idle()
        expected, found = await derived(true), await derived(other)
        for part, whole in expected.items():
            assert found[part] == whole, part
        return acts

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
