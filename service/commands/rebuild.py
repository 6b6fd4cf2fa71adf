"""`tenure rebuild` and `tenure simulate`: projections made anew, by the rules as they are or as they might be."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from projections.rebuilding.switching import NotRead
from projections.runner import NoProgress
from projections.tables import Pool
from projections.versions import NoSuchVersion, Purpose, Version, VersionHeld, drop, versions
from service.bootstrap import check, prepare
from service.commands.changes import show
from service.commands.failures import NOT_FOUND, PART_FAILED, CommandFailed
from service.commands.output import print_json, print_line, print_table
from service.database import database
from service.logging import set_up_logging
from service.policies import with_policies
from service.rebuilding.rebuild import Progress as Done
from service.rebuilding.rebuild import Rebuilt, Work, rebuild
from service.settings import Settings, load
from service.wiring.owner import owner
from service.wiring.rules import derivation, rules_of, without_secrets
from service.wiring.storage import open_pool, open_store

T = TypeVar("T")
MB = 1_000_000


def rebuild_projections(config: Path | None, *, dry_run: bool, limit: int, as_json: bool) -> None:
    """Prints what differs, and switches unless it is a dry run. Raises what `failures.explain` understands."""
    settings = load(config, os.environ)
    made = _run(settings, partial(_make, settings, "rebuild", switching=not dry_run))
    if as_json:
        print_json(made)
    else:
        show(made, limit)


def simulate(config: Path | None, policy: Path, *, limit: int, as_json: bool) -> None:
    """Prints what other policies would change, and changes nothing. Raises what `failures.explain` understands."""
    settings = with_policies(load(config, os.environ), policy)
    made = _run(settings, partial(_make, settings, "simulation", switching=False))
    if as_json:
        print_json(made)
    else:
        show(made, limit)


def list_versions(config: Path | None, *, as_json: bool) -> None:
    """Prints the versions that there are."""
    found = _run(load(config, os.environ), _list)
    if as_json:
        print_json(found)
        return
    rows = [(str(each.version), _standing(each), f"{each.made_at:%Y-%m-%d %H:%M}") for each in found]
    print_table(("version", "standing", "made (UTC)"), rows, empty="No versions.")


def drop_version(config: Path | None, version: int, *, as_json: bool) -> None:
    """Drops a version that is not read. Raises CommandFailed."""

    async def dropped(_dsn: str, pool: Pool) -> None:
        async with pool.connection() as connection:
            await drop(connection, version, "")

    _run(load(config, os.environ), dropped)
    if as_json:
        print_json({"dropped": version})
    else:
        print_line(f"Version {version} is dropped.")


async def _list(_dsn: str, pool: Pool) -> list[Version]:
    async with pool.connection() as connection:
        return await versions(connection)


def _standing(version: Version) -> str:
    if version.is_read:
        return "is read"
    if version.held:
        return f"is being made by {version.owner} ({version.purpose})"
    if version.purpose == "live":
        return "was read before, stands still"
    return "loaded, not read" if version.complete else "begun, not loaded"


def _run(settings: Settings, act: Callable[[str, Pool], Awaitable[T]]) -> T:
    set_up_logging("ERROR")

    async def main(dsn: str) -> T:
        await (prepare(dsn, rules_of(settings)) if settings.database.migrate_at_start else check(dsn))
        async with open_pool(settings, dsn) as pool:
            return await act(dsn, pool)

    try:
        with database(settings) as dsn:
            return asyncio.run(main(dsn))
    except NoSuchVersion as error:
        raise CommandFailed(NOT_FOUND, str(error)) from None
    except VersionHeld as error:
        raise CommandFailed(PART_FAILED, f"{error}.") from None
    except (NotRead, NoProgress) as error:
        raise CommandFailed(PART_FAILED, f"Nothing was switched: {error}.") from None


async def _make(settings: Settings, purpose: Purpose, dsn: str, pool: Pool, *, switching: bool) -> Rebuilt:
    async with open_store(settings, dsn) as log:
        with _bar() as bar:
            task = bar.add_task("loading", total=None, bytes=0)

            def tell(done: Done) -> None:
                bar.update(
                    task, description=done.phase, completed=done.events, total=done.total or None, bytes=done.bytes
                )

            work = Work(
                dsn=dsn,
                pool=pool,
                log=log,
                opens=partial(derivation, without_secrets(settings)),
                rules=rules_of(settings),
                owner=owner(),
                on_progress=tell,
            )
            return await rebuild(work, purpose, switching=switching)


class _Rate(ProgressColumn):
    """Events and megabytes of bodies a second."""

    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0
        if not seconds or not task.completed:
            return Text("")
        megabytes = task.fields["bytes"] / MB / seconds
        return Text(f"{task.completed / seconds:,.0f} events/s, {megabytes:,.1f} MB/s", style="cyan")


def _bar() -> Progress:
    """A progress bar on standard error; none where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
