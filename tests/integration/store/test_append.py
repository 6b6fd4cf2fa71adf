"""What `append_event` and `append_events` promise of one call, and of calls that meet."""

import asyncio
from hashlib import sha256

import psycopg
import pytest

from projections.ports import Appended
from tests.integration.store.given import (
    an_event,
    append,
    assert_gapless,
    connected,
    hold_head,
    moved_heads,
    one_waits_for,
    positions,
    stream_in,
)

pytestmark = pytest.mark.anyio


class TestGivenAnEmptyPartition:
    async def test_events_get_positions_in_the_order_given(self, database: str) -> None:
        async with connected(database) as connection:
            assert await append(connection, [an_event(f"evt_{number}") for number in (1, 2, 3)]) == [
                Appended(0, 1, False),
                Appended(0, 2, False),
                Appended(0, 3, False),
            ]
            assert await moved_heads(connection) == {0: 3}

    async def test_a_lone_event_gets_the_first_position(self, database: str) -> None:
        async with connected(database) as connection:
            assert await append(connection, [an_event("evt_1")]) == [Appended(0, 1, False)]
            assert await moved_heads(connection) == {0: 1}

    async def test_several_partitions_count_each_for_themselves_and_answers_keep_the_order(self, database: str) -> None:
        async with connected(database) as connection:
            stored = await append(
                connection,
                [
                    an_event("evt_1", stream_in(200)),
                    an_event("evt_1", stream_in(3)),
                    an_event("evt_2", stream_in(200)),
                    an_event("evt_2", stream_in(3, number=1)),
                ],
            )
            assert stored == [
                Appended(200, 1, False),
                Appended(3, 1, False),
                Appended(200, 2, False),
                Appended(3, 2, False),
            ]
            await assert_gapless(connection)

    async def test_the_row_is_what_was_given(self, database: str) -> None:
        event = an_event(
            "evt_1", stream_in(9), item="/events/1", cause="shop/invoice/in_1#evt_0", origin="relay", body=b"\x00\xff{"
        )
        async with connected(database) as connection:
            await append(connection, [event])
            cursor = await connection.execute(
                """select stream, source, event_id, item, type, origin, cause, headers, content_type, body, digest
                   from event"""
            )
            assert await cursor.fetchall() == [
                (
                    *(event.stream, "shop", "evt_1", "/events/1", "invoice.paid", "relay", "shop/invoice/in_1#evt_0"),
                    *(event.headers, "application/json", b"\x00\xff{", sha256(b"\x00\xff{").digest()),
                )
            ]

    async def test_events_of_one_request_share_its_body_and_each_row_has_the_right_one(self, database: str) -> None:
        shared, own = b"[1, 2]" * 100, b"{}"
        events = [
            an_event("evt_1", body=shared),
            an_event("evt_2", body=own),
            an_event("evt_3", body=shared),
        ]
        async with connected(database) as connection:
            await append(connection, events)
            cursor = await connection.execute("select body, digest from event order by position")
            assert await cursor.fetchall() == [(body, sha256(body).digest()) for body in (shared, own, shared)]

    @pytest.mark.parametrize("length", [1, 3_000, 30_000])
    async def test_a_shared_body_is_the_same_in_every_row_whichever_of_them_is_new(
        self, database: str, length: int
    ) -> None:
        """Longer ones are compressed, the longest kept outside of their rows."""
        shared = b"".join(b"%d," % (number * number) for number in range(length))
        streams = [stream_in(partition) for partition in (7, 3, 7, 0)]
        events = [an_event(f"evt_{number}", stream, body=shared) for number, stream in enumerate(streams)]
        async with connected(database) as connection:
            await append(connection, [an_event("evt_0", streams[0], body=b"the first, stored before")])
            stored = await append(connection, [*events, events[1]])
            assert stored == [
                Appended(7, 1, True),
                Appended(3, 1, False),
                Appended(7, 2, False),
                Appended(0, 1, False),
                Appended(3, 1, True),
            ]
            cursor = await connection.execute(
                "select event_id, body = %b, digest from event where body <> 'the first, stored before'", [shared]
            )
            digest = sha256(shared).digest()
            assert sorted(await cursor.fetchall()) == [(f"evt_{number}", True, digest) for number in (1, 2, 3)]
            await assert_gapless(connection)


class TestGivenAStoredEvent:
    async def test_a_repeat_gets_the_old_position_and_moves_nothing(self, database: str) -> None:
        async with connected(database) as connection:
            await append(connection, [an_event("evt_1")])
            assert await append(connection, [an_event("evt_1", body=b"other")]) == [Appended(0, 1, True)]
            assert await moved_heads(connection) == {0: 1}
            cursor = await connection.execute("select body from event")
            assert await cursor.fetchall() == [(an_event("evt_1").body,)]

    async def test_repeats_among_new_events_leave_no_gap(self, database: str) -> None:
        async with connected(database) as connection:
            await append(connection, [an_event("evt_1"), an_event("evt_2")])
            stored = await append(
                connection,
                [an_event("evt_3"), an_event("evt_2"), an_event("evt_4"), an_event("evt_1"), an_event("evt_5")],
            )
            assert [(one.position, one.repeated) for one in stored] == [
                (3, False),
                (2, True),
                (4, False),
                (1, True),
                (5, False),
            ]
            await assert_gapless(connection)

    async def test_a_repeat_writes_nothing_and_does_not_wait_for_the_partition(self, database: str) -> None:
        async with connected(database) as connection, connected(database) as holder:
            await append(connection, [an_event("evt_1"), an_event("evt_2")])
            async with holder.transaction(), connection.transaction():
                await hold_head(holder, 0)
                await append(connection, [an_event("evt_1")])
                await append(connection, [an_event("evt_2"), an_event("evt_1")])
                cursor = await connection.execute("select pg_current_xact_id_if_assigned()")
                assert await cursor.fetchall() == [(None,)]

    async def test_the_same_id_in_another_stream_is_another_event(self, database: str) -> None:
        async with connected(database) as connection:
            assert await append(connection, [an_event("evt_1", stream_in(0, number=1)), an_event("evt_1")]) == [
                Appended(0, 1, False),
                Appended(0, 2, False),
            ]


async def test_repeats_inside_a_batch_get_the_position_of_the_first(database: str) -> None:
    ids = ["evt_1", "evt_1", "evt_2", "evt_1", "evt_3", "evt_2"]
    async with connected(database) as connection:
        stored = await append(connection, [an_event(event_id) for event_id in ids])

        assert [(one.position, one.repeated) for one in stored] == [
            (1, False),
            (1, True),
            (2, False),
            (1, True),
            (3, False),
            (2, True),
        ]
        await assert_gapless(connection)


async def test_one_event_that_cannot_be_stored_keeps_out_the_whole_call(database: str) -> None:
    events = [an_event("evt_1"), an_event("evt_2", stream_in(7)), an_event("evt_3")]
    async with connected(database) as connection:
        await connection.execute("alter table event add constraint picky check (event_id <> 'evt_2')")
        with pytest.raises(psycopg.errors.CheckViolation):
            await append(connection, events)
        assert await positions(connection) == {}
        assert await moved_heads(connection) == {}
        await connection.execute("alter table event drop constraint picky")
        assert [one.position for one in await append(connection, events)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("column", "value"), [("origin", "'hearsay'"), ("position", "0"), ("partition", "256"), ("digest", "'short'")]
)
async def test_rows_that_make_no_sense_are_refused_by_the_table_itself(database: str, column: str, value: str) -> None:
    sound = {"partition": "0", "position": "1", "origin": "'webhook'", "digest": "sha256('')"}
    insert = """
        insert into event (partition, position, origin, digest, stream, event_id, item, type, cause, occurred_at,
                           received_at, headers, content_type, body)
        values ({partition}, {position}, {origin}, {digest}, 'a/b/c', 'e', '', 't', '', now(), now(), '{{}}', '', '')"""
    async with connected(database) as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            await connection.execute(insert.format_map(sound | {column: value}).encode())
        await connection.execute(insert.format_map(sound).encode())


async def test_a_partition_without_a_head_is_refused_and_not_passed_over(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("delete from head where partition = 5")
        for events in ([an_event("evt_1", stream_in(5))], [an_event("evt_1"), an_event("evt_1", stream_in(5))]):
            with pytest.raises(psycopg.errors.RaiseException, match=r"head .*restore it"):
                await append(connection, events)
        assert await positions(connection) == {}


class TestWhenAppendsMeet:
    async def test_identical_deliveries_at_once_store_each_event_once_without_a_gap(self, database: str) -> None:
        events = [an_event(f"evt_{number}", stream_in(number % 3)) for number in range(9)]

        async def deliver(number: int) -> list[Appended]:
            async with connected(database) as connection:
                given = events if number % 2 else [events[number]]
                return await append(connection, given)

        answers = await asyncio.gather(*(deliver(number) for number in range(8)))

        async with connected(database) as connection:
            await assert_gapless(connection)
            assert sum((await moved_heads(connection)).values()) == len(events)
        for event, *stored in zip(events, *(answer for answer in answers if len(answer) > 1), strict=True):
            assert len({one.position for one in stored}) == 1, event.event_id
        fresh = sum(not one.repeated for answer in answers for one in answer)
        assert fresh == len(events)

    @pytest.mark.parametrize("ids", [["evt_1"], ["evt_1", "evt_2"]])
    async def test_who_waits_for_a_commit_finds_the_events_it_stored(self, database: str, ids: list[str]) -> None:
        events = [an_event(event_id) for event_id in ids]
        async with connected(database) as first, connected(database) as second, connected(database) as watch:
            async with first.transaction():
                await append(first, events)
                late = asyncio.create_task(append(second, events))
                await one_waits_for(watch, first.info.backend_pid)
            assert [(one.position, one.repeated) for one in await late] == [(n + 1, True) for n in range(len(ids))]
            await assert_gapless(watch)

    @pytest.mark.parametrize("ids", [["evt_1"], ["evt_1", "evt_2"]])
    async def test_who_waits_for_a_rollback_stores_them_itself(self, database: str, ids: list[str]) -> None:
        events = [an_event(event_id) for event_id in ids]
        async with connected(database) as first, connected(database) as second, connected(database) as watch:
            async with first.transaction(force_rollback=True):
                await append(first, events)
                late = asyncio.create_task(append(second, events))
                await one_waits_for(watch, first.info.backend_pid)
            assert [(one.position, one.repeated) for one in await late] == [(n + 1, False) for n in range(len(ids))]
            await assert_gapless(watch)

    async def test_other_partitions_do_not_wait(self, database: str) -> None:
        async with connected(database) as first, connected(database) as second, first.transaction():
            await append(first, [an_event("evt_1", stream_in(1))])
            assert await append(second, [an_event("evt_2", stream_in(2))]) == [Appended(2, 1, False)]

    async def test_opposite_orders_of_partitions_do_not_deadlock(self, database: str) -> None:
        streams = [stream_in(partition) for partition in (10, 20, 30, 40)]

        async def write(writer: int) -> None:
            order = streams if writer % 2 else streams[::-1]
            async with connected(database) as connection:
                for number in range(25):
                    await append(connection, [an_event(f"evt_{writer}_{number}", stream) for stream in order])

        await asyncio.gather(*(write(writer) for writer in range(6)))

        async with connected(database) as connection:
            assert await moved_heads(connection) == dict.fromkeys((10, 20, 30, 40), 150)
            await assert_gapless(connection)

    async def test_a_stale_snapshot_fails_and_can_be_tried_again(self, database: str) -> None:
        async with connected(database) as first, connected(database) as second:
            async with first.transaction(force_rollback=True):
                await first.execute("set transaction isolation level repeatable read")
                await first.execute("select from event")
                await append(second, [an_event("evt_1")])
                with pytest.raises(psycopg.errors.SerializationFailure):
                    await append(first, [an_event("evt_2")])
            assert await append(first, [an_event("evt_2")]) == [Appended(0, 2, False)]


class TestHistoryIsAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "update event set type = 'other'",
            "update event set body = ''",
            "update event set position = position + 10",
            "delete from event",
            "truncate event",
        ],
    )
    async def test_changes_are_refused_with_the_reason(self, database: str, statement: str) -> None:
        async with connected(database) as connection:
            await append(connection, [an_event("evt_1")])
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only") as refused:
                await connection.execute(statement.encode())
            assert refused.value.diag.message_hint
            assert await positions(connection) == {0: [1]}

    async def test_erasure_may_change_body_and_headers_in_its_own_transaction(self, database: str) -> None:
        async with connected(database) as connection:
            await append(connection, [an_event("evt_1")])
            async with connection.transaction():
                await connection.execute("set local tenure.erasure = 'on'")
                await connection.execute("update event set body = 'gone', headers = '{}'")
            cursor = await connection.execute("select body, headers, digest, source from event")
            digest = sha256(an_event("evt_1").body).digest()
            assert await cursor.fetchall() == [(b"gone", {}, digest, "shop")]
            with pytest.raises(psycopg.errors.RestrictViolation):
                await connection.execute("update event set body = 'again'")

    @pytest.mark.parametrize(
        "statement",
        [
            "update event set body = 'gone', digest = sha256('x')",
            "update event set body = 'gone', stream = 'a/b/c'",
            "update event set body = 'gone', event_id = 'x'",
            "update event set occurred_at = now()",
            "update event set recorded_at = now()",
            "delete from event",
            "truncate event",
        ],
    )
    async def test_erasure_may_change_nothing_else(self, database: str, statement: str) -> None:
        async with connected(database) as connection:
            await append(connection, [an_event("evt_1")])
            async with connection.transaction(force_rollback=True):
                await connection.execute("set local tenure.erasure = 'on'")
                with pytest.raises(psycopg.errors.RestrictViolation):
                    await connection.execute(statement.encode())


async def test_a_session_that_began_with_an_empty_table_never_reads_all_of_it(database: str) -> None:
    """Its first plans are made when reading everything is cheapest, and kept."""
    async with connected(database) as connection:
        connection.prepare_threshold = 0
        # An analysed empty table is the worst case: the planner then believes in its emptiness.
        await connection.execute("vacuum analyze event")
        for batch in range(60):
            streams = [stream_in(partition) for partition in (batch % 3, batch % 5)]
            await append(connection, [an_event(f"evt_{batch}_{n}", stream) for n in range(5) for stream in streams])
            await append(connection, [an_event(f"lone_{batch}")])
        cursor = await connection.execute("select count(*) from event")
        [(events,)] = await cursor.fetchall()
        await connection.execute("select pg_stat_force_next_flush()")
        cursor = await connection.execute(
            """select t.seq_tup_read, i.idx_tup_read from pg_stat_user_tables t
               join pg_stat_user_indexes i using (relid)
               where t.relname = 'event' and i.indexrelname in ('event_once', 'event_pkey') order by 2"""
        )
        read = await cursor.fetchall()
        # The count above is the one sequential scan; keys are looked up, not walked.
        assert all(scanned <= events and walked <= events for scanned, walked in read), read
