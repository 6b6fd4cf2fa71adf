"""A way to the database that a test can cut and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Severable:
    """Forwards connections to a PostgreSQL server, on a port of its own, while it is not cut."""

    def __init__(self, dsn: str) -> None:
        self._target = conninfo_to_dict(dsn)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._forwarding: set[asyncio.Task[None]] = set()

    @property
    def dsn(self) -> str:
        target = {name: str(value) for name, value in self._target.items()}
        return make_conninfo(**{**target, "host": "127.0.0.1", "port": str(self._port)})

    async def mend(self) -> None:
        """Takes connections (again), on the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends every connection and takes no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        while self._forwarding:
            done, _ = await asyncio.wait(self._forwarding)
            self._forwarding -= done

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        if self._server is None:
            # It was waiting to be taken when the way was cut.
            writer.transport.abort()
        self._forwarding.add(asyncio.create_task(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._target["host"]), str(self._target["port"])
        try:
            if host.startswith("/"):
                there_in, there_out = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            else:
                there_in, there_out = await asyncio.open_connection(host, int(port))
            self._open.add(there_out)
            try:
                if self._server is not None:
                    await asyncio.gather(_pipe(reader, there_out), _pipe(there_in, writer))
            finally:
                there_out.transport.abort()
                self._open.discard(there_out)
        finally:
            writer.transport.abort()
            self._open.discard(writer)


@asynccontextmanager
async def severable(dsn: str) -> AsyncIterator[Severable]:
    """A severable way to that database, open at first."""
    way = Severable(dsn)
    await way.mend()
    try:
        yield way
    finally:
        await way.cut()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
