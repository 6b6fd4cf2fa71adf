"""Everything a request to the API meets before and after the API itself: faults, limits, the key, the log.

The body is read whole before anything else happens, so that a request whose client gave up waiting still acts, as
it does behind a real proxy.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import NamedTuple, assert_never
from urllib.parse import parse_qsl, unquote

import msgspec
from litestar.types import HTTPScope, Receive, Send

from service.sandbox.connections import drop, whole_body
from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, HtmlPage, Stale, Throttle
from service.sandbox.netlicensing import access, api, envelope, errors
from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.api import Asked
from service.sandbox.netlicensing.errors import Refused

BASE = "/core/v2/rest"
LARGEST_BODY = 1_048_576
MOST_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"
PAGE = "<html><head><title>{0} Bad Gateway</title></head><body><center><h1>{0} Bad Gateway</h1></center></body></html>"

logger = logging.getLogger(__name__)


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    async def send(self, send: Send) -> None:
        body = b"" if self.status in (204, 304) else self.body
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        if self.status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class Outcome(NamedTuple):
    """`reply` is None when the connection is to be dropped; `acted` tells whether the API saw the request."""

    reply: Reply | None
    acted: bool


class Gateway:
    """An ASGI application around the API."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive, LARGEST_BODY)
        method, path = scope["method"], unquote(scope["raw_path"].decode("latin-1"))
        below = path.removeprefix(BASE)
        placed = self._account.faults.meet(method, below)
        if body is None:
            outcome = Outcome(self._refusal(errors.Refused(413, "MalformedRequestException", "Too large.")), False)
        else:
            outcome = await self._outcome(placed.fault.effect if placed else None, scope, body)
        self._account.calls.add(
            self._account.clock.now(),
            method,
            below,
            sorted(dict(_pairs(scope["query_string"]))),
            status=None if outcome.reply is None else outcome.reply.status,
            acted=outcome.acted,
            fault=placed.id if placed else None,
        )
        if outcome.reply is None:
            await drop(scope, receive)
        else:
            await outcome.reply.send(send)

    async def _outcome(self, effect: Effect | None, scope: HTTPScope, body: bytes) -> Outcome:
        match effect:
            case Drop() | Answer() | ErrorInOk() | HtmlPage() | Throttle():
                late = not isinstance(effect, Throttle) and effect.when == "after"
                acted = late and self._act(scope, body).acted
                return Outcome(self._instead(effect), acted)
            case Delay():
                if effect.when == "before" and await self._held_up(effect.seconds):
                    return Outcome(None, acted=False)
                outcome = self._act(scope, body)
                if effect.when == "after" and await self._held_up(effect.seconds):
                    return Outcome(None, acted=outcome.acted)
                return outcome
            case None:
                return self._act(scope, body)
            case Stale():
                raise AssertionError("a fault that cannot be placed")
            case _:
                assert_never(effect)

    def _act(self, scope: HTTPScope, body: bytes) -> Outcome:
        """What the API answers when nothing is wrong with the way to it."""
        account = self._account
        if (wait := account.limits.spends(account.clock.ticks())) is not None:
            return Outcome(self._throttled(wait if account.settings.rate_limited_retry_after else None), acted=False)
        try:
            asked = self._asked(scope, body)
        except Refused as refused:
            return Outcome(self._refusal(refused), acted=False)
        try:
            answer = api.answer(account, asked)
        except Exception:
            logger.exception("The sandbox failed on %s %s.", asked.method, "/".join(asked.segments))
            return Outcome(self._refusal(Refused(500, "InternalException", "The sandbox failed.")), acted=True)
        return Outcome(_reply(answer), acted=True)

    def _asked(self, scope: HTTPScope, body: bytes) -> Asked:
        """Raises Refused for a request that the API itself is not asked about."""
        settings = self._account.settings
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        role = access.role_of(settings, headers.get("authorization", ""))
        if role is None:
            raise Refused(settings.bad_key_status, "AuthenticationException", errors.BAD_KEY)
        if not _takes_json(headers.get("accept", "*/*"), anything=settings.accept_any == "json"):
            raise Refused(406, "NotAcceptableException", errors.NOT_ACCEPTABLE)
        sent = headers.get("content-type", FORM).partition(";")[0].strip().lower()
        if body and sent != FORM:
            raise Refused(415, "MalformedRequestException", errors.NOT_A_FORM)
        path = scope["raw_path"].decode("latin-1")
        if not path.startswith(f"{BASE}/"):
            raise errors.not_found("resource")
        segments = tuple(unquote(segment) for segment in path.removeprefix(BASE).strip("/").split("/"))
        if not access.allows(role, scope["method"], segments):
            raise Refused(403, "AccessDeniedException", errors.ROLE)
        try:
            form = dict(_pairs(body))
        except ValueError:
            raise errors.malformed(errors.NOT_A_FORM) from None
        return Asked(scope["method"], segments, dict(_pairs(scope["query_string"])), form)

    async def _held_up(self, seconds: float) -> bool:
        """Waits; True when the server stops meanwhile."""
        try:
            await asyncio.wait_for(self._account.closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _refusal(self, refused: Refused, headers: Mapping[str, str] | None = None) -> Reply:
        told = envelope.of_refusal(self._account.settings, refused)
        challenge = {"WWW-Authenticate": 'Basic realm="NetLicensing"'} if refused.status == 401 else {}
        return _reply(told._replace(headers={**challenge, **(headers or {})}))

    def _throttled(self, retry_after: int | None) -> Reply:
        refused = Refused(self._account.settings.rate_limited_status, "AccessDeniedException", errors.RATE)
        return self._refusal(refused, {} if retry_after is None else {"Retry-After": str(retry_after)})

    def _instead(self, effect: Drop | Answer | ErrorInOk | HtmlPage | Throttle) -> Reply | None:
        match effect:
            case Drop():
                return None
            case Throttle():
                return self._throttled(effect.retry_after)
            case HtmlPage():
                return Reply(effect.status, {"content-type": "text/html"}, PAGE.format(effect.status).encode())
            case ErrorInOk():
                return self._refusal(Refused(200, effect.id, effect.text))
            case Answer():
                if effect.body is None:
                    refused = Refused(effect.status, USUAL.get(effect.status, "Exception"), "A fault of the sandbox.")
                    return self._refusal(refused, effect.headers)
                return _reply(envelope.Answer(effect.status, effect.body or None, effect.headers))
            case _:
                assert_never(effect)


USUAL: Mapping[int, str] = {
    400: "IllegalOperationException",
    402: "IllegalOperationException",
    403: "AccessDeniedException",
    404: "NotFoundException",
    500: "InternalException",
}


def _reply(answer: envelope.Answer) -> Reply:
    if answer.body is None:
        return Reply(answer.status, answer.headers, b"")
    headers = {"content-type": "application/json", **answer.headers}
    return Reply(answer.status, headers, msgspec.json.encode(answer.body))


def _takes_json(accept: str, *, anything: bool) -> bool:
    wanted = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return bool(wanted & {"application/json", *(("*/*", "application/*") if anything else ())})


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Raises ValueError for what is no form in UTF-8, or has too many fields."""
    return parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
