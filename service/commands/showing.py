"""`tenure subscription` and `tenure license show`: one of them in full, as it stands or as it stood."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.past import Past
from projections.queries import LicenseView
from service.commands.lists import until
from service.commands.output import INSTANT, clocks, harmless, print_json, print_table, state_text
from service.commands.paper import paper, print_hanging
from service.commands.past import held
from service.commands.reading import ask
from service.lookup import NotFound, Reader, find
from service.showing import SubscriptionDetail, show, show_licenses

_UNTOLD = frozenset({"because", "stream", "subscription", "id", "customer", "users"})
"""What is no field of its own, and who it is about."""


class ShownLicenses(msgspec.Struct, frozen=True, kw_only=True):
    """A license at each of its targets, as it is, or as it stood by these instants."""

    as_of: datetime | None
    known_at: datetime | None
    licenses: Sequence[LicenseView]


def show_subscription(config: Path | None, text: str, past: Past, *, as_json: bool) -> None:
    """Prints the one that `text` means. Raises NotFound, Ambiguous and TooLong."""

    async def question(reader: Reader) -> SubscriptionDetail:
        return await show(reader, await find(reader, text, by_key=True), past)

    detail = ask(config, question)
    if as_json:
        print_json(detail)
        return
    console = paper()
    view = detail.summary
    console.print(Text.assemble((harmless(view.stream), "bold"), "  ", state_text(view.state)))
    for line in _about(detail, past):
        print_hanging(console, Text(harmless(line), style="dim"))
    if view.problem:
        print_hanging(console, Text(f"! {harmless(view.problem)}", style="red"))
    console.print()
    print_table(
        ("license", "product", "until", "target", "held there"),
        [
            (each.id, each.desired.product_code, until(each.desired), each.target, held(each))
            for each in detail.licenses
        ],
        empty="No licenses.",
    )


def _about(detail: SubscriptionDetail, past: Past) -> Iterator[str]:
    yield from clocks(past)
    if detail.through:
        yield f"{detail.through} belongs to it"
    if detail.summary.customer:
        yield detail.summary.customer
    if detail.state_since:
        reason = f" ({detail.state_reason})" if detail.state_reason else ""
        yield f"{detail.summary.state.replace('_', ' ')}{reason} since {detail.state_since:{INSTANT}}"
    if detail.trial_end:
        yield f"trial until {detail.trial_end:{INSTANT}}"
    if detail.cancel_at:
        yield f"will end on {detail.cancel_at:{INSTANT}}"
    yield from (f"{line.quantity} x {line.product}" for line in detail.lines)
    yield from (f"waits: {why}" for why in detail.waiting)
    count = detail.summary.events
    yield f"{count} event{'s' * (count != 1)}, besides receipts and retries, times in UTC"


def show_license(config: Path | None, text: str, past: Past, *, as_json: bool) -> None:
    """Prints a license at each of its targets. Raises NotFound and TooLong."""

    async def question(reader: Reader) -> list[LicenseView]:
        found = await reader.queries.licenses_named(text, by_key=True)
        if not found:
            raise NotFound(f"There is no license {text}: tenure licenses lists those of today.")
        return await show_licenses(reader, found, past)

    views = ask(config, question)
    if as_json:
        print_json(ShownLicenses(as_of=past.as_of, known_at=past.known_at, licenses=views))
        return
    console = paper()
    for view in views:
        _print_license(console, view, past)


def _print_license(console: Console, view: LicenseView, past: Past) -> None:
    standing = Text("enabled", style="green") if view.enabled else Text("disabled", style="red")
    console.print(Text.assemble((harmless(view.id), "bold"), "  ", standing))
    for line in (
        *clocks(past),
        view.stream,
        f"{view.target}: {view.withheld or held(view)}",
        *filter(None, [view.key]),
    ):
        print_hanging(console, Text(harmless(line), style="dim"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("field", "value", "why"):
        table.add_column(column, overflow="fold")
    for name in view.desired.__struct_fields__:
        value = getattr(view.desired, name)
        if name not in _UNTOLD and (value not in (None, "", (), {}, False) or name == "enabled"):
            why = view.desired.because.get(name)
            event = f" ({why.event.type} {why.event.event_id})" if why and why.event else ""
            table.add_row(
                name, harmless(_plain(value)), Text(harmless(f"{why.rule}{event}" if why else ""), style="dim")
            )
    console.print(table)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:{INSTANT}}"
    return {"True": "yes", "False": "no"}.get(str(value), str(value))
