"""Sends webhooks over HTTP as Stripe does: signed afresh for every attempt, tried again until answered 2xx."""

from collections.abc import Awaitable, Callable, Sequence

import httpx2

from service.sandbox.retrying import settle
from service.sandbox.stripe.delivery import Delivery, sign


async def deliver(
    http: httpx2.AsyncClient,
    url: str,
    secret: str,
    deliveries: Sequence[Delivery],
    *,
    timestamp: Callable[[], int],
    backoff: Callable[[int], Awaitable[None]],
    attempts: int = 5,
    concurrency: int = 1,
) -> list[int]:
    """Posts the deliveries and gives the places (in `deliveries`, ascending) of those that were answered 2xx.

    The caller shuffles and repeats. With `concurrency` 1 each is settled before the next begins. Anything but 2xx, a
    redirect included, and a dropped connection are tried again, at most `attempts` times in all; before each further
    attempt `backoff(number of the attempt that failed, from 1)` is awaited. `timestamp` gives seconds since 1970 for
    the signature. Errors other than those of the transport are raised.
    """

    async def attempt(place: int) -> bool:
        return await _attempt(http, url, secret, deliveries[place], timestamp())

    return await settle(len(deliveries), attempt, backoff=backoff, attempts=attempts, concurrency=concurrency)


async def _attempt(http: httpx2.AsyncClient, url: str, secret: str, delivery: Delivery, timestamp: int) -> bool:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(delivery.body, secret, timestamp),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    try:
        answer = await http.post(url, content=delivery.body, headers=headers, follow_redirects=False)
    except httpx2.TransportError:
        return False
    return answer.is_success
