"""Requests from outside, of whatever kind: POST only, bounded, counted, and every refusal a problem that says why."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

from litestar.types import HTTPScope, Receive, Send
from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from service.bodies import BodyTooLarge, BodyTooSlow, SenderGone, discard_body, read_body
from service.problems import RETRY_AFTER_SECONDS, send_problem
from service.refusals import RefusalLog
from service.sources import Reply

DISCARD_SECONDS = 1.0
DISCARD_TIMES = 8
"""How much more of a body than the limit is taken before it is answered that it is too large."""
RETRY = {"retry-after": str(RETRY_AFTER_SECONDS)}
CLOSE = {"connection": "close"}
"""For answers given before the body was read to its end."""
_NO_SOURCE = "(unknown)"


class Refused(Exception):
    """The request is answered with a problem; `outcome` is what counters and logs call it."""

    def __init__(self, outcome: str, status: int, detail: str, headers: Mapping[str, str], reason: str = "") -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.status = status
        self.detail = detail
        self.headers = headers
        self.reason = reason


class Inbound:
    """What one kind of request is called (`delivery`), counted and logged by, and how large and slow it may be."""

    def __init__(
        self, noun: str, requests: Counter, logger: FilteringBoundLogger, *, limit: int, seconds: float
    ) -> None:
        self.noun = noun
        self._requests = requests
        self._limit = limit
        self._seconds = seconds
        self._refusals = RefusalLog(logger, event=f"{noun} refused")

    async def answer(
        self, scope: HTTPScope, send: Send, sources: Collection[str], take: Callable[[str], Awaitable[Reply]]
    ) -> None:
        """Handles one request whose path is a source's name; `take` may raise Refused and SenderGone."""
        if scope["method"] != "POST":
            await send_problem(send, 405, f"A {self.noun} is sent with POST.", {"allow": "POST", **CLOSE})
            return
        name = scope["path"].strip("/")
        known = name in sources
        # The name in a request may be anything, so it does not become a label.
        label = name if known else _NO_SOURCE
        try:
            reply = await (take(name) if known else _of_nobody())
        except Refused as refused:
            self.count(label, refused.outcome)
            self._refusals.write(label, refused.outcome, status=refused.status, reason=refused.reason)
            await send_problem(send, refused.status, refused.detail, refused.headers)
        except SenderGone:
            self.count(label, "sender gone")
        else:
            await _send_reply(send, reply)

    async def body(self, receive: Receive, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The whole body. Raises Refused and SenderGone."""
        try:
            return await read_body(receive, headers, self._limit, self._seconds)
        except BodyTooLarge:
            await discard_body(receive, DISCARD_TIMES * self._limit, DISCARD_SECONDS)
            raise Refused("too large", 413, f"A {self.noun} has at most {self._limit} bytes.", CLOSE) from None
        except BodyTooSlow:
            raise Refused("too slow", 408, "The body did not arrive in time.", CLOSE) from None

    def count(self, source: str, outcome: str) -> None:
        self._requests.labels(source, outcome).inc()


def kept_headers(headers: Iterable[tuple[bytes, bytes]], names: Collection[str]) -> dict[str, str]:
    """The headers whose names (lower case) are wanted; of a header that came twice both values, comma separated."""
    kept: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1")
        if name in names:
            text = value.decode("latin-1")
            kept[name] = f"{kept[name]},{text}" if name in kept else text
    return kept


async def _of_nobody() -> Reply:
    raise Refused("unknown source", 404, "No source of that name is configured.", CLOSE)


async def _send_reply(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(reply.body)),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
