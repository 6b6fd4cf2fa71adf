"""What the benches must reach, as data, and whether they did."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tests.benchmarks import cold, growth, ingest, ingest_mixed, latency, peers, project, push, rebuild, timeline
from tests.benchmarks.measuring import Outcome, Spread
from tests.benchmarks.pgbench import BASELINE, BASELINE_CPU, LONE_INSERT

Comparison = Literal["at least", "at most"]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """The median of a case's ratio `to` a baseline, or of its own number in its unit, against what it must reach."""

    bench: str
    case: str
    to: str = ""
    comparison: Comparison
    must_reach: float


class Judged(Goal, frozen=True, kw_only=True):
    """A goal with what was measured; `holds` is None where it was not measured."""

    unit: str = ""
    measured: Spread | None = None
    holds: bool | None = None


def _ratio(bench: str, case: str, to: str, comparison: Comparison, must_reach: float) -> Goal:
    return Goal(bench=bench, case=case, to=to, comparison=comparison, must_reach=must_reach)


def _own(bench: str, case: str, comparison: Comparison, must_reach: float) -> Goal:
    return Goal(bench=bench, case=case, comparison=comparison, must_reach=must_reach)


def _growth(what: str) -> Goal:
    return _ratio("growth", what.format(growth.LARGEST), what.format(growth.SMALLEST), "at most", 1.2)


GOALS = (
    _ratio("ingest", ingest.HTTP[32], BASELINE, "at least", 0.60),
    _ratio("ingest", ingest.HTTP[128], BASELINE, "at least", 0.60),
    _ratio("ingest", ingest.HTTP[32], ingest.ONE_EACH, "at least", 3),
    _ratio("ingest", ingest.CPU[32], BASELINE_CPU, "at most", 1.6),
    _ratio("ingest", ingest.HTTP[32], peers.EVENTSOURCING, "at least", 5),
    _ratio("ingest", ingest.HTTP[32], peers.PGQUEUER, "at least", 2),
    _ratio("ingest", ingest.HTTP[32], peers.PROCRASTINATE, "at least", 6),
    _ratio("latency", latency.P99, LONE_INSERT, "at most", 10),
    _ratio("latency", latency.LONE, LONE_INSERT, "at most", 3),
    _ratio("ingest_mixed", ingest_mixed.MIXED, ingest_mixed.PLAIN, "at least", 0.8),
    _ratio("project", project.STEADY, project.INGEST, "at least", 0.5),
    _own("project", project.LAG, "at most", 50),
    _ratio("rebuild", rebuild.ALL, rebuild.READ, "at least", 0.4),
    _ratio("rebuild", rebuild.ALL, peers.REPLAY, "at least", 5),
    _own("rebuild", rebuild.MEMORY, "at most", 500),
    _growth(growth.APPEND),
    _growth(growth.PAGE),
    _growth(growth.REBUILD),
    _own("push", push.CHANGES, "at least", 500),
    _own("push", push.BURST, "at most", 2),
    _ratio("timeline", timeline.FOLDED[20], timeline.READ[20], "at most", 3),
    _own("cold", cold.DEMO, "at most", 30),
    _own("cold", cold.HELP, "at most", 0.3),
)


def judge(outcomes: Sequence[Outcome]) -> tuple[Judged, ...]:
    """The goals of those benches."""
    return tuple(judged(goal, outcome) for outcome in outcomes for goal in GOALS if goal.bench == outcome.bench)


def judged(goal: Goal, outcome: Outcome) -> Judged:
    """The goal with what came of its bench."""
    found = Judged(**msgspec.structs.asdict(goal))
    row = next((row for row in outcome.rows if row.name == goal.case), None)
    if row is None:
        return found
    spreads = {ratio.to: ratio.value for ratio in row.ratios} | {"": row.value}
    measured = spreads.get(goal.to)
    if measured is None:
        return found
    holds = measured.median >= goal.must_reach if goal.comparison == "at least" else measured.median <= goal.must_reach
    return msgspec.structs.replace(found, unit="" if goal.to else row.unit, measured=measured, holds=holds)
