"""`tenure explain`: why a license is as it is, or why there is none."""

from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.explaining import ActTold, FieldWhy, LicenseExplained, RetryTold
from service.commands.acts import plain_value
from service.commands.output import harmless, print_json, state_text
from service.commands.paper import paper, print_hanging
from service.commands.reading import ask
from service.explaining import Explained, explain_subscription, explain_views
from service.lookup import Reader, find_stream, licenses_of

_COLOURS = {"held": "green", "waiting": "yellow", "refused": "red", "withheld": "red", "not made": "dim"}
_MOST_RETRIES = 5
_SHOWN_FIRST = ("enabled", "expiry", "margin_hours", "trial", "product_code", "license_type")


def print_explanation(config: Path | None, text: str, field: str | None, *, everything: bool, as_json: bool) -> None:
    """Prints why. Raises NotFound, Ambiguous, TooLong."""

    async def question(reader: Reader) -> Explained | list[LicenseExplained]:
        views = await reader.queries.licenses_named(text, by_key=True)
        if not views and field:
            views = await licenses_of(reader, await find_stream(reader, text, by_key=True))
        if views:
            return await explain_views(reader, views, field)
        return await explain_subscription(reader, text, by_key=True)

    told = ask(config, question)
    if as_json:
        print_json(told)
        return
    console = paper(highlight=False)
    if isinstance(told, Explained):
        _show_subscription(console, told)
    for each in told if isinstance(told, list) else ():
        _show_license(console, each, whole=everything or field is not None)


def _show_license(console: Console, told: LicenseExplained, *, whole: bool) -> None:
    held = told.holding
    head = Text.assemble((told.license, "bold"), f"  at {told.target}  ", (held.standing, _COLOURS[held.standing]))
    print_hanging(console, head, first=0)
    _line(console, f"{told.stream}", 2, "dim")
    since = f", since {_moment(held.since)} ({held.receipt})" if held.since else ""
    _line(console, f"{held.says}{since}", 2, _COLOURS[held.standing])
    if held.remedy:
        _line(console, f"to do: {held.remedy}", 2, "yellow")
    _show_acts(console, told.acts)
    shown = [each for each in told.fields if whole or _tells(each)]
    for each in sorted(shown, key=_place):
        console.print()
        _show_field(console, each)
    console.print()
    _line(console, "~ is what would change a field. An act takes --reason TEXT.", 2, "dim")
    left = len(told.fields) - len(shown)
    if left:
        _line(console, f"{left} more fields are as the license server has them, or say which it is: --all", 2, "dim")


def _tells(field: FieldWhy) -> bool:
    """Whether something set it: an attribute, an event or an act; not a default, nor what only identifies it."""
    return field.field in _SHOWN_FIRST[:5] or (
        field.event is not None and bool(field.value) and "default" not in field.rule
    )


def _place(field: FieldWhy) -> int:
    return _SHOWN_FIRST.index(field.field) if field.field in _SHOWN_FIRST else len(_SHOWN_FIRST)


def _show_field(console: Console, field: FieldWhy) -> None:
    print_hanging(console, Text.assemble(f"{field.field:<16}", (harmless(_value(field.value)), "bold")), rest=18)
    _line(console, field.rule, 6)
    if field.event is not None:
        _line(console, f"by {field.event.type} {field.event.event_id}, {_moment(field.event.at)}", 6, "dim")
    if field.policy is not None:
        value = plain_value(field.policy.value)
        _line(console, f"{field.policy.name} is {value}: {field.policy.set_by}", 6, "dim")
    if field.without_act is not None:
        _line(console, f"without that: {_value(field.without_act.value)} ({field.without_act.rule})", 6, "dim")
    table = Table.grid(padding=(0, 1))
    for change in field.changes:
        table.add_row(Text("    ~", style="cyan"), Text(harmless(change), style="cyan"))
    console.print(table)


def _show_subscription(console: Console, told: Explained) -> None:
    console.print(Text.assemble((harmless(told.stream), "bold"), "  ", state_text(told.state)))
    if told.through is not None:
        _line(console, f"{told.through} belongs to it", 2, "dim")
    for each in told.licenses:
        console.print()
        works = ("works", "green") if each.enabled else ("does not work", "red")
        head = Text.assemble(f"{each.license}  {harmless(each.product)} at {each.target}  ", works)
        print_hanging(console, head.append(f", {each.standing}"), rest=6)
        _line(console, each.rule, 6)
        if each.standing != "held":
            _line(console, each.says, 6, _COLOURS[each.standing])
    if told.reasons:
        console.print()
        verdict = "Why no license works:" if told.licenses else "Why there is no license:"
        console.print(Text(f"  {verdict}", style="bold"))
        for reason in told.reasons:
            _line(console, f"- {reason.what}", 2)
            _line(console, f"to do: {reason.todo}", 6, "cyan")
    _show_acts(console, told.acts)
    _show_retries(console, told.retries)
    if told.licenses:
        console.print()
        _line(console, "Field by field: tenure explain LICENSE", 2, "dim")


def _show_acts(console: Console, acts: tuple[ActTold, ...]) -> None:
    if not acts:
        return
    console.print()
    console.print(Text("  Decided by hand:", style="bold"))
    for act in acts:
        over = "" if act.counts else "  (counts no more)"
        _line(console, f"{act.act}  {_moment(act.at)}{over}", 4, "" if act.counts else "dim")
        _line(console, act.what, 6, "" if act.counts else "dim")


def _show_retries(console: Console, retries: tuple[RetryTold, ...]) -> None:
    if not retries:
        return
    console.print()
    console.print(Text("  Tried again by hand:", style="bold"))
    for each in retries[-_MOST_RETRIES:]:
        what = f"what {each.target} refused" if each.target else "the whole of it"
        _line(console, f"{_moment(each.at)}  {what}, by {each.author}: {each.reason}", 4)
    if len(retries) > _MOST_RETRIES:
        _line(console, f"and {len(retries) - _MOST_RETRIES} times before", 4, "dim")


def _line(console: Console, text: str, indent: int, style: str = "") -> None:
    hanging = 2 if text.startswith("- ") else 0
    print_hanging(console, Text(harmless(text), style=style), first=indent, rest=indent + hanging)


def _value(value: Any) -> str:
    if isinstance(value, str) and len(value) >= 20 and value[10:11] == "T":
        try:
            return _moment(datetime.fromisoformat(value))
        except ValueError:
            return value
    return plain_value(value)


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
