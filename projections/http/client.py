"""Requests over aiohttp's connections."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.request import getproxies

import aiohttp
import httpx2
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.tracing import Trace
from yarl import URL

from projections.http import Answer, Headers, Lost, NotSent
from projections.http.waiting import seconds_to_wait

KEPT = 5.0
"""Seconds that an idle connection is kept. Most servers close theirs later, so that few requests meet one that ends."""

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.InvalidURL,
    ValueError,  # a header with a line break
)
"""Failures before the first byte. All others may come after it was read and acted on: even a write error, and a
connection closed without an answer, which is also how an idle connection ends."""


class Client:
    """Requests to one API, each sent once."""

    def __init__(self, base: URL, session: aiohttp.ClientSession, timeout: float) -> None:
        self.base = base
        self._session = session
        self._timeout = timeout

    async def send(
        self, method: str, url: URL, *, headers: Headers, content: bytes | None, limit: int, deadline: float
    ) -> Answer:
        """See `Http`."""
        timeout = aiohttp.ClientTimeout(total=deadline, connect=self._timeout, sock_read=self._timeout)
        try:
            async with self._session.request(
                method, url, headers=headers, data=content, allow_redirects=False, timeout=timeout
            ) as response:
                if response.status < 200:
                    raise Lost(f"the server goes over to something else than HTTP: {response.status}")
                body, broken = await _read(response, limit)
        # Without their own traces: local values of the library have the key among them.
        except _NEVER_SENT as error:
            raise NotSent(_told(error, url)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(_told(error, url)) from None
        return Answer(
            status=response.status,
            body=body[:limit],
            is_cut=len(body) > limit,
            broken=broken,
            retry_after=seconds_to_wait(response.headers.get("Retry-After"), response.headers.get("Date")),
        )


@asynccontextmanager
async def open_http(base: str, *, timeout: float, connections: int) -> AsyncIterator[Client]:
    """A client for the API at `base`, with at most so many connections at once; a proxy of the environment is used.

    `timeout` bounds each wait for the network, in seconds. Raises ValueError where `base` is no address.
    """
    url = URL(base if base.endswith("/") else f"{base}/")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"an API's address begins with https:// and a host: {base!r} does not")
    # The certificates that it trusts, whatever the machine has.
    tls = httpx2.create_ssl_context()
    async with aiohttp.ClientSession(
        connector=_Connector(limit=connections, keepalive_timeout=KEPT, ssl=tls),
        headers={"User-Agent": "Tenure"},
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_UNASKED,
        middlewares=[_sent_once],
        # Looking costs as much as asking.
        trust_env=bool(getproxies()),
    ) as session:
        yield Client(url, session, timeout)


class _Connector(aiohttp.TCPConnector):
    """Connections of which none is used again where something came unasked: it would be the next request's answer.

    aiohttp looks at that when a connection is given back, not when it is taken anew.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> aiohttp.connector.Connection | None:
        while (kept := await super()._get(key, traces)) is not None and kept.protocol and kept.protocol.should_close:
            kept.close()
        return kept


_UNASKED: Sequence[str] = ("Accept", "Accept-Encoding", "Content-Type")
"""Headers that only the caller sets."""


async def _sent_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """By another error, as aiohttp would send a GET or DELETE again: when to try again is not its to decide."""
    try:
        return await handler(request)
    except _NEVER_SENT as error:
        raise NotSent(_told(error, request.url)) from None
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Lost(_told(error, request.url)) from None


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, str]:
    """The body as far as it came, or a little more than may be, and why the rest did not come."""
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                break
    except (aiohttp.ClientError, OSError) as error:
        return bytes(body), type(error).__name__
    return bytes(body), ""


def _told(error: Exception, url: URL) -> str:
    """In the library's words, without what was asked for: that may be an address of a person."""
    return f"{type(error).__name__}: {error}".replace(f"?{url.raw_query_string}", "")
