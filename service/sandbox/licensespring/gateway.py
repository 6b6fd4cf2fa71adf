"""Everything a request to the API meets before and after the handlers: faults, limits, the key, the log.

The body is read whole before anything else happens, so that a request whose client gave up waiting still acts, as
it does behind a real proxy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, assert_never
from urllib.parse import parse_qsl, unquote

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from service.sandbox.connections import drop, whole_body
from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, HtmlPage, Stale, Throttle
from service.sandbox.licensespring import errors
from service.sandbox.licensespring.company import Company

LARGEST_BODY = 2_621_440
PAGE = "<html><head><title>{0} Bad Gateway</title></head><body><center><h1>{0} Bad Gateway</h1></center></body></html>"
KNOWN_BODIES: Mapping[int, Any] = {
    403: {"detail": errors.NO_CREDENTIALS},
    404: {"detail": errors.NOT_FOUND},
    429: {"detail": errors.THROTTLED},
}


class Reply(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def send(self, send: Send) -> None:
        body = b"" if self.status in (204, 304) else self.body
        length = (b"content-length", str(len(body)).encode())
        headers = [*(pair for pair in self.headers if pair[0] != b"content-length"), length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class Outcome(NamedTuple):
    """`reply` is None when the connection is to be dropped; `acted` tells whether a handler saw the request."""

    reply: Reply | None
    acted: bool


def json_reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    sent = {"content-type": "application/json", **(headers or {})}
    return Reply(
        status, [(name.lower().encode(), value.encode()) for name, value in sent.items()], msgspec.json.encode(body)
    )


class Gateway:
    """An ASGI application around the API's handlers."""

    def __init__(self, company: Company, api: ASGIApp) -> None:
        self._company = company
        self._api = api

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive, LARGEST_BODY)
        method, path = scope["method"], unquote(scope["raw_path"].decode("latin-1"))
        placed = self._company.faults.meet(method, path)
        if body is None:
            outcome = Outcome(json_reply(413, {"detail": "Request body is too large."}), acted=False)
        else:
            request = {**scope, "path": path, "root_path": "", "path_params": {}, "state": {}}
            outcome = await self._outcome(placed.fault.effect if placed else None, request, body)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self._company.calls.add(
            self._company.clock.now(),
            method,
            path,
            sorted({name for name, _ in query}),
            status=None if outcome.reply is None else outcome.reply.status,
            acted=outcome.acted,
            fault=placed.id if placed else None,
        )
        if outcome.reply is None:
            await drop(scope, receive)
        else:
            await outcome.reply.send(send)

    async def _outcome(self, effect: Effect | None, request: dict[str, Any], body: bytes) -> Outcome:
        match effect:
            case Drop() | Answer() | HtmlPage() | Throttle():
                late = not isinstance(effect, Throttle) and effect.when == "after"
                acted = late and (await self._act(request, body)).acted
                return Outcome(_instead(effect), acted)
            case Delay():
                if effect.when == "before" and await self._held_up(effect.seconds):
                    return Outcome(None, acted=False)
                outcome = await self._act(request, body)
                if effect.when == "after" and await self._held_up(effect.seconds):
                    return Outcome(None, acted=outcome.acted)
                return outcome
            case Stale():
                return await self._act(request, body, changes_behind=effect.changes)
            case None:
                return await self._act(request, body)
            case ErrorInOk():
                raise AssertionError("a fault that cannot be placed")
            case _:
                assert_never(effect)

    async def _act(self, request: dict[str, Any], body: bytes, changes_behind: int = 0) -> Outcome:
        """What the API answers when nothing is wrong with the way to it."""
        company = self._company
        headers = dict(request["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        ip = request["client"][0] if request.get("client") else ""
        if (wait := company.limits.arrives(company.clock.ticks(), ip, authorization)) is not None:
            return Outcome(self._throttled(wait), acted=False)
        if not company.admits(authorization):
            return Outcome(json_reply(403, {"detail": errors.NO_CREDENTIALS}), acted=False)
        if (wait := company.limits.spends(company.clock.ticks())) is not None:
            return Outcome(self._throttled(wait), acted=False)
        media_type = headers.get(b"content-type", b"application/json").decode("latin-1")
        if body and media_type.partition(";")[0].strip().lower() != "application/json":
            text = f'Unsupported media type "{media_type}" in request.'
            return Outcome(json_reply(415, {"detail": text}), acted=False)
        stale = changes_behind and request["method"] == "GET"
        rows = company.store.stale(changes_behind) if stale else company.store.rows
        request["state"] = {"rows": rows}
        return Outcome(await _answer_of(self._api, request, body), acted=True)

    async def _held_up(self, seconds: float) -> bool:
        """Waits; True when the server stops meanwhile."""
        try:
            await asyncio.wait_for(self._company.closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _throttled(self, wait: float) -> Reply:
        told = self._company.settings.throttled_answer == "retry_after"
        return _throttle(int(wait) if told else None)


def _throttle(retry_after: int | None) -> Reply:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return json_reply(429, {"detail": errors.THROTTLED}, headers)


def _instead(effect: Drop | Answer | HtmlPage | Throttle) -> Reply | None:
    match effect:
        case Drop():
            return None
        case Throttle():
            return _throttle(effect.retry_after)
        case HtmlPage():
            return Reply(effect.status, [(b"content-type", b"text/html")], PAGE.format(effect.status).encode())
        case Answer():
            usual = KNOWN_BODIES.get(effect.status, {"detail": "A fault of the sandbox."})
            return json_reply(effect.status, usual if effect.body is None else effect.body, effect.headers)
        case _:
            assert_never(effect)


async def _answer_of(api: ASGIApp, request: dict[str, Any], body: bytes) -> Reply:
    sent: list[Message] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Any = request
    await api(scope, receive, send)
    start: Any = sent[0]
    parts: list[Any] = sent[1:]
    return Reply(start["status"], list(start["headers"]), b"".join(part.get("body", b"") for part in parts))
