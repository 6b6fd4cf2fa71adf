"""The process behind: works until the line to the one in front ends."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.background.beats import EVERY, Counting, encode
from service.process import Process

_MANY = 4096


@asynccontextmanager
async def following(line: socket.socket, process: Process, stop: asyncio.Event) -> AsyncIterator[None]:
    """While it lasts, the process is woken by the line and tells it how it goes; sets `stop` when the line ends."""
    reader, writer = await asyncio.open_connection(sock=line)
    counting = Counting(process.metrics)

    def beat() -> None:
        if not writer.is_closing():
            writer.write(encode(counting.beat()))

    async def follow() -> None:
        try:
            while await reader.read(_MANY):
                process.wake()
        except ConnectionError:
            pass
        finally:
            stop.set()

    async def tell() -> None:
        while True:
            beat()
            await asyncio.sleep(EVERY)

    tasks = [asyncio.create_task(follow()), asyncio.create_task(tell())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        beat()
        writer.close()
