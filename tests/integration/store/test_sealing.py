"""The chain grows behind the heads, one link for each event, whoever seals and whoever appends meanwhile."""

import asyncio
from collections.abc import Mapping

import psycopg
import pytest

from service.bootstrap import prepare, wired
from service.store import EventStore
from service.store.records import genesis, headers_digest, link, record_digest
from service.store.sealed import copy_without_bodies
from service.store.sealing import SealerSettings
from service.store.verifying import verify
from tests.integration.store.given import Connection, an_event, append, connected, hold_head, stream_in
from tests.sealed import OTHER, PARTITION, append_all, given_sealed, seal, sealer, story
from tests.serving import settings

SECONDS = 60

pytestmark = pytest.mark.anyio


async def chains(dsn: str) -> dict[tuple[int, int], bytes]:
    async with connected(dsn) as connection:
        cursor = await connection.execute("select partition, position, chain from seal")
        return {(partition, position): chain for partition, position, chain in await cursor.fetchall()}


async def seal_heads(connection: Connection) -> Mapping[int, int]:
    cursor = await connection.execute("select partition, position from seal_head where position > 0")
    return dict(await cursor.fetchall())


def expected_chain(dsn: str, partition: int) -> list[bytes]:
    """The chain of a partition, computed from its events alone."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        chain, found = genesis(partition), []
        for record in copy_without_bodies(connection, partition, 0, 10_000):
            chain = link(chain, record_digest(record, headers_digest(record.headers or b"")))
            found.append(chain)
    return found


async def test_every_event_gets_the_link_that_follows_from_all_before_it(database: str) -> None:
    await given_sealed(database)
    found = await chains(database)
    for partition, count in ((PARTITION, 12), (OTHER, 3)):
        expected = await asyncio.to_thread(expected_chain, database, partition)
        assert [found.pop((partition, position)) for position in range(1, count + 1)] == expected
    assert not found


async def test_the_chain_is_the_same_however_often_and_in_whatever_batches_it_is_made(
    database: str, empty_database: str
) -> None:
    from service.store.migrate import migrate

    await given_sealed(database)
    assert await seal(database) == 0
    await migrate(empty_database)
    async with connected(database) as source, connected(empty_database) as target:
        # The same events, recorded at the same instants.
        columns = (
            "partition, position, stream, event_id, item, type, origin, cause, occurred_at, received_at, recorded_at,"
            " headers, content_type, body, digest"
        )
        async with (
            source.cursor().copy(f"copy (select {columns} from event) to stdout".encode()) as rows,
            target.cursor().copy(f"copy event ({columns}) from stdin".encode()) as copied,
        ):
            async for row in rows:
                await copied.write(row)
        await target.execute(
            "update head h set position = (select count(*) from event e where e.partition = h.partition)"
        )
    async with sealer(empty_database, SealerSettings(batch=1)) as slow:
        steps = 0
        while await slow.seal_once():
            steps += 1
        assert steps == 12, "one event of each partition at a time"
    assert await chains(empty_database) == await chains(database)


async def test_four_sealers_and_eight_writers_at_once_make_one_whole_chain(database: str) -> None:
    stop, count = asyncio.Event(), 25
    settings = SealerSettings(poll=0.001, batch=7)
    async with EventStore.open(database) as store, sealer(database, settings) as one, sealer(database, settings) as two:

        async def write(writer: int) -> None:
            for number in range(count):
                stream = stream_in((PARTITION, OTHER)[number % 2], writer)
                await store.append([an_event(f"evt_{number}", stream), an_event("evt_same", stream_in(3))])

        sealing = [asyncio.create_task(each.run(stop)) for each in (one, two, one, two)]
        await asyncio.gather(*map(write, range(8)))
        stop.set()
        await asyncio.gather(*sealing)
        await one.seal_until_idle()
    verified = await asyncio.to_thread(verify, database)
    assert verified.intact
    assert (verified.events, verified.sealed) == (8 * count + 1, 8 * count + 1)
    found = await chains(database)
    expected = await asyncio.to_thread(expected_chain, database, PARTITION)
    assert [found[PARTITION, position] for position in range(1, len(expected) + 1)] == expected


async def test_sealing_waits_for_no_append_and_no_append_waits_for_sealing(database: str) -> None:
    await append_all(database, story(3))
    async with connected(database) as holder, sealer(database) as one:
        async with holder.transaction():
            await hold_head(holder, PARTITION)
            assert await one.seal_until_idle() == 3
        async with holder.transaction():
            await holder.execute("select from seal_head for update")
            await append_all(database, story(5))


async def test_what_another_sealer_holds_is_passed_over(database: str) -> None:
    await append_all(database, [*story(3), *story(3, OTHER)])
    async with connected(database) as holder, sealer(database) as one:
        async with holder.transaction():
            await holder.execute("select from seal_head where partition = %s for update", [PARTITION])
            assert await one.seal_until_idle() == 3
            assert await seal_heads(holder) == {OTHER: 3}
        assert await one.seal_until_idle() == 3


async def test_a_process_that_serves_seals_what_is_appended(database: str) -> None:
    stop = asyncio.Event()
    await prepare(database)
    async with wired(settings(database), database, ["sealer"]) as process, connected(database) as watcher:
        await append_all(database, story(3))
        sealing = asyncio.ensure_future(process.work["sealer"](stop))
        async with asyncio.timeout(SECONDS):
            while await seal_heads(watcher) != {PARTITION: 3}:
                pass
        stop.set()
        await sealing


async def test_a_sealer_whose_connections_are_cut_goes_on(database: str) -> None:
    stop = asyncio.Event()
    quick = SealerSettings(poll=0.01, backoff=0.01)
    async with sealer(database, quick) as one, connected(database) as watcher:
        sealing = asyncio.create_task(one.run(stop))
        for number in range(1, 6):
            await watcher.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and pid <> pg_backend_pid()"
            )
            await append(watcher, story(number)[-1:])
            async with asyncio.timeout(SECONDS):
                while await seal_heads(watcher) != {PARTITION: number}:
                    pass
        stop.set()
        await sealing
    assert (await asyncio.to_thread(verify, database)).intact


async def test_who_needs_all_sealed_waits_for_others_and_is_told_what_could_not_be(database: str) -> None:
    await append_all(database, [*story(5), *story(3, OTHER)])
    async with connected(database) as holder, sealer(database) as one:
        async with holder.transaction():
            await holder.execute("select from seal_head where partition = %s for update", [PARTITION])
            assert await one.reach_heads(0) == [PARTITION]
            waiting = asyncio.create_task(one.reach_heads(SECONDS))
            await asyncio.sleep(0)
        assert await waiting == []
        assert await seal_heads(holder) == {PARTITION: 5, OTHER: 3}
        await append_all(database, story(7)[5:])
        await holder.execute("set session_replication_role = replica")
        await holder.execute("delete from event where partition = %s and position = 6", [PARTITION])
        assert await one.reach_heads(0) == [PARTITION]


async def test_a_gap_is_never_sealed_over_and_others_go_on(database: str) -> None:
    await append_all(database, [*story(5), *story(3, OTHER)])
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("delete from event where partition = %s and position = 3", [PARTITION])
        assert await seal(database) == 5
        assert await seal_heads(forger) == {PARTITION: 2, OTHER: 3}


@pytest.mark.parametrize(
    "statement", ["update seal set chain = headers", "delete from seal where position = 1", "truncate seal"]
)
async def test_seals_are_append_only(database: str, statement: str) -> None:
    await given_sealed(database)
    async with connected(database) as connection:
        with pytest.raises(psycopg.errors.RestrictViolation, match="seal is append-only"):
            await connection.execute(statement.encode())
    assert len(await chains(database)) == 15
