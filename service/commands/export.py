"""`tenure export`: an archive that proves itself to somebody who has nothing of ours."""

import asyncio
import os
from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from service.commands.failures import NOT_FOUND, CommandFailed, usage
from service.commands.output import print_json, print_line
from service.commands.reading import ask
from service.commands.verify import MB, bar, count
from service.database import database
from service.lookup import find_stream
from service.settings import load
from service.store.archive.keys import KeyUnfit, load_key, new_key, public_hex
from service.store.archive.writing import Exported, ExportRefused, Selection, export
from service.store.sealing import Sealer, SealerSettings
from service.wiring.storage import sealing

SEALING_SECONDS = 10.0
"""How long another sealer is given to finish what it works on."""


def make_key(path: Path) -> None:
    """Makes a signing key and prints its public half. Raises CommandFailed."""
    try:
        key = new_key(path)
    except KeyUnfit as unfit:
        raise usage(str(unfit)) from None
    print_line(f"{path} holds a new key, for you alone. Its public key, which auditors need:")
    print_line(public_hex(key))


def export_events(
    config: Path | None,
    out: Path,
    *,
    identifier: str | None,
    since: datetime | None,
    until: datetime | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Seals what is not sealed yet, and writes the archive. Raises what `failures.explain` understands."""
    try:
        signing = load_key(key) if key else None
    except KeyUnfit as unfit:
        raise usage(str(unfit)) from None
    if since and until and since >= until:
        raise usage("--from is not before --to: no event could be between them.")
    if out.exists():
        raise usage(f"{out} exists already: name another file.")
    stream = ask(config, lambda reader: find_stream(reader, identifier, by_key=True)) if identifier else None
    selection = Selection(stream=stream, since=since, until=until)
    settings = load(config, os.environ)
    with database(settings) as dsn, bar("exporting") as progress:
        asyncio.run(_seal(dsn, sealing(settings)))
        task = progress.add_task("", total=None, bytes=0)
        try:
            exported = export(
                dsn,
                out,
                selection,
                key=signing,
                progress=lambda done, total, size: progress.update(task, completed=done, total=total, bytes=size),
            )
        except ExportRefused as refused:
            raise CommandFailed(NOT_FOUND, str(refused)) from None
        except OSError as error:
            raise usage(f"{out} cannot be written: {error.strerror or error}.") from None
    if as_json:
        print_json(exported)
    else:
        _tell(exported)


def _tell(exported: Exported) -> None:
    print_line(f"{exported.file}: {count(exported.events, 'event')}, {exported.bytes / MB:,.1f} MB of bodies.")
    if exported.left_out:
        print_line(f"The chain goes over {count(exported.left_out, 'other')}, of which it does not say what they are.")
    if exported.signed_by:
        print_line(f"Signed; public key {exported.signed_by}")
    else:
        print_line("Not signed: it proves only that it agrees with itself. Give --key FILE.")
    key = f" --key {exported.signed_by}" if exported.signed_by else ""
    print_line("To check it:")
    print_line(f"python3 -m zipfile -e {exported.file} audit && python3 audit/verify.py {exported.file}{key}")


async def _seal(dsn: str, numbers: SealerSettings) -> None:
    pool: AsyncConnectionPool[AsyncConnection[object]] = AsyncConnectionPool(
        dsn, min_size=1, max_size=1, kwargs={"autocommit": True, "prepare_threshold": None}, open=False
    )
    async with pool:
        lagging = await Sealer(pool, settings=numbers).reach_heads(SEALING_SECONDS)
    if lagging:
        raise CommandFailed(
            NOT_FOUND,
            f"Partition {lagging[0]} could not be sealed up to its head, so nothing was exported: run"
            f" `tenure verify --partition {lagging[0]}`, and look whether another process keeps its seal_head locked.",
        )
