"""wallee's API over HTTP, as far as it is read: one simulated space, or several as if they were one.

The token of every request is checked as the public SDK makes it; every path but that of the keys wants the `Space`
header. Errors have the fields `id`, `code`, `message` and `date`; what the codes read is a guess.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send

from service.sandbox.connections import drop
from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, Faults, HtmlPage, Stale, Throttle
from service.sandbox.serving import serving
from service.sandbox.wallee.routes import KEYS, PREFIX, Reply, answered
from service.sandbox.wallee.space import Space
from service.sandbox.wallee.tokens import Credentials, refusal

DEFAULT_KEY = "512:RmFsY29uJ3Mgc2FuZGJveCwgMzIgYnl0ZXMgbG9uZyE="
"""The number of an application user, and its authentication key."""

CALLS_REMEMBERED = 10_000


class WalleeApi:
    """An ASGI application. `spaces` may grow while it runs; of those of one number the first that has it answers.

    `faults` meet the requests that they match: Answer, Throttle, HtmlPage, Drop, Delay; no other can be placed. With
    `per_second` more requests than that are answered 429, as seen by `ticks` (seconds). `clock` gives seconds since
    1970 for the tokens. `calls` are the paths, without the prefix and
    with the query, in the order they came. With `keys_as_json` a key comes as a JSON string instead of plain text.
    """

    def __init__(
        self,
        spaces: Sequence[Space],
        *,
        key: str = DEFAULT_KEY,
        per_second: int | None = None,
        keys_as_json: bool = False,
        ticks: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.spaces = spaces
        self.key = key
        self.faults = Faults(Answer, Throttle, HtmlPage, Drop, Delay)
        self.calls: deque[str] = deque(maxlen=CALLS_REMEMBERED)
        self.count = 0
        self.closing = asyncio.Event()
        self._credentials = Credentials.read(key)
        self._per_second = per_second
        self._keys_as_json = keys_as_json
        self._ticks = ticks
        self._clock = clock
        self._recent: deque[float] = deque()
        self._moments: dict[str, int] = {}
        self._called = asyncio.Condition()

    def show(self, space: Space, after: int | None) -> None:
        """From now on the space is shown as it was right after the happening of that place; None: as it is."""
        self._moments.pop(space.signing.id, None)
        if after is not None:
            self._moments[space.signing.id] = after

    async def wait_for_call(self, path: str, *, since: int, patience: float) -> bool:
        """Whether that path (without the prefix and query) was asked for after the call number `since`.

        Waits for it as long as nobody is silent for `patience` seconds.
        """
        async with self._called:
            while not self._asked(path, since):
                try:
                    await asyncio.wait_for(self._called.wait(), patience)
                except TimeoutError:
                    return self._asked(path, since)
            return True

    def _asked(self, path: str, since: int) -> bool:
        new = min(self.count - since, len(self.calls))
        return new > 0 and any(call.partition("?")[0] == path for call in list(self.calls)[-new:])

    async def wait_for_calm(self, seconds: float) -> None:
        """Returns when nothing was asked for so many seconds."""
        async with self._called:
            while True:
                try:
                    await asyncio.wait_for(self._called.wait(), seconds)
                except TimeoutError:
                    return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        path, query = unquote(scope["raw_path"].decode("latin-1")), scope["query_string"].decode("latin-1")
        short = path.removeprefix(PREFIX)
        placed = self.faults.meet(scope["method"], short)
        reply = self._reply(scope, short, query) if placed is None else await self._instead(placed.fault.effect, scope)
        async with self._called:
            self.calls.append(short + (f"?{unquote(query)}" if query else ""))
            self.count += 1
            self._called.notify_all()
        if reply is None:
            await drop(scope, receive)
        else:
            await _send(reply, send)

    async def _instead(self, effect: Effect, scope: HTTPScope) -> Reply | None:
        """None when the connection is to be dropped."""
        match effect:
            case Drop():
                return None
            case Throttle(retry_after=seconds):
                return self._throttled({} if seconds is None else {"retry-after": str(seconds)})
            case Answer(status=status, body=body, headers=headers):
                usual = self._failed(status, "sandbox_fault", "A fault of the sandbox.").body
                return Reply(status, usual if body is None else body, headers)
            case HtmlPage(status=status):
                return Reply(status, b"<html><body>Bad Gateway</body></html>", {"content-type": "text/html"})
            case Delay(seconds=seconds):
                try:
                    await asyncio.wait_for(self.closing.wait(), seconds)
                except TimeoutError:
                    path = unquote(scope["raw_path"].decode("latin-1")).removeprefix(PREFIX)
                    return self._reply(scope, path, scope["query_string"].decode("latin-1"))
                return None
            case Stale() | ErrorInOk():
                raise AssertionError("a fault that cannot be placed")

    def _reply(self, scope: HTTPScope, path: str, query: str) -> Reply:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        sent = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        reason = refusal(
            headers.get("authorization", ""),
            self._credentials,
            path=sent,
            method=scope["method"],
            now=self._clock(),
        )
        if reason is not None:
            return self._failed(401, "unauthorized", f"Not authenticated: {reason}.")
        if self._over_limit():
            return self._throttled({})
        if not sent.startswith(f"{PREFIX}/"):
            return self._failed(404, "not_found", f"The API begins with {PREFIX}.")
        if scope["method"] != "GET":
            return self._failed(405, "method_not_allowed", f"{scope['method']} is not simulated.")
        path = path.strip("/")
        if path.startswith(f"{KEYS}/"):
            return self._key(path.removeprefix(f"{KEYS}/"))
        return self._of_space(headers.get("space", ""), path, query)

    def _of_space(self, number: str, path: str, query: str) -> Reply:
        if not number.isdecimal():
            return self._failed(400, "bad_request", "Name the space in the header Space.")
        spaces = [each for each in self.spaces if str(each.space_id) == number]
        if not spaces:
            return self._failed(403, "forbidden", "The application user may not read that space.")
        looks = [each.look(self._moments.get(each.signing.id)) for each in spaces]
        return answered(looks, path, query, self._failed)

    def _key(self, identifier: str) -> Reply:
        for space in self.spaces:
            if space.signing.id == identifier:
                text = space.signing.public
                return Reply(200, text) if self._keys_as_json else Reply(200, text.encode(), _PLAIN)
        return self._failed(404, "not_found", "There is no such key.")

    def _over_limit(self) -> bool:
        if self._per_second is None:
            return False
        now = self._ticks()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self._per_second:
            return True
        self._recent.append(now)
        return False

    def _throttled(self, headers: Mapping[str, str]) -> Reply:
        return self._failed(429, "too_many_requests", "Too many requests.")._replace(headers=headers)

    def _failed(self, status: int, code: str, message: str) -> Reply:
        when = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return Reply(status, {"id": f"{self.count:016x}", "code": code, "message": message, "date": when})


_PLAIN = {"content-type": "text/plain;charset=UTF-8"}


class RunningWalleeApi(NamedTuple):
    """`url` is what the paths follow, so with `/api/v2.0`; `host` is it without. `api` is what answers there."""

    host: str
    api: WalleeApi

    @property
    def url(self) -> str:
        return self.host + PREFIX

    @property
    def key(self) -> str:
        return self.api.key


@asynccontextmanager
async def running_wallee_api(
    spaces: Sequence[Space],
    *,
    key: str = DEFAULT_KEY,
    per_second: int | None = None,
    keys_as_json: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
    ticks: Callable[[], float] = time.monotonic,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[RunningWalleeApi]:
    """Serves the API of these spaces from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    api = WalleeApi(spaces, key=key, per_second=per_second, keys_as_json=keys_as_json, ticks=ticks, clock=clock)
    async with serving(api, host=host, port=port, closing=api.closing.set) as url:
        yield RunningWalleeApi(url, api)


async def _send(reply: Reply, send: Send) -> None:
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    headers = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})
