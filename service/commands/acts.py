"""`tenure license …`: what is decided by hand, recorded with author and reason."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from domain.acts import plain
from service import acting
from service.acting import Acted, Said
from service.commands.asker import user_of_this_machine
from service.commands.output import harmless, print_json
from service.commands.paper import paper, print_hanging
from service.commands.reading import ask
from service.lookup import Reader


def disable(config: Path | None, text: str, *, as_json: bool, **said: str | datetime | bool | None) -> None:
    """Raises what `acting.disable` does, and CommandFailed."""
    _do(config, said, lambda reader, who: acting.disable(reader, text, who, by_key=True), as_json=as_json)


def enable(config: Path | None, text: str, *, as_json: bool, **said: str | datetime | bool | None) -> None:
    """Raises what `acting.enable` does, and CommandFailed."""
    _do(config, said, lambda reader, who: acting.enable(reader, text, who, by_key=True), as_json=as_json)


def extend(
    config: Path | None,
    text: str,
    *,
    by: str,
    until: datetime | None,
    as_json: bool,
    **said: str | datetime | bool | None,
) -> None:
    """Raises what `acting.extend` does, and CommandFailed."""

    async def act(reader: Reader, who: Said) -> Acted:
        return await acting.extend(reader, text, who, until=until, by=by, by_key=True)

    _do(config, said, act, as_json=as_json)


def set_field(
    config: Path | None, text: str, field: str, value: str, *, as_json: bool, **said: str | datetime | bool | None
) -> None:
    """Raises what `acting.set_field` does, and CommandFailed."""

    async def act(reader: Reader, who: Said) -> Acted:
        return await acting.set_field(reader, text, field, value, who, by_key=True)

    _do(config, said, act, as_json=as_json)


def merge(
    config: Path | None, duplicate: str, into: str, *, as_json: bool, **said: str | datetime | bool | None
) -> None:
    """Raises what `acting.merge` does, and CommandFailed."""
    _do(config, said, lambda reader, who: acting.merge(reader, duplicate, into, who, by_key=True), as_json=as_json)


def undo(config: Path | None, act_id: str, *, as_json: bool, **said: str | datetime | bool | None) -> None:
    """Raises what `acting.undo` does, and CommandFailed."""
    _do(config, said, lambda reader, who: acting.undo(reader, act_id, who), as_json=as_json)


def _do(
    config: Path | None,
    said: dict[str, str | datetime | bool | None],
    act: Callable[[Reader, Said], Awaitable[Acted]],
    *,
    as_json: bool,
) -> None:
    expires = said.get("expires")
    who = Said(
        author=str(said["author"] or user_of_this_machine()),
        reason=str(said["reason"]),
        expires=expires if isinstance(expires, datetime) else None,
        dry_run=bool(said["dry_run"]),
    )
    acted = ask(config, lambda reader: act(reader, who))
    if as_json:
        print_json(acted)
    else:
        _show(paper(highlight=False), acted)


def _show(console: Console, acted: Acted) -> None:
    if acted.recorded:
        print_hanging(console, Text.assemble((acted.act, "bold"), f"  {harmless(acted.what)}"), first=0)
    else:
        print_hanging(console, Text(f"would be recorded: {harmless(acted.what)}"), first=0)
    for change in acted.changes:
        values = f"{plain_value(change.before)} → {plain_value(change.after)}"
        print_hanging(console, Text(f"{change.license} {change.field}: {harmless(values)}"))
    for note in acted.notes:
        print_hanging(console, Text(f"! {harmless(note)}", style="yellow"))
    if acted.recorded:
        console.print(Text("  The license server follows in a moment. Undo: ", style="dim"), end="")
        console.print(Text(f"tenure license undo {acted.act}", style="dim"), soft_wrap=True)


def plain_value(value: object) -> str:
    """A field's value as people write it."""
    match value:
        case None:
            return "not set"
        case list() | tuple():
            return ", ".join(plain_value(each) for each in value) or "none"
        case dict():
            return ", ".join(f"{name} {plain_value(each)}" for name, each in value.items()) or "none"
        case _:
            return plain(value)
