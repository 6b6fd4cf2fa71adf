"""The runner: rows and checkpoint together, one stream's trouble its own, one owner per partition."""

import asyncio
import random
from collections.abc import Sequence

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, NewEvent, partition_of, stream_of
from domain.history import encode_fold, refold
from domain.licensing import License
from domain.receipts import Applied
from projections.retrying import retry_fold
from projections.runner import RunnerSettings
from projections.targets import Call
from projections.targets.licensespring.target import LicenseSpringTarget
from projections.writing import LostLease
from tests.projecting import Projected, projecting
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    STREAM,
    TELLER,
    activated,
    described,
    given,
    happened,
    line,
    muttered,
    paid,
    period,
)

pytestmark = pytest.mark.anyio

FIRST = happened(JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated())
RENEWED = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)))
ENDED = happened(MARCH, f.SubscriptionTerminated())


async def stream_state(projected: Projected, stream: str = STREAM) -> tuple[str, str, str]:
    found = await projected.queries.stream(stream)  # type: ignore[arg-type]
    assert found is not None
    return found[0].status, found[0].state, found[0].problem


async def test_what_was_appended_is_projected_with_its_licenses(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([FIRST, RENEWED])
        assert await stream_state(projected) == ("folded", "active", "")
        (license_,) = await projected.queries.licenses()
        assert license_.desired == given(FIRST, RENEWED).license()
        assert await projected.queries.positions() == dict.fromkeys(range(256), 0) | {partition_of(STREAM): 2}


async def test_any_order_of_arrival_and_any_cut_into_rounds_gives_the_same_rows(
    database: str, empty_database: str
) -> None:
    events = [FIRST, RENEWED, ENDED, happened(JANUARY, f.CustomerDescribed(reference="cus_1"), named="zz")]
    async with projecting(database) as in_order:
        await in_order.take(events)
        expected = await in_order.rows()
    chance = random.Random(7)
    from service.store.migrate import migrate

    await migrate(empty_database)
    async with projecting(empty_database) as projected:
        for _ in range(4):
            await projected.take(chance.sample(events, len(events)))
        assert await projected.rows() == expected


async def test_the_stored_fold_is_what_a_fold_from_the_start_gives(database: str) -> None:
    async with projecting(database) as projected:
        for event in (RENEWED, ENDED, FIRST):
            await projected.take([event])
        found = await projected.queries.stream(STREAM)
        assert found is not None
        assert found[1] is not None
        whole = await projected.log.read_stream(STREAM)
        assert encode_fold(found[1]) == encode_fold(refold(whole, TELLER))


async def test_a_stream_that_stops_does_not_hold_up_another_in_its_partition(database: str) -> None:
    neighbour = next(
        name
        for number in range(10_000)
        if partition_of(name := stream_of("acme", "subscription", f"sub_x{number}")) == partition_of(STREAM)
    )
    async with projecting(database) as projected:
        await projected.take([FIRST, muttered(FEBRUARY), happened(MARCH, activated(), stream=neighbour)])
        status, state, problem = await stream_state(projected)
        assert (status, state) == ("stopped", "active")
        assert "muttered" in problem
        assert await stream_state(projected, neighbour) == ("folded", "active", "")


class Helpless(LicenseSpringTarget):
    """A target with a fault: what is desired of one subscription is beyond it."""

    def plan(self, desired: Sequence[License], applied: Applied) -> list[Call]:
        if any(each.subscription == "sub_1" for each in desired):
            raise OverflowError
        return super().plan(desired, applied)


async def test_licenses_that_no_target_can_express_stop_their_stream_alone(database: str) -> None:
    bought = happened(JANUARY, described(line()), activated())
    other = happened(JANUARY, described(line()), activated(), stream="acme/subscription/sub_2")
    targets = {"ls": Helpless("ls", None)}  # type: ignore[arg-type]
    async with projecting(database, targets=targets) as projected:
        await projected.take([bought, other])
        status, _, problem = await stream_state(projected)
        assert status == "stopped"
        assert "OverflowError" in problem
        assert await stream_state(projected, other.stream) == ("folded", "active", "")


async def test_a_link_to_a_stream_that_cannot_exist_holds_nobody_up(database: str) -> None:
    # Nothing that PostgreSQL could compress into an entry of an index.
    endless = random.Random(1).randbytes(5000).hex()
    linked = f.StreamsLinked(streams=(f"invoice/{endless}", "invoice/in_1"))
    async with projecting(database) as projected:
        await projected.take([happened(JANUARY, activated(), linked)])
        assert await stream_state(projected) == ("folded", "active", "")
        assert [row[0] for row in (await projected.rows())["link"]] == ["acme/invoice/in_1"]


async def test_a_stopped_stream_asked_for_again_is_folded_by_the_runner(database: str) -> None:
    understood = msgspec.structs.replace(
        TELLER, translate=lambda event: [activated()] if event.type == "muttered" else TELLER.translate(event)
    )
    async with projecting(database) as projected:
        await projected.take([FIRST, muttered(FEBRUARY), RENEWED])
        assert (await stream_state(projected))[0] == "stopped"
        await retry_fold(projected.log, STREAM, "ada", "perhaps now", MARCH)
        await run_until(projected, "stopped", "still not understood")
    async with projecting(database, provider=understood, owner="runner-2") as projected:
        await retry_fold(projected.log, STREAM, "ada", "mended", MARCH)
        await run_until(projected, "folded", "understood now")


async def run_until(projected: Projected, status: str, why: str) -> None:
    """Lets the runner run until the stream has been folded again, with that status."""
    stop = asyncio.Event()
    running = asyncio.create_task(projected.runner.run(stop))
    async with asyncio.timeout(20):
        while True:
            async with projected.pool.connection() as connection:
                row = await (
                    await connection.execute(
                        "select status, position = (select position from head where partition = stream.partition)"
                        " from projection_1.stream where stream = %s",
                        [STREAM],
                    )
                ).fetchone()
            if row and row[1]:
                break
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert row[0] == status, why


async def test_work_that_other_code_left_is_folded_again_by_the_runner(database: str) -> None:
    targets = {"ls": LicenseSpringTarget("ls", None)}  # type: ignore[arg-type]
    idle = happened(JANUARY, f.CustomerDescribed(reference="cus_1"), stream="acme/customer/cus_1")
    async with projecting(database, targets=targets) as projected:
        await projected.take([FIRST, idle])
        async with projected.pool.connection() as connection:
            await connection.execute("update projection_1.stream set code = 'older', fold = 'unreadable'")
        found = await projected.queries.stream(STREAM)
        assert found is not None
        assert found[1] is None
        await projected.runner._renew()
        found = await projected.queries.stream(STREAM)
        assert found is not None
        assert found[1] is not None
        untouched = await projected.queries.stream(idle.stream)
        assert untouched is not None
        assert untouched[1] is None, "nothing waits for it: its next event has it folded again"


async def test_a_source_that_left_the_settings_stops_its_streams_and_says_so(database: str) -> None:
    stranger = happened(JANUARY, activated(), stream="gone/subscription/sub_9")
    async with projecting(database) as projected:
        await projected.take([stranger])
        status, _, problem = await stream_state(projected, stranger.stream)
        assert status == "stopped"
        assert "not in the settings" in problem


async def test_a_process_that_lost_its_partition_writes_nothing(database: str) -> None:
    short = RunnerSettings(lease=0.000001)
    async with projecting(database, settings=short) as slow, projecting(database, owner="runner-2") as quick:
        await slow.runner.project_until_idle()
        await quick.take([FIRST])
        before = await quick.rows()
        with pytest.raises(LostLease):
            await slow.runner._project(partition_of(STREAM), 0)
        assert await quick.rows() == before


async def test_a_partition_that_cannot_be_read_does_not_hold_up_another(database: str) -> None:
    neighbour = next(
        name
        for number in range(10_000)
        if partition_of(name := stream_of("acme", "subscription", f"sub_x{number}")) > partition_of(STREAM)
    )
    async with projecting(database) as projected:
        read, read_alone = projected.log.read_between, projected.log.read_partition

        def broken(events: list[Event]) -> list[Event]:
            here = partition_of(STREAM)
            return [
                msgspec.structs.replace(each, position=2**70) if each.partition == here else each for each in events
            ]

        async def read_broken(bounds: Sequence[tuple[int, int, int]]) -> list[Event]:
            return broken(await read(bounds))

        async def read_broken_alone(partition: int, after: int, limit: int) -> list[Event]:
            return broken(await read_alone(partition, after, limit))

        projected.log.read_between = read_broken  # type: ignore[method-assign]
        projected.log.read_partition = read_broken_alone  # type: ignore[method-assign]
        await projected.take([FIRST, happened(MARCH, activated(), stream=neighbour)])
        assert await stream_state(projected, neighbour) == ("folded", "active", "")
        assert await projected.queries.stream(STREAM) is None
        projected.log.read_between = read  # type: ignore[method-assign]
        projected.log.read_partition = read_alone  # type: ignore[method-assign]
        await projected.runner.project_until_idle()
        assert await stream_state(projected) == ("folded", "active", "")


async def test_a_partition_whose_lease_is_alive_is_nobody_elses(database: str) -> None:
    async with projecting(database) as first, projecting(database, owner="runner-2") as second:
        await first.runner.project_until_idle()
        await second.runner.project_until_idle()
        assert (len(first.runner._leases.held), len(second.runner._leases.held)) == (256, 0)


async def test_two_processes_share_the_partitions_and_one_alone_has_them_all(database: str) -> None:
    async with projecting(database) as first, projecting(database, owner="runner-2") as second:
        for runner in (first.runner, second.runner, first.runner, second.runner):
            await runner.project_until_idle()
        held = (set(first.runner._leases.held), set(second.runner._leases.held))
        assert len(held[0]) == len(held[1]) == 128
        assert not held[0] & held[1]
        await second.runner._release()
        await first.runner.project_until_idle()
        assert len(first.runner._leases.held) == 256


async def test_a_running_runner_is_woken_by_an_append_and_gives_its_partitions_back_at_the_end(database: str) -> None:
    patient = RunnerSettings(poll=60)
    async with projecting(database, settings=patient) as projected:
        stop, progress = asyncio.Event(), asyncio.Event()
        projected.runner.on_progress(progress.set)
        running = asyncio.create_task(projected.runner.run(stop))
        await projected.append([FIRST])
        async with asyncio.timeout(20):
            while not progress.is_set():
                projected.runner.wake()
                await asyncio.sleep(0)
        assert await stream_state(projected) == ("folded", "active", "")
        stop.set()
        await running
        async with projected.pool.connection() as connection:
            cursor = await connection.execute("select count(*) from projection_1.lease where owner is not null")
            assert await cursor.fetchone() == (0,)


async def test_a_body_that_no_version_of_the_receipts_knows_stops_its_stream(database: str) -> None:
    strange = NewEvent(
        stream=STREAM,
        event_id="x",
        type="tenure.future",
        origin="receipt",
        occurred_at=JANUARY,
        received_at=JANUARY,
        body=b'{"receipt":"future"}',
    )
    async with projecting(database) as projected:
        await projected.take([FIRST, strange])
        assert (await stream_state(projected))[0] == "stopped"
