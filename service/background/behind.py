"""The process behind: works until the line to the one in front ends."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.background.beats import EVERY, Counting, encode
from service.process import Process

_MANY = 4096


class Line:
    """The line to the process in front, which wakes this one and is told how it goes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._process: Process | None = None

    async def follow(self, stop: asyncio.Event) -> None:
        """Sets `stop` when the line ends."""
        try:
            while await self._reader.read(_MANY):
                if self._process:
                    self._process.wake()
        except ConnectionError:
            pass
        finally:
            stop.set()

    @asynccontextmanager
    async def of(self, process: Process) -> AsyncIterator[None]:
        """While it lasts, the line wakes that process, and tells what it counts."""
        self._process, counting = process, Counting(process.metrics)
        telling = asyncio.create_task(self._tell(counting))
        try:
            yield
        finally:
            telling.cancel()
            self._beat(counting)

    async def _tell(self, counting: Counting) -> None:
        while True:
            self._beat(counting)
            await asyncio.sleep(EVERY)

    def _beat(self, counting: Counting) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(counting.beat()))


@asynccontextmanager
async def following(line: socket.socket, stop: asyncio.Event) -> AsyncIterator[Line]:
    """The line, heard from now on: its end is the order to stop, to who still waits for a database too."""
    reader, writer = await asyncio.open_connection(sock=line)
    ours = Line(reader, writer)
    follow = asyncio.create_task(ours.follow(stop))
    try:
        yield ours
    finally:
        follow.cancel()
        writer.close()
