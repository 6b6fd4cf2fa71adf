"""`tenure terms check`: what prices and products will be licensed as, before anybody buys them."""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.licensing import User
from service.commands.failures import NOT_FOUND, UNAVAILABLE, CommandFailed, usage
from service.commands.output import harmless, print_json
from service.logging import set_up_logging
from service.settings import load
from service.terms_check import BOUGHT, BUYER, PAID_THROUGH, Check, Verdict, check
from service.terms_files import LARGEST_FILE, FileUnclear, read_offers

_COLOURS: dict[Verdict, str] = {"ok": "bold green", "wrong": "bold red", "not licensed": "yellow"}
_WIDEST = 100
_INDENT = (0, 0, 0, 2)
_UNASKED = "No license server is asked: products, policies, features, custom fields and bundles have to exist there."


def check_file(path: str, provider: str | None, *, quantity: int, recurring: bool, as_json: bool) -> int:
    """Checks what a file offers, `-` being standard input; 1 when something is wrong. Raises CommandFailed."""
    try:
        offers = read_offers(_read(path), provider=provider, recurring=recurring)
    except FileUnclear as unclear:
        raise usage(f"{'standard input' if path == '-' else path} {unclear}.") from None
    return _report([check(offer, quantity=quantity) for offer in offers], as_json=as_json)


def check_source(config: Path | None, name: str, *, quantity: int, as_json: bool) -> int:
    """Checks the catalog of a configured source, read through its API. Raises CommandFailed and SettingsInvalid."""
    from projections.provided import ProvidedError, Unauthorized
    from service.terms_catalog import CatalogUnread, read_catalog
    from service.wiring.targets import policies

    settings = load(config, os.environ)
    set_up_logging("ERROR")
    try:
        offers = asyncio.run(read_catalog(settings, name))
    except CatalogUnread as unread:
        raise usage(str(unread)) from None
    except FileUnclear as unclear:
        raise usage(f"The catalog of {name} {unclear}.") from None
    except Unauthorized as error:
        raise usage(f"The catalog of {name} may not be read: {error}") from None
    except ProvidedError as error:
        raise CommandFailed(UNAVAILABLE, f"The catalog of {name} could not be read: {error}") from None
    if not offers:
        raise CommandFailed(NOT_FOUND, f"{name} offers nothing: the catalog is empty.")
    targets = policies(settings, settings.sources[name])
    return _report([check(offer, quantity=quantity, targets=targets) for offer in offers], as_json=as_json)


def _read(path: str) -> bytes:
    """The file, or a byte more of it than may be: then it is too large."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(path).open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}.") from None


def _report(checks: Sequence[Check], *, as_json: bool) -> int:
    wrong = sum(each.verdict == "wrong" for each in checks)
    if as_json:
        print_json(checks)
    else:
        console = Console(width=min(Console().width, _WIDEST))
        for each in checks:
            _show(console, each)
        if any(name == "expiry" for each in checks for became in each.attributes for name in became.license):
            console.print(f"Dates are those of a purchase on {BOUGHT:%Y-%m-%d}, paid through {PAID_THROUGH:%Y-%m-%d}.")
        if any(each.verdict == "ok" for each in checks):
            console.print(_UNASKED)
        console.print(_summary(checks, wrong))
    return NOT_FOUND if wrong else 0


def _summary(checks: Sequence[Check], wrong: int) -> Text:
    warned = "; look at the warnings (!)" if any(each.warnings for each in checks) else ""
    if wrong:
        return Text(f"{wrong} of {len(checks)} {'is' if wrong == 1 else 'are'} wrong{warned}.", style="red")
    return Text(f"Nothing is wrong{warned}.", style="yellow" if warned else "")


def _show(console: Console, found: Check) -> None:
    verdict = found.verdict.upper() if found.verdict != "not licensed" else found.verdict
    verdict += ", with warnings" if found.verdict == "ok" and found.warnings else ""
    console.print(
        Text.assemble((harmless(found.name), "bold"), "  ", (verdict, _COLOURS[found.verdict])), soft_wrap=True
    )
    console.print(Padding(Text(harmless(_units(found))), _INDENT))
    if found.attributes:
        console.print(Padding(_table(found), _INDENT))
    for mark, colour, notes in (("✗", "red", found.errors), ("!", "yellow", found.warnings)):
        for note in notes:
            line = Table.grid(padding=(0, 1))
            line.add_row(Text(mark, style=colour), Text(harmless(note)))
            console.print(Padding(line, _INDENT))
    console.print()


def _units(found: Check) -> str:
    """What so many units give, in one line."""
    kind = "recurring" if found.recurring else "bought once"
    if found.verdict == "not licensed":
        return f"{kind}: no license is made for it"
    if found.verdict == "wrong":
        return f"{kind}: has to be corrected first"
    if not found.licenses:
        return f"{kind}: adds feature {found.feature} to the licenses beside it"
    units = f"{found.quantity} unit{'' if found.quantity == 1 else 's'}"
    licenses = f"{found.licenses} {found.license_type} license{'' if found.licenses == 1 else 's'}"
    bundle = ", each with one of every product in the bundle" if found.is_bundle else ""
    follows = "".join(f", {name} {_text(value)}" for name, value in found.follows.items())
    return f"{kind}: {units} → {licenses} of {found.product_code}{follows}{bundle}"


def _table(found: Check) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for each in found.attributes:
        made = ", ".join(f"{name} {_text(value)}" for name, value in each.license.items())
        table.add_row(
            Text(harmless(each.attribute), style="dim"),
            Text(harmless(each.value)),
            Text(harmless(f"→ {'unpaid: ' if each.unpaid else ''}{made or 'nothing'}")),
        )
    return table


def _text(value: Any) -> str:
    match value:
        case None:
            return "by default"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d}"
        case User():
            who = "the customer" if value.email == BUYER else value.email
            return f"{who} (manager)" if value.manager else who
        case tuple():
            return ", ".join(_text(each) for each in value) or "none"
        case msgspec.Struct():
            return str(msgspec.to_builtins(value))
        case _:
            return str(value)
