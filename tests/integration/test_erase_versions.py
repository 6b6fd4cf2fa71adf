"""Erasure beside rebuilds, acts by hand and verification: every version of the tables, and whoever is just reading."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from domain.acts import FieldSet, LicenseDisabled, LicenseEnabled, OperatorActed, type_of, write_body
from domain.erasure import Person
from domain.events import NewEvent, Stream
from projections.advancing import Advancing
from projections.versions import begin
from service.erasure import ErasureRefused, Found
from service.store import cleaning, erasing
from service.store.erasures import erasures
from service.store.verifying import verify
from tests.erasing import forget, traces
from tests.integration.test_erase import ADA, ADAS, BOB, STRIPE, arrived, erase, licenses, life
from tests.projecting import Projected, projecting
from tests.pushing import pushing
from tests.rebuilding import rebuilt, rows_of, switched, version_read
from tests.sealed import seal
from tests.stories import utc

SUBSCRIPTION = Stream("acme/subscription/sub_1")

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


def act(deed: Any, reason: str, number: int) -> NewEvent:
    return NewEvent(
        stream=SUBSCRIPTION,
        event_id=f"act_{number}",
        type=type_of(deed),
        origin="operator",
        occurred_at=utc(2026, 3, number),
        received_at=utc(2026, 3, number),
        body=write_body(OperatorActed(author="Dora", reason=reason, deed=deed)),
    )


async def forgetting(projected: Projected, person: Person = ADAS) -> Any:
    return await asyncio.to_thread(forget, projected.dsn, projected.sources, person)


async def test_versions_that_are_kept_half_made_or_simulated_are_cleaned_and_the_read_one_decides_what_is_pending(
    database: str,
) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        for each in arrived(life()):
            await projected.append([each])
        await projected.runner.project_until_idle()
        await switched(projected)
        await rebuilt(projected, rules="others")
        async with projected.pool.connection() as connection:
            simulated, _ = await begin(connection, "simulation", "", "killed")
            await connection.execute(
                f"insert into {simulated.schema}.stream select * from projection_1.stream".encode()
            )
            assert await version_read(projected) == 2
            columns = "partition, stream, target, due, digest, folded"
            work = "select partition, stream, 'old', true, '', 0 from projection_1.stream"
            await connection.execute(f"insert into projection_1.push ({columns}) {work}".encode())
        tables = {trace.split(".")[0] for trace in traces(database, ["ada@example.com"])}
        assert {"projection_1", "projection_2", "projection_3", simulated.schema} <= tables
        with erasing.connect(database) as connection:
            assert cleaning.pending(connection, [SUBSCRIPTION]) == [], "the version that is read has no work"
        await forgetting(projected)
        assert traces(database, ADA) == []
        assert traces(database, BOB)
        await projected.runner.project_until_idle()
        assert traces(database, ADA) == []
        # Folded anew over the act, by the live runner and by the rebuild that is gone on with.
        again = await rebuilt(projected, rules="others")
        assert again.resumed
        assert not again.difference.licenses
        assert derived(await rows_of(projected, again.version)) == derived(await rows_of(projected, 2))
        assert traces(database, ADA) == []


async def test_a_rebuild_that_read_a_body_before_it_was_erased_writes_nothing_of_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        for each in arrived(life()):
            await projected.append([each])
        await projected.runner.project_until_idle()
        await rebuilt(projected)
        late = next(each for each in arrived(life()) if each.stream == SUBSCRIPTION)
        await projected.append([_renamed(late, "evt_late")])
        await projected.runner.project_until_idle()
        advances = Advancing.advances
        raced: list[Found] = []

        async def reading_then_erased(self: Advancing, pages: Any) -> Any:
            found = await advances(self, pages)
            if not raced:
                raced.append(await forgetting(projected))
                assert traces(database, ADA) == []
            return found

        monkeypatch.setattr(Advancing, "advances", reading_then_erased)
        made = await rebuilt(projected)
        assert raced
        assert made.resumed
        assert traces(database, ADA) == []
        await projected.runner.project_until_idle()
        assert derived(await rows_of(projected, made.version)) == derived(await rows_of(projected, 1))


def derived(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """All but the links: a version that nobody reads follows none."""
    return {table: each for table, each in rows.items() if table != "link"}


def _renamed(event: NewEvent, name: str) -> NewEvent:
    return msgspec.structs.replace(event, event_id=name, body=event.body.replace(b"evt_sub", name.encode()))


async def test_a_partition_that_is_being_loaded_is_waited_for_and_cleaned(database: str) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        for each in arrived(life()):
            await projected.append([each])
        await projected.runner.project_until_idle()
        async with projected.pool.connection() as connection:
            new, _ = await begin(connection, "rebuild", "these", "loader")
        # What a loader does, up to its commit.
        loader = await psycopg.AsyncConnection.connect(database)
        partition = next(each.partition for each in await projected.log.read_stream(SUBSCRIPTION))
        await loader.execute(new["take_partition"], {"partition": partition, "upto": 100})
        copied = f"insert into {new.schema}.stream select * from projection_1.stream where partition = {partition}"
        await loader.execute(copied.encode())
        erasing_now = asyncio.create_task(forgetting(projected))
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as watching:
            waits = b"select from pg_stat_activity where application_name = 'tenure erase' and wait_event_type = 'Lock'"
            while not await (await watching.execute(waits)).fetchall():
                assert not erasing_now.done()
                await asyncio.sleep(0.02)
        await loader.commit()
        await loader.close()
        await erasing_now
        assert traces(database, ADA) == []


async def test_what_operators_wrote_of_the_person_goes_from_acts_and_from_every_field_that_tells_of_them(
    database: str,
) -> None:
    async with pushing(database, provider=STRIPE) as pushed:
        for each in arrived(life()):
            await pushed.projected.append([each])
        await pushed.settle()
        [one, *_] = [each for each in await pushed.projected.queries.licenses(limit=10) if each.stream == SUBSCRIPTION]
        said = "Ada (ada@example.com) rang from +49 30 1234567; Ada Example asked for it"
        await pushed.projected.append([act(LicenseDisabled(license=one.id), said, 1)])
        await pushed.projected.append([act(LicenseEnabled(license=one.id), said, 2)])
        await pushed.projected.append([act(FieldSet(license=one.id, field="max_activations", value=7), f"{said}!", 3)])
        await pushed.settle()
        before, calls = await licenses(pushed.projected), len(pushed.sandbox.control.calls())
        assert any("desired" in row for row in traces(database, ["rang from +49 30 1234567"]))
        await erase(pushed, ADAS)
        await pushed.settle()
        assert traces(database, ADA) == []
        after = await licenses(pushed.projected)
        assert after == before
        assert len(pushed.sandbox.control.calls()) == calls
        [told] = [each for each in await pushed.projected.queries.licenses(limit=10) if each.id == one.id]
        assert "set by Dora: erased-" in told.desired.because["max_activations"].rule
        assert "rang from" in told.desired.because["max_activations"].rule


async def test_a_field_that_an_operator_set_to_the_persons_name_is_told_with_what_to_do(database: str) -> None:
    async with pushing(database, provider=STRIPE) as pushed:
        for each in arrived(life()):
            await pushed.projected.append([each])
        await pushed.settle()
        [one, *_] = [each for each in await pushed.projected.queries.licenses(limit=10) if each.stream == SUBSCRIPTION]
        await pushed.projected.append([act(FieldSet(license=one.id, field="note", value="for Ada Example"), "x", 1)])
        await pushed.settle()
        with pytest.raises(ErasureRefused, match=f"note of {one.id}.*set it otherwise first"):
            await erase(pushed, ADAS)
        assert traces(database, ["ada example"])
        await pushed.projected.append([act(FieldSet(license=one.id, field="note", value=""), "x", 2)])
        await pushed.settle()
        await erase(pushed, ADAS)
        await pushed.settle()
        assert traces(database, ADA) == []


async def test_a_verification_that_an_erasure_overtakes_does_not_tell_of_tampering(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        for each in arrived(life()):
            await projected.append([each])
        await seal(database)

        def erased_right_after(connection: Any) -> Any:
            """What is erased, as it was before the act."""
            known = erasures(connection)
            assert forget(database, projected.sources, ADAS).events
            return known

        monkeypatch.setattr("service.store.verifying.erasures", erased_right_after)
        verified = await asyncio.to_thread(verify, database)
        assert verified.findings == []
        monkeypatch.undo()
        verified = await asyncio.to_thread(verify, database)
        assert verified.findings == []
        assert verified.erased == sum(map(len, verified.erased_at.values())) > 0
        for partition, positions in verified.erased_at.items():
            with psycopg.connect(database) as connection:
                bodies = connection.execute(
                    "select position from event where partition = %s and sha256(body) <> digest order by 1", [partition]
                ).fetchall()
            assert [position for (position,) in bodies] == positions
