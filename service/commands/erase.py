"""`tenure erase`: forgets a person, in one audited act."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.erasure import Person
from service.commands.asker import user_of_this_machine
from service.commands.failures import NOT_FOUND, PART_FAILED, USAGE, CommandFailed, usage
from service.commands.output import harmless, print_json
from service.commands.paper import paper
from service.commands.verify import bar, count
from service.database import database
from service.erasure import Erasure, ErasureRefused, Found, WordsNamePerson
from service.settings import Settings, load
from service.store import cleaning, erasing
from service.wiring.projecting import projected

_SHOWN = 40
"""Positions of a stream that are listed; JSON has all."""


def erase_person(
    config: Path | None,
    *,
    email: str | None,
    customer: str | None,
    dry_run: bool,
    despite_pushes: bool,
    all_references: bool,
    author: str | None,
    reason: str | None,
    as_json: bool,
) -> int:
    """Prints what was erased, or would be; 1 where nothing is known of the person, 4 where something is left.

    Raises what `failures.explain` understands.
    """
    settings = load(config, os.environ)
    person = _person(settings, email, customer)
    tidy = True
    asking, why = author or user_of_this_machine(), reason or ""
    if not dry_run:
        _check_reason(why, asking, person)
    with database(settings) as dsn, erasing.connect(dsn) as connection, bar("looking through") as progress:
        task = progress.add_task("", total=None, bytes=0)
        erasure = Erasure(connection, projected(settings), person)
        try:
            replacements = erasure.look(lambda events: progress.advance(task, events))
            erasure.check_words(author=author or "", reason=why)
            waiting = cleaning.pending(connection, [each.event.stream for each in replacements])
            if not dry_run:
                several = () if all_references or not replacements else erasure.several()
                _check_agreed(several, () if despite_pushes else waiting)
                erasure.run(replacements, asking, why)
                replacements = []
                # Also where nothing is left: an act that was killed did not come as far.
                tidy = cleaning.tidy(connection)
        except WordsNamePerson as refused:
            raise usage(str(refused)) from None
        except ErasureRefused as refused:
            raise CommandFailed(PART_FAILED, str(refused)) from None
        found = erasure.found(replacements)
    if as_json:
        print_json(found)
    elif found.events or not found.why_left:
        _show(paper(), found, waiting, dry_run=dry_run)
    if not tidy:
        sys.stderr.write("tenure: The tables are busy: run `vacuum (analyze)`, or leave it to autovacuum.\n")
    if found.why_left:
        sys.stderr.write(f"tenure: {_left(found)}\n")
        return PART_FAILED
    return 0 if found.events else NOT_FOUND


def _person(settings: Settings, email: str | None, customer: str | None) -> Person:
    if email is not None:
        if email.count("@") != 1 or not all(email.strip().split("@")) or any(map(str.isspace, email.strip())):
            raise usage("--email takes one address, such as ada@example.com.")
        return Person(emails=frozenset({email.strip().casefold()}))
    source, _, reference = (customer or "").partition("/")
    if source not in settings.sources or not reference:
        known = ", ".join(sorted(settings.sources)) or "none"
        raise usage(f"--customer takes SOURCE/ID, such as shop/cus_1; the sources of the settings are: {known}.")
    return Person(references=frozenset({(source, reference)}))


def _check_reason(reason: str, author: str, person: Person) -> None:
    if not reason.strip():
        raise usage("Say why with --reason, such as a ticket's number: it is kept in the history.")
    if any(email in f"{reason} {author}".casefold() for email in person.emails):
        raise usage("Reason and author are kept for ever: name a ticket or request there, not the person.")


def _check_agreed(several: Sequence[str], waiting: Sequence[tuple[str, str]]) -> None:
    if several:
        raise CommandFailed(USAGE, *_one_or_several(several))
    if waiting:
        raise CommandFailed(PART_FAILED, *_not_yet(waiting))


def _one_or_several(several: Sequence[str]) -> list[str]:
    return [
        "Nothing was erased: what was found leads to several customers of one source, and all of them would be erased:",
        *(f"  {harmless(each)}" for each in several),
        "If all are this one person, say so with --all-references. If not, they share an address, as customers of one",
        "agency do: Tenure cannot tell whose data is whose, and erases all of them or none.",
    ]


def _left(found: Found) -> str:
    what = count(found.left, "event") if found.left else "Something"
    return f"{what} of the person may be left, the rest is erased: run it again. {found.why_left}"


def _not_yet(waiting: Sequence[tuple[str, str]]) -> list[str]:
    return [
        "Nothing was erased: license servers have still to be told something, and would be told no name and address:",
        *(f"  {stream} at {target}" for stream, target in waiting),
        "Wait for it (tenure pushes, tenure dead-letters), or erase all the same with --despite-pushes.",
    ]


def _show(console: Console, found: Found, waiting: Sequence[tuple[str, str]], *, dry_run: bool) -> None:
    if not found.events:
        console.print("The store holds nothing of that person that is not erased yet.", highlight=False)
        return
    does = "would be erased" if dry_run else "erased"
    what = f"{count(found.events, 'event')} in {count(len(found.streams), 'stream')} {does}"
    console.print(Text(what, style="bold"), Text(f"act {found.act}" if found.act else "", style="dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for each in found.streams:
        table.add_row(harmless(each.stream), Text(_positions(each.positions), style="dim"))
    console.print(Padding(table, (0, 0, 0, 2)))
    if found.references:
        console.print(Text(f"known as {', '.join(map(harmless, found.references))}", style="dim"))
    if found.holders:
        console.print()
        console.print("License servers hold personal data of these, and keep it until you change it there:")
        for holder in found.holders:
            licenses = f", {count(len(holder.licenses), 'license')} {', '.join(holder.licenses)}"
            customers = f", customer {', '.join(holder.customers)}" if holder.customers else ""
            line = f"{holder.target}: {holder.stream}{licenses if holder.licenses else ''}{customers}"
            console.print(Padding(Text(harmless(line)), (0, 0, 0, 2)))
    if waiting and dry_run:
        console.print()
        for line in _not_yet(waiting)[1:-1]:
            console.print(Text(f"! {harmless(line.strip())} has still to be told; wait for it first", style="yellow"))
    _show_several(console, found.several if dry_run else ())
    for stream in found.lasting:
        console.print(
            Text(f"! {harmless(stream)}: an address is part of names, which are sealed and stay", style="red")
        )
    console.print()
    console.print(
        "Erase the person at the provider too, or it may send the data again. Backups, replicas' archives and exports"
        " made before still hold it.",
        style="dim",
    )


def _show_several(console: Console, several: Sequence[str]) -> None:
    for each in several:
        console.print(Text(f"! {harmless(each)} is one of several customers that would be erased", style="yellow"))
    if several:
        console.print("One person? Erase with --all-references. Else they share an address.", highlight=False)


def _positions(positions: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, positions[:_SHOWN]))
    return (
        f"position {shown}" if len(positions) == 1 else f"positions {shown}{', …' if len(positions) > _SHOWN else ''}"
    )
