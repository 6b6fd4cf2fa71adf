"""Every way of reading gives the same events."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import msgspec
import psycopg
import pytest

from domain.events import PARTITIONS, Event, NewEvent, partition_of
from domain.past import Past
from projections.ports import EventLog
from service.store import EventStore, bulk
from service.store.errors import StoreUnavailable
from service.store.limits import Limits
from service.store.sql import statements
from tests.integration.store.given import NOON, an_event, connected, stream_in

pytestmark = pytest.mark.anyio

LEFT, RIGHT = stream_in(7), stream_in(7, number=1)
EVENTS = [
    an_event(
        f"evt_{number:02}",
        RIGHT if number % 3 else LEFT,
        body=bytes([number]) * (number * 200),
        occurred_at=NOON - timedelta(hours=number, microseconds=number),
        headers={} if number % 2 else {"signature": 'ö "\\u0000" \\'},
        item=f"/items/{number}",
    )
    for number in range(20)
]


@pytest.fixture
async def store(database: str) -> AsyncIterator[EventStore]:
    async with EventStore.open(database) as store:
        yield store


@pytest.fixture
async def filled(store: EventStore) -> EventStore:
    await store.append(EVENTS)
    return store


async def pages(store: EventStore, limit: int) -> list[Event]:
    found: list[Event] = []
    while page := await store.read_partition(7, after=len(found), limit=limit):
        assert len(page) <= limit
        found += page
    return found


async def test_the_store_is_the_event_log_of_the_projections(filled: EventStore) -> None:
    log: EventLog = filled

    assert await log.heads([7, 8]) == {7: 20, 8: 0}


async def test_events_are_read_as_they_were_appended(filled: EventStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    for position, (given, event) in enumerate(zip(EVENTS, await filled.read_partition(7, 0, 100), strict=True), 1):
        kept = {name: getattr(event, name) for name in NewEvent.__struct_fields__}
        assert kept == msgspec.structs.asdict(given)
        assert (event.partition, event.position, event.source) == (7, position, "shop")
        assert event.digest == sha256(given.body).digest()
        assert event.recorded_at > before
        assert {at.tzinfo for at in (event.occurred_at, event.received_at, event.recorded_at)} == {UTC}


@pytest.mark.parametrize("limit", [1, 3, 20, 1000])
async def test_a_cursor_walks_the_partition_in_pages(filled: EventStore, limit: int) -> None:
    assert [event.position for event in await pages(filled, limit)] == list(range(1, 21))


async def test_large_bodies_make_shorter_pages_but_never_empty_ones(database: str, filled: EventStore) -> None:
    async with EventStore.open(database, limits=Limits(page_bytes=5000)) as narrow:
        page = await narrow.read_partition(7, 0, 100)
        assert 1 < len(page) < 20
        assert await pages(narrow, 100) == await pages(filled, 100)
    async with EventStore.open(database, limits=Limits(page_bytes=1024)) as narrow:
        assert [event.position for event in await narrow.read_partition(7, 18, 100)] == [19]


async def test_a_page_has_a_greatest_length_whatever_is_asked_for(database: str, filled: EventStore) -> None:
    async with EventStore.open(database, limits=Limits(page_events=4)) as narrow:
        assert [event.position for event in await narrow.read_partition(7, 0, 1000)] == [1, 2, 3, 4]


async def test_a_stream_is_read_whole_or_in_parts(filled: EventStore) -> None:
    everything = await pages(filled, 100)
    left = [event for event in everything if event.stream == LEFT]

    assert await filled.read_stream(LEFT) == left
    assert await filled.read_stream(LEFT, after=left[2].position) == left[3:]
    assert await filled.read_stream(LEFT, after=left[2].position, limit=2) == left[3:5]
    assert await filled.read_stream(stream_in(7, number=5)) == []


async def test_several_partitions_are_read_between_positions(filled: EventStore) -> None:
    await filled.append([an_event(f"evt_{number}", stream_in(9)) for number in range(5)])
    seven, nine = await filled.read_partition(7, 0, 100), await filled.read_partition(9, 0, 100)

    assert await filled.read_between([(7, 3, 9), (8, 0, 5), (9, 1, 100)]) == seven[3:9] + nine[1:]
    assert await filled.read_between([(8, 0, 5)]) == []


async def test_of_partitions_that_do_not_fit_in_a_page_the_last_events_are_missing(
    database: str, filled: EventStore
) -> None:
    await filled.append([an_event("evt_next", stream_in(9))])
    whole = await filled.read_between([(7, 0, 20), (9, 0, 1)])
    async with EventStore.open(database, limits=Limits(page_bytes=5000)) as narrow:
        page = await narrow.read_between([(7, 0, 20), (9, 0, 1)])
        assert page == whole[: len(page)]
        assert 1 < len(page) < 20
    async with EventStore.open(database, limits=Limits(page_bytes=1024)) as narrow:
        assert await narrow.read_between([(7, 18, 20), (9, 0, 1)]) == whole[18:19]


async def test_several_streams_are_read_at_once(filled: EventStore) -> None:
    left, right = await filled.read_stream(LEFT), await filled.read_stream(RIGHT)
    nobody = stream_in(8)
    asked = [(RIGHT, 0), (nobody, 0), (LEFT, left[2].position), (RIGHT, right[-1].position), (RIGHT, right[4].position)]

    assert await filled.read_streams(asked) == [right, [], left[3:], [], right[5:]]
    assert await filled.read_streams(asked, limit=2) == [right[:2], [], left[3:5], [], right[5:7]]
    assert await filled.read_streams([(nobody, 0)]) == [[]]


async def test_of_streams_that_do_not_fit_in_a_page_the_first_ones_come_whole(
    database: str, filled: EventStore
) -> None:
    left, right = await filled.read_stream(LEFT), await filled.read_stream(RIGHT)
    nobody = stream_in(8)
    async with EventStore.open(database, limits=Limits(page_bytes=1024)) as narrow:
        assert await narrow.read_streams([(RIGHT, 0), (LEFT, 0)]) == [right]
        assert await narrow.read_streams([(nobody, 0), (LEFT, 0), (nobody, 0), (RIGHT, 0)]) == [[], left]
    async with EventStore.open(database) as wide:
        assert await wide.read_streams([(nobody, 0), (LEFT, 0), (nobody, 0), (RIGHT, 0)]) == [[], left, [], right]


@pytest.mark.parametrize("in_memory", [100, 19], ids=["sorted here", "sorted by the database"])
async def test_a_whole_partition_read_by_stream_has_the_events_of_the_pages(
    database: str, filled: EventStore, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(bulk, "IN_MEMORY", in_memory)
    monkeypatch.setattr(bulk, "PAGE", 7)
    everything = [_folded(event) for event in await pages(filled, 100)]

    with psycopg.connect(database) as connection:
        whole = dict(bulk.read_streams(connection, 7, 20))
        earlier = dict(bulk.read_streams(connection, 7, 5))
        nothing = list(bulk.read_streams(connection, 8, 20))

    assert whole == {each: [event for event in everything if event.stream == each] for each in (LEFT, RIGHT)}
    assert sorted(event.position for events in earlier.values() for event in events) == [1, 2, 3, 4, 5]
    assert nothing == []


def _folded(event: Event) -> Event:
    """Of an event what folds read."""
    return msgspec.structs.replace(event, headers={}, cause="", content_type="application/json", digest=b"")


async def test_times_are_utc_whatever_the_server_thinks(database: str) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    event = an_event("evt_1", LEFT, occurred_at=datetime(2026, 10, 25, 2, 30, tzinfo=zone))
    async with connected(database) as connection:
        name = connection.info.dbname
        await connection.execute(f"alter database \"{name}\" set timezone = 'Europe/Berlin'".encode())
    async with EventStore.open(database) as store:
        await store.append([event])
        [read] = await store.read_partition(7, 0, 1)
    with psycopg.connect(database) as plain:
        [(_, [copied])] = bulk.read_streams(plain, 7, 1)

    assert _folded(read) == copied
    assert (read.occurred_at, read.occurred_at.tzinfo) == (datetime(2026, 10, 24, 21, tzinfo=UTC), UTC)


async def test_an_event_is_found_by_its_stream_and_id(filled: EventStore) -> None:
    found = await filled.find(RIGHT, "evt_01")
    assert found
    assert (found.stream, found.event_id, found.position) == (RIGHT, "evt_01", 2)

    assert await filled.find(LEFT, "evt_01") is None
    assert await filled.find(LEFT, "nul\0") is None


async def test_heads_and_counts_know_how_much_there_is(filled: EventStore) -> None:
    await filled.append([an_event("evt_1", stream_in(9))])

    assert await filled.heads(range(PARTITIONS)) == dict.fromkeys(range(PARTITIONS), 0) | {7: 20, 9: 1}
    assert await filled.heads([]) == {}
    counts = await filled.counts()
    assert (counts.events, counts.partitions, counts.largest) == (21, 2, 20)
    assert counts.bytes > 0
    assert (await filled.counts([9, 10])).events == 1


async def test_a_read_survives_the_loss_of_its_connections(database: str, filled: EventStore) -> None:
    everything = await pages(filled, 100)
    async with connected(database) as connection:
        cursor = await connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name = 'tenure read' and datname = current_database()"
        )
        assert await cursor.fetchall()

    assert await pages(filled, 100) == everything


async def test_a_database_out_of_reach_is_an_error_that_names_the_read() -> None:
    async with EventStore.open("host=/nowhere", limits=Limits(deadline=0.2)) as store:
        with pytest.raises(StoreUnavailable, match="could not be read"):
            await store.heads([1])


async def test_a_database_without_the_tables_is_an_error_at_once(empty_database: str) -> None:
    async with EventStore.open(empty_database) as store:
        with pytest.raises(StoreUnavailable, match='relation "event" does not exist'):
            await store.read_stream(LEFT)


async def test_everything_works_without_prepared_statements_as_behind_a_pooler(database: str) -> None:
    async with EventStore.open(database, prepare_threshold=None, connections=1) as store:
        for _ in range(7):
            await store.append(EVENTS)
        assert [event.event_id for event in await pages(store, 6)] == [event.event_id for event in EVENTS]
        async with connected(database) as connection:
            assert partition_of(LEFT) == 7
            cursor = await connection.execute("select count(*) from event")
            assert await cursor.fetchall() == [(20,)]


@pytest.mark.parametrize("connections", [0, 101])
async def test_a_senseless_number_of_connections_is_refused(connections: int) -> None:
    with pytest.raises(ValueError, match="connections of the event store"):
        async with EventStore.open("host=/nowhere", connections=connections):
            pass


async def test_a_page_of_streams_reads_little_even_of_a_table_that_was_never_analysed(database: str) -> None:
    """Whole streams come page by page: a plan that reads all of a partition for each of them takes hours."""
    page = {"partition": 7, "after": "", "limit": 200}
    async with connected(database) as connection:
        await connection.execute("alter table event set (autovacuum_enabled = false)")
        await connection.execute(
            "insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,"
            " received_at, recorded_at, headers, content_type, body, digest)"
            " select 7, n, 'shop/subscription/sub_' || n, 'evt', '', 'invoice.paid', 'webhook', '', now(), now(),"
            " now(), '{}', '', convert_to(repeat(md5(n::text), 30), 'utf8'), sha256('')"
            " from generate_series(1, 20000) n"
        )
        statement = b"explain (analyze, buffers, format json) " + statements("past.sql")["streams_after"]
        [(explained,)] = await (await connection.cursor(binary=True).execute(statement, page)).fetchall()
        [(pages,)] = await (await connection.execute("select pg_relation_size('event') / 8192")).fetchall()
    touched = explained[0]["Plan"]["Shared Hit Blocks"] + explained[0]["Plan"]["Shared Read Blocks"]
    assert touched < pages, "not even every page of the table once"


async def test_nothing_in_front_of_the_first_event_is_read(store: EventStore, database: str) -> None:
    await store.append(EVENTS)
    async with connected(database) as forger:
        await forger.execute("set session_replication_role = replica")
        await forger.execute("alter table event drop constraint event_position")
        await forger.execute("update event set position = 0 where partition = 7 and event_id = 'evt_03'")
    assert await store.find_named(7, "evt_03") == []
    assert await store.find(LEFT, "evt_03") is None
    lot = await store.read_lot(7, "", 100, Past(as_of=NOON))
    assert lot is not None
    for read in (await store.read_stream(LEFT), *(events for stream, events in lot.streams if stream == LEFT)):
        assert [event.event_id for event in read] == [f"evt_{number:02}" for number in (0, 6, 9, 12, 15, 18)]
