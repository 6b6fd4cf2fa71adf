"""Partitions share a transaction, and yet none is in another's way."""

import asyncio
from collections.abc import Iterator

import pytest

from domain import facts as f
from domain.events import Stream, partition_of, stream_of
from projections.runner import RunnerSettings
from tests.databases import Server
from tests.projecting import Projected, projecting
from tests.stories import FEBRUARY, JANUARY, MARCH, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

STREAMS = [stream_of("acme", "subscription", f"sub_{number}") for number in range(40)]
STARTED = [
    happened(JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated(), stream=each) for each in STREAMS
]
RENEWED = [happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), stream=each) for each in STREAMS]
ODD = STREAMS[7]


@pytest.fixture
def second_database(server: Server, migrated_template: str) -> Iterator[str]:
    with server.database(template=migrated_template) as name:
        yield server.dsn(name)


async def statuses(projected: Projected) -> dict[Stream, str]:
    return {stream: status for stream, status, *_ in (await projected.rows())["stream"]}


async def test_what_waits_in_many_partitions_is_committed_at_once(database: str) -> None:
    async with projecting(database) as projected:
        await projected.append(STARTED)
        await projected.runner.project_until_idle()
        async with projected.pool.connection() as connection:
            cursor = await connection.execute("select count(distinct xmin::text), count(*) from projection_1.stream")
            assert await cursor.fetchone() == (1, len(STREAMS))


@pytest.mark.parametrize("batch", [1, 3, 500])
async def test_however_events_are_cut_into_transactions_the_rows_are_the_same(
    database: str, second_database: str, batch: int
) -> None:
    settings = RunnerSettings(batch=batch)
    async with projecting(database) as one, projecting(second_database, settings=settings) as other:
        for event in (*STARTED, *RENEWED):
            await one.take([event])
        await other.append([*RENEWED, *STARTED])
        await other.runner.project_until_idle()
        assert await other.rows() == await one.rows()


async def test_a_partition_that_another_process_took_is_left_and_the_others_go_on(database: str) -> None:
    async with projecting(database) as projected:
        await projected.runner.project_until_idle()
        await projected.append(STARTED)
        async with projected.pool.connection() as connection:
            await connection.execute(
                "update projection_1.lease set owner = 'another' where partition = %s", [partition_of(ODD)]
            )
        await projected.runner.project_once()
        lost = {stream for stream in STREAMS if partition_of(stream) == partition_of(ODD)}
        assert set(await statuses(projected)) == set(STREAMS) - lost
        assert partition_of(ODD) not in projected.runner._leases.held
        assert not await projected.runner.project_once(), "what was written is not written again"


async def test_rows_that_cannot_be_written_stop_their_stream_and_no_other_partition(database: str) -> None:
    unwritable = happened(JANUARY, f.CustomerDescribed(email="a\0b"), activated(), stream=ODD)
    async with projecting(database) as projected:
        await projected.append([event for event in STARTED if event.stream != ODD])
        await projected.append([unwritable])
        await projected.runner.project_until_idle()
        found = await statuses(projected)
        assert found.pop(ODD) == "stopped"
        assert set(found.values()) == {"folded"}
        assert len(found) == len(STREAMS) - 1


async def test_two_processes_that_project_at_once_lose_and_double_nothing(database: str) -> None:
    hasty = RunnerSettings(lease=0.05, poll=0.01, batch=20)
    async with (
        projecting(database, settings=hasty) as first,
        projecting(database, owner="runner-2", settings=hasty) as second,
    ):
        stop = asyncio.Event()
        running = [asyncio.create_task(each.runner.run(stop)) for each in (first, second)]
        for event in (*STARTED, *RENEWED):
            await first.append([event])
        async with asyncio.timeout(30):
            while not await _idle(first):  # noqa: ASYNC110 - the database says it
                await asyncio.sleep(0.02)
        stop.set()
        await asyncio.gather(*running)
        rows = (await first.rows())["stream"]
        assert [row[7] for row in rows] == [2] * len(STREAMS), "two events each"
        assert {row[2] for row in rows} == {"active"}


async def _idle(projected: Projected) -> bool:
    async with projected.pool.connection() as connection:
        cursor = await connection.execute(
            "select count(*) from head left join projection_1.lease using (partition)"
            " where head.position > lease.position"
        )
        return await cursor.fetchone() == (0,)
