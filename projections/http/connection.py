"""One HTTP/1.1 connection: a request at a time, and its answer as it comes."""

import asyncio
import select
from collections import deque
from typing import cast

import httptools
import httpx2

from projections.http.wire import written

LONGEST_HEAD = 64 * 1024
MOST_BUFFERED = 256 * 1024
"""Bytes of a body that nobody has read yet, beyond which the server has to wait."""

Headers = list[tuple[bytes, bytes]]


class Connection(asyncio.Protocol):
    """Asks, and gives the answer part by part. Raises httpx2's ReadTimeout, ReadError and RemoteProtocolError.

    What it raises it raises after the request was sent; it never sends one twice.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost = self._loop.create_future()
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._failure: httpx2.TransportError | None = None
        self._spoiled = False
        self._begin()
        self._is_complete = True

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._headers: Headers = []
        self._head_size = 0
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._is_headed = self._is_complete = False
        self._ends_with_connection = False

    async def ask(self, request: httpx2.Request, timeout: float | None) -> tuple[int, Headers]:
        """Sends a request that was checked and read, and gives status and headers of its answer.

        `timeout` bounds each wait, in seconds.
        """
        self._begin()
        # In no variable: it has secrets in it, which a traceback with local values would print.
        self._transport.write(written(request))
        while not self._is_headed:
            await self._more(timeout)
        return self._status, self._headers

    async def read(self, timeout: float | None) -> bytes:
        """What has come of the body since; waits for it, and gives nothing when that is all."""
        while not self._chunks and not self._is_complete:
            await self._more(timeout)
        return self.taken()

    def taken(self) -> bytes:
        """What has come of the body since, without waiting."""
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        if self._buffered > MOST_BUFFERED:
            self._transport.resume_reading()
        self._buffered = 0
        return chunk

    @property
    def is_complete(self) -> bool:
        """The whole answer has come."""
        return self._is_complete

    @property
    def is_at_rest(self) -> bool:
        """The answer was heard to its end, and the server keeps the connection, as far as the loop knows."""
        return self._is_complete and not self._spoiled and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """It is at rest, and the server has neither closed it nor said anything unasked."""
        if not self.is_at_rest:
            return False
        # What the loop has not come to yet: a connection is never readable at rest, unless it ends.
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def abort(self) -> None:
        """Closes it at once."""
        self._transport.abort()

    async def closed(self) -> None:
        """Returns when it is closed."""
        await asyncio.shield(self._lost)

    async def _more(self, timeout: float | None) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiter
        except TimeoutError:
            raise httpx2.ReadTimeout(f"nothing came for {timeout} s") from None
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: httpx2.TransportError) -> None:
        self._failure = self._failure or failure
        self._spoiled = True
        self._wake()

    # --- what the loop says ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are made like it, not of it

    def data_received(self, data: bytes) -> None:
        if self._is_complete:
            self._spoiled = True
            self._transport.abort()
            return
        if not self._is_headed:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx2.RemoteProtocolError(f"the answer is not HTTP/1.1: {error}"))
            self._transport.abort()
        if not self._is_headed and self._head_size > LONGEST_HEAD:
            self._fail(httpx2.RemoteProtocolError(f"the answer begins with more than {LONGEST_HEAD} bytes of headers"))
            self._transport.abort()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._fail(httpx2.ReadError(f"{type(error).__name__}: {error}"))
        elif self._is_headed and self._ends_with_connection:
            self._is_complete = True
            self._spoiled = True
        elif self._is_headed:
            self._fail(httpx2.RemoteProtocolError("the server disconnected before the end of its answer"))
        else:
            self._fail(httpx2.RemoteProtocolError("the server disconnected without an answer"))
        self._wake()
        self._lost.set_result(None)

    # --- what the parser says -------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        # A second answer in the same breath as the first, which nobody asked for.
        self._spoiled = self._spoiled or self._is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_headed:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 and not self._is_headed:
            self._headers = []  # word that the answer is still to come
        if status < 200 or self._is_headed:
            return
        self._status = status
        self._is_headed = True
        self._ends_with_connection = not any(
            name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self._headers
        )

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            return
        self._chunks.append(body)
        was, self._buffered = self._buffered, self._buffered + len(body)
        if was <= MOST_BUFFERED < self._buffered:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._is_headed and not self._is_complete:
            self._is_complete = True
            self._spoiled = self._spoiled or not self._parser.should_keep_alive()
