"""Calls to license servers and providers: httpx2's client over connections of our own.

httpx2 makes requests and answers and names what can go wrong. What it would have below itself spends ten times as much
processor time on an exchange as `Direct` does, which is all that a busy pusher needs: HTTP/1.1, requests in one piece,
TLS checked as httpx2 checks it.
"""

from urllib.request import getproxies

import httpx2

from projections.http.direct import Direct

KEPT = 5.0
"""Seconds that an idle connection is kept. Most servers close theirs later, so that few requests meet one that ends."""


def open_http(
    base_url: str | httpx2.URL, *, timeout: float, connections: int, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    """A client for the API at `base_url`, to be closed by who opened it, with so many connections at once.

    `timeout` bounds each wait for the network, in seconds. Where the environment names a proxy, httpx2 does it all.
    """
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEPT)
    direct = None if getproxies().keys() & {"http", "https", "all"} else Direct(most=connections, kept=KEPT)
    return httpx2.AsyncClient(base_url=base_url, auth=auth, timeout=timeout, limits=limits, transport=direct)
