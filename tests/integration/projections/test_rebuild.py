"""A rebuild beside everything that goes on: what it mends, what it tells, what it keeps, and what it never does."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event
from domain.policy import Policy
from projections.rebuilding.comparing import Difference
from projections.versions import NoSuchVersion, VersionHeld, begin, drop, leave, versions
from service.rebuilding.rebuild import Progress
from tests.projecting import Projected, projecting
from tests.pushing import bought, live, pushing
from tests.rebuilding import rebuilt, rows_of, switched, version_read
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    STREAM,
    TELLER,
    activated,
    described,
    happened,
    line,
    muttered,
    paid,
    period,
    refunded,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

SECOND, THIRD = f"{STREAM}_2", f"{STREAM}_3"
ENDED = happened(MARCH, f.SubscriptionTerminated())


async def execute(projected: Projected, statement: str) -> list[tuple[Any, ...]]:
    async with projected.pool.connection() as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


def changed(found: Difference) -> dict[str, dict[str, tuple[object, object]]]:
    """License → field → before and after, without the reasons."""
    return {
        each.id: {one.field: (one.before, one.after) for one in each.fields if not one.field.startswith("why ")}
        for each in found.licenses
    }


async def license_ids(projected: Projected, *streams: str) -> set[str]:
    return {view.id for view in await projected.queries.licenses() if view.stream in streams}


# --- what it mends ------------------------------------------------------------------------------------------

DAMAGE = [
    "delete from projection_1.stream",
    "update projection_1.stream set state = 'terminated', fold = 'x', problem = 'gone', email = 'other@example.com'",
    "delete from projection_1.license where target = 'ls'",
    "update projection_1.license set enabled = not enabled, due = not due, key = 'AAAA', desired = '{\"id\": 5}'",
    "update projection_1.license set applied = null, refusal = '{}', withheld = 'so it is'",
    "delete from projection_1.link",
    "update projection_1.link set relayed = 1000000, due = false",
    "delete from projection_1.push",
    "update projection_1.push set due = false, digest = 'other', folded = 0, waits_for = 1000000",
    "update projection_1.lease set position = 0",
    "truncate projection_1.stream, projection_1.license, projection_1.link, projection_1.push, projection_1.timer",
    *(f"drop table projection_1.{name} cascade" for name in ("stream", "license", "push", "want", "timer", "lease")),
    "alter table projection_1.license drop column refusal",
    "alter table projection_1.push drop column attempts",
    "alter table projection_1.lease drop column owner",
]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damaged_tables_are_as_they_were_after_a_rebuild_and_nothing_is_pushed(
    database: str, damage: str
) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(), bought(1, SECOND)))
        before = await rows_of(pushed.projected, 1)
        calls = len(pushed.sandbox.control.calls())
        await execute(pushed.projected, damage)
        made = await switched(pushed.projected)
        assert bool(made.difference.unreadable) == damage.startswith(("drop", "alter"))
        assert await rows_of(pushed.projected, made.version) == before
        await pushed.settle()
        assert len(pushed.sandbox.control.calls()) == calls
        assert await pushed.mismatches() == []


async def test_a_stream_that_stopped_is_rebuilt_as_it_stopped(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([bought(), muttered(FEBRUARY), happened(MARCH, activated())])
        made = await rebuilt(projected)
        assert made.difference.nothing
        assert await rows_of(projected, made.version) == await rows_of(projected, 1)


async def test_rows_that_the_database_refuses_are_refused_alike(database: str) -> None:
    unwritable = happened(JANUARY, f.CustomerDescribed(reference="nul \0", email="ada@example.com"), stream=SECOND)
    async with projecting(database) as projected:
        await projected.take([bought(), unwritable, *(bought(1, f"{STREAM}_{each}") for each in range(20))])
        ((problem,),) = await execute(projected, "select problem from projection_1.stream where status = 'stopped'")
        assert "cannot be written" in problem
        made = await rebuilt(projected)
        assert made.difference.nothing, made.difference
        assert await rows_of(projected, made.version) == await rows_of(projected, 1)


# --- what it tells ------------------------------------------------------------------------------------------


def _deaf_to_ends(event: Event) -> Sequence[f.Fact]:
    return [fact for fact in TELLER.translate(event) if not isinstance(fact, f.SubscriptionTerminated)]


async def test_after_a_translator_is_changed_the_dry_run_lists_exactly_the_licenses_it_changes(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pushing(database) as pushed:
        projected = pushed.projected
        await live(pushed, (bought(2), bought(3, SECOND), bought(1, THIRD), ENDED))
        calls = len(pushed.sandbox.control.calls())
        source = projected.sources["acme"]
        deaf = msgspec.structs.replace(TELLER, translate=_deaf_to_ends)
        monkeypatch.setitem(projected.sources, "acme", msgspec.structs.replace(source, provider=deaf))

        told = (await rebuilt(projected)).difference
        ended = await license_ids(projected, STREAM)
        assert len(ended) == 2
        assert {each.id for each in told.licenses} == ended
        assert all(each["enabled"] == (False, True) for each in changed(told).values())
        assert [(each.stream, each.changes_state) for each in told.streams] == [(STREAM, True)]
        assert told.pushes == {"ls": 1}
        assert all(each.pushed for each in told.licenses)
        assert await version_read(projected) == 1
        assert len(pushed.sandbox.control.calls()) == calls, "a dry run pushes nothing"

        await switched(projected)
        await pushed.settle()
        assert await pushed.mismatches() == []
        assert {held["enabled"] for held in pushed.held()} == {True}
        since = pushed.sandbox.control.calls()[calls:]
        assert len(since) <= 2 * len(ended) + 2, "only true differences are pushed"


def ago(**span: float) -> datetime:
    """A whole second in the past."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def overdue(since: datetime, stream: str = STREAM) -> list[Event]:
    """A subscription that was paid for a month and then was not."""
    start = since - timedelta(days=31)
    sold = line(start=start, end=since)
    return [
        happened(start, described(sold), activated(), paid("in_1", period(start, since)), stream=stream),
        happened(since, f.PaymentFellOverdue(), stream=stream),
    ]


STORIES = [*overdue(ago(days=5)), *overdue(ago(days=20), SECOND), bought(1, THIRD)]


def under(projected: Projected, policy: Policy) -> dict[str, Any]:
    source = msgspec.structs.replace(projected.sources["acme"], targets={"ls": policy})
    return {"sources": {"acme": source}, "rules": repr(policy)}


async def test_a_changed_policy_is_told_with_what_its_timers_will_do_and_reaches_every_stream(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take(STORIES)
        weeks = under(projected, Policy(past_due_days=14))
        told = (await rebuilt(projected, **weeks)).difference
        (gone,) = await license_ids(projected, SECOND)
        assert {name for name, each in changed(told).items() if each.get("enabled") == (True, False)} == {gone}
        assert [each.stream for each in told.streams if each.changes_state] == [SECOND]
        events = await execute(projected, "select count(*) from event")

        async with projecting(database, policy=Policy(past_due_days=14), owner="runner-2") as after:
            await switched(after, **weeks)
            assert await execute(after, "select count(*) from event") == events, "a rebuild appends nothing"
            await after.runner.project_until_idle()
            held = {view.stream: view.enabled for view in await after.queries.licenses()}
            assert held == {STREAM: True, SECOND: False, THIRD: True}
            made = await rebuilt(after, **weeks)
            assert made.difference.nothing, made.difference


async def test_a_simulation_tells_the_same_and_leaves_nothing(database: str) -> None:
    async with projecting(database, policy=Policy(past_due_days=3)) as projected:
        await projected.take(STORIES)
        before = await rows_of(projected, 1)
        events = await execute(projected, "select count(*) from event")
        made = await rebuilt(projected, "simulation", **under(projected, Policy(past_due_days="provider")))
        brought_back = await license_ids(projected, STREAM, SECOND)
        enabled = {name for name, each in changed(made.difference).items() if each.get("enabled") == (False, True)}
        assert enabled == brought_back
        assert not made.switched
        assert await rows_of(projected, 1) == before
        assert await execute(projected, "select count(*) from event") == events
        assert [row[0] for row in await execute(projected, "select version from projection_version")] == [1]
        schemas = "select count(*) from pg_namespace where nspname like 'projection%'"
        assert await execute(projected, schemas) == [(1,)]


async def test_the_way_back_is_a_rebuild_by_the_rules_as_they_were_and_takes_back_only_what_they_changed(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pushing(database) as pushed:
        projected = pushed.projected
        await live(pushed, tuple(STORIES))
        assert {held["enabled"] for held in pushed.held()} == {True}
        first = await rows_of(projected, 1)
        with monkeypatch.context() as meanwhile:
            other = under(projected, Policy(past_due_days=14))
            meanwhile.setitem(projected.sources, "acme", other["sources"]["acme"])
            await switched(projected, **other)
            await live(pushed, (happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), stream=THIRD),))
            assert sorted(held["enabled"] for held in pushed.held()) == [False, True, True]
        calls = len(pushed.sandbox.control.calls())

        (gone,) = await license_ids(projected, SECOND)
        told = (await rebuilt(projected)).difference
        assert {name for name, each in changed(told).items() if each.get("enabled") == (False, True)} == {gone}
        back = await switched(projected)
        await pushed.settle()
        assert await pushed.mismatches() == []
        assert {held["enabled"] for held in pushed.held()} == {True}
        since = pushed.sandbox.control.calls()[calls:]
        assert not [call for call in since if "create" in call.path], "what was pushed meanwhile is known"
        assert await rows_of(projected, 1) == first, "the version before stands still"
        ((events,),) = await execute(
            projected, f"select events from projection_{back.version}.stream where stream = '{THIRD}'"
        )
        assert events > next(row[10] for row in first["stream"] if row[0] == THIRD)


# --- while events keep arriving -----------------------------------------------------------------------------


async def test_what_arrives_meanwhile_is_in_the_new_version_and_told_as_no_difference(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([bought(1, f"{STREAM}_{each}") for each in range(30)])
        stop = asyncio.Event()
        running = asyncio.create_task(projected.runner.run(stop))
        arriving = asyncio.create_task(_renew(projected, stop))
        try:
            made = await switched(projected)
            assert not [each for each in made.difference.licenses if not each.moving]
        finally:
            stop.set()
            count = await arriving
            await running
        await projected.runner.project_until_idle()
        assert count > 5
        heads = await projected.log.heads(range(256))
        assert await projected.queries.positions() == heads
        fresh = await rebuilt(projected, rules="others")
        assert fresh.difference.nothing, fresh.difference
        assert await rows_of(projected, fresh.version) == await rows_of(projected, made.version)


async def _renew(projected: Projected, stop: asyncio.Event) -> int:
    """Appends one renewal after the other; how many."""
    count = 0
    while not stop.is_set():
        start = FEBRUARY + timedelta(days=count)
        month = period(start, start + timedelta(days=31))
        stream = f"{STREAM}_{count % 30}"
        await projected.append([happened(start, paid(f"in_{count + 2}", month), stream=stream)])
        count += 1
    return count


async def test_running_both_versions_appends_nothing_twice(database: str) -> None:
    story = [
        happened(JANUARY, described(line()), activated(), paid("in_1", period(JANUARY, FEBRUARY))),
        *overdue(ago(days=20), SECOND),
        happened(JANUARY, f.PaymentLinked(payment="pi_1", invoice="in_1"), f.StreamsLinked(streams=("payment/pi_1",))),
        happened(FEBRUARY, refunded("pi_1", 1000), stream="acme/payment/pi_1"),
    ]
    async with projecting(database, policy=Policy(past_due_days=14)) as projected:
        await projected.append(story)
        made = await rebuilt(projected)
        async with projecting(database, policy=Policy(past_due_days=14), owner="runner-2") as other:
            other.tables.follow(made.version)
            await asyncio.gather(other.runner.project_until_idle(), projected.runner.project_until_idle())
            for _ in range(3):
                await other.runner.project_until_idle()
                await projected.runner.project_until_idle()
            counted = "select origin, count(*) from event where origin in ('timer', 'relay') group by 1 order by 1"
            assert await execute(projected, counted) == [("relay", 1), ("timer", 1)]
            assert await rows_of(projected, 1) == await rows_of(projected, made.version)


# --- killed, and begun again --------------------------------------------------------------------------------


class Killed(Exception):
    pass


async def test_what_was_loaded_is_not_loaded_again(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([bought(1, f"{STREAM}_{each}") for each in range(40)])

        def kill(progress: Progress) -> None:
            if progress.events >= 20:
                raise Killed

        with pytest.raises(Killed):
            await rebuilt(projected, on_progress=kill)
        async with projected.pool.connection() as connection:
            (_, begun) = await versions(connection)
        assert not begun.complete
        assert not begun.held
        made = await switched(projected, owner="rebuild-2")
        assert made.resumed
        assert 0 < made.events <= 20
        assert await rows_of(projected, made.version) == await rows_of(projected, 1)


async def test_a_dry_run_is_gone_on_with_unless_the_rules_have_changed(database: str) -> None:
    async with projecting(database) as projected:
        await projected.take([bought()])
        first = await rebuilt(projected)
        await projected.take([bought(1, SECOND)])
        second = await rebuilt(projected)
        assert (second.version, second.resumed, second.events) == (first.version, True, second.events)
        assert await rows_of(projected, second.version) == await rows_of(projected, 1)
        other = await rebuilt(projected, rules="others")
        assert not other.resumed
        async with projected.pool.connection() as connection:
            assert [each.version for each in await versions(connection)] == [1, other.version]


async def test_only_one_process_makes_a_version_and_one_that_died_is_replaced(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with projecting(database) as projected, projected.pool.connection() as connection:
        tables, _ = await begin(connection, "rebuild", "these", "somebody")
        with pytest.raises(VersionHeld, match="somebody"):
            await begin(connection, "rebuild", "these", "another")
        with pytest.raises(VersionHeld):
            await drop(connection, tables.version, "another")
        await connection.execute("update projection_version set expires_at = now() where owner = 'somebody'")
        assert (await begin(connection, "rebuild", "these", "another"))[1]
        await leave(connection, tables.version, "another")
        await begin(connection, "simulation", "these", "somebody")
        await begin(connection, "rebuild", "these", "another")
        assert [each.purpose for each in await versions(connection)] == ["live", "rebuild", "simulation"]
        await connection.execute("update projection_version set expires_at = now()")
        await begin(connection, "rebuild", "these", "another")
        assert [each.purpose for each in await versions(connection)] == ["live", "rebuild"], "it was killed"
        await leave(connection, tables.version, "another")
        await drop(connection, tables.version, "anybody")
        with pytest.raises(NoSuchVersion, match="is read"):
            await drop(connection, 1, "anybody")
