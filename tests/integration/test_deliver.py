"""Webhooks are sent as Stripe sends them: over real HTTP, signed afresh each time, until they are answered 2xx."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import httpx2
import pytest

from service.sandbox.deliver import deliver
from service.sandbox.stripe import LIFECYCLES, sign
from tests.integration.raw_http import Act, answer, hang_up, raw_server, reset

pytestmark = pytest.mark.anyio

SECRET = "whsec_example"
DELIVERIES = LIFECYCLES["one_time_purchase"]()
OK = answer(200)


def waits(noted: list[int]) -> Callable[[int], Awaitable[None]]:
    async def backoff(attempt: int) -> None:
        noted.append(attempt)

    return backoff


async def send(*acts: Act, attempts: int = 5) -> tuple[list[int], list[int], list[tuple[str, bytes]]]:
    """What was accepted, after which attempts it waited, and the signature and body of every request."""
    waited: list[int] = []
    clock = count(1_772_323_200)
    async with raw_server(*acts) as server, httpx2.AsyncClient(trust_env=False) as http:
        accepted = await deliver(
            http,
            f"http://127.0.0.1:{server.port}/webhooks/acme",
            SECRET,
            DELIVERIES,
            timestamp=lambda: next(clock),
            backoff=waits(waited),
            attempts=attempts,
        )
    return accepted, waited, [(it.headers["stripe-signature"], it.body) for it in server.requests]


async def test_every_delivery_arrives_in_order_with_its_exact_bytes_and_a_signature() -> None:
    accepted, waited, requests = await send(OK, OK, OK)
    assert (accepted, waited) == ([0, 1, 2], [])
    assert requests == [(sign(it.body, SECRET, 1_772_323_200 + place), it.body) for place, it in enumerate(DELIVERIES)]


async def test_errors_redirects_and_dropped_connections_are_tried_again_with_a_new_signature() -> None:
    elsewhere = answer(307, headers="Location: /elsewhere\r\n")
    accepted, waited, requests = await send(answer(500), elsewhere, hang_up, reset, answer(202), OK, OK)
    assert (accepted, waited) == ([0, 1, 2], [1, 2, 3, 4])
    assert [body for _, body in requests[:5]] == [DELIVERIES[0].body] * 5
    assert len({signature for signature, _ in requests}) == len(requests)


async def test_what_is_never_accepted_is_left_out_and_the_rest_goes_on() -> None:
    accepted, waited, requests = await send(OK, answer(503), answer(503), OK, attempts=2)
    assert (accepted, waited) == ([0, 2], [1])
    assert len(requests) == 4


async def test_no_more_requests_are_under_way_than_asked_for() -> None:
    under_way: list[int] = []
    most = 0

    async def slow(_: httpx2.Request) -> httpx2.Response:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        for _turn in range(20):
            await asyncio.sleep(0)
        under_way.pop()
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(slow)) as http:
        accepted = await deliver(
            http,
            "http://tenure.example/webhooks/acme",
            SECRET,
            DELIVERIES * 3,
            timestamp=lambda: 1,
            backoff=waits([]),
            concurrency=4,
        )
    assert accepted == list(range(9))
    assert most == 4


async def test_an_attempt_less_than_one_is_a_mistake_of_the_caller() -> None:
    async with httpx2.AsyncClient() as http:
        with pytest.raises(ValueError, match="at least 1"):
            await deliver(http, "http://tenure.example", SECRET, [], timestamp=lambda: 1, backoff=waits([]), attempts=0)
