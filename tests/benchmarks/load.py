"""The sender, a process of its own: posts signed webhooks over kept connections, as fast as they are answered.

It does as little as it can, because it shares the machine with what it measures: requests are made before the clock
starts, and answers are parsed by httptools. Run as `python -m tests.benchmarks.load`, orders on standard input.
"""

import asyncio
import sys
from collections.abc import Iterator
from time import perf_counter, time
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from service.sandbox.stripe import sign
from tests.benchmarks.loops import loop_factory
from tests.benchmarks.workload import webhook

SECONDS = 120
"""After which it gives up."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    """Of the endpoint that the webhooks are posted to."""
    secret: str
    connections: int
    first: int
    """The number of the first webhook."""
    count: int


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers of each status came, and in what time."""

    statuses: dict[int, int]
    seconds: float


class _Sender(asyncio.Protocol):
    """One connection: sends the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], statuses: dict[int, int]) -> None:
        self._requests = requests
        self._statuses = statuses
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._statuses[status] = self._statuses.get(status, 0) + 1
        # Else it would go on inside the parser's call, request by request ever deeper.
        asyncio.get_running_loop().call_soon(self.send_next)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed a connection that it was to keep"))


async def send(orders: Orders) -> Sent:
    """Posts them all. Raises OSError when a connection is lost, TimeoutError after SECONDS."""
    url = urlsplit(orders.url)
    requests = iter([_request(orders, number) for number in range(orders.first, orders.first + orders.count)])
    statuses: dict[int, int] = {}
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Sender(requests, statuses), url.hostname or "", url.port or 80)
        for _ in range(orders.connections)
    ]
    senders = [sender for _, sender in made]
    started = perf_counter()
    async with asyncio.timeout(SECONDS):
        for sender in senders:
            sender.send_next()
        await asyncio.gather(*(sender.done for sender in senders))
    return Sent(statuses=statuses, seconds=perf_counter() - started)


def _request(orders: Orders, number: int) -> bytes:
    url = urlsplit(orders.url)
    body = webhook(number)
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)"
        f"\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Stripe-Signature: {sign(body, orders.secret, int(time()))}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(send(orders))))


if __name__ == "__main__":
    main()
