"""Whenever the license generator is asked, before, amid or after the events: one key and one license a unit.

Whole lives of a FastSpring store go over real HTTP to a real receiver, event store, runner, pusher and sandbox of
LicenseSpring: the checkout's calls at random places, webhooks shuffled and doubled, rounds of work in between.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, assert_never

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.events import Event, NewEvent, Stream
from projections.ports import Appended, EventLog
from projections.pusher import PusherSettings
from projections.queries import LicenseView
from service.sandbox.fastspring import GeneratorCall, Store, form, sign
from tests.checkout import WEBHOOK_SECRET, Selling, selling_to
from tests.converging import empty
from tests.databases import Server
from tests.expectations import expected
from tests.key_requests import PRIVATE_KEY
from tests.strategies.checkouts import Asked, Projected, Pushed, Step, Told, schedules, stores

EXAMPLES = 40
CHARGES_FIRST = False
"""Whether a later charge may come before all else: see test_generator_and_charges, which fails."""
ROUNDS = 200
AT_ANY_MOMENT = PusherSettings(first_delay=0, longest_delay=0, pause=0, behind=0)
"""Nothing waits for a clock, so what is done depends on the schedule alone."""

Coming = dict[int, list[Callable[[], Awaitable[None]]]]
Place = tuple[str, str]
"""The reference of the first order, and the path of the product."""


class Overtaken:
    """The pusher's event store: before its n-th use somebody else is quicker."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.heads = log.heads
        self.read_partition = log.read_partition
        self.read_lot = log.read_lot
        self._uses = 0
        self._coming: Coming = {}

    def expect(self, coming: Coming) -> None:
        """Counts from here."""
        self._uses, self._coming = 0, coming

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        await self._overtake()
        return await self._log.append(events)

    async def read_stream(self, stream: Stream, after: int = 0, limit: int | None = None) -> list[Event]:
        await self._overtake()
        return await self._log.read_stream(stream, after, limit)

    async def grown(self, upto: Sequence[tuple[Stream, int]]) -> Collection[tuple[Stream, int]]:
        await self._overtake()
        return await self._log.grown(upto)

    async def _overtake(self) -> None:
        self._uses += 1
        for come in self._coming.pop(self._uses, []):
            await come()


class World:
    """A Tenure between a FastSpring store and a LicenseSpring, emptied between examples."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._selling: Selling = self._loop.run(self._open.enter_async_context(selling_to(dsn)))
        self._pushed = self._selling.pushed
        self._projected = self._pushed.projected
        self._log = Overtaken(self._projected.log)
        self._pushed.pusher._log = self._log
        self._pushed.pusher._settings = AT_ANY_MOMENT
        self._answers: dict[Place, list[list[str]]] = {}

    def converge(self, store: Store, schedule: Sequence[Step]) -> None:
        """Lets it all happen, then asserts what must be so whatever the schedule."""
        self._loop.run(self._converge(store, schedule))

    async def _converge(self, store: Store, schedule: Sequence[Step]) -> None:
        await empty(self._projected)
        self._pushed.sandbox.control.reset()
        self._answers = defaultdict(list)
        await self._projected.runner.project_until_idle()
        for step in schedule:
            await self._do(step)
        await self._settle()
        await self._assert_one_key_a_unit(store)
        await self._assert_as_the_books_say(store)
        await self._assert_the_same_from_the_events()

    async def _do(self, step: Step) -> None:
        match step:
            case Told(delivery):
                headers = {"x-fs-signature": sign(delivery.body, WEBHOOK_SECRET)}
                told = await self._selling.served.http.post("/webhooks/acme", content=delivery.body, headers=headers)
                assert told.status_code == 200, told.text
            case Asked(call, times):
                await asyncio.gather(*(self._ask(call) for _ in range(times)))
            case Projected(until_idle):
                runner = self._projected.runner
                await (runner.project_until_idle() if until_idle else runner.project_once())
            case Pushed(meanwhile):
                coming: Coming = defaultdict(list)
                for use, call in meanwhile:
                    coming[use].append(partial(self._ask, call))
                self._log.expect(coming)
                await self._push()
                self._log.expect({})
            case _:
                assert_never(step)

    async def _ask(self, call: GeneratorCall) -> None:
        """Asks again where the keys were not there in time, as a buyer would."""
        fields = form(call, PRIVATE_KEY)
        while (answer := await self._selling.served.http.post("/fulfillment/acme", data=fields)).status_code == 503:
            pass
        assert answer.status_code == 200, answer.text
        keys = answer.text.split("\n")
        assert len(keys) == (1 if call.product.generator == "single" else call.quantity)
        self._answers[_place(call)].append(keys)

    async def _push(self) -> bool:
        """One stream's turn, if one is due."""
        claims = await self._pushed.pusher._claim(1)
        for claim in claims:
            await self._pushed.pusher._push(claim)
        return bool(claims)

    async def _settle(self) -> None:
        for _ in range(ROUNDS):
            await self._projected.runner.project_until_idle()
            if not await self._push():
                break
        work = await self._projected.queries.open_work(self._projected.log)
        assert not any(msgspec.structs.astuple(work)), work
        assert await self._pushed.mismatches() == []

    async def _assert_one_key_a_unit(self, store: Store) -> None:
        units = await self._units()
        for call in store.calls:
            most = max(call.quantity, *(view.desired.unit for view in units[_place(call)]), 1)
            await self._ask(replace(call, quantity=most))
        await self._settle()
        for place, answers in self._answers.items():
            standing = max(answers, key=len)
            for answer in answers:
                assert answer == standing[: len(answer)], place
            for view in units[place]:
                assert view.key in (None, standing[view.desired.unit - 1]), view.id
        held = [each["license_key"] for each in self._pushed.held()]
        assert len(held) == len(set(held))
        assert sorted(held) == sorted(view.key for views in units.values() for view in views if view.key)
        # The buyer was shown more keys than there are licenses, as of a quantity that was lowered: a person is told.
        beyond = any(len(max(answers, key=len)) > len(units[place]) for place, answers in self._answers.items())
        assert beyond or await self._projected.queries.streams(problems=True) == []

    async def _units(self) -> dict[Place, list[LicenseView]]:
        units: dict[Place, list[LicenseView]] = defaultdict(list)
        for view in await self._projected.queries.licenses(limit=1000):
            reference, _, path = view.desired.fulfillment.partition("/")
            # An order that waits for its payment has licenses of its own until it turns out to begin subscriptions.
            if view.key or view.enabled:
                units[reference, path].append(view)
        for place, views in units.items():
            assert len(views) == len({view.desired.unit for view in views}), place
        return units

    async def _assert_as_the_books_say(self, store: Store) -> None:
        streams = {view.key: view.stream for view in await self._projected.queries.licenses(limit=1000)}
        working = Counter(streams[each["license_key"]] for each in self._pushed.held() if each["enabled"])
        for name, wanted in expected(store).items():
            assert working[Stream(f"acme/{name}")] == wanted.enabled, name

    async def _assert_the_same_from_the_events(self) -> None:
        rows, calls = await self._projected.rows(), self._pushed.sandbox.control.calls()
        async with self._projected.pool.connection() as connection:
            await connection.execute("drop schema projection_1 cascade")
            await self._projected.tables.prepare(connection)
        await self._settle()
        again: dict[str, Any] = await self._projected.rows()
        for part, before in rows.items():
            assert again[part] == before, part
        assert self._pushed.sandbox.control.calls() == calls

    def close(self) -> None:
        self._loop.run(self._open.aclose())
        self._loop.close()


def _place(call: GeneratorCall) -> Place:
    return (call.subscription_reference or call.reference).removesuffix("S"), call.product.path


@pytest.fixture
def world(server: Server, migrated_template: str) -> Iterator[World]:
    with server.database(template=migrated_template) as name:
        world = World(server.dsn(name))
        try:
            yield world
        finally:
            world.close()


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_unit_has_one_key_and_one_license_whenever_the_generator_is_asked(
    world: World, data: st.DataObject
) -> None:
    store = data.draw(stores())
    world.converge(store, data.draw(schedules(store, charges_first=CHARGES_FIRST)))
