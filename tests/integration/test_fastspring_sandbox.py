"""The simulated FastSpring over real HTTP: it sends webhooks, asks for keys, and answers as an API."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from service.sandbox.fastspring import (
    LIFECYCLES,
    THROTTLED,
    GeneratorFailed,
    Store,
    ask_for_keys,
    catalog,
    deliver,
    deliveries,
    request_hash,
    running_fastspring_api,
    sign,
)
from service.sandbox.fastspring.lifecycle import START
from service.sandbox.faults import Answer, Delay, Drop, Effect, Fault, Throttle
from tests.integration.raw_http import Act, answer, hang_up, raw_server, reset

pytestmark = pytest.mark.anyio

SECRET = "a-secret"
DELIVERIES = LIFECYCLES["one_time_returned"]()
OK = answer(200)


def waits(noted: list[int]) -> Callable[[int], Awaitable[None]]:
    async def backoff(attempt: int) -> None:
        noted.append(attempt)

    return backoff


async def send(*acts: Act, attempts: int = 5) -> tuple[list[int], list[int], list[tuple[str, bytes]]]:
    """What was accepted, after which attempts it waited, and the signature and body of every request."""
    waited: list[int] = []
    async with raw_server(*acts) as server, httpx2.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{server.port}/webhooks/acme"
        accepted = await deliver(http, url, SECRET, DELIVERIES, backoff=waits(waited), attempts=attempts)
    return accepted, waited, [(it.headers["x-fs-signature"], it.body) for it in server.requests]


async def test_every_delivery_arrives_in_order_with_its_exact_bytes_and_a_signature() -> None:
    accepted, waited, requests = await send(OK, OK)
    assert (accepted, waited) == ([0, 1], [])
    assert requests == [(sign(it.body, SECRET), it.body) for it in DELIVERIES]


async def test_of_a_batch_that_is_taken_in_part_the_rest_is_sent_again() -> None:
    first = DELIVERIES[0]
    taken, left = first.events[0], first.without([first.event_ids[0]])
    assert len(left.events) == 1
    accepted, waited, requests = await send(answer(202, body=f"{taken.event_id}\n".encode()), OK, OK)
    assert (accepted, waited) == ([0, 1], [1])
    assert requests[1] == (sign(left.body, SECRET), left.body)


async def test_errors_other_successes_and_dropped_connections_are_tried_again() -> None:
    accepted, waited, requests = await send(answer(500), answer(204), hang_up, reset, OK, OK)
    assert (accepted, waited) == ([0, 1], [1, 2, 3, 4])
    assert [body for _, body in requests[:5]] == [DELIVERIES[0].body] * 5


async def test_what_is_never_accepted_is_left_out_and_the_rest_goes_on() -> None:
    accepted, waited, _ = await send(answer(503), answer(503), OK, attempts=2)
    assert (accepted, waited) == ([1], [1])


# --- keys ---------------------------------------------------------------------------------------------------


def asking(quantity: int = 2) -> Store:
    store = Store("asking", start=START)
    store.check_out(store.account("Ada Marlow", "ada@example.com"), [(catalog.PERPETUAL, quantity)])
    return store


async def ask(*acts: Act) -> tuple[list[str], dict[str, str]]:
    """The keys, and the form as it arrived."""
    async with raw_server(*acts) as server, httpx2.AsyncClient(trust_env=False) as http:
        keys = await ask_for_keys(
            http, f"http://127.0.0.1:{server.port}/fulfillment/acme", "private", asking().calls[0]
        )
    [request] = server.requests
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    form = parse_qs(request.body.decode(), keep_blank_values=True)
    return keys, {name: values[0] for name, values in form.items()}


async def test_keys_are_asked_by_a_form_whose_hash_is_over_what_arrives() -> None:
    keys, form = await ask(answer(200, body=b"AAAA-1\r\nAAAA-2\r\n"))
    assert keys == ["AAAA-1", "AAAA-2"]
    assert form["security_request_hash"] == request_hash(form, "private")
    assert (form["quantity"], form["email"]) == ("2", "ada@example.com")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (answer(500), "status 500"),
        (answer(200), "0 keys, 2 were wanted"),
        (answer(200, body=b"AAAA-1"), "1 keys, 2 were wanted"),
        (hang_up, "no answer"),
    ],
)
async def test_a_purchase_fails_clearly_when_the_keys_do_not_come(act: Act, reason: str) -> None:
    with pytest.raises(GeneratorFailed, match=reason):
        await ask(act)


# --- the API ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def an_api(store: Store, *faults: Effect) -> Any:
    async with running_fastspring_api([store]) as running:
        for effect in faults:
            running.api.faults.place(Fault(effect=effect))
        name, _, password = running.key.partition(":")
        async with httpx2.AsyncClient(base_url=running.url, auth=(name, password), trust_env=False) as http:
            yield http


async def test_an_object_reads_as_it_stands_now_with_strings_for_other_objects() -> None:
    store = LIFECYCLES["canceled_to_the_end"].store()
    [identifier] = store.book.subscriptions
    async with an_api(store) as http:
        answered = (await http.get(f"/subscriptions/{identifier}")).json()
    assert (answered["action"], answered["result"]) == ("subscription.get", "success")
    assert (answered["state"], answered["product"]) == ("deactivated", "falcon-pro-monthly")
    assert isinstance(answered["account"], str)


async def test_several_are_answered_each_by_itself() -> None:
    async with an_api(asking()) as http:
        answered = await http.get("/products/falcon-perpetual,falcon-nothing")
        listed = (await http.get("/products")).json()["products"]
    first, second = answered.json()["products"]
    assert answered.status_code == 200
    assert first["attributes"]["license_type"] == "perpetual"
    assert second["error"] == {"product": "Not found"}
    assert "falcon-perpetual" in listed


async def test_an_account_tells_the_address_and_an_order_the_items() -> None:
    store = asking()
    [account], [order] = store.book.accounts, store.book.orders
    async with an_api(store) as http:
        who = (await http.get(f"/accounts/{account}")).json()
        what = (await http.get(f"/orders/{order}")).json()
    assert who["contact"]["email"] == "ada@example.com"
    assert (what["account"], what["items"][0]["quantity"]) == (account, 2)


async def test_what_is_not_there_is_an_error_of_its_field() -> None:
    async with an_api(asking()) as http:
        missing = await http.get("/orders/nothing")
        nowhere = await http.get("/coupons/x")
    assert (missing.status_code, missing.json()["error"]) == (400, {"order": "Not found"})
    assert nowhere.status_code == 404


async def test_a_wrong_key_and_a_request_without_a_user_agent_are_refused() -> None:
    async with running_fastspring_api([asking()]) as running, httpx2.AsyncClient(trust_env=False) as http:
        url = f"{running.url}/products"
        assert (await http.get(url, auth=("someone", "else"))).status_code == 401
        assert (await http.get(url, headers={"User-Agent": ""})).status_code == 403


async def test_faults_meet_requests_as_they_are_placed() -> None:
    async with an_api(asking(), THROTTLED, Throttle(retry_after=7), Answer(status=500), Delay(seconds=0)) as http:
        answers = [await http.get("/products") for _ in range(5)]
    assert [it.status_code for it in answers] == [404, 429, 500, 200, 200]
    assert answers[1].headers["retry-after"] == "7"


async def test_a_connection_can_be_dropped() -> None:
    async with an_api(asking(), Drop()) as http:
        with pytest.raises(httpx2.TransportError):
            await http.get("/products")
        assert (await http.get("/products")).status_code == 200


def test_a_delivery_of_nothing_is_an_empty_batch() -> None:
    assert deliveries(Store("empty", start=START)) == []
    first = DELIVERIES[0]
    assert first.without(first.event_ids).body == b'{"events":[]}'
