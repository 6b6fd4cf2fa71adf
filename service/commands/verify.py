"""`tenure verify`: nothing was altered, removed, inserted, swapped or back-dated since it was sealed."""

import os
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from domain.events import PARTITIONS, Stream
from service.commands.failures import NOT_FOUND, usage
from service.commands.output import harmless, print_json
from service.commands.paper import paper
from service.database import database
from service.settings import load
from service.store.archive.heads import ArchiveUnfit, heads_of
from service.store.checking import Checked
from service.store.verifying import Verified, verify

MB = 1_000_000
SHOWN = 40
"""Positions of erased bodies that are listed of a partition; JSON has all."""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed the archive of `--against`; `proved` where it is the key that was given."""

    signed_by: str | None
    proved: bool


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A verification for programs."""

    intact: bool
    verified: Verified
    against: Witness | None = None


class Rate(ProgressColumn):
    """Events and megabytes of bodies a second."""

    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0
        if not seconds:
            return Text("")
        megabytes = task.fields["bytes"] / MB / seconds
        return Text(f"{task.completed / seconds:,.0f} events/s, {megabytes:,.1f} MB/s", style="cyan")


def bar(what: str) -> Progress:
    """A progress bar on standard error; none where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def verify_store(
    config: Path | None,
    *,
    partition: int | None,
    stream: str | None,
    against: Path | None,
    key: str | None,
    as_json: bool,
) -> int:
    """Prints what was checked and the first broken position of each partition; 1 if there is one, or nothing to check.

    Raises what `failures.explain` understands.
    """
    settings = load(config, os.environ)
    try:
        heads = heads_of(against, key) if against else None
    except ArchiveUnfit as unfit:
        raise usage(str(unfit)) from None
    with database(settings) as dsn, bar("verifying") as progress:
        task = progress.add_task("", total=None, bytes=0)

        def show(checked: Checked, total: int) -> None:
            progress.update(task, completed=checked.events, total=total, bytes=checked.bytes)

        verified = verify(
            dsn,
            partitions=range(PARTITIONS) if partition is None else [partition],
            stream=Stream(stream) if stream else None,
            known=heads.known if heads else None,
            progress=show,
        )
    missing = stream is not None and not verified.bodies
    if as_json:
        witness = Witness(signed_by=heads.signed_by, proved=heads.proved) if heads else None
        print_json(Told(intact=verified.intact, verified=verified, against=witness))
    else:
        _show(paper(), verified, stream, missing=missing)
        if heads and not heads.proved:
            signer = f"with the key {heads.signed_by}" if heads.signed_by else "by nobody"
            doubt = f"The archive is signed {signer}: give the signer's with --key, or anybody could have made it."
            paper().print(Text(doubt, style="yellow"))
    return NOT_FOUND if missing or not verified.intact else 0


def _show(console: Console, verified: Verified, stream: str | None, *, missing: bool) -> None:
    seconds = max(verified.seconds, 1e-9)
    console.print(
        f"{count(verified.events, 'event')} in {count(verified.partitions, 'partition')}: {verified.sealed:,} sealed,"
        f" {verified.unsealed:,} not yet; {count(verified.erased, 'body', 'bodies')} erased",
        highlight=False,
    )
    of = f" of {harmless(stream)}" if stream else ""
    console.print(
        f"{verified.bodies:,} bodies{of} hashed, {verified.bytes / MB:,.1f} MB, in {verified.seconds:,.1f} s by"
        f" {count(verified.processes, 'process', 'processes')}: {verified.bytes / MB / seconds:,.1f} MB/s,"
        f" {verified.events / seconds:,.0f} events/s",
        highlight=False,
        markup=False,
    )
    for partition, positions in verified.erased_at.items():
        shown = f"{', '.join(map(str, positions[:SHOWN]))}{', …' * (len(positions) > SHOWN)}"
        console.print(Text(f"erased in partition {partition}, position {shown}", style="dim"))
    for finding in verified.findings:
        where = f"partition {finding.partition}, position {finding.position}: "
        console.print(Text.assemble((where, "bold"), (f"{finding.kind}: ", "bold red"), harmless(finding.detail)))
        if finding.stream is not None:
            named = " ".join(part for part in (finding.stream, finding.event_id, finding.occurred_at) if part)
            console.print(Text(f"  {harmless(named)}"))
    if missing:
        console.print(Text("The stream has no events: is its name whole (shop/subscription/sub_...)?", style="red"))
    elif verified.intact:
        console.print(Text("Nothing was altered, removed, inserted, swapped or back-dated.", style="green"))


def count(number: int, one: str, more: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
