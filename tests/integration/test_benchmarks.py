"""The benchmarks work: every one runs in a tiny size. What they measure is nobody's test."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from service.embedded import EmbeddedServerError
from tests.benchmarks import cold, peers, push, rebuild
from tests.benchmarks.goals import GOALS, Goal, judge, judged
from tests.benchmarks.ingest import CPU_UNIT
from tests.benchmarks.machine import Machine, room_for
from tests.benchmarks.measuring import (
    TINY,
    USUAL,
    Aside,
    Bench,
    Case,
    Outcome,
    Place,
    Ratio,
    Row,
    Size,
    Spread,
    measure,
)
from tests.benchmarks.pgbench import BASELINE_CPU
from tests.benchmarks.report import Measured, Report, joined
from tests.benchmarks.table import BENCHES
from tests.commands import ROOT
from tests.databases import Server

pytestmark = pytest.mark.anyio


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BENCHES)
async def test_every_bench_measures_each_of_its_cases_and_all_that_is_to_be_reached(
    name: str, server: Server, tmp_path: Path
) -> None:
    outcome = await measure(BENCHES[name], Place(server=server, folder=tmp_path, size=TINY), print)
    rows = {row.name: row for row in outcome.rows}
    assert len(rows) == len(outcome.rows) > 1
    # A processor's time is counted in hundredths of a second, which may be none.
    assert all(row.value.median > 0 or row.unit == CPU_UNIT for row in outcome.rows)
    unmeasured = {goal.to or goal.case for goal in judge([outcome], TINY) if goal.measured is None}
    # The demo has a test of its own, and other libraries need not be installed.
    elsewhere = {cold.DEMO, peers.EVENTSOURCING, peers.PGQUEUER, peers.PROCRASTINATE, peers.REPLAY}
    assert unmeasured <= elsewhere | {BASELINE_CPU}


async def test_a_ratio_compares_numbers_of_the_same_round_and_each_round_begins_with_another_case(
    server: Server, tmp_path: Path
) -> None:
    order: list[str] = []
    numbers = {"own": iter([9.0, 2.0, 30.0, 4.0]), "baseline": iter([9.0, 1.0, 10.0, 8.0])}

    def case(name: str, *against: str) -> Case:
        async def run() -> float:
            order.append(name)
            return next(numbers[name])

        aside = Aside(name=f"beside {name}", unit="x", read=lambda: float(len(order)))
        return Case(name=name, unit="x", measure=run, against=against, asides=(aside,))

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[list[Case]]:
        yield [case("baseline"), case("own", "baseline")]

    said: list[str] = []
    size = msgspec.structs.replace(TINY, rounds=3, warm_up=True)
    place = Place(server=server, folder=tmp_path, size=size)
    outcome = await measure(Bench(name="it", about="", open=opened), place, said.append)
    assert order == ["baseline", "own", "baseline", "own", "own", "baseline", "baseline", "own"]
    rows = {row.name: row for row in outcome.rows}
    assert rows["own"].ratios == (Ratio(to="baseline", value=Spread(median=2, low=0.5, high=3)),)
    assert list(rows["beside own"].rounds) == [4, 5, 8]
    assert said == ["it: warming up", "it: round 1 of 3", "it: round 2 of 3", "it: round 3 of 3"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.timeout(300)
def test_the_command_prints_what_it_measured_as_one_document_as_tables_and_for_the_readme(tmp_path: Path) -> None:
    ran = bench("timeline", "--tiny", "--json")
    assert ran.returncode == 0, ran.stderr
    report = msgspec.json.decode(ran.stdout, type=Report)
    assert [outcome.bench for outcome in report.benches] == ["timeline"]
    [measured] = report.measured
    assert measured.machine.durable
    assert measured.machine.cores > 0
    assert (measured.size, list(measured.benches)) == (TINY, ["timeline"])
    [goal] = report.goals
    [row] = [row for row in report.benches[0].rows if row.name == goal.case]
    assert goal.measured is not None
    assert goal.measured == row.ratios[0].value
    assert (goal.holds, goal.short) == (None, "in 1 rounds, not 5")
    document = tmp_path / "run.json"
    document.write_text(ran.stdout, encoding="utf-8")
    tables = bench("--of", str(document)).stdout
    assert "fsync=on" in tables
    assert f"to {goal.to}" in tables
    told = bench("--of", str(document), "--markdown").stdout
    assert f"| at most 3 times | {goal.measured.median:.2f} (" in told.replace("≤", "at most")


@pytest.mark.parametrize(
    ("bound", "measured", "size", "holds"),
    [
        (2.0, 2.0, USUAL, True),
        (2.0, 1.9, USUAL, False),
        (2.0, None, USUAL, None),
        (2.0, 2.0, TINY, None),
        (2.0, 1.9, TINY, None),
        (2.0, 2.0, msgspec.structs.replace(USUAL, rounds=4), None),
        (2.0, 1.9, msgspec.structs.replace(USUAL, rounds=4), False),
    ],
)
def test_a_goal_holds_where_the_median_reaches_it_and_what_was_not_measured_does_not_count(
    bound: float, measured: float | None, size: Size, holds: bool | None
) -> None:
    spread = Spread(median=measured or 0, low=0.1, high=9)
    row = Row(name=push.CHANGES, unit="changes/s", value=spread, ratios=(), rounds=(1.0,))
    outcome = Outcome(bench="push", about="", rows=(row,) if measured is not None else ())
    goal = Goal(bench="push", case=push.CHANGES, comparison="at least", must_reach=bound)
    assert judged(goal, outcome, size).holds is holds


def test_what_a_small_store_reaches_is_no_proof_for_a_large_one_but_what_it_misses_is() -> None:
    [goal] = [each for each in GOALS if each.case == rebuild.MEMORY]
    small, large = USUAL, msgspec.structs.replace(USUAL, history=goal.of)

    def told(megabytes: float, size: Size) -> tuple[bool | None, str]:
        spread = Spread(median=megabytes, low=1, high=900)
        row = Row(name=rebuild.MEMORY, unit="MB", value=spread, ratios=(), rounds=(megabytes,))
        found = judged(goal, Outcome(bench="rebuild", about="", rows=(row,)), size)
        return found.holds, found.short

    assert told(80, large) == (True, "")
    assert told(80, small) == (None, "of 100,000 events, not 1,000,000")
    assert told(800, small) == (False, "of 100,000 events, not 1,000,000")


def test_of_several_documents_each_bench_is_told_as_the_last_has_it() -> None:
    machine = Machine(
        processor="some",
        cores=2,
        memory_gib=1,
        system="some",
        python="3",
        loop="asyncio",
        postgresql="18",
        durability={},
        flush_us=100,
        load=0,
    )

    def report(megabytes: float, *benches: str) -> Report:
        row = Row(name=rebuild.MEMORY, unit="MB", value=Spread(median=megabytes, low=1, high=9), ratios=(), rounds=())
        outcomes = [Outcome(bench=name, about="", rows=(row,)) for name in benches]
        measured = Measured(machine=machine, size=USUAL, benches=benches)
        return Report(measured=[measured], benches=outcomes, goals=judge(outcomes, USUAL))

    both = joined([report(1, "cold", "rebuild"), report(2, "rebuild")], ["rebuild", "cold"])
    assert {outcome.bench: outcome.rows[0].value.median for outcome in both.benches} == {"cold": 1, "rebuild": 2}
    assert [tuple(each.benches) for each in both.measured] == [("cold",), ("rebuild",)]
    [memory] = [goal for goal in both.goals if goal.case == rebuild.MEMORY]
    assert memory.measured is not None
    assert memory.measured.median == 2
    assert [outcome.bench for outcome in joined([both], ["cold"]).benches] == ["cold"]


def test_a_document_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    ran = bench("--of", str(other))
    assert ran.returncode == 1
    assert f"{other} is not what ./run bench --json prints" in ran.stderr


def test_a_store_that_does_not_fit_is_not_begun(tmp_path: Path) -> None:
    endless = msgspec.structs.replace(USUAL, growth=(10**15,))
    room_for(["ingest"], endless, tmp_path)
    with pytest.raises(EmbeddedServerError, match="GB free"):
        room_for(["growth"], endless, tmp_path)


@pytest.mark.timeout(300)
def test_an_unknown_bench_is_refused_with_the_names_there_are() -> None:
    ran = bench("speed")
    assert ran.returncode == 2
    assert all(name in ran.stderr for name in BENCHES)
