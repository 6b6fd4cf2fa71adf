"""Prints what was measured: tables for people, one JSON document for programs, one table for the README."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.benchmarks import peers
from tests.benchmarks.goals import Judged
from tests.benchmarks.machine import Machine
from tests.benchmarks.measuring import Outcome, Row, Size, Spread

_SIGNS = {True: "✓", False: "✗", None: "-"}
_COMPARISONS = {"at least": "≥", "at most": "≤"}


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """On what those benches were measured, and with how much."""

    machine: Machine
    size: Size
    benches: Sequence[str]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    measured: Sequence[Measured]
    benches: Sequence[Outcome]
    goals: Sequence[Judged]


def joined(reports: Sequence[Report], names: Sequence[str]) -> Report:
    """One report of those benches, each as the last of the reports has it."""
    last = {outcome.bench: report for report in reports for outcome in report.benches if outcome.bench in names}
    return Report(
        measured=[
            msgspec.structs.replace(each, benches=kept)
            for report in reports
            for each in report.measured
            if (kept := [name for name in each.benches if last.get(name) is report])
        ],
        benches=[outcome for name, report in last.items() for outcome in report.benches if outcome.bench == name],
        goals=[goal for name, report in last.items() for goal in report.goals if goal.bench == name],
    )


def as_json(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_tables(report: Report, console: Console) -> None:
    for line in facts(report):
        console.print(line, markup=False, highlight=False)
    for outcome in report.benches:
        console.print()
        console.print(Text.assemble((outcome.bench, "bold"), f": {outcome.about}"))
        console.print(_table(outcome.rows))
    if report.goals:
        console.print()
        console.print(_goals(report.goals))


def as_markdown(report: Report) -> str:
    """One table of what must be reached and what was, and what it was measured on."""
    lines = ["| bench | what | must reach | measured | |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{goal.bench}` | {_what(goal)} | {_bound(goal)} | {_measured(goal)} | {_SIGNS[goal.holds]} |"
        for goal in report.goals
    ]
    return "\n".join([*lines, "", *(f"{line}." for line in facts(report))])


def facts(report: Report) -> list[str]:
    """What the numbers were measured on, and with how much."""
    lines: list[str] = []
    for each in report.measured:
        if len(report.measured) > 1:
            lines.append(f"{', '.join(each.benches)}: as follows")
        lines += [*_machine(each.machine), _size(each.size)]
    return lines


def _machine(machine: Machine) -> list[str]:
    settings = ", ".join(f"{name}={value}" for name, value in machine.durability.items())
    hardware = f"{machine.cores} cores ({machine.processor}), {machine.memory_gib} GiB, {machine.system}"
    return [
        f"{hardware}; Python {machine.python} on {machine.loop}",
        f"PostgreSQL {machine.postgresql}: {settings}",
        f"a flush of 8 KiB takes {machine.flush_us:.0f} µs; load average at the start {machine.load}",
    ]


def _size(size: Size) -> str:
    stores = " and ".join(f"{count:,}" for count in size.growth)
    much = f"`rebuild` of {size.history:,} events; stores of `growth`: {stores}"
    nothing = "" if size.tells else "; the numbers mean nothing"
    return f"{size.rounds} rounds of {size.events:,} webhooks; {much}{nothing}"


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("case", overflow="fold")
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("lowest .. highest", no_wrap=True)
    for row in rows:
        table.add_row(row.name, _number(row.value.median), row.unit, _range(row.value))
        for ratio in row.ratios:
            table.add_row(f"  to {ratio.to}", _number(ratio.value.median), "times", _range(ratio.value), style="cyan")
    return table


def _goals(goals: Sequence[Judged]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("goal", overflow="fold")
    table.add_column("must reach", justify="right", no_wrap=True)
    table.add_column("measured", no_wrap=True)
    for goal in goals:
        style = {True: "green", False: "red", None: "dim"}[goal.holds]
        table.add_row(_SIGNS[goal.holds], f"{goal.bench}: {_what(goal)}", _bound(goal), _measured(goal), style=style)
    return table


def _what(goal: Judged) -> str:
    return f"{goal.case} / {goal.to}" if goal.to else goal.case


def _bound(goal: Judged) -> str:
    return f"{_COMPARISONS[goal.comparison]} {goal.must_reach:g}{_unit(goal)}"


def _unit(goal: Judged) -> str:
    return f" {goal.unit}"


def _measured(goal: Judged) -> str:
    if goal.measured is None:
        return "not measured: give --peers" if goal.to in peers.NAMES else "not measured"
    return f"{_number(goal.measured.median)} ({_range(goal.measured)}){f' {goal.short}' if goal.short else ''}"


def _range(spread: Spread) -> str:
    return f"{_number(spread.low)} .. {_number(spread.high)}"


def _number(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.2f}" if number >= 0.1 else f"{number:.4f}"
