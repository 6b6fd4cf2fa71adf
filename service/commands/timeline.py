"""`tenure timeline`: what happened to one subscription, and what followed from it."""

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.queries import LicenseView, StreamView
from projections.timeline import Entry
from service.commands.output import harmless, print_json, state_text
from service.commands.reading import ask
from service.lookup import Reader, find, find_subscription, licenses_of, tell_stream

LATE_SECONDS = 3_600
"""Providers try again after minutes; what took longer is worth a word."""
_WIDEST = 100
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline, and how the subscription that it is about stands now; `state` is the one the timeline ends in."""

    subscription: StreamView
    through: str | None = None
    """What was asked for, where that only led to this one: an order, an invoice, a payment."""
    licenses: list[LicenseView]
    state: str
    timeline: list[Entry]


def print_timeline(
    config: Path | None, text: str, *, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Prints the timeline of the one stream that `text` means. Raises NotFound and Ambiguous."""

    async def question(reader: Reader) -> Told:
        found = await find(reader, text, by_key=True)
        stream = found.stream
        view, _ = await find_subscription(reader, stream)
        told = await tell_stream(reader, stream, as_of=as_of, known_at=known_at)
        return Told(
            subscription=view,
            through=found.through,
            licenses=await licenses_of(reader, stream),
            state=next((entry.after for entry in reversed(told) if entry.after), "pending"),
            timeline=told,
        )

    told = ask(config, question)
    if as_json:
        print_json(told)
    else:
        show(Console(), told)


def show(console: Console, told: Told) -> None:
    """Prints for people; reads well from 80 columns on, and without colour."""
    view = told.subscription
    console.print(Text.assemble((harmless(view.stream), "bold"), "  ", state_text(told.state)))
    for line in _about(told):
        console.print(Text(f"  {harmless(line)}", style="dim"))
    if view.problem:
        console.print(Text(f"  ! {harmless(view.problem)}", style="red"))
    console.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=_WIDEST)
    listening = min((entry.recorded_at for entry in told.timeline), default=datetime.max.replace(tzinfo=UTC))
    for day, entries in groupby(told.timeline, key=lambda entry: f"{entry.occurred_at:%Y-%m-%d}"):
        table.add_row(Text(day, style="bold"), "")
        for quiet, run in groupby(entries, key=_is_quiet):
            members = list(run)
            if quiet:
                table.add_row(_time(members[0]), _quiet(members))
            else:
                for entry in members:
                    table.add_row(_time(entry), _entry(entry, listening))
    console.print(table)


def _time(entry: Entry) -> Text:
    # Seconds, because providers send several events in one.
    return Text(f"  {entry.occurred_at:%H:%M:%S}", style="dim")


def _is_quiet(entry: Entry) -> bool:
    """Whether the event said nothing new and changed nothing."""
    return entry.folded and not (entry.summary or entry.anomalies or entry.warnings or entry.before != entry.after)


def _quiet(entries: list[Entry]) -> Text:
    """Events that said nothing new, in one line."""
    counts = Counter(entry.type for entry in entries)
    names = (f"{harmless(name)} x {count}" if count > 1 else harmless(name) for name, count in counts.items())
    return Text(f"noted: {', '.join(names)}", style="dim")


def _about(told: Told) -> list[str]:
    view = told.subscription
    count = len({each.id for each in told.licenses})
    enabled = len({each.id for each in told.licenses if each.enabled})
    targets = sorted({each.target for each in told.licenses})
    where = f" at {' and '.join(targets)}" if len(targets) > 1 else ""
    due = sum(each.due for each in told.licenses)
    pending = f", {due} not yet as desired at the license server" if due else ""
    return [
        *([f"{told.through} belongs to it"] if told.through else []),
        *filter(None, [view.customer]),
        f"{count} license{'' if count == 1 else 's'} now{where}, {enabled} enabled{pending}",
        f"{len(told.timeline)} events, times in UTC",
    ]


def _entry(entry: Entry, listening: datetime) -> Text:
    text = Text()
    indent = "    " if entry.kind == "receipt" else ""
    for number, line in enumerate(entry.summary or (entry.type,)):
        mark = f"{indent}→ " if indent and number == 0 else indent
        text.append(f"{mark}{harmless(line)}\n", style="cyan" if indent else "" if entry.summary else "dim")
    for anomaly in entry.anomalies:
        text.append(f"? {harmless(anomaly)}\n", style="yellow")
    for warning in entry.warnings:
        text.append(f"! {harmless(warning)}\n", style="yellow")
    if entry.error:
        text.append(f"! {harmless(entry.error)}\n", style="red")
    elif not entry.folded:
        text.append("not counted: an event before it could not be understood\n", style="red")
    text.append_text(_last_line(entry, indent, listening))
    text.rstrip()
    return text


def _last_line(entry: Entry, indent: str, listening: datetime) -> Text:
    """The change of state, if there was one, and how the event came."""
    marks = Text(", ".join(_marks(entry, listening)), style="dim")
    if entry.before == entry.after:
        return Text.assemble(indent, marks)
    change = Text.assemble(state_text(entry.before), " → ", state_text(entry.after))
    return Text.assemble(change, "  ", marks)


def _marks(entry: Entry, listening: datetime) -> list[str]:
    """How the event came. What happened before we listened came late for no fault of anybody's."""
    marks = []
    if entry.kind not in {"delivery", "receipt"}:
        marks.append(f"by {entry.kind}")
    if entry.kind == "delivery" and entry.lag >= LATE_SECONDS and entry.occurred_at >= listening:
        marks.append(f"{_span(entry.lag)} late")
    if entry.late:
        marks.append("after what came later")
    return marks


def _span(seconds: float) -> str:
    return next((f"{seconds / size:.0f} {unit}" for size, unit in _UNITS if seconds >= 2 * size), f"{seconds:.0f} s")
