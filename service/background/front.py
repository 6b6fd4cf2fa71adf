"""The process in front: starts the one behind, wakes it, hears it, starts it again, and ends with it."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

import structlog

from service.background.beats import EVERY, LONGEST_BEAT, decode
from service.health import Check
from service.metrics import Metrics
from service.settings import Part
from service.wiring.owner import owner

logger = structlog.get_logger(__name__)

_CODE = Path(__file__).parents[2]
WAKE = b"\n"
SILENCE = 15 * EVERY
"""Seconds without a beat, after which a process is not believed to work."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a process that ended is started again, doubling while it does not live longer than the longest."""


class Background:
    """Parts of the service in a process of their own.

    Should it end it is started again: nothing of it is lost, and meanwhile webhooks are answered all the same.
    """

    def __init__(self, parts: Sequence[Part], dsn: str, config: Path | None) -> None:
        self._parts = tuple(parts)
        chosen = ["--config", str(config)] if config else []
        # Of the folder it is started in nothing may be taken for code.
        self._command = [sys.executable, "-P", "-m", "service", *chosen, "background", *self._parts]
        # One that is started again leases at once what the one before had; nobody else need wait for that.
        self._command += ["--runner", owner()]
        paths = [str(_CODE), *filter(None, [os.environ.get("PYTHONPATH")])]
        # It is to use the same code and database, an embedded one too.
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TENURE_DATABASE_URL": dsn}
        self._line: asyncio.StreamWriter | None = None
        self._heard = -inf

    def wake(self) -> None:
        """Says that something was appended; does not wait, and need not be heard: who sleeps looks by itself."""
        line = self._line
        if line is not None and not line.is_closing() and not line.transport.get_write_buffer_size():
            line.write(WAKE)

    def checks(self) -> Mapping[str, Check]:
        """Of each part whether it can be believed to run."""
        return dict.fromkeys(self._parts, self._check)

    async def run(self, metrics: Metrics, stop: asyncio.Event) -> None:
        """Has them work until `stop` is set; adds what they count to those metrics."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not stop.is_set():
            began = loop.time()
            code = await self._run_once(metrics, stop)
            if stop.is_set():
                break
            pause = FIRST_PAUSE if loop.time() - began > LONGEST_PAUSE else pause
            logger.error("the background ended unasked and is started again", code=code, parts=self._parts, after=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run_once(self, metrics: Metrics, stop: asyncio.Event) -> int:
        """From its start to its end, which is asked for when `stop` is set; its exit code."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, line = await asyncio.open_connection(sock=ours, limit=LONGEST_BEAT)
            number = theirs.fileno()
            process = await asyncio.create_subprocess_exec(
                *(*self._command, "--line", str(number)),
                env=self._environment,
                stdin=DEVNULL,
                pass_fds=[number],
                # What ends this process from the terminal reaches the other through this one.
                start_new_session=True,
            )
        logger.info("background started", pid=process.pid, parts=self._parts)
        self._line = line
        listening = asyncio.ensure_future(self._listen(reader, metrics))
        try:
            await _ended_or(process, stop)
            with suppress(OSError):
                line.write_eof()
            with suppress(ProcessLookupError):
                # It does not listen to this any more once it works.
                process.terminate()
            code = await process.wait()
            await listening
        finally:
            self._heard = -inf
            listening.cancel()
            line.close()
            if process.returncode is None:
                process.kill()
        return code

    async def _listen(self, reader: asyncio.StreamReader, metrics: Metrics) -> None:
        # Where it was killed with something of ours unread, the line breaks.
        with suppress(ConnectionError):
            async for beat in reader:
                self._heard = asyncio.get_running_loop().time()
                for each in decode(beat).counted:
                    metrics.count(each.name, each.labels, each.more)

    async def _check(self) -> str:
        silent = asyncio.get_running_loop().time() - self._heard
        return "" if silent <= SILENCE else "does not run: its log says why"


async def _ended_or(process: Process, stop: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
