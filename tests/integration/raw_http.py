"""HTTP servers that behave as badly as a test wants."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Request(msgspec.Struct):
    line: str
    headers: dict[str, str]
    body: bytes


class RawServer(msgspec.Struct):
    """Takes each request on a connection of its own and does the next of its acts."""

    port: int
    acts: list[Act]
    requests: list[Request]
    asked: asyncio.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/"


@asynccontextmanager
async def listening(act: Act, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that does this on each connection; every one is over when the block is left."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await act(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close()
        await asyncio.gather(*connections)


@asynccontextmanager
async def raw_server(*acts: Act) -> AsyncIterator[RawServer]:
    served = RawServer(0, list(acts), [], asyncio.Event())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *headers = head.strip().split("\r\n")
        fields = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        served.requests.append(Request(line, fields, body))
        served.asked.set()
        await served.acts.pop(0)(reader, writer)

    async with listening(serve) as served.port:
        yield served


def answer(status: int, body: object = b"", *, headers: str = "", longer_by: int = 0) -> Act:
    """Answers; `longer_by` announces bytes that never come."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(content) + longer_by}\r\nConnection: close\r\n{headers}\r\n"
        )
        writer.write(head.encode() + content)
        await writer.drain()

    return act


def page(*rows: object, more: bool = False) -> Act:
    return answer(200, {"count": 1, "next": "http://127.0.0.2:1/steal" if more else None, "results": list(rows)})


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    gone = asyncio.ensure_future(reader.read())
    while not gone.done():
        writer.write(b" ")
        await asyncio.wait({gone}, timeout=0.01)
    await gone


async def not_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n")
