"""How the difference between two versions of the projections reads: what matters most first, in 80 columns."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from projections.rebuilding.changes import FieldChange, LicenseChange, StreamChange
from projections.rebuilding.comparing import Difference
from service.commands.output import harmless, state_text
from service.commands.paper import paper, print_hanging
from service.rebuilding.rebuild import Rebuilt

MB = 1_000_000
_LONGEST = 60
_PIPED = 120
_KINDS = {"added": "green", "removed": "red", "changed": ""}
_WIDTH = 20
"""Of the names of fields, so that values stand below each other."""


def show(made: Rebuilt, limit: int) -> None:
    """Prints what came of a rebuild: how it went, what would change, and what is so now."""
    console = paper(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED, highlight=False)
    _print(console, _how(made))
    found = made.difference
    _print(
        console, f"{_count(found.compared_streams, 'stream')} and {_count(found.compared_licenses, 'license')} compared"
    )
    if found.unreadable:
        tables = ", ".join(found.unreadable)
        told = f"Of version {made.before} these tables are gone or damaged, and count as empty: {tables}."
        _print(console, told, style="yellow")
    console.print()
    if found.nothing:
        _print(console, "Nothing differs.", style="green")
    else:
        changes = "changed" if made.switched else "would change"
        _licenses(console, found, limit, changes)
        _streams(console, found, limit, changes)
        _consequences(console, found, switched=made.switched)
    _print(console, _standing(made), style="bold")


def _how(made: Rebuilt) -> str:
    again = ", going on with what was loaded before" if made.resumed else ""
    if not made.events:
        return f"version {made.version}, loaded before"
    seconds = max(made.seconds, 1e-9)
    return (
        f"version {made.version}: {_count(made.events, 'event')}, {made.bytes / MB:,.1f} MB of bodies, in"
        f" {made.seconds:,.1f} s by {_count(made.processes, 'process', 'processes')}:"
        f" {made.events / seconds:,.0f} events/s{again}"
    )


def _licenses(console: Console, found: Difference, limit: int, changes: str) -> None:
    if not found.changed_licenses:
        _print(console, "No license differs.\n")
        return
    only = f", {found.reasons_only:,} of them in reasons alone" if found.reasons_only else ""
    _print(console, f"{_count(found.changed_licenses, 'license')} {changes}{only}:", style="bold")
    stream = ""
    for each in found.licenses[:limit]:
        if each.stream != stream:
            stream = each.stream
            console.print()
            _print(console, stream, style="dim")
        _license(console, each)
    _more(console, found.changed_licenses, min(limit, len(found.licenses)))
    console.print()


def _license(console: Console, change: LicenseChange) -> None:
    head = Text.assemble((change.id, "bold"), f"  {harmless(change.product_code)} at {harmless(change.target)}")
    if change.kind != "changed":
        head.append(f"  {change.kind}", style=_KINDS[change.kind])
    if change.moving:
        head.append("  (still moving)", style="yellow")
    print_hanging(console, head, rest=6)
    _fields(console, change.fields)


def _streams(console: Console, found: Difference, limit: int, changes: str) -> None:
    if not found.changed_streams:
        return
    states = f", {found.changed_states:,} of them in state or status" if found.changed_states else ""
    _print(console, f"{_count(found.changed_streams, 'stream')} {changes}{states}:", style="bold")
    # What changes its state is what people look for.
    told = sorted(found.streams, key=lambda each: not each.changes_state)[:limit]
    for each in told:
        _stream(console, each)
    _more(console, found.changed_streams, len(told))
    console.print()


def _stream(console: Console, change: StreamChange) -> None:
    head = Text.assemble((harmless(change.stream), "bold"))
    if change.kind != "changed":
        head.append(f"  {change.kind}", style=_KINDS[change.kind])
    if change.moving:
        head.append("  (still moving)", style="yellow")
    print_hanging(console, head, rest=6)
    _fields(console, change.fields)


def _fields(console: Console, fields: Sequence[FieldChange]) -> None:
    for each in fields:
        state = each.field == "state"
        both = (each.before, each.after)
        before, after = (state_text(str(one)) if state else _value(one) for one in both)
        if before.plain == after.plain:
            before, after = (_value(one, exact=True) for one in both)
        name = harmless(each.field)
        line = Text.assemble(f"{name:<{_WIDTH}} " if len(name) <= _WIDTH else f"{name}  ", before, " → ", after)
        if each.because:
            line.append(f"  ({harmless(each.because)})", style="dim")
        print_hanging(console, line, first=4, rest=8)


def _value(value: Any, *, exact: bool = False) -> Text:
    """A value of a row, short and as people write it; `exact` where that would hide a difference."""
    if value is None or value == "":
        return Text("none", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, str):
        return Text(harmless(_instant(value, exact=True)) if exact else _shortened(_instant(value)))
    text = json.dumps(value, ensure_ascii=False)
    return Text(harmless(text) if exact else _shortened(text))


def _instant(text: str, *, exact: bool = False) -> str:
    if not text[:4].isdigit() or "T" not in text:
        return text
    try:
        return f"{datetime.fromisoformat(text):{'%Y-%m-%d %H:%M:%S.%f' if exact else '%Y-%m-%d %H:%M:%S'}}"
    except ValueError:
        return text


def _shortened(text: str) -> str:
    plain = harmless(text)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"


def _consequences(console: Console, found: Difference, *, switched: bool) -> None:
    for target, count in found.pushes.items():
        will = "would be" if not switched else "is to be" if count == 1 else "are to be"
        _print(console, f"{_count(count, 'subscription')} {will} pushed to {harmless(target)}.")
    if found.new_links:
        _print(
            console,
            f"{_count(found.new_links, 'stream')} lead{'s' if found.new_links == 1 else ''} to another one only now:"
            " what is relayed through it comes after the switch.",
        )
    if found.moving:
        _print(console, "What is still moving has events that one of the versions had not come to yet.")
    if found.pushes or found.new_links or found.moving:
        console.print()


def _standing(made: Rebuilt) -> str:
    if made.purpose == "simulation":
        return "This was a simulation: nothing was changed, and nothing of it is kept."
    if made.switched:
        return (
            f"Version {made.version} is read now. Version {made.before} is kept until"
            f" `tenure rebuild --drop {made.before}`."
        )
    return (
        f"Nothing was changed. `tenure rebuild` goes on with version {made.version} and switches to it;"
        f" `tenure rebuild --drop {made.version}` drops it."
    )


def _more(console: Console, count: int, told: int) -> None:
    if count > told:
        _print(console, f"  … and {count - told:,} more (--limit, or --json for up to 10,000)", style="dim")


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
