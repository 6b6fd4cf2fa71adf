"""What `verify` counts, by any number of processes. `properties/test_tampering_store.py` does the forging."""

import asyncio

import pytest

from service.store import checking, verifying
from service.store.verifying import Verified, verify
from tests.integration.store.given import connected, stream_in
from tests.sealed import OTHER, PARTITION, append_all, given_sealed, story

pytestmark = pytest.mark.anyio


async def verified(dsn: str, **more: object) -> Verified:
    return await asyncio.to_thread(verify, dsn, **more)  # type: ignore[arg-type]


async def test_an_empty_store_is_intact(database: str) -> None:
    found = await verified(database)
    assert found.intact
    assert (found.events, found.partitions) == (0, 0)


async def test_what_is_not_sealed_yet_is_counted_and_no_error(database: str) -> None:
    await given_sealed(database)
    await append_all(database, story(17)[12:])
    found = await verified(database)
    assert found.intact
    assert (found.events, found.sealed, found.unsealed, found.partitions) == (20, 15, 5, 2)
    assert found.bytes == sum(len(event.body) for event in [*story(17), *story(3, OTHER)])


async def test_a_body_that_is_not_sealed_yet_is_checked_against_its_digest(database: str) -> None:
    await append_all(database, story())
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("update event set body = 'x' where position = 5")
    [found] = (await verified(database)).findings
    assert (found.position, found.kind) == (5, "altered body")


async def test_one_partition_is_checked_alone(database: str) -> None:
    await given_sealed(database)
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("update event set body = 'x' where position = 2 and partition = %s", [OTHER])
    assert (await verified(database, partitions=[PARTITION])).intact
    [found] = (await verified(database, partitions=[OTHER])).findings
    assert (found.partition, found.position) == (OTHER, 2)


async def test_of_one_stream_the_bodies_and_the_chain_of_its_partition_are_checked(database: str) -> None:
    await given_sealed(database)
    found = await verified(database, stream=stream_in(PARTITION, 1))
    assert found.intact
    assert (found.events, found.bodies) == (12, 4)
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("update event set cause = 'x' where position = 3 and partition = %s", [PARTITION])
    [found_now] = (await verified(database, stream=stream_in(PARTITION, 1))).findings
    assert (found_now.position, found_now.kind) == (3, "altered field")


async def test_processes_share_the_work_and_find_the_same(database: str) -> None:
    await given_sealed(database)
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("update event set type = 'x' where position = 3")
    alone, together = await verified(database, processes=1), await verified(database, processes=2)
    assert together.processes == 2
    assert together.findings == alone.findings
    assert [finding.partition for finding in together.findings] == [PARTITION, OTHER]
    assert (together.events, together.bytes) == (alone.events, alone.bytes)


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_spans_of_any_size_find_the_same(database: str, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(verifying, "SPAN_EVENTS", size)
    await given_sealed(database)
    seen: list[tuple[int, int]] = []

    def progress(checked: checking.Checked, total: int) -> None:
        seen.append((checked.events, total))

    assert (await verified(database, progress=progress)).intact
    assert seen[-1] == (15, 15)
    assert len(seen) >= 15 // (size + 1)
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("delete from event where position = 4")
    [found] = (await verified(database)).findings
    assert (found.partition, found.position, found.kind) == (PARTITION, 4, "removed")
