"""`tenure timeline`: what happened to one subscription, and what followed from it."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Literal, assert_never

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.past import PRESENT, Past
from domain.receipts import PUSH_RETRIED
from domain.retries import STREAM_RETRIED
from projections.kinds import is_of
from projections.queries import LicenseView, StreamView
from projections.sources import source_for
from projections.timeline import Entry, timeline
from service.commands.output import INSTANT, clocks, harmless, print_json, state_text
from service.commands.paper import paper, print_hanging
from service.commands.reading import ask
from service.entries import EntryWithBody, with_bodies, write_csv
from service.lookup import NotFound, Reader, find, find_stream
from service.showing import show as show_one
from service.telling import read_whole

LATE_SECONDS = 3_600
"""Providers try again after minutes; what took longer is worth a word."""
_PROMPT_SECONDS = 60
_RETRIES = frozenset({PUSH_RETRIED, STREAM_RETRIED})
_WIDEST = 100
_NARROW = 68
"""Beside the time, in 80 columns."""
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline, and how the subscription that it is about stands, or stood; `state` is the one it ends in."""

    as_of: datetime | None = None
    known_at: datetime | None = None
    subscription: StreamView
    through: str | None = None
    """What was asked for, where that only led to this one: an order, an invoice, a payment."""
    licenses: list[LicenseView]
    state: str
    entries: int | None = None
    """How many there are, where only some are told."""
    timeline: Sequence[Entry]

    @property
    def past(self) -> Past:
        return Past(as_of=self.as_of, known_at=self.known_at)


Form = Literal["text", "json", "csv"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What of a timeline is to be printed, and how: entries of these kinds, the last ones only, with bodies or not."""

    past: Past = PRESENT
    only: frozenset[str] = frozenset()
    last: int | None = None
    bodies: bool = False
    form: Form = "text"


def print_timeline(config: Path | None, text: str, wish: Wish) -> None:
    """Prints the timeline of the one stream that `text` means. Raises NotFound, Ambiguous and TooLong."""
    told = ask(config, lambda reader: _tell(reader, text, wish))
    match wish.form:
        case "json":
            print_json(told)
        case "csv":
            write_csv(sys.stdout, told.timeline)
        case "text":
            show(paper(), told)
        case _:
            assert_never(wish.form)


def print_body(config: Path | None, text: str, event_id: str) -> None:
    """Writes the body of the delivery that carried an event, byte for byte. Raises NotFound, Ambiguous and TooLong."""

    async def question(reader: Reader) -> bytes:
        stream = await find_stream(reader, text, by_key=True)
        for event in await read_whole(reader.log, stream):
            if event.event_id == event_id:
                return event.body
        raise NotFound(f"{stream} has no event {event_id}: tenure timeline {text} --json names those that it has.")

    sys.stdout.buffer.write(ask(config, question))
    sys.stdout.buffer.flush()


async def _tell(reader: Reader, text: str, wish: Wish) -> Told:
    found = await find(reader, text, by_key=True)
    detail = await show_one(reader, found, wish.past)
    events = await read_whole(reader.log, found.stream)
    provider = source_for(reader.sources, found.stream).provider
    told = timeline(events, provider, as_of=wish.past.as_of, known_at=wish.past.known_at)
    chosen = [entry for entry in told if is_of(entry, wish.only)]
    chosen = chosen if wish.last is None else chosen[-wish.last :]
    return Told(
        as_of=wish.past.as_of,
        known_at=wish.past.known_at,
        subscription=detail.summary,
        through=found.through,
        licenses=detail.licenses,
        state=next((entry.after for entry in reversed(told) if entry.after), "pending"),
        entries=len(told) if len(chosen) < len(told) else None,
        timeline=with_bodies(chosen, events) if wish.bodies else chosen,
    )


def show(console: Console, told: Told) -> None:
    """Prints for people; reads well from 80 columns on, and without colour."""
    view = told.subscription
    console.print(Text.assemble((harmless(view.stream), "bold"), "  ", state_text(told.state)))
    for line in _about(told):
        print_hanging(console, Text(harmless(line), style="dim"))
    if view.problem:
        print_hanging(console, Text(f"! {harmless(view.problem)}", style="red"))
    console.print()
    listening = min((entry.recorded_at for entry in told.timeline), default=datetime.max.replace(tzinfo=UTC))
    # Of a part of a history everything was asked for, of a whole one what is news.
    whole = told.entries is None
    # A table for each day: a long history is seen while it is being printed.
    for day, entries in groupby(told.timeline, key=lambda entry: f"{entry.occurred_at:%Y-%m-%d}"):
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=len("  00:00:00"))
        table.add_column(overflow="fold", max_width=_WIDEST)
        table.add_row(Text(day, style="bold"), "")
        for quiet, run in groupby(entries, key=lambda entry: whole and _is_quiet(entry)):
            members = list(run)
            if quiet:
                table.add_row(_time(members[0]), _quiet(members))
            else:
                for _, alike in groupby(members, key=_alike):
                    first, *others = alike
                    table.add_row(_time(first), _entry(first, listening if whole else None, 1 + len(others)))
        console.print(table)


def _time(entry: Entry) -> Text:
    # Seconds, because providers send several events in one.
    return Text(f"  {entry.occurred_at:%H:%M:%S}", style="dim")


def _is_quiet(entry: Entry) -> bool:
    """Whether the event said nothing new and changed nothing."""
    told = entry.summary or entry.anomalies or entry.warnings or entry.before != entry.after
    return entry.folded and not told and not isinstance(entry, EntryWithBody)


def _alike(entry: Entry) -> tuple[object, ...]:
    """Receipts that say the same of several licenses, one after the other, are told once."""
    plain = entry.kind == "receipt" and entry.folded and not isinstance(entry, EntryWithBody)
    return (entry.type, entry.summary) if plain else (entry.position,)


def _quiet(entries: list[Entry]) -> Text:
    """Events that said nothing new, in one line; all of them stand in the other forms."""
    counts = Counter(entry.type for entry in entries)
    names = [f"{harmless(name)} x {count}" if count > 1 else harmless(name) for name, count in counts.items()]
    late = sum(entry.late for entry in entries)
    after = f"; {late} out of order" if late else ""
    shown = names
    while len(shown) > 1 and len(_noted(names, shown) + after) > _NARROW:
        shown = shown[:-1]
    return Text(_noted(names, shown) + after, style="dim")


def _noted(names: Sequence[str], shown: Sequence[str]) -> str:
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return f"noted: {', '.join(shown)}{more}"


def _about(told: Told) -> list[str]:
    view = told.subscription
    count = len({each.id for each in told.licenses})
    enabled = len({each.id for each in told.licenses if each.enabled})
    targets = sorted({each.target for each in told.licenses})
    where = f" at {' and '.join(targets)}" if len(targets) > 1 else ""
    due = sum(bool(each.due) for each in told.licenses)
    when = "now" if told.past.is_present else "then"
    pending = f", {due} not yet as desired at the license server" if due else ""
    return [
        *([f"{told.through} belongs to it"] if told.through else []),
        *filter(None, [view.customer]),
        *clocks(told.past),
        f"{count} license{'' if count == 1 else 's'} {when}{where}, {enabled} enabled{pending}",
        f"{_count(told)}, times in UTC",
    ]


def _count(told: Told) -> str:
    """How many are told; a subscription's own count leaves out the second track."""
    shown = len(told.timeline)
    if told.entries is not None:
        return f"{shown} of {told.entries} events"
    beside = sum(entry.kind == "receipt" or entry.type in _RETRIES for entry in told.timeline)
    count = f"{shown} event{'' if shown == 1 else 's'}"
    return f"{count}, {beside} of them receipts or retries" if beside else count


def _entry(entry: Entry, listening: datetime | None, times: int = 1) -> Text:
    text = Text()
    indent = "    " if entry.kind == "receipt" else ""
    for number, line in enumerate(entry.summary or (entry.type,)):
        mark = f"{indent}→ {f'{times} x ' if times > 1 else ''}" if indent and number == 0 else indent
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
    if isinstance(entry, EntryWithBody):
        said = entry.body if entry.encoding == "utf-8" else f"({entry.encoding}) {entry.body}"
        lines = "\n".join(harmless(line) for line in said.splitlines())
        text.append(f"\n{entry.type} {harmless(entry.event_id)}, body of {entry.size:,} bytes:\n{lines}", style="dim")
    return text


def _last_line(entry: Entry, indent: str, listening: datetime | None) -> Text:
    """The change of state, if there was one, and how the event came."""
    marks = Text(", ".join(_marks(entry, listening)), style="dim")
    if entry.before == entry.after:
        return Text.assemble(indent, marks)
    change = Text.assemble(state_text(entry.before), " → ", state_text(entry.after))
    return Text.assemble(change, "  ", marks)


def _marks(entry: Entry, listening: datetime | None) -> list[str]:
    """How the event came. What happened before we listened came late for no fault of anybody's.

    None has all that came late told.
    """
    marks = []
    if entry.kind == "relay":
        marks.append(_belonging(entry))
    elif entry.kind not in {"delivery", "receipt"}:
        marks.append(f"by {entry.kind}")
    tardy = entry.lag >= LATE_SECONDS and (listening is None or entry.occurred_at >= listening)
    if entry.kind == "delivery" and (tardy or (listening is None and entry.late)):
        marks.append(f"{span(entry.lag)} on the way, recorded {entry.recorded_at:{INSTANT}}")
    if entry.late:
        marks.append("out of order")
    if entry.same_as:
        marks.append(f"the same content as {harmless(entry.same_as)}")
    return marks


def _belonging(entry: Entry) -> str:
    """A copy is recorded when it was found out whose the event is, which may be long after it came."""
    after = (entry.recorded_at - entry.received_at).total_seconds()
    return f"by relay, {span(after)} after it came" if after >= _PROMPT_SECONDS else "by relay"


def span(seconds: float) -> str:
    return next((f"{seconds / size:.0f} {unit}" for size, unit in _UNITS if seconds >= 2 * size), f"{seconds:.0f} s")
