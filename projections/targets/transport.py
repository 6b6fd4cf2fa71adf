"""One HTTP request to a license server and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to try again is the pusher's decision.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Literal

import httpx2
import msgspec

from projections.http.waiting import seconds_to_wait
from projections.targets.errors import TargetError, Unavailable, Unclear

Method = Literal["GET", "POST", "PATCH", "DELETE"]

ANSWER_LIMIT = 4 * 1024 * 1024
TEXT_LIMIT = 500
READ_LIMIT = 8 * TEXT_LIMIT

NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
"""Failures before the first byte of the request. All others may come after it was read and acted on: even a write
error, and a connection closed without an answer, which is also how an idle connection ends."""

_REDACTED = (
    (re.compile(r"""(password\w*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|\S+)""", re.IGNORECASE), r"\1[password]"),
    (re.compile(r"[^\s\"'<>@:,;()]{1,64}@[^\s\"'<>@:,;()]{1,255}"), "[e-mail]"),
    (re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3,59}\b"), "[license key]"),
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: the body as far as it came and fits, and what was wrong with that.

    `retry_after` is what the server asks to wait, in seconds.
    """

    status: int
    body: bytes
    trouble: str = ""
    retry_after: float | None = None


async def exchanged(
    http: httpx2.AsyncClient,
    call: str,
    method: Method,
    path: str,
    *,
    headers: httpx2.Headers,
    deadline: float,
    words: Callable[[str], str],
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Sends one request; redirects are not followed. `words` takes secrets out of what errors say.

    Raises Unavailable where nothing was done for certain, and Unclear where a write may have been acted on.
    """
    wrote = method != "GET"
    try:
        async with (
            asyncio.timeout(deadline),
            http.stream(
                method, path, params=params, content=content, headers=headers, follow_redirects=False
            ) as response,
        ):
            body, trouble = await _read(response)
    except NEVER_SENT as error:
        raise Unavailable(call, text=words(f"{type(error).__name__}: {error}")) from error
    except (httpx2.HTTPError, OSError) as error:
        raise unclear(call, wrote=wrote, text=words(f"{type(error).__name__}: {error}")) from error
    asked = seconds_to_wait(response.headers.get("retry-after"), response.headers.get("date"))
    return Answer(status=response.status_code, body=body, trouble=trouble, retry_after=asked)


def unclear(call: str, *, wrote: bool, status: int | None = None, text: str = "") -> TargetError:
    """The error for an outcome that is not known: a read that failed did nothing, a write may have acted."""
    return (Unclear if wrote else Unavailable)(call, status=status, text=text)


def redacted(text: str, secret: str = "") -> str:
    """One bounded line of text with nothing in it that must not be logged."""
    text = text[:READ_LIMIT]
    if secret:
        text = text.replace(secret, "[key]")
    for pattern, replacement in _REDACTED:
        text = pattern.sub(replacement, text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


async def _read(response: httpx2.Response) -> tuple[bytes, str]:
    """The body as far as it came and fits, and what was wrong with it."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_LIMIT:
                return bytes(body[:ANSWER_LIMIT]), f"answer longer than {ANSWER_LIMIT} bytes"
    except (httpx2.HTTPError, OSError) as error:
        return bytes(body), f"answer broken off: {type(error).__name__}"
    return bytes(body), ""
