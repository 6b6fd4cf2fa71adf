"""Reads request bodies whose size and pace the sender decides."""

import asyncio
from collections.abc import Iterable

from litestar.types import Receive


class BodyTooLarge(Exception):
    """The body is larger than the limit, or says so."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class SenderGone(Exception):
    """The sender closed the connection before the body was complete."""


async def read_body(receive: Receive, headers: Iterable[tuple[bytes, bytes]], limit: int, seconds: float) -> bytes:
    """The whole body, of at most `limit` bytes, received within `seconds`.

    Raises BodyTooLarge before anything is read when Content-Length is over the limit, and while reading when it is
    missing or lied; BodyTooSlow; SenderGone.
    """
    if _announced(headers) > limit:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError:
        raise BodyTooSlow from None


async def discard_body(receive: Receive, limit: int, seconds: float) -> None:
    """Takes up to `limit` more bytes of a refused body, for at most `seconds`.

    An answer before the body is read would mostly be lost: the connection is reset when it is closed with bytes unread.
    """
    try:
        async with asyncio.timeout(seconds):
            size = 0
            while size < limit:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))
    except TimeoutError:
        return


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise SenderGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    # The server has refused a Content-Length that is not a number.
    return next((int(value) for name, value in headers if name == b"content-length"), 0)
