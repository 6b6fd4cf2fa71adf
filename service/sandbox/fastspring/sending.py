"""Sends webhooks over HTTP as FastSpring does: 200 takes all, 202 those it names, the rest is tried again."""

from collections.abc import Awaitable, Callable, Sequence

import httpx2

from service.sandbox.fastspring.delivery import Delivery, sign
from service.sandbox.retrying import settle


async def deliver(
    http: httpx2.AsyncClient,
    url: str,
    secret: str,
    deliveries: Sequence[Delivery],
    *,
    backoff: Callable[[int], Awaitable[None]],
    attempts: int = 5,
    concurrency: int = 1,
) -> list[int]:
    """Posts the deliveries and gives the places (in `deliveries`, ascending) of those whose every event was taken.

    The caller shuffles and repeats. An answer of 202 names the accepted events, one id a line: the next attempt holds
    the others only. Anything else but 200, and a dropped connection, take nothing. With an empty `secret` requests
    are not signed, as those of a webhook without one. How often and how far apart: see `settle`.
    """
    left = list(deliveries)

    async def attempt(place: int) -> bool:
        accepted = await _accepted(http, url, secret, left[place])
        left[place] = left[place].without(accepted)
        return not left[place].events

    return await settle(len(left), attempt, backoff=backoff, attempts=attempts, concurrency=concurrency)


async def _accepted(http: httpx2.AsyncClient, url: str, secret: str, delivery: Delivery) -> Sequence[str]:
    body = delivery.body
    headers = {"Content-Type": "application/json", "User-Agent": "FS"}
    if secret:
        headers["X-FS-Signature"] = sign(body, secret)
    try:
        answer = await http.post(url, content=body, headers=headers, follow_redirects=False)
    except httpx2.TransportError:
        return ()
    if answer.status_code == 200:
        return delivery.event_ids
    return [line.strip() for line in answer.text.splitlines()] if answer.status_code == 202 else ()
