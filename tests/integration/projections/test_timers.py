"""Time passing becomes an event once, when the database's clock says so, and never too early to be taken back."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import facts as f
from domain.events import Event, NewEvent
from domain.policy import Policy, ProductPolicy
from projections.ports import Appended
from projections.runner import RunnerSettings
from projections.timers import ring_due_timers
from service.store import EventStore
from tests.projecting import Projected, projecting
from tests.stories import STREAM, activated, described, happened, line, muttered, paid, period

pytestmark = pytest.mark.anyio

TWO_WEEKS = Policy(past_due_days=14)
ALL = range(256)


def ago(**span: float) -> datetime:
    """A whole second in the past."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def overdue(since: datetime, *lines: f.Line) -> list[Event]:
    """A subscription that was paid for a month and then was not."""
    start = since - timedelta(days=31)
    sold = lines or (line(start=start, end=since),)
    return [
        happened(start, described(*sold), activated(), paid("in_1", period(start, since))),
        happened(since, f.PaymentFellOverdue(), named="overdue"),
    ]


def recovered(at: datetime) -> Event:
    return happened(at, activated(), paid("in_2", period(at, at + timedelta(days=31))), named="recovered")


async def rung(projected: Projected) -> list[Event]:
    return [event for event in await projected.log.read_stream(STREAM) if event.origin == "timer"]


async def state(projected: Projected) -> str:
    found = await projected.queries.stream(STREAM)
    assert found is not None
    return found[0].state


async def enabled(projected: Projected) -> dict[str, bool]:
    return {view.desired.product_code: view.enabled for view in await projected.queries.licenses()}


async def test_grace_that_was_over_before_anybody_looked_ends_at_once_as_of_its_day(database: str) -> None:
    since = ago(days=20)
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take(overdue(since))
        (event,) = await rung(projected)
        assert (event.type, event.occurred_at) == ("tenure.grace_ended", since + timedelta(days=14))
        assert await state(projected) == "suspended"
        assert await enabled(projected) == {"APP": False}
        assert (await projected.queries.open_work(projected.log)).timers == 0


async def test_nothing_rings_before_its_time(database: str) -> None:
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take(overdue(ago(days=13)))
        assert await rung(projected) == []
        assert await state(projected) == "past_due"
        assert await enabled(projected) == {"APP": True}
        assert len((await projected.rows())["timer"]) == 1


async def test_a_running_runner_rings_when_the_time_comes(database: str) -> None:
    since = datetime.now(UTC) - timedelta(days=14) + timedelta(seconds=1.5)
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take(overdue(since))
        assert await rung(projected) == []
        stop = asyncio.Event()
        running = asyncio.create_task(projected.runner.run(stop))
        async with asyncio.timeout(20):
            while await state(projected) != "suspended":  # noqa: ASYNC110 - the database says it
                await asyncio.sleep(0.02)
        stop.set()
        await running
        (event,) = await rung(projected)
        late = (event.recorded_at - event.occurred_at).total_seconds()
        assert 0 <= late < 3, "a second on a machine that is not busy with other tests"


async def test_as_long_as_the_provider_tries_nothing_rings(database: str) -> None:
    async with projecting(database, policy=Policy(past_due_days="provider")) as projected:
        await projected.take(overdue(ago(days=200)))
        assert await rung(projected) == []
        assert await enabled(projected) == {"APP": True}


async def test_each_product_is_granted_its_own_days(database: str) -> None:
    since = ago(days=10)
    dates: dict[str, Any] = {"start": since - timedelta(days=31), "end": since}
    policy = Policy(past_due_days=30, products={"KIT": ProductPolicy(past_due_days=7)})
    kit = line("si_2", price="price_2", product="prod_kit", attributes={"short_code": "KIT"}, **dates)
    async with projecting(database, policy=policy) as projected:
        await projected.take(overdue(since, line(**dates), kit))
        assert [event.occurred_at for event in await rung(projected)] == [since + timedelta(days=7)]
        assert await state(projected) == "past_due"
        assert await enabled(projected) == {"APP": True, "KIT": False}
        assert len((await projected.rows())["timer"]) == 1, "the thirty days are still to come"


async def test_a_payment_before_the_time_takes_the_timer_back(database: str) -> None:
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take([*overdue(ago(days=13)), recovered(ago(days=1))])
        assert (await projected.rows())["timer"] == []
        assert await state(projected) == "active"


async def test_a_payment_that_is_not_folded_yet_is_waited_for(database: str) -> None:
    """Its timer is due, and the payment came a moment ago."""
    async with projecting(database, policy=TWO_WEEKS) as projected:
        start, failed = overdue(ago(days=20))
        await projected.take([start])
        await projected.append([failed])
        await fold_without_ringing(projected)
        assert len((await projected.rows())["timer"]) == 1
        await projected.append([recovered(ago(days=12))])
        assert await ring_due_timers(projected.log, projected.pool, projected.tables, ALL) == 0
        await projected.runner.project_until_idle()
        assert await rung(projected) == []
        assert await state(projected) == "active"


async def fold_without_ringing(projected: Projected) -> None:
    runner = projected.runner
    heads = await projected.log.heads(ALL)
    for partition, position in list(runner._leases.held.items()):
        if heads[partition] > position:
            await runner._project(partition, position)


async def test_a_timer_that_rang_before_the_payment_was_heard_of_changes_nothing(database: str) -> None:
    since = ago(days=20)
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take(overdue(since))
        assert await enabled(projected) == {"APP": False}
        await projected.take([recovered(since + timedelta(days=3))])
        assert await state(projected) == "active"
        assert await enabled(projected) == {"APP": True}
        assert len(await rung(projected)) == 1


async def test_a_payment_after_grace_ended_licenses_again(database: str) -> None:
    async with projecting(database, policy=TWO_WEEKS) as projected:
        await projected.take(overdue(ago(days=20)))
        assert await enabled(projected) == {"APP": False}
        await projected.take([recovered(ago(days=2))])
        assert len(await rung(projected)) == 1
        assert await enabled(projected) == {"APP": True}


async def test_history_that_is_projected_piece_by_piece_rings_nothing_that_was_taken_back(database: str) -> None:
    since = ago(days=100)
    async with projecting(database, policy=TWO_WEEKS, settings=RunnerSettings(batch=1)) as projected:
        for event in [*overdue(since), recovered(since + timedelta(days=3))]:
            await projected.append([event])
        await projected.runner.project_until_idle()
        assert await rung(projected) == []
        assert await state(projected) == "active"


async def test_projecting_everything_again_gives_the_same_rows_and_rings_nothing_again(database: str) -> None:
    since = ago(days=10)
    dates: dict[str, Any] = {"start": since - timedelta(days=31), "end": since}
    policy = Policy(past_due_days=30, products={"KIT": ProductPolicy(past_due_days=7)})
    kit = line("si_2", price="price_2", product="prod_kit", attributes={"short_code": "KIT"}, **dates)
    async with projecting(database, policy=policy) as projected:
        await projected.take(overdue(since, line(**dates), kit))
        expected, events = await projected.rows(), await projected.log.read_stream(STREAM)
        assert [len(expected[name]) for name in ("license", "timer")] == [2, 1]
        async with projected.pool.connection() as connection:
            await connection.execute("drop schema projection_1 cascade")
            await projected.tables.prepare(connection)
        await projected.runner.project_until_idle()
        assert await projected.rows() == expected
        assert await projected.log.read_stream(STREAM) == events


async def test_two_processes_that_ring_at_once_make_one_event(database: str) -> None:
    async with projecting(database, policy=TWO_WEEKS) as one, projecting(database, owner="runner-2") as two:
        await one.take(overdue(ago(days=20))[:1])
        await one.append(overdue(ago(days=20))[1:])
        await fold_without_ringing(one)
        counts = await asyncio.gather(*(ring_due_timers(each.log, each.pool, each.tables, ALL) for each in (one, two)))
        assert sum(counts) == 1
        await one.runner.project_until_idle()
        assert len(await rung(one)) == 1


@asynccontextmanager
async def process_with_a_wrong_clock(database: str, seconds: int) -> AsyncIterator[None]:
    """A process that projects, its clock ahead by so much, from when it is ready."""
    arguments = ("-m", "tests.wrong_clock", database, str(seconds), f"runner{seconds:+}")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("clocks", [(-600,), (600,), (-600, 600, 86_400)])
async def test_processes_whose_clocks_are_wrong_ring_once_by_the_databases_clock(
    database: str, clocks: Sequence[int]
) -> None:
    async with projecting(database, policy=TWO_WEEKS) as projected, AsyncExitStack() as processes:
        for seconds in clocks:
            await processes.enter_async_context(process_with_a_wrong_clock(database, seconds))
        for event in overdue(datetime.now(UTC) - timedelta(days=14) + timedelta(seconds=1.5)):
            await projected.append([event])
        async with asyncio.timeout(60):
            while await enabled(projected) != {"APP": False}:  # noqa: ASYNC110 - the database says it
                await asyncio.sleep(0.02)
        (event,) = await rung(projected)
        assert event.recorded_at >= event.occurred_at
        assert await state(projected) == "suspended"


class Dies(Exception):
    pass


class DiesAfterAppending:
    """The log of a process that is gone right after its append."""

    def __init__(self, log: EventStore) -> None:
        self.grown = log.grown
        self._log = log

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        await self._log.append(events)
        raise Dies


async def test_a_process_that_dies_right_after_ringing_leaves_one_event_and_no_work(database: str) -> None:
    async with projecting(database, policy=TWO_WEEKS) as projected:
        start, failed = overdue(ago(days=20))
        await projected.take([start])
        await projected.append([failed])
        await fold_without_ringing(projected)
        dying = DiesAfterAppending(projected.log)
        with pytest.raises(Dies):
            await ring_due_timers(dying, projected.pool, projected.tables, ALL)  # type: ignore[arg-type]
        await projected.runner.project_until_idle()
        assert len(await rung(projected)) == 1
        assert await state(projected) == "suspended"
        assert await projected.runner.project_once() is False


async def test_a_stream_that_stopped_rings_nothing(database: str) -> None:
    since = ago(days=20)
    async with projecting(database, policy=TWO_WEEKS) as projected:
        for event in [*overdue(since), muttered(since + timedelta(hours=1))]:
            await projected.append([event])
        await projected.runner.project_until_idle()
        assert await rung(projected) == []
        assert (await projected.rows())["timer"] == []


async def test_what_has_no_date_ends_a_day_after_its_margin_if_nothing_is_heard(database: str) -> None:
    paid_until = ago(days=4)
    [bought, _] = overdue(paid_until)
    async with projecting(database, policy=Policy(at_expiry="disable")) as projected:
        await projected.take([bought])
        told = [(event.type, event.occurred_at - paid_until) for event in await rung(projected)]
        assert told == [("tenure.time_passed", timedelta(days=days)) for days in (2, 3)]
        assert (await state(projected), await enabled(projected)) == ("active", {"APP": False})
        await projected.take([recovered(paid_until)])
        assert await enabled(projected) == {"APP": True}
