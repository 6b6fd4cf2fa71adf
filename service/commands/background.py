"""`tenure background`: the process behind `tenure serve`."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from service.background import following
from service.bootstrap import wired
from service.commands.failures import PART_FAILED, CommandFailed, usage
from service.commands.loops import loop_factory, settled
from service.database import StoppedWaiting, database, wait_for_database
from service.logging import set_up_logging
from service.serving import PartFailed, work_until_stopped
from service.settings import Part, Settings, load

NICENESS = 5
"""Of what nobody waits for, towards what answers webhooks on the same machine."""


def work_behind(config: Path | None, parts: Sequence[Part], line: int, runner: str) -> None:
    """Runs those parts until nobody holds the other end of the line, whose descriptor has that number."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A supervisor may tell all processes of a service to stop. This one stops when the one in front has.
        signal.signal(number, signal.SIG_IGN)
    _stand_back()
    settings = load(config, os.environ)
    set_up_logging(settings.server.log_level.upper())
    try:
        ends = socket.socket(fileno=line)
    except OSError:
        raise usage(f"{line} is no line to a process in front: `tenure serve` starts this command itself.") from None
    try:
        with database(settings) as dsn, asyncio.Runner(loop_factory=loop_factory()) as loop:
            loop.run(_work(settings, dsn, parts, ends, runner))
    except PartFailed as failed:
        raise CommandFailed(PART_FAILED, str(failed)) from None


def _stand_back() -> None:
    os.nice(NICENESS)
    # Linux weighs sessions against each other, and this is one by itself: niceness counts only within it.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")


async def _work(settings: Settings, dsn: str, parts: Sequence[Part], line: socket.socket, runner: str) -> None:
    stop = asyncio.Event()
    async with following(line, stop) as front:
        try:
            await wait_for_database(dsn, settings.database.start_timeout_seconds, stop)
        except StoppedWaiting:
            return
        async with wired(settings, dsn, parts, runner=runner) as process, front.of(process):
            settled()
            await work_until_stopped(process, settings.server, stop)
