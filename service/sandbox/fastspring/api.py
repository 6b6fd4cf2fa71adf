"""FastSpring's API over HTTP, as far as it is read: one simulated store, or several as if they were one."""

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send

from service.sandbox.connections import drop
from service.sandbox.fastspring.reading import MOST_AT_ONCE, all_products, read
from service.sandbox.fastspring.store import Store
from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, Faults, HtmlPage, Stale, Throttle
from service.sandbox.serving import serving

Json = dict[str, Any]

DEFAULT_KEY = "falcon-api-user:falcon-api-password"
CALLS_REMEMBERED = 10_000


class Reply(NamedTuple):
    status: int
    body: Json | bytes = b""
    headers: Mapping[str, str] = {}


THROTTLED = Answer(status=404, body="")
"""How the older pages say that a limit shows: as if nothing were there."""


class FastSpringApi:
    """An ASGI application. `stores` may grow while it runs; the first that has an object answers.

    Basic authentication with `key` (`name:password`), and a User-Agent is demanded. `faults` meet the requests that
    they match: Answer, Throttle (429), HtmlPage, Drop, Delay; no other can be placed. `calls` are the paths in the
    order they came.
    """

    def __init__(self, stores: Sequence[Store], *, key: str = DEFAULT_KEY) -> None:
        self.stores = stores
        self.key = key
        self.faults = Faults(Answer, Throttle, HtmlPage, Drop, Delay)
        self.calls: deque[str] = deque(maxlen=CALLS_REMEMBERED)
        self.closing = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        path = unquote(scope["raw_path"].decode("latin-1"))
        self.calls.append(path)
        placed = self.faults.meet(scope["method"], path)
        effect = placed.fault.effect if placed else None
        reply = self._reply(scope) if effect is None else await self._instead(effect, scope)
        if reply is None:
            await drop(scope, receive)
        else:
            await _send(reply, send)

    async def _instead(self, effect: Effect, scope: HTTPScope) -> Reply | None:
        """None when the connection is to be dropped."""
        match effect:
            case Drop():
                return None
            case Answer(status=status, body=body, headers=headers):
                return Reply(status, b"" if body in (None, "") else body, headers)
            case Throttle(retry_after=seconds):
                return Reply(429, headers={} if seconds is None else {"retry-after": str(seconds)})
            case HtmlPage(status=status):
                return Reply(status, b"<html><body>Bad Gateway</body></html>", {"content-type": "text/html"})
            case Delay(seconds=seconds):
                try:
                    await asyncio.wait_for(self.closing.wait(), seconds)
                except TimeoutError:
                    return self._reply(scope)
                return None
            case Stale() | ErrorInOk():
                raise AssertionError("a fault that cannot be placed")

    def _reply(self, scope: HTTPScope) -> Reply:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not headers.get("user-agent"):
            return Reply(403, {"error": {"User-Agent": "is required"}})
        if headers.get("authorization") != "Basic " + b64encode(self.key.encode()).decode():
            return Reply(401, {"error": {"authorization": "is missing or wrong"}})
        if scope["method"] != "GET":
            return Reply(405, {"error": {"method": f"{scope['method']} is not simulated"}})
        # Ids are told apart before they are decoded, and none holds a slash.
        kind, _, listed = scope["raw_path"].decode("latin-1").strip("/").partition("/")
        identifiers = [unquote(each) for each in listed.split(",") if each]
        if not identifiers:
            return Reply(200, all_products(self.stores)) if kind == "products" else _no_such_path()
        if len(identifiers) > MOST_AT_ONCE:
            return Reply(400, {"error": {kind: f"at most {MOST_AT_ONCE} at once"}})
        answer = read(self.stores, kind, identifiers)
        if answer is None:
            return _no_such_path()
        return Reply(*answer)


class RunningFastSpringApi(NamedTuple):
    """`url` is where it listens, without a slash at the end; `api` is what answers there."""

    url: str
    api: FastSpringApi

    @property
    def key(self) -> str:
        return self.api.key


@asynccontextmanager
async def running_fastspring_api(
    stores: Sequence[Store], *, key: str = DEFAULT_KEY, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningFastSpringApi]:
    """Serves the API of these stores from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    api = FastSpringApi(stores, key=key)
    async with serving(api, host=host, port=port, closing=api.closing.set) as url:
        yield RunningFastSpringApi(url, api)


def _no_such_path() -> Reply:
    return Reply(404, {"error": {"path": "is not simulated"}})


async def _send(reply: Reply, send: Send) -> None:
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    kind = {} if isinstance(reply.body, bytes) else {"content-type": "application/json"}
    told = {**kind, **reply.headers, "content-length": str(len(body))}
    headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
