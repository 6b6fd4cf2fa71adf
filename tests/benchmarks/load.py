"""The sender, a process of its own: posts signed webhooks over kept connections.

Either as fast as they are answered, or paced, each at its instant whether or not those before it were answered; what
one had to wait for a free connection counts. It does as little as it can, because it shares the machine with what it
measures: requests are made before the clock starts, and answers are parsed by httptools. Run as
`python -m tests.benchmarks.load`, orders on standard input.
"""

import asyncio
import gc
import statistics
import sys
from collections import deque
from time import perf_counter
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from service.commands.loops import loop_factory
from tests.benchmarks.posts import Post, stripe_post
from tests.benchmarks.workload import webhook

SECONDS = 120
"""After which it gives up."""

Kind = Literal["plain", "mixed", "lives"]
"""Events of one type at many subscriptions, what `mixed` tells, or whole lives of subscriptions."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    """Of the service; webhooks are posted to its sources."""
    kind: Kind = "plain"
    connections: int
    first: int
    """The number of the first webhook."""
    count: int
    rate: float = 0
    """Webhooks a second; 0: as fast as they are answered."""
    pause: float = 0
    """Seconds of silence after each answer."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers of each status came, in what time, and how long they took, in milliseconds."""

    statuses: dict[int, int]
    seconds: float
    median_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """Sends one request at a time."""

    def __init__(self, sending: "_Sending") -> None:
        self._sending = sending
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def post(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._sending.answered(self._parser.get_status_code(), perf_counter() - self._due)
        # Else it would go on inside the parser's call, request by request ever deeper.
        asyncio.get_running_loop().call_soon(self._sending.idle, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sending.lost(exc or ConnectionError("the server closed a connection that it was to keep"))


class _Sending:
    """Requests with the instants they are due at, and the connections that are free for one."""

    def __init__(self, orders: Orders, requests: list[bytes]) -> None:
        self._requests = deque(requests)
        self._left = len(requests)
        self._step = 1 / orders.rate if orders.rate else 0.0
        self._pause = orders.pause
        self._free: deque[_Connection] = deque()
        self._due = 0.0
        self._timer = False
        self.statuses: dict[int, int] = {}
        self.took: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, connections: list[_Connection]) -> None:
        self._due = perf_counter()
        self._free.extend(connections)
        self._go_on()

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.took.append(seconds)
        self._left -= 1
        if not self._left:
            self.done.set_result(None)

    def idle(self, connection: _Connection) -> None:
        if self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._free_again, connection)
        else:
            self._free_again(connection)

    def lost(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _free_again(self, connection: _Connection) -> None:
        self._free.append(connection)
        self._go_on()

    def _go_on(self) -> None:
        while self._free and self._requests:
            now = perf_counter()
            if self._step and self._due > now:
                self._wake_at_due(now)
                return
            self._free.popleft().post(self._requests.popleft(), self._due if self._step else now)
            self._due += self._step

    def _wake_at_due(self, now: float) -> None:
        if not self._timer:
            self._timer = True
            asyncio.get_running_loop().call_later(self._due - now, self._woken)

    def _woken(self) -> None:
        self._timer = False
        self._go_on()


async def send(orders: Orders) -> Sent:
    """Posts them all. Raises OSError when a connection is lost, TimeoutError after SECONDS."""
    url = urlsplit(orders.url)
    numbers = range(orders.first, orders.first + orders.count)
    sending = _Sending(orders, [_request(url.netloc, _post(orders, number)) for number in numbers])
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(sending), url.hostname or "", url.port or 80)
        for _ in range(orders.connections)
    ]
    connections = [connection for _, connection in made]
    gc.collect()
    gc.freeze()
    started = perf_counter()
    sending.begin(connections)
    async with asyncio.timeout(SECONDS):
        await sending.done
    seconds = perf_counter() - started
    for connection in connections:
        connection.close()
    took = sorted(sending.took)
    return Sent(
        statuses=sending.statuses,
        seconds=seconds,
        median_ms=statistics.median(took) * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
    )


def _post(orders: Orders, number: int) -> Post:
    match orders.kind:
        case "plain":
            return stripe_post(webhook(number))
        case "mixed":
            # The simulators of all providers are long to import.
            from tests.benchmarks.mixed import mixed

            return mixed(number)
        case "lives":
            from tests.benchmarks.copies import of_lives

            return stripe_post(of_lives(number))


def _request(host: str, post: Post) -> bytes:
    headers = {"Host": host, "Content-Length": str(len(post.body)), **post.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/{post.source} HTTP/1.1\r\n{lines}\r\n".encode() + post.body


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(send(orders))))


if __name__ == "__main__":
    main()
