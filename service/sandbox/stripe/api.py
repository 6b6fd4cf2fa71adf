"""Stripe's API over HTTP, as far as it is read: one simulated account, or several as if they were one.

Answers and errors follow docs.stripe.com/api (errors, pagination, authentication): parameters that an endpoint does
not know are refused, lists come in pages of `limit` entries (10 unless asked for up to 100) after `starting_after`.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send

from service.sandbox.connections import drop
from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, Faults, HtmlPage, Stale, Throttle
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.reading import FILTERS, Json, list_of, listed, read
from service.sandbox.stripe.shapes import Shape

DEFAULT_KEY = "sk_test_falcon0sandbox0key"
CALLS_REMEMBERED = 10_000
PAGING = frozenset({"limit", "starting_after"})
PAGE = "<html><head><title>{0} Bad Gateway</title></head><body><center><h1>{0} Bad Gateway</h1></center></body></html>"


class Reply(NamedTuple):
    """`body` is bytes where it is no JSON."""

    status: int
    body: Json | bytes
    headers: Mapping[str, str] = {}


class SimulatedApi:
    """An ASGI application. `accounts` may grow while it runs; the first that has an object answers.

    `faults` meet the requests that they match: Answer, Throttle, HtmlPage, Drop; no other can be placed. With
    `per_second` more requests than that are answered 429, as seen by `ticks` (seconds). `calls` are the paths, with
    query, in the order they came.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        *,
        key: str = DEFAULT_KEY,
        per_second: int | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accounts = accounts
        self.key = key
        self.faults = Faults(Answer, Throttle, HtmlPage, Drop)
        self.calls: deque[str] = deque(maxlen=CALLS_REMEMBERED)
        self._per_second = per_second
        self._ticks = ticks
        self._recent: deque[float] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        path = unquote(scope["raw_path"].decode("latin-1"))
        query = scope["query_string"].decode("latin-1")
        self.calls.append(path + (f"?{unquote(query)}" if query else ""))
        placed = self.faults.meet(scope["method"], path)
        reply = self._instead(placed.fault.effect) if placed else self._reply(scope, query)
        if reply is None:
            await drop(scope, receive)
        else:
            await _send(reply, send)

    def _instead(self, effect: Effect) -> Reply | None:
        match effect:
            case Drop():
                return None
            case Throttle(retry_after=seconds):
                return _throttled({} if seconds is None else {"retry-after": str(seconds)})
            case Answer(status=status, body=body, headers=headers):
                usual = _error(status, "api_error", "A fault of the sandbox.").body
                return Reply(status, usual if body is None else body, headers)
            case HtmlPage(status=status):
                return Reply(status, PAGE.format(status).encode(), {"content-type": "text/html"})
            case Delay() | Stale() | ErrorInOk():
                raise AssertionError("a fault that cannot be placed")

    def _reply(self, scope: HTTPScope, query: str) -> Reply:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if (refusal := self._admits(headers.get("authorization", ""))) is not None:
            return refusal
        if self._over_limit():
            return _throttled({})
        raw = scope["raw_path"].decode("latin-1")
        try:
            shape = Shape(headers.get("stripe-version", Shape.CLOVER))
        except ValueError:
            return _error(400, "invalid_request_error", "Invalid Stripe API version.")
        if scope["method"] != "GET" or not raw.startswith("/v1/"):
            return _unrecognised(scope["method"], raw)
        # A slash inside an id is written %2F, so parts are told apart before they are decoded.
        path = "/".join(
            unquote(part).replace("/", "\N{FRACTION SLASH}") for part in raw.removeprefix("/v1/").split("/")
        )
        return self._found(path, dict(parse_qsl(query, keep_blank_values=True)), shape)

    def _admits(self, authorization: str) -> Reply | None:
        if authorization == f"Bearer {self.key}":
            return None
        text = "Invalid API Key provided: sk_test_*****key" if authorization else "You did not provide an API key."
        return _error(401, "invalid_request_error", text)

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

    def _found(self, path: str, query: dict[str, str], shape: Shape) -> Reply:
        name = list_of(path)
        unknown = query.keys() - (FILTERS[name[0]] | PAGING if name else set())
        if unknown:
            text = f"Received unknown parameter: {min(unknown)}"
            return _error(400, "invalid_request_error", text, code="parameter_unknown")
        if name is None:
            if len(path.split("/")) != (3 if path.startswith("checkout/") else 2):
                return _unrecognised("GET", f"/v1/{path}")
            found = (read(account, path, shape) for account in self.accounts)
            return next((Reply(200, each) for each in found if each is not None), _missing(path))
        lists = [each for account in self.accounts if (each := listed(account, path, query, shape)) is not None]
        if not lists:
            return _missing(path)
        # What every account lists (its catalog) is listed once.
        entries = {entry["id"]: entry for each in lists for entry in each}
        return _page(f"/v1/{path}", list(entries.values()), query)


def _page(url: str, entries: list[Json], query: Mapping[str, str]) -> Reply:
    limit = query.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= 100:
        return _error(400, "invalid_request_error", "This value must be between 1 and 100.", param="limit")
    start, after = 0, query.get("starting_after")
    if after is not None:
        places = [place for place, entry in enumerate(entries, 1) if entry["id"] == after]
        if not places:
            return _error(400, "invalid_request_error", "No such object.", code="resource_missing")
        start = places[0]
    some = entries[start : start + int(limit)]
    return Reply(200, {"object": "list", "data": some, "has_more": start + len(some) < len(entries), "url": url})


def _missing(path: str) -> Reply:
    parts = path.split("/")
    text = f"No such {parts[-2].rstrip('s') if len(parts) > 1 else parts[0]}: '{parts[-1]}'"
    return _error(404, "invalid_request_error", text, code="resource_missing", param="id")


def _unrecognised(method: str, path: str) -> Reply:
    return _error(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def _throttled(headers: Mapping[str, str]) -> Reply:
    reply = _error(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")
    return reply._replace(headers={"stripe-should-retry": "true", **headers})


def _error(status: int, kind: str, message: str, **more: str) -> Reply:
    return Reply(status, {"error": {"message": message, "type": kind, **more}})


async def _send(reply: Reply, send: Send) -> None:
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    headers: dict[str, Any] = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
    pairs = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})
