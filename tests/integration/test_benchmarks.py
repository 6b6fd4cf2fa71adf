"""The benchmarks work: every one runs in a tiny size. What they measure is nobody's test."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.measuring import TINY, Place, measure
from tests.benchmarks.report import Report
from tests.benchmarks.table import BENCHES
from tests.commands import ROOT
from tests.databases import Server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", BENCHES)
async def test_every_bench_measures_each_case_in_every_round_against_its_baselines(
    name: str, server: Server, tmp_path: Path
) -> None:
    said: list[str] = []
    size = msgspec.structs.replace(TINY, rounds=2)
    outcome = await measure(BENCHES[name], Place(server=server, folder=tmp_path, size=size), said.append)
    rows = {row.name: row for row in outcome.rows}
    assert len(rows) == len(outcome.rows) > 1
    assert any(row.ratios for row in rows.values())
    for row in rows.values():
        assert len(row.rounds) == 2
        assert 0 < row.value.low <= row.value.median <= row.value.high
        for ratio in row.ratios:
            assert rows[ratio.to].unit == row.unit
            each = [mine / base for mine, base in zip(row.rounds, rows[ratio.to].rounds, strict=True)]
            assert (ratio.value.low, ratio.value.high) == (min(each), max(each))
    assert said == [f"{name}: warming up", f"{name}: round 1 of 2", f"{name}: round 2 of 2"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def test_the_command_prints_one_document_with_the_machine_and_a_durable_server() -> None:
    ran = bench("fold", "--tiny", "--rounds", "3", "--json")
    assert ran.returncode == 0, ran.stderr
    report = msgspec.json.decode(ran.stdout, type=Report)
    assert [outcome.bench for outcome in report.benches] == ["fold"]
    assert report.machine.durable
    assert report.machine.cores > 0


def test_the_command_prints_a_table_that_says_what_the_ratios_are_to() -> None:
    ran = bench("fold", "--tiny")
    assert ran.returncode == 0, ran.stderr
    assert "fsync=on" in ran.stdout
    assert "to decode only" in ran.stdout


def test_an_unknown_bench_is_refused_with_the_names_there_are() -> None:
    ran = bench("speed")
    assert ran.returncode == 2
    assert all(name in ran.stderr for name in BENCHES)
