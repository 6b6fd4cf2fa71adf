"""Requests over a few kept connections, straight to the server."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from functools import cached_property

import httpx2

from projections.http.connection import Connection
from projections.http.reaching import reach
from projections.http.wire import check

_PORTS = {"http": 80, "https": 443}

_Origin = tuple[str, str, int]


class Direct(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over at most so many connections at once, each `kept` for so many seconds when idle; none by proxy.

    Raises what httpx2's own transport would: ConnectError, ConnectTimeout, PoolTimeout, UnsupportedProtocol and
    LocalProtocolError before anything is sent, and only then; anything else after.
    """

    def __init__(self, *, most: int, kept: float) -> None:
        self._slots = asyncio.Semaphore(most)
        self._kept = kept
        self._idle: dict[_Origin, list[tuple[Connection, float]]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends the request once, in one piece, and gives its answer, whose body may still be on its way."""
        origin = _origin(request)
        check(request)
        await request.aread()
        timeouts = request.extensions.get("timeout", {})
        patience = timeouts.get("read")
        await self._take_slot(timeouts.get("pool"))
        connection = None
        try:
            connection = self._take_idle(origin) or await self._connected(origin, timeouts.get("connect"))
            status, headers = await connection.ask(request, patience)
        except BaseException:
            self._give_back(origin, connection)
            raise
        if connection.is_complete:
            whole = httpx2.ByteStream(connection.taken())
            self._give_back(origin, connection)
            return httpx2.Response(status, headers=headers, stream=whole)
        body = _Body(connection, patience, lambda: self._give_back(origin, connection))
        return httpx2.Response(status, headers=headers, stream=body)

    async def aclose(self) -> None:
        """Closes what is idle; who still reads an answer closes that."""
        idle = [connection for kept in self._idle.values() for connection, _ in kept]
        self._idle.clear()
        for connection in idle:
            connection.abort()
        await asyncio.gather(*(connection.closed() for connection in idle))

    async def _take_slot(self, timeout: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(timeout):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout(f"no connection was free for {timeout} s") from None

    def _give_back(self, origin: _Origin, connection: Connection | None) -> None:
        self._slots.release()
        if connection is None:
            return
        if connection.is_at_rest:
            self._idle.setdefault(origin, []).append((connection, asyncio.get_running_loop().time() + self._kept))
        else:
            connection.abort()

    def _take_idle(self, origin: _Origin) -> Connection | None:
        """The one used last, so that those which are too many are kept no longer."""
        now, idle = asyncio.get_running_loop().time(), self._idle.get(origin, [])
        while idle:
            connection, until = idle.pop()
            if now < until and connection.is_reusable:
                return connection
            connection.abort()
        return None

    async def _connected(self, origin: _Origin, timeout: float | None) -> Connection:
        scheme, host, port = origin
        tls = self._tls if scheme == "https" else None
        try:
            async with asyncio.timeout(timeout):
                reached = await reach(host, port)
                try:
                    _, connection = await asyncio.get_running_loop().create_connection(
                        Connection, sock=reached, ssl=tls, server_hostname=host if tls else None
                    )
                except BaseException:
                    reached.close()
                    raise
        except TimeoutError:
            raise httpx2.ConnectTimeout(f"no connection to {host} in {timeout} s") from None
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx2.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


class _Body(httpx2.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, connection: Connection, timeout: float | None, give_back: Callable[[], None]) -> None:
        self._connection = connection
        self._timeout = timeout
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self._connection.read(self._timeout):
            yield chunk

    async def aclose(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


def _origin(request: httpx2.Request) -> _Origin:
    url = request.url
    if url.scheme not in _PORTS or not url.raw_host:
        raise httpx2.UnsupportedProtocol(f"no http:// or https:// address: {url.scheme}")
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
