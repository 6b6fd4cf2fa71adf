"""The process in front: starts the one behind, wakes it, hears it, starts it again, and ends with it."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from service.background.beats import EVERY, LONGEST_BEAT, decode
from service.health import Check
from service.metrics import Metrics
from service.settings import Part
from service.wiring.owner import owner

logger = structlog.get_logger(__name__)

_CODE = Path(__file__).parents[2]
WAKE = b"\n"
SOON = 0.002
"""Seconds after an append, in which its senders are answered. Were the one behind woken first, it might run first."""
SILENCE, LOST = 15, 60
"""Beats that do not come, after which a process is not believed to work, and after which it is ended."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a process that ended is started again, doubling while it does not live longer than the longest."""


class Background:
    """Parts of the service in a process of their own.

    Should it end, or hang, it is started again: nothing of it is lost, and meanwhile webhooks are answered all the
    same. Nothing that befalls it ends the process in front.
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
        self._waking: asyncio.TimerHandle | None = None
        self._quiet: int | None = None
        """Beats since something was heard; None before the first."""

    def wake(self) -> None:
        """Says SOON that something was appended, and once for all that is until then.

        It need not be heard: who sleeps looks by itself.
        """
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(SOON, self._say_so)

    def checks(self) -> Mapping[str, Check]:
        """Of each part whether it can be believed to run."""
        return dict.fromkeys(self._parts, self._check)

    async def run(self, metrics: Metrics, stop: asyncio.Event) -> None:
        """Has them work until `stop` is set; adds what they count to those metrics."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not stop.is_set():
            began = loop.time()
            how: Mapping[str, object]
            try:
                how = {"code": await self._run_once(metrics, stop)}
            except Exception as error:  # noqa: BLE001 - without memory or descriptors for it, webhooks are still answered
                how = {"error": f"{type(error).__name__}: {error}"}
            if stop.is_set():
                break
            pause = FIRST_PAUSE if loop.time() - began > LONGEST_PAUSE else pause
            logger.error("the background ended unasked and is started again", parts=self._parts, after=pause, **how)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run_once(self, metrics: Metrics, stop: asyncio.Event) -> int:
        """From its start to its end, which is asked for when `stop` is set; its exit code."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, line = await asyncio.open_connection(sock=ours, limit=LONGEST_BEAT)
            try:
                process = await self._start(theirs.fileno())
            except BaseException:
                line.close()
                raise
        logger.info("background started", pid=process.pid, parts=self._parts)
        self._line = line
        listening = asyncio.ensure_future(self._listen(reader, metrics))
        try:
            await _first(process.wait(), stop.wait(), self._lost(process))
            # Where it died with something of ours unread, the line is closed by now.
            with suppress(OSError, RuntimeError):
                line.write_eof()
            with suppress(ProcessLookupError):
                # It does not listen to this any more once it works.
                process.terminate()
            code = await process.wait()
            await listening
        finally:
            self._quiet = None
            listening.cancel()
            line.close()
            if process.returncode is None:
                process.kill()
        return code

    async def _start(self, line: int) -> Process:
        return await asyncio.create_subprocess_exec(
            *(*self._command, "--line", str(line)),
            env=self._environment,
            stdin=DEVNULL,
            pass_fds=[line],
            # What ends this process from the terminal reaches the other through this one.
            start_new_session=True,
        )

    def _say_so(self) -> None:
        self._waking = None
        line = self._line
        if line is not None and not line.is_closing() and not line.transport.get_write_buffer_size():
            line.write(WAKE)

    async def _listen(self, reader: asyncio.StreamReader, metrics: Metrics) -> None:
        # Where it was killed with something of ours unread, the line breaks.
        with suppress(ConnectionError):
            while beat := await _line_of(reader):
                self._quiet = 0
                try:
                    for each in decode(beat).counted:
                        metrics.count(each.name, each.labels, each.more)
                except (ValueError, KeyError) as error:
                    # Cut off by its end, or told by code that was installed since this process began.
                    logger.warning("a beat of the background is not understood", error=type(error).__name__)

    async def _lost(self, process: Process) -> None:
        """Ends a process that does not work and does not end. Time alone tells nothing: machines are suspended, too."""
        while self._quiet is None or self._quiet < LOST:
            await asyncio.sleep(EVERY)
            if self._quiet is not None:
                self._quiet += 1
                if self._quiet == SILENCE:
                    logger.error("the background gives no sign of life", pid=process.pid, seconds=SILENCE * EVERY)
        process.kill()

    async def _check(self) -> str:
        if self._quiet is None:
            return "is not up: the log says why"
        return f"gives no sign of life for {self._quiet * EVERY:.0f} s" if self._quiet >= SILENCE else ""


async def _line_of(reader: asyncio.StreamReader) -> bytes:
    """The next line, empty at the end; one that is too long is left out."""
    while True:
        with suppress(ValueError):
            return await reader.readline()


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Returns when the first of them is done, and calls off the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
