"""A connection to PostgreSQL that breaks at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import psycopg
from psycopg.conninfo import make_conninfo

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LossyProxy:
    """Passes bytes on, until told to drop the next request or answer and the connection with it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lose: Literal["nothing", "request", "answer"] = "nothing"
        self.lost = 0
        self._serving: set[asyncio.Task[None]] = set()

    def lose_request(self) -> None:
        self._lose = "request"

    def lose_answer(self) -> None:
        self._lose = "answer"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def ended(self) -> None:
        """Returns when all connections are closed."""
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await self._server()
        passing = [
            asyncio.create_task(self._pass(reader, to_server, "request")),
            asyncio.create_task(self._pass(from_server, writer, "answer")),
        ]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        for end in (writer, to_server):
            end.close()
            with suppress(OSError):
                await end.wait_closed()

    async def _server(self) -> Streams:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        return await asyncio.open_connection(self._host, self._port)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, kind: Literal["request", "answer"]
    ) -> None:
        with suppress(OSError):
            while received := await source.read(65536):
                if self._lose == kind:
                    self._lose = "nothing"
                    self.lost += 1
                    return
                target.write(received)
                await target.drain()


@asynccontextmanager
async def lossy_proxy(dsn: str) -> AsyncIterator[tuple[LossyProxy, str]]:
    """A proxy to the database's server, and the connection string that leads through it."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        proxy = LossyProxy(connection.info.host, connection.info.port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plain = {"sslmode": "disable", "gssencmode": "disable"}
    async with server:
        yield proxy, make_conninfo(dsn, host="127.0.0.1", port=port, **plain)
        await proxy.ended()
