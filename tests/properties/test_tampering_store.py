"""Whoever touches one event of the store, with all rights and all triggers off, is found by `verify`.

Tampering happens in a transaction that is rolled back afterwards, so all examples share one sealed store.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection, sql

from service.store.findings import Finding
from service.store.verifying import verify_on
from tests.databases import Server
from tests.integration.store.given import NOON, stream_in
from tests.sealed import OTHER, PARTITION, given_sealed

LAST = 12
AWAY = 1_000_000
"""Where events wait while the others are renumbered."""

positions = st.integers(1, LAST)
Values = dict[str, Any]

ALTERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.sampled_from([stream_in(PARTITION, 9), stream_in(OTHER, 9), "gone/subscription/x"]),
    "event_id": st.text("abc", min_size=1),
    "item": st.text("/01", min_size=1),
    "type": st.text("abc."),
    "origin": st.sampled_from(["backfill", "readback", "relay", "operator", "timer", "receipt"]),
    "cause": st.text("abc", min_size=1),
    "occurred_at": st.datetimes().map(lambda naive: naive.replace(tzinfo=NOON.tzinfo)),
    "received_at": st.sampled_from([NOON + timedelta(microseconds=1), "infinity", "-infinity", NOON - timedelta(9)]),
    "recorded_at": st.sampled_from([NOON, "infinity", "-infinity"]),
    "headers": st.sampled_from(['{"stripe-signature": "t=-1"}', "{}", "[]", "null", '{"a": {"b": 1}}']),
    "content_type": st.text("abc"),
    "body": st.binary(max_size=40),
    "digest": st.binary(min_size=32, max_size=32),
}


@pytest.fixture(scope="module")
def sealed_store(server: Server, migrated_template: str) -> Iterator[Connection[Any]]:
    """A connection of a superuser to a sealed store, in a transaction that no trigger hinders."""
    with server.database(template=migrated_template) as name:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, given_sealed(server.dsn(name))).result()
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            yield connection


def found_after(
    connection: Connection[Any], *statements: tuple[str, Values], before: Sequence[tuple[str, Values]] = ()
) -> list[Finding]:
    """What `verify` finds once those statements have run; they are undone."""
    with connection.transaction(force_rollback=True):
        for statement, values in before:
            connection.execute(statement.encode(), values)
        for statement, values in statements:
            assert connection.execute(statement.encode(), values).rowcount > 0, "nothing was tampered with"
        return verify_on(connection).findings


def told(findings: Sequence[Finding]) -> list[tuple[int, int, str]]:
    return [(finding.partition, finding.position, finding.kind) for finding in findings]


def shift(first: int, by: int) -> list[tuple[str, Values]]:
    """Renumbers the events from a position on, the head too."""
    values = {"partition": PARTITION, "first": first, "by": by, "away": AWAY}
    away = "update event set position = position + %(away)s where partition = %(partition)s and position >= %(first)s"
    back = (
        "update event set position = position - %(away)s + %(by)s where partition = %(partition)s"
        " and position > %(away)s"
    )
    head = "update head set position = position + %(by)s where partition = %(partition)s"
    return [(away, values), (back, values), (head, values)]


def copy_of(position: int, to: int) -> tuple[str, Values]:
    """A forged event: like another, under a new id."""
    return (
        """insert into event (partition, position, stream, event_id, item, type, origin, cause, occurred_at,
                              received_at, recorded_at, headers, content_type, body, digest)
           select partition, %(to)s, stream, 'evt_forged', item, type, origin, cause, occurred_at, received_at,
                  recorded_at, headers, content_type, body, digest
           from event where partition = %(partition)s and position = %(position)s""",
        {"partition": PARTITION, "position": position, "to": to},
    )


def test_an_untouched_store_is_intact(sealed_store: Connection[Any]) -> None:
    verified = verify_on(sealed_store)
    assert verified.intact
    assert (verified.events, verified.sealed, verified.unsealed, verified.bodies) == (15, 15, 0, 15)


@given(position=positions, column=st.sampled_from(sorted(ALTERATIONS)), drawn=st.data())
def test_an_altered_field_is_found_where_it_is(
    sealed_store: Connection[Any], position: int, column: str, drawn: st.DataObject
) -> None:
    value = drawn.draw(ALTERATIONS[column])
    values = {"partition": PARTITION, "position": position, "value": value}
    statement = sql.SQL(
        "update event set {} = %(value)s where partition = %(partition)s and position = %(position)s"
    ).format(sql.Identifier(column))
    with sealed_store.transaction(force_rollback=True):
        before = sealed_store.execute(_row(column), values).fetchone()
        sealed_store.execute(statement, values)
        altered = sealed_store.execute(_row(column), values).fetchone() != before
        findings = verify_on(sealed_store).findings
    if altered:
        [found] = findings
        assert (found.partition, found.position) == (PARTITION, position)
        assert found.kind == "altered body" if column in {"body", "digest"} else found.kind.startswith(("alt", "back"))
    else:
        assert not findings


def _row(column: str) -> bytes:
    return b"select %s::text from event where partition = %%(partition)s and position = %%(position)s" % column.encode()


@given(position=positions, body=st.binary(max_size=40))
def test_a_body_altered_together_with_its_digest_is_found(
    sealed_store: Connection[Any], position: int, body: bytes
) -> None:
    both = "update event set body = %(body)s, digest = sha256(%(body)s) where partition = %(at)s and position = %(n)s"
    values = {"body": b"forged" + body, "at": PARTITION, "n": position}
    assert told(found_after(sealed_store, (both, values))) == [(PARTITION, position, "altered field")]


@given(position=positions, renumbered=st.booleans())
def test_a_removed_event_is_found_even_if_those_behind_it_are_renumbered(
    sealed_store: Connection[Any], position: int, renumbered: bool
) -> None:
    removal = (
        "delete from event where partition = %(partition)s and position = %(position)s",
        {"partition": PARTITION, "position": position},
    )
    closing = shift(position + 1, -1) if renumbered and position < LAST else []
    [found] = found_after(sealed_store, removal, *closing)
    assert found.position == position
    assert found.kind == ("truncated tail" if position == LAST else "removed")


@given(position=positions, head=st.booleans())
def test_a_cut_tail_is_found_even_if_the_head_is_moved_back(
    sealed_store: Connection[Any], position: int, head: bool
) -> None:
    values = {"partition": PARTITION, "position": position}
    cut = ("delete from event where partition = %(partition)s and position >= %(position)s", values)
    back = ("update head set position = %(position)s - 1 where partition = %(partition)s", values)
    findings = found_after(sealed_store, cut, *([back] if head else []))
    assert told(findings) == [(PARTITION, position, "truncated tail")]


@given(position=positions, of=positions)
def test_an_inserted_event_is_found_even_if_those_behind_it_are_renumbered(
    sealed_store: Connection[Any], position: int, of: int
) -> None:
    original = of + 1 if of >= position else of
    findings = found_after(sealed_store, *shift(position, 1), copy_of(original, position))
    assert told(findings) == [(PARTITION, position, "inserted")]


@pytest.mark.parametrize("position", [0, -7])
def test_an_event_inserted_in_front_of_the_first_is_found(sealed_store: Connection[Any], position: int) -> None:
    unbound: tuple[str, Values] = ("alter table event drop constraint event_position", {})
    assert told(found_after(sealed_store, copy_of(3, position), before=[unbound])) == [
        (PARTITION, position, "inserted")
    ]


@pytest.mark.parametrize("partition", [-1, 256])
def test_an_event_in_a_partition_that_there_is_not_is_found(sealed_store: Connection[Any], partition: int) -> None:
    unbound: tuple[str, Values] = ("alter table event drop constraint event_partition", {})
    statement, values = copy_of(3, 1)
    elsewhere = (statement.replace("select partition,", f"select {partition},"), values)
    assert told(found_after(sealed_store, elsewhere, before=[unbound])) == [(partition, 1, "inserted")]


@pytest.mark.parametrize("at", ["occurred_at", "'infinity'"])
def test_a_finding_names_whose_event_it_is(sealed_store: Connection[Any], at: str) -> None:
    statement = f"update event set body = 'x', occurred_at = {at} where partition = %(at)s and position = 5"
    [found] = found_after(sealed_store, (statement, {"at": PARTITION}))
    assert (found.stream, found.event_id) == (stream_in(PARTITION, 1), "evt_4")
    assert found.occurred_at == (None if "infinity" in at else "2026-03-01T12:04:00.000004Z")
    removal = ("delete from event where partition = %(at)s and position = 5", {"at": PARTITION})
    [removed] = found_after(sealed_store, removal)
    assert removed.stream is None


def test_an_event_inserted_behind_the_head_is_found(sealed_store: Connection[Any]) -> None:
    assert told(found_after(sealed_store, copy_of(3, LAST + 1))) == [(PARTITION, LAST + 1, "inserted")]


@given(places=st.lists(positions, min_size=2, max_size=2, unique=True))
def test_swapped_events_are_found_and_named_both(sealed_store: Connection[Any], places: list[int]) -> None:
    one, two = sorted(places)
    move = "update event set position = %(to)s where partition = %(partition)s and position = %(of)s"
    steps = [(one, AWAY), (two, one), (AWAY, two)]
    [found] = found_after(sealed_store, *((move, {"partition": PARTITION, "of": of, "to": to}) for of, to in steps))
    assert (found.position, found.kind) == (one, "swapped")
    assert f"position {two}" in found.detail


@given(
    position=st.integers(2, LAST),
    column=st.sampled_from(["recorded_at", "received_at", "occurred_at"]),
    seconds=st.integers(1, 10**8),
)
def test_a_back_dated_event_is_found(sealed_store: Connection[Any], position: int, column: str, seconds: int) -> None:
    earlier = (
        f"update event set {column} = {column} - %(by)s where partition = %(partition)s and position = %(position)s"
    )
    values = {"by": timedelta(seconds=1000 + seconds), "partition": PARTITION, "position": position}
    kind = "back-dated" if column == "recorded_at" else "altered field"
    assert told(found_after(sealed_store, (earlier, values))) == [(PARTITION, position, kind)]


@given(position=positions, column=st.sampled_from(["chain", "headers"]), value=st.binary(min_size=32, max_size=32))
def test_an_altered_seal_is_found(sealed_store: Connection[Any], position: int, column: str, value: bytes) -> None:
    seal = f"update seal set {column} = %(value)s where partition = %(partition)s and position = %(position)s"
    [found] = found_after(sealed_store, (seal, {"value": value, "partition": PARTITION, "position": position}))
    assert found.position == position
    # Behind the last seal nothing tells whether the seal or the event was changed.
    assert found.kind == "altered seal" if position < LAST else found.kind in {"altered seal", "altered field"}


@given(position=positions, all_behind=st.booleans())
def test_a_removed_seal_is_found(sealed_store: Connection[Any], position: int, all_behind: bool) -> None:
    sign = ">=" if all_behind else "="
    removal = f"delete from seal where partition = %(partition)s and position {sign} %(position)s"
    findings = found_after(sealed_store, (removal, {"partition": PARTITION, "position": position}))
    assert told(findings) == [(PARTITION, position, "missing seal")]


def test_a_source_that_is_not_its_streams_is_found(sealed_store: Connection[Any]) -> None:
    with sealed_store.transaction(force_rollback=True):
        sealed_store.execute("alter table event alter source drop expression")
        sealed_store.execute("update event set source = 'x' where partition = %s and position = 5", [PARTITION])
        assert told(verify_on(sealed_store).findings) == [(PARTITION, 5, "altered field")]


def test_several_broken_partitions_are_each_named_with_their_first_position(sealed_store: Connection[Any]) -> None:
    removal = "delete from event where partition = any (%(at)s) and position in (2, 3)"
    findings = found_after(sealed_store, (removal, {"at": [PARTITION, OTHER]}))
    assert told(findings) == [(PARTITION, 2, "removed"), (OTHER, 2, "truncated tail")]
