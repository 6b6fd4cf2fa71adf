"""The client of FastSpring's API over real HTTP: against the simulated store, and against servers that behave badly."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from projections.provided import ProvidedError, Refused, Throttled, Unauthorized, Unavailable
from service.sandbox.fastspring.api import RunningFastSpringApi, running_fastspring_api
from service.sandbox.fastspring.catalog import ALL
from service.sandbox.fastspring.store import Store
from service.sandbox.faults import Answer, Drop, Effect, Fault, HtmlPage, Throttle
from service.sources.fastspring_api import AT_ONCE, READING, FastSpringApi, open_fastspring
from tests.integration.raw_http import Act, answer, raw_server

pytestmark = pytest.mark.anyio

KEY = "falcon:hunter2hunter2"
NOT_FOUND = {"action": "product.get", "product": "x", "result": "error", "error": {"product": "Not found"}}


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[FastSpringApi, RunningFastSpringApi]]:
    store = Store("api", start=datetime(2026, 1, 31, tzinfo=UTC))
    async with running_fastspring_api([store]) as running, open_fastspring(running.url, running.key) as fastspring:
        yield fastspring, running


@asynccontextmanager
async def raw(*acts: Act) -> AsyncIterator[FastSpringApi]:
    async with raw_server(*acts) as server, open_fastspring(f"http://127.0.0.1:{server.port}", KEY) as fastspring:
        yield fastspring


async def test_a_product_is_answered_with_its_attributes() -> None:
    async with reading() as (fastspring, _):
        pages = await fastspring.read(f"products/{ALL[0].path}")
    assert pages is not None
    (product,) = msgspec.json.decode(pages[0])["products"]
    assert product["product"] == ALL[0].path


async def test_who_asks_and_with_which_program_is_sent() -> None:
    body = {"subscription": "sub", "result": "success"}
    async with (
        raw_server(answer(200, body)) as server,
        open_fastspring(f"http://127.0.0.1:{server.port}", KEY) as fastspring,
    ):
        assert await fastspring.read("subscriptions/sub#5") == [msgspec.json.encode(body)]
    [request] = server.requests
    assert request.line == "GET /subscriptions/sub HTTP/1.1"
    assert request.headers["authorization"] == f"Basic {b64encode(KEY.encode()).decode()}"
    assert request.headers["user-agent"] == "Tenure"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (200, {"products": [NOT_FOUND]}),
        (400, {"products": [NOT_FOUND]}),
        (400, NOT_FOUND),
        (200, {"action": "account.get", "result": "error", "error": {"account": "Not found"}}),
    ],
)
async def test_what_there_is_not_is_none_however_it_is_said(status: int, body: Any) -> None:
    async with raw(answer(status, body)) as fastspring:
        assert await fastspring.read("products/x") is None


async def test_that_there_is_none_has_to_be_said_several_times() -> None:
    assert READING.sure_after > 2


@pytest.mark.parametrize("about", ["products", "products/", "coupons/x", "", "../x"])
async def test_nothing_else_is_asked(about: str) -> None:
    async with raw() as fastspring:
        with pytest.raises(Refused, match="by their ids"):
            await fastspring.read(about)


async def test_the_catalog_is_every_product_with_its_attributes() -> None:
    async with reading() as (fastspring, running):
        found = {item.name: item async for item in fastspring.catalog()}
    assert found.keys() == {product.path for product in ALL}
    for product in ALL:
        assert found[product.path].attributes == product.attributes
    assert {item.recurring for item in found.values()} == {True, False}
    assert len(running.api.calls) == 1 + -(-len(ALL) // AT_ONCE)


async def test_a_catalog_in_pages_is_followed_to_its_end() -> None:
    def product(name: str) -> dict[str, Any]:
        return {"product": name, "result": "success", "pricing": {"interval": "month"}, "attributes": {"a": None}}

    names = answer(200, {"products": ["a/b"], "nextPage": 2}), answer(200, {"products": ["c"], "nextPage": None})
    details = answer(200, {"products": [product("a/b"), product("c"), NOT_FOUND]})
    async with (
        raw_server(*names, details) as server,
        open_fastspring(f"http://127.0.0.1:{server.port}", KEY) as fastspring,
    ):
        items = [item async for item in fastspring.catalog()]
    assert [(item.name, item.recurring, item.attributes) for item in items] == [("a/b", True, {}), ("c", True, {})]
    assert [request.line.split()[1] for request in server.requests] == [
        "/products",
        "/products?page=2",
        "/products/a%2Fb,c",
    ]


async def test_a_catalog_that_is_not_there_is_a_limit_most_likely() -> None:
    async with raw(answer(404)) as fastspring:
        with pytest.raises(Unavailable, match="too many requests"):
            [item async for item in fastspring.catalog()]


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Throttle(retry_after=7), Throttled),
        (Answer(status=401), Unauthorized),
        (Answer(status=403), Unauthorized),
        (Answer(status=400, body={"error": {"path": "is odd"}}), Refused),
        (Answer(status=400), Refused),
        (Answer(status=500), Unavailable),
        (HtmlPage(status=502), Unavailable),
        (HtmlPage(status=200), Unavailable),
        (Drop(), Unavailable),
    ],
    ids=repr,
)
async def test_each_failure_says_what_to_do_next(effect: Effect, expected: type[ProvidedError]) -> None:
    async with reading() as (fastspring, running):
        running.api.faults.place(Fault(effect=effect))
        with pytest.raises(ProvidedError) as caught:
            await fastspring.read(f"products/{ALL[0].path}")
        assert type(caught.value) is expected
        assert await fastspring.read(f"products/{ALL[0].path}") is not None


async def test_name_and_password_are_not_shown() -> None:
    token = b64encode(KEY.encode()).decode()
    said = {"error": {"authorization": f"{KEY} or Basic {token} or hunter2hunter2 is wrong"}}
    async with raw(answer(401, said)) as fastspring:
        with pytest.raises(Unauthorized) as caught:
            await fastspring.read("products/x")
    assert caught.value.text == "authorization: [key] or Basic [key] or [key] is wrong"


@pytest.mark.parametrize("key", ["", "name", "name:", ":password", "name:pass\n", "näme:password"])
async def test_a_key_that_is_no_pair_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="NAME:PASSWORD"):
        async with open_fastspring("http://127.0.0.1:1", key):
            pass
