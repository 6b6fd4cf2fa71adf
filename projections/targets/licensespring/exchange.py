"""One request to LicenseSpring and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to try again is the pusher's decision.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal

import httpx2
import msgspec

from projections.targets.errors import TargetError, Unavailable, Unclear
from projections.targets.licensespring.refusals import failure, redacted, seconds_to_wait, spoken

Method = Literal["GET", "POST", "PATCH", "DELETE"]

ANSWER_LIMIT = 4 * 1024 * 1024

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


class Exchange:
    """Sends requests with the account's key and gives the JSON of the answers, None for an empty one.

    Raises TargetError, see `projections.targets.errors`.
    """

    def __init__(self, http: httpx2.AsyncClient, key: str, *, deadline: float) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a LicenseSpring management key is printable ASCII without spaces: check the settings")
        if not http.base_url.host:
            raise ValueError("the HTTP client needs the base URL of LicenseSpring's Management API")
        self._http = http
        self._deadline = deadline
        self._key = key

    async def get(self, call: str, path: str, params: Mapping[str, str] | None = None) -> object:
        """The JSON of an answer to a GET."""
        return await self._json(call, "GET", path, params=params)

    async def post(self, call: str, path: str, body: object = None) -> object:
        """The JSON of an answer to a POST."""
        return await self._json(call, "POST", path, body=body)

    async def patch(self, call: str, path: str, body: object) -> object:
        """The JSON of an answer to a PATCH."""
        return await self._json(call, "PATCH", path, body=body)

    async def delete(self, call: str, path: str) -> None:
        """Deletes what is at the path; raises NotFound when it is gone already."""
        await self._json(call, "DELETE", path)

    async def _json(
        self,
        call: str,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> object:
        wrote = method != "GET"
        content = None if body is None else msgspec.json.encode(body)
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._http.stream(
                    method, path, params=params, content=content, headers=self._headers(), follow_redirects=False
                ) as response,
            ):
                answer, trouble = await _read(response)
        except NEVER_SENT as error:
            raise Unavailable(call, text=self._words(error)) from error
        except (httpx2.HTTPError, OSError) as error:
            raise unclear(call, wrote=wrote, text=self._words(error)) from error
        status = response.status_code
        if not 200 <= status < 300:
            asked = seconds_to_wait(response.headers.get("retry-after"), response.headers.get("date"))
            raise failure(call, status, answer, wrote=wrote, key=self._key, retry_after=asked)
        if trouble:
            raise unclear(call, wrote=wrote, status=status, text=trouble)
        if not answer.strip():
            return None
        try:
            return msgspec.json.decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = f"not JSON: {spoken(answer, self._key)}"
            raise unclear(call, wrote=wrote, status=status, text=text) from None

    def _headers(self) -> httpx2.Headers:
        # httpx2.Headers hides the key in its repr, should a traceback print local values.
        return httpx2.Headers(
            {
                "Authorization": f"Api-Key {self._key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
            }
        )

    def _words(self, error: Exception) -> str:
        return redacted(f"{type(error).__name__}: {error}", self._key)


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


def unclear(call: str, *, wrote: bool, status: int | None = None, text: str = "") -> TargetError:
    """The error for an outcome that is not known: a read that failed did nothing, a write may have acted."""
    return (Unclear if wrote else Unavailable)(call, status=status, text=text)
