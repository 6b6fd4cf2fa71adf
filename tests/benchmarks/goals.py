"""What the benches must reach, as data, and whether they did."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tests.benchmarks import cold, growth, ingest, ingest_mixed, latency, peers, project, push, rebuild, timeline
from tests.benchmarks.measuring import Outcome, Size, Spread
from tests.benchmarks.pgbench import BASELINE, BASELINE_CPU, LONE_INSERT

Comparison = Literal["at least", "at most"]
ROUNDS = 5
"""A median of fewer says too little."""


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What the median of a case's ratio `to` a baseline, or of its own number in `unit`, must reach."""

    bench: str
    case: str
    to: str = ""
    unit: str = "times"
    comparison: Comparison
    must_reach: float
    of: int = 0
    """Events that it speaks of, where it depends on their number."""


class Judged(Goal, frozen=True, kw_only=True):
    """A goal with what was measured, and what there was less of than it speaks of.

    `holds` is None where it was not measured, and where it was reached with less: that proves nothing.
    """

    measured: Spread | None = None
    short: str = ""
    holds: bool | None = None


def _ratio(bench: str, case: str, to: str, comparison: Comparison, must_reach: float, of: int = 0) -> Goal:
    return Goal(bench=bench, case=case, to=to, comparison=comparison, must_reach=must_reach, of=of)


def _own(bench: str, case: str, unit: str, comparison: Comparison, must_reach: float, of: int = 0) -> Goal:
    return Goal(bench=bench, case=case, unit=unit, comparison=comparison, must_reach=must_reach, of=of)


def _growth(what: str) -> Goal:
    largest, smallest = what.format(growth.LARGEST), what.format(growth.SMALLEST)
    return _ratio("growth", largest, smallest, "at most", 1.2, of=10_000_000)


GOALS = (
    *(_ratio("ingest", name, BASELINE, "at least", 0.60) for name in ingest.HTTP.values()),
    *(_ratio("ingest", name, ingest.ONE_EACH[many], "at least", 3) for many, name in ingest.HTTP.items()),
    *(_ratio("ingest", name, BASELINE_CPU, "at most", 1.6) for name in ingest.CPU.values()),
    _ratio("ingest", ingest.HTTP[32], peers.EVENTSOURCING, "at least", 5),
    _ratio("ingest", ingest.HTTP[32], peers.PGQUEUER, "at least", 2),
    _ratio("ingest", ingest.HTTP[32], peers.PROCRASTINATE, "at least", 6),
    _ratio("latency", latency.P99, LONE_INSERT, "at most", 10),
    _ratio("latency", latency.LONE, LONE_INSERT, "at most", 3),
    _ratio("ingest_mixed", ingest_mixed.MIXED, ingest_mixed.PLAIN, "at least", 0.8),
    _ratio("project", project.STEADY, project.INGEST, "at least", 0.5),
    _own("project", project.LAG, "ms", "at most", 50),
    _ratio("rebuild", rebuild.ALL, rebuild.READ, "at least", 0.4, of=1_000_000),
    _ratio("rebuild", rebuild.ALL, peers.REPLAY, "at least", 5, of=1_000_000),
    _own("rebuild", rebuild.MEMORY, "MB", "at most", 500, of=1_000_000),
    _growth(growth.APPEND),
    _growth(growth.PAGE),
    _growth(growth.REBUILD),
    _own("push", push.CHANGES, push.UNIT, "at least", 500),
    _own("push", push.BURST, "calls", "at most", 2),
    _ratio("timeline", timeline.FOLDED[20], timeline.READ[20], "at most", 3),
    _own("cold", cold.DEMO, cold.UNIT, "at most", 30),
    _own("cold", cold.HELP, cold.UNIT, "at most", 0.3),
)


def judge(outcomes: Sequence[Outcome], size: Size) -> tuple[Judged, ...]:
    """The goals of those benches, which were measured in that size."""
    return tuple(judged(goal, outcome, size) for outcome in outcomes for goal in GOALS if goal.bench == outcome.bench)


def judged(goal: Goal, outcome: Outcome, size: Size) -> Judged:
    """The goal with what came of its bench."""
    found = Judged(**msgspec.structs.asdict(goal))
    row = next((row for row in outcome.rows if row.name == goal.case), None)
    spreads = {ratio.to: ratio.value for ratio in row.ratios} | {"": row.value} if row else {}
    measured = spreads.get(goal.to)
    if measured is None:
        return found
    reached = (
        measured.median >= goal.must_reach if goal.comparison == "at least" else measured.median <= goal.must_reach
    )
    short = _short(goal, size)
    holds = None if not size.tells or (reached and short) else reached
    return msgspec.structs.replace(found, measured=measured, short=short, holds=holds)


def _short(goal: Goal, size: Size) -> str:
    """What there was less of than the goal speaks of."""
    events = max(size.growth) if goal.bench == "growth" else size.history
    if events < goal.of:
        return f"of {events:,} events, not {goal.of:,}"
    return f"in {size.rounds} rounds, not {ROUNDS}" if size.rounds < ROUNDS else ""
