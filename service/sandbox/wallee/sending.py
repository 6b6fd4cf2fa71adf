"""Sends webhooks over HTTP as wallee does: what was not answered 2xx comes again, with the same bytes."""

from collections.abc import Awaitable, Callable, Sequence

import httpx2

from service.sandbox.retrying import settle
from service.sandbox.wallee.delivery import Delivery


async def deliver(
    http: httpx2.AsyncClient,
    url: str,
    deliveries: Sequence[Delivery],
    *,
    backoff: Callable[[int], Awaitable[None]],
    attempts: int = 5,
    concurrency: int = 1,
) -> list[int]:
    """Posts the deliveries and gives the places (in `deliveries`, ascending) of those that were answered 2xx.

    The caller shuffles, repeats and loses. Whether wallee takes any 2xx is not known. How often and how far apart:
    see `settle`. Errors other than those of the transport are raised.
    """

    async def attempt(place: int) -> bool:
        return await _attempt(http, url, deliveries[place])

    return await settle(len(deliveries), attempt, backoff=backoff, attempts=attempts, concurrency=concurrency)


async def _attempt(http: httpx2.AsyncClient, url: str, delivery: Delivery) -> bool:
    try:
        answer = await http.post(url, content=delivery.body, headers=delivery.headers, follow_redirects=False)
    except httpx2.TransportError:
        return False
    return answer.is_success
