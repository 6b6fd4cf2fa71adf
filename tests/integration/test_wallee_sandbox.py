"""The simulated wallee over real HTTP: it sends webhooks, and answers as an API whose every request carries a token."""

import json
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx2
import jwt
import pytest

from service.sandbox.faults import Answer, Delay, Drop, Effect, Fault, HtmlPage, Throttle
from service.sandbox.wallee import (
    DEFAULT_KEY,
    LIFECYCLES,
    Credentials,
    RunningWalleeApi,
    Space,
    catalog,
    deliver,
    play,
    running_wallee_api,
)
from service.sandbox.wallee.tokens import refusal
from tests.integration.raw_http import Act, answer, hang_up, raw_server, reset
from tests.unit.sandbox.wallee_stories import FIXTURES, lived, with_fixtures

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
DELIVERIES = LIFECYCLES["never_began"]()
OK = answer(200)
PREFIX = "/api/v2.0"


# --- webhooks -----------------------------------------------------------------------------------------------


def waits(noted: list[int]) -> Callable[[int], Awaitable[None]]:
    async def backoff(attempt: int) -> None:
        noted.append(attempt)

    return backoff


async def send(*acts: Act, attempts: int = 5) -> tuple[list[int], list[int], list[tuple[str, bytes]]]:
    """What was accepted, after which attempts it waited, and the signature and body of every request."""
    waited: list[int] = []
    async with raw_server(*acts) as server, httpx2.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{server.port}/webhooks/acme"
        accepted = await deliver(http, url, DELIVERIES[:2], backoff=waits(waited), attempts=attempts)
    return accepted, waited, [(it.headers["x-signature"], it.body) for it in server.requests]


async def test_every_delivery_arrives_in_order_with_its_exact_bytes_and_signature() -> None:
    accepted, waited, requests = await send(OK, OK)
    assert (accepted, waited) == ([0, 1], [])
    assert requests == [(it.headers["x-signature"], it.body) for it in DELIVERIES[:2]]


async def test_errors_and_dropped_connections_are_tried_again_with_the_same_bytes() -> None:
    accepted, waited, requests = await send(answer(500), answer(302), hang_up, reset, OK, OK)
    assert (accepted, waited) == ([0, 1], [1, 2, 3, 4])
    assert [body for _, body in requests[:5]] == [DELIVERIES[0].body] * 5


async def test_what_is_never_accepted_is_left_out_and_the_rest_goes_on() -> None:
    accepted, waited, _ = await send(answer(503), answer(503), OK, attempts=2)
    assert (accepted, waited) == ([1], [1])


# --- tokens -------------------------------------------------------------------------------------------------


class Asking(NamedTuple):
    """A client that signs its requests as the API wants it, unless it is told otherwise."""

    http: httpx2.AsyncClient
    running: RunningWalleeApi

    async def get(
        self,
        path: str,
        *,
        space: str | None = "405",
        headers: Json | None = None,
        key: str | None = None,
        method: str = "GET",
        **claims: object,
    ) -> httpx2.Response:
        user, _, secret = (key or self.running.key).partition(":")
        told = {"sub": int(user), "iat": int(time.time()), "requestPath": PREFIX + path, "requestMethod": method}
        token = jwt.encode(
            told | claims, b64decode(secret), algorithm="HS256", headers={"alg": "HS256", "typ": "JWT", "ver": 1}
        )
        named = {} if space is None else {"Space": space}
        sent = {"Authorization": f"Bearer {token}", **named, **(headers or {})}
        return await self.http.request(method, self.running.url + path, headers=sent)

    async def data(self, path: str) -> Json:
        answered = await self.get(path)
        assert answered.status_code == 200, answered.text
        read: Json = answered.json()
        return read


@asynccontextmanager
async def asking(*spaces: Space, **more: Any) -> AsyncIterator[Asking]:
    async with running_wallee_api(spaces, **more) as running, httpx2.AsyncClient(trust_env=False) as http:
        yield Asking(http, running)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"key": "513:RmFsY29uJ3Mgc2FuZGJveCwgMzIgYnl0ZXMgbG9uZyE="}, "no such application user"),
        ({"key": "512:RmFsY29uJ3Mgc2FuZGJveCwgMzIgYnl0ZXMgbG9uZz8="}, "signature is wrong"),
        ({"sub": "512"}, "no such application user"),
        ({"iat": int(time.time()) - 3600}, "of another time"),
        ({"iat": int(time.time()) + 3600}, "of another time"),
        ({"requestPath": PREFIX + "/subscriptions/2"}, "for another request"),
        ({"requestPath": "/subscriptions/1"}, "for another request"),
        ({"requestMethod": "POST"}, "for another request"),
        ({"headers": {"Authorization": ""}}, "no bearer token"),
        ({"headers": {"Authorization": "Bearer a.b.c"}}, "not readable"),
    ],
)
async def test_a_request_without_a_right_token_of_its_own_is_refused(wrong: Json, reason: str) -> None:
    async with asking(lived("renewed")[0]) as client:
        answered = await client.get("/subscriptions/1", **wrong)
    assert answered.status_code == 401
    assert reason in answered.json()["message"]
    assert set(answered.json()) == {"id", "code", "message", "date"}


async def test_a_token_is_for_its_query_too() -> None:
    space, subscription = lived("renewed")
    path = f"/subscriptions/{subscription}"
    async with asking(space) as client:
        good = await client.get(f"{path}?expand=subscriber")
        bad = await client.get(f"{path}?expand=subscriber", requestPath=PREFIX + path)
    assert (good.status_code, bad.status_code) == (200, 401)


async def test_a_token_is_as_old_as_the_clock_of_the_api_says() -> None:
    async with asking(lived("renewed")[0], clock=lambda: 1_700_000_000.0) as client:
        now, later = [await client.get("/subscriptions", iat=1_700_000_000 + age) for age in (-599, 601)]
    assert (now.status_code, later.status_code) == (200, 401)


@with_fixtures
def test_the_token_of_the_public_sdk_is_admitted() -> None:
    sample = json.loads((FIXTURES / "api_auth_derived.json").read_text(encoding="utf-8"))["jwt_v2"]
    credentials = Credentials(sample["user_id"], sample["authentication_key_b64"])
    right = {"path": sample["request_path"], "method": sample["method"], "now": sample["now"]}
    assert refusal(sample["authorization"], credentials, **right) is None
    assert refusal(sample["authorization"], credentials, **right | {"now": sample["now"] + 601}) is not None


# --- reading ------------------------------------------------------------------------------------------------


async def test_another_space_is_forbidden_and_none_is_a_bad_request() -> None:
    space, subscription = lived("renewed")
    path = f"/subscriptions/{subscription}"
    async with asking(space) as client:
        answers = [await client.get(path, space=number) for number in ("405", "406", None)]
    assert [it.status_code for it in answers] == [200, 403, 400]


async def test_an_object_reads_as_the_space_shows_it_with_its_links_expanded_or_not() -> None:
    space, subscription = lived("upgraded")
    asked = ["subscriber", "currentProductVersion", "currentProductVersion.product"]
    query = "&".join(f"expand={each}" for each in asked)
    async with asking(space) as client:
        plain = await client.data(f"/subscriptions/{subscription}")
        full = await client.data(f"/subscriptions/{subscription}?{query}")
        missing = await client.get("/subscriptions/1")
        wrong = await client.get(f"/subscriptions/{subscription}?expand=nothing")
        nowhere = await client.get("/subscriptions/nothing/at/all")
    assert plain == space.object("subscription", subscription)
    assert full == space.object("subscription", subscription, asked)
    assert list(plain["subscriber"]) == ["id"]
    assert (missing.status_code, wrong.status_code, nowhere.status_code) == (404, 400, 404)


async def test_every_kind_of_entity_is_read_by_its_own_path() -> None:
    space, subscription = lived("suspended_until_paid")
    about = f"subscription.id%3A{subscription}"
    async with asking(space) as client:
        charges = await client.data(f"/subscriptions/charges/search?query={about}&order=id%3ADESC&expand=transaction")
        paying = charges["data"][1]["transaction"]["id"]
        lists = [
            await client.data(f"/subscriptions/versions/search?query={about}"),
            await client.data(f"/subscriptions/suspensions/search?query={about}"),
            await client.data(f"/subscriptions/period-bills/search?query=subscriptionVersion.{about}"),
            await client.data(f"/payment/charge-flows/levels/search?query=transaction.id%3A{paying}"),
            await client.data("/subscriptions/subscribers/search"),
        ]
        transaction = await client.data(f"/payment/transactions/{paying}")
        component = await client.data(f"/subscriptions/products/components/{catalog.TEAM.components[0].id}")
        version = await client.data(f"/subscriptions/products/versions/{catalog.TEAM.id}?expand=product")
    assert [each["state"] for each in charges["data"]] == ["SUCCESSFUL", "SUCCESSFUL", "FAILED", "SUCCESSFUL"]
    assert [len(each["data"]) for each in lists] == [1, 1, 3, 0, 1]
    assert transaction["state"] == "FULFILL"
    assert list(component["reference"]) == ["id"]
    assert version["product"]["reference"] == "falcon-team-monthly"


async def test_pages_of_a_search_and_of_a_list_follow_one_another() -> None:
    space, _ = lived("renewed")
    async with asking(space) as client:
        pages = [await client.data(f"/subscriptions/charges/search?limit=3&offset={offset}") for offset in (0, 3)]
        first = await client.data("/subscriptions/charges?limit=3")
        rest = await client.data(f"/subscriptions/charges?after={first['data'][-1]['id']}")
        wrong = [await client.get(f"/subscriptions/charges/search?{it}") for it in ("limit=101", "query=x", "page=2")]
    assert [(len(page["data"]), page["hasMore"]) for page in pages] == [(3, True), (1, False)]
    assert first["data"] + rest["data"] == pages[0]["data"] + pages[1]["data"]
    assert [it.status_code for it in wrong] == [400, 400, 400]


async def test_several_spaces_of_one_number_answer_as_if_they_were_one() -> None:
    spaces = [LIFECYCLES[name].space() for name in ("renewed", "refunded")]
    wanted = [each for space in spaces for each in space.book.subscriptions]
    async with asking(*spaces) as client:
        listed = await client.data("/subscriptions/search?limit=1&offset=1")
        read = [(await client.data(f"/subscriptions/{each}"))["id"] for each in wanted]
    assert read == wanted
    assert [each["id"] for each in listed["data"]] == wanted[1:]


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_key_is_read_by_the_id_that_signatures_name_whatever_the_space(as_json: bool) -> None:
    space, _ = lived("renewed")
    async with asking(space, keys_as_json=as_json) as client:
        key = await client.get(f"/webhooks/encryption-keys/{space.signing.id}", space=None)
        unknown = await client.get("/webhooks/encryption-keys/00000000-0000-4000-8000-000000000000", space=None)
    assert (key.json() if as_json else key.text) == space.signing.public
    assert unknown.status_code == 404


async def test_only_reading_is_simulated() -> None:
    async with asking(lived("renewed")[0]) as client:
        assert (await client.get("/subscriptions/1", method="POST")).status_code == 405


# --- faults -------------------------------------------------------------------------------------------------


async def test_faults_meet_requests_as_they_are_placed() -> None:
    effects: list[Effect] = [Throttle(retry_after=7), Throttle(retry_after=None), Answer(status=503), HtmlPage()]
    async with asking(lived("renewed")[0]) as client:
        for effect in (*effects, Delay(seconds=0)):
            client.running.api.faults.place(Fault(effect=effect, path="/subscriptions/*"))
        answers = [await client.get("/subscriptions/charges/search") for _ in range(6)]
        client.running.api.faults.place(Fault(effect=Drop()))
        with pytest.raises(httpx2.TransportError):
            await client.get("/subscriptions")
    assert [it.status_code for it in answers] == [429, 429, 503, 502, 200, 200]
    assert [it.headers.get("retry-after") for it in answers[:2]] == ["7", None]
    assert set(answers[2].json()) == {"id", "code", "message", "date"}


async def test_more_requests_in_a_second_than_allowed_are_throttled() -> None:
    async with asking(lived("renewed")[0], per_second=2, ticks=lambda: 0.0) as client:
        answers = [await client.get("/subscriptions") for _ in range(3)]
    assert [it.status_code for it in answers] == [200, 200, 429]


# --- a life before the eyes of a service --------------------------------------------------------------------


async def test_a_past_moment_can_be_shown_and_left_again() -> None:
    space, subscription = lived("left_again")
    suspended = next(it.place for it in space.happenings if it.state == "SUSPENDED")
    path = f"/subscriptions/{subscription}"
    async with asking(space) as client:
        client.running.api.show(space, suspended)
        then = await client.data(path)
        client.running.api.show(space, None)
        assert (then["state"], (await client.data(path))["state"]) == ("SUSPENDED", "TERMINATED")


async def test_a_life_is_played_act_by_act_and_a_reader_meets_every_state() -> None:
    space, subscription = lived("left_again")
    met: list[str] = []
    async with asking(space) as client:
        api = client.running.api

        async def told(_: httpx2.Request) -> httpx2.Response:
            met.append((await client.data(f"/subscriptions/{subscription}"))["state"])
            return httpx2.Response(200)

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(told)) as http:
            taken = await play(http, "http://tenure/webhooks/acme", space, api, backoff=waits([]), calm=0)
    assert taken == len(met) == len(space.happenings)
    seen = [state for place, state in enumerate(met) if met[place - 1 : place] != [state]]
    assert seen == ["PENDING", "INITIALIZING", "ACTIVE", "SUSPENDED", "ACTIVE", "TERMINATED"]


async def test_a_life_that_nobody_takes_is_given_up() -> None:
    space, _ = lived("renewed")
    waited: list[int] = []
    async with asking(space) as client, raw_server(answer(500), answer(500)) as server:
        url = f"http://127.0.0.1:{server.port}/webhooks/acme"
        async with httpx2.AsyncClient(trust_env=False) as http:
            taken = await play(http, url, space, client.running.api, backoff=waits(waited), attempts=2)
    assert (taken, waited) == (0, [1])
    assert client.running.key == DEFAULT_KEY
