"""LicenseSpring's client over real HTTP, against a server that behaves as badly as a test wants."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from projections.http.client import open_http
from projections.targets import transport
from projections.targets.errors import (
    AlreadyExists,
    NotFound,
    Refused,
    TargetError,
    Throttled,
    Unauthorized,
    Unavailable,
    Unclear,
)
from projections.targets.licensespring.client import LicenseSpring, open_licensespring
from projections.targets.licensespring.wire import NewCustomer, NewItem, NewLicense, NewOrder
from tests.integration.raw_http import (
    Act,
    answer,
    hang_up,
    keep_silent,
    listening,
    not_http,
    page,
    raw_server,
    reset,
    trickle,
)

pytestmark = pytest.mark.anyio

KEY = "AbCdEfGh.0123456789abcdef0123456789abcdef"
STORE_ID = "tenure/stripe-main/sub_1/0"
ORDER = NewOrder(id=STORE_ID, items=(NewItem(product_code="ED", licenses=(NewLicense(key="K1"),)),))

Call = Callable[[LicenseSpring], Awaitable[object]]


async def raised(call: Awaitable[object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await call
    return caught.value


async def create(client: LicenseSpring) -> object:
    return await client.create_order(ORDER)


async def look(client: LicenseSpring) -> object:
    return await client.license(1)


# --- requests ---------------------------------------------------------------------------------------------------

LICENSE_1 = {"id": 1, "license_key": "K1", "order_store_id": STORE_ID, "enabled": True}


async def every_license(client: LicenseSpring) -> object:
    return [one async for one in client.licenses(subscription_id="sub_1", enabled=True)]


@pytest.mark.parametrize(
    ("call", "reply", "line", "body"),
    [
        (
            lambda client: client.generate_keys("ED", 2),
            answer(200, ["K1", "K2"]),
            "GET /api/v1/orders/generate_license/?product=ED&quantity=2",
            None,
        ),
        (
            create,
            answer(200, {"id": 5, "order_items": [{"licenses": [LICENSE_1]}]}),
            "POST /api/v1/orders/create_order/",
            {"id": STORE_ID, "items": [{"product_code": "ED", "licenses": [{"key": "K1"}]}]},
        ),
        (
            lambda client: client.find_order(STORE_ID),
            page(),
            "GET /api/v1/orders/?store_id=tenure%2Fstripe-main%2Fsub_1%2F0&limit=100&offset=0",
            None,
        ),
        (
            lambda client: client.licenses_of_order("S"),
            page(),
            "GET /api/v1/licenses/?order__store_id=S&limit=100&offset=0",
            None,
        ),
        (
            lambda client: client.find_license("K&1"),
            page(),
            "GET /api/v1/licenses/?license_key=K%261&limit=100&offset=0",
            None,
        ),
        (look, answer(200, LICENSE_1), "GET /api/v1/licenses/1/", None),
        (
            every_license,
            page(LICENSE_1),
            "GET /api/v1/licenses/?subscription_id=sub_1&enabled=true&limit=100&offset=0",
            None,
        ),
        (
            lambda client: client.update_license(1, {"validity_period": "2027-02-01", "is_trial": False}),
            answer(200, LICENSE_1),
            "PATCH /api/v1/licenses/1/",
            {"validity_period": "2027-02-01", "is_trial": False},
        ),
        (lambda client: client.enable(1), answer(200, {"message": "x"}), "POST /api/v1/licenses/1/enable/", None),
        (lambda client: client.disable(1), answer(204), "POST /api/v1/licenses/1/disable/", None),
        (
            lambda client: client.find_customer("cus_1"),
            page(),
            "GET /api/v1/customers/?reference__exact=cus_1&limit=100&offset=0",
            None,
        ),
        (
            lambda client: client.create_customer(NewCustomer(reference="cus_1", email="a@example.org")),
            answer(201, {"id": 7}),
            "POST /api/v1/customers/",
            {"reference": "cus_1", "email": "a@example.org"},
        ),
        (
            lambda client: client.update_customer(7, {"company_name": "Ada Ltd"}),
            answer(200, {"id": 7}),
            "PATCH /api/v1/customers/7/",
            {"company_name": "Ada Ltd"},
        ),
    ],
)
async def test_each_call_is_sent_once_exactly_as_documented(
    call: Call, reply: Act, line: str, body: dict[str, object] | None
) -> None:
    async with raw_server(reply) as server, open_licensespring(server.url, KEY) as client:
        await call(client)
        [request] = server.requests
        assert request.line == f"{line} HTTP/1.1"
        assert request.headers["authorization"] == f"Api-Key {KEY}"
        assert request.headers["accept"] == "application/json"
        assert (msgspec.json.decode(request.body) if request.body else None) == body
        assert not request.body or request.headers["content-type"] == "application/json"


async def test_a_rule_that_is_broken_is_named_before_anything_is_sent() -> None:
    async with raw_server() as server, open_licensespring(server.url, KEY) as client:
        with pytest.raises(ValueError, match="is_trial"):
            await client.update_license(1, {"validity_period": "2027-02-01"})
        with pytest.raises(ValueError, match="at least one key"):
            await client.generate_keys("ED", 0)
        with pytest.raises(ValueError, match="documented"):
            await anext(client.licenses(store="S"))
        assert server.requests == []


# --- was it done? -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (reset, "ClientOSError"),
        (hang_up, "disconnected"),
        (not_http, "ClientResponseError"),
        (answer(200, b"{", longer_by=10), "broken off"),
        (answer(200, b"not gzip", headers="Content-Encoding: gzip\r\n"), "broken off"),
        (answer(200, b"<html><h1>Welcome</h1></html>"), "not JSON: Welcome"),
        (answer(200, b"[" * 100_000), "not JSON"),
        (answer(200, b'"\xff"'), "not JSON"),
        (answer(200), "does not describe"),
        (answer(200, {"message": "ok"}), "does not describe"),
        (answer(500, b"<html><h1>Server Error</h1></html>"), "Server Error"),
        (answer(502, b"upstream prematurely closed"), "upstream"),
        (answer(503), ""),
        (answer(504, {"detail": "Timed out"}, longer_by=10), ""),
        (answer(408), ""),
    ],
)
@pytest.mark.parametrize(("call", "kind"), [(create, Unclear), (look, Unavailable)])
async def test_a_request_that_left_without_a_clear_answer_may_have_been_done_unless_it_only_read(
    act: Act, text: str, call: Call, kind: type[TargetError]
) -> None:
    async with raw_server(act) as server, open_licensespring(server.url, KEY) as client:
        error = await raised(call(client))
        assert type(error) is kind
        assert text in error.text
        assert len(server.requests) == 1


@pytest.mark.parametrize(("call", "kind"), [(create, Unclear), (look, Unavailable)])
async def test_no_answer_in_time_is_unclear_unless_it_only_read(call: Call, kind: type[TargetError]) -> None:
    async with raw_server(keep_silent) as server, open_licensespring(server.url, KEY, timeout=0.1) as client:
        assert type(await raised(call(client))) is kind


@pytest.mark.parametrize(("call", "kind"), [(create, Unclear), (look, Unavailable)])
async def test_an_answer_that_trickles_for_ever_ends_at_the_deadline(call: Call, kind: type[TargetError]) -> None:
    async with raw_server(trickle) as server, open_licensespring(server.url, KEY, deadline=0.3) as client:
        assert type(await raised(call(client))) is kind


@pytest.mark.parametrize("call", [create, look])
async def test_a_server_that_cannot_be_reached_did_nothing(call: Call) -> None:
    async with raw_server() as server:
        url = server.url
    async with open_licensespring(url, KEY) as client:
        assert type(await raised(call(client))) is Unavailable


async def test_a_failed_tls_handshake_did_nothing() -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with listening(speak_plainly) as port, open_licensespring(f"https://127.0.0.1:{port}/", KEY) as client:
        error = await raised(create(client))
        assert type(error) is Unavailable
        assert "ClientConnector" in error.text


async def test_a_call_that_gets_no_connection_of_the_pool_did_nothing() -> None:
    async with raw_server(keep_silent) as server, open_http(server.url, timeout=0.5, connections=1) as http:
        client = LicenseSpring(http, KEY)
        first = asyncio.ensure_future(look(client))
        await server.asked.wait()
        error = await raised(create(client))
        assert type(error) is Unavailable
        assert "ConnectionTimeoutError" in error.text
        assert len(server.requests) == 1
        first.cancel()
        with suppress(asyncio.CancelledError, Unavailable):
            await first


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (answer(400, {"detail": "Bad"}), Refused),
        (answer(400, b'{"detail": "Ba', longer_by=10), Refused),
        (answer(409, {"detail": "Order with this id already exists."}), AlreadyExists),
        (answer(401), Unauthorized),
        (answer(403, {"detail": "Authentication credentials were not provided."}), Unauthorized),
        (answer(404, {"detail": "Not found."}), NotFound),
        (answer(429, {"detail": "Request was throttled."}, headers="Retry-After: 7\r\n"), Throttled),
        (answer(425), Unavailable),
    ],
)
async def test_a_clear_refusal_of_a_write_is_final_or_says_that_nothing_was_done(
    act: Act, kind: type[TargetError]
) -> None:
    async with raw_server(act) as server, open_licensespring(server.url, KEY) as client:
        error = await raised(create(client))
        assert type(error) is kind
        assert error.call == "create_order"
        assert error.retry_after == (7.0 if kind is Throttled else None)
        assert len(server.requests) == 1


async def test_an_answer_that_is_too_long_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_LIMIT", 1000)
    async with (
        raw_server(answer(200, b'"' + b"x" * 5000 + b'"')) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        error = await raised(look(client))
        assert type(error) is Unavailable
        assert "longer than 1000 bytes" in error.text


async def test_a_redirect_is_refused_and_the_key_goes_nowhere_else() -> None:
    async with raw_server(answer(200, LICENSE_1)) as elsewhere:
        move = answer(302, headers=f"Location: {elsewhere.url}\r\n")
        async with raw_server(move) as server, open_http(server.url, timeout=5, connections=1) as http:
            assert type(await raised(look(LicenseSpring(http, KEY)))) is Refused
        assert elsewhere.requests == []


# --- orders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys", [["K1"], ["K1", "K1"], ["K1", 2], ["K1", ""], ["K1", "K2", "K3"], ["K1", "K" * 301], {"keys": []}, None]
)
async def test_generated_keys_are_taken_only_when_they_are_as_many_as_asked_for_and_distinct(keys: Any) -> None:
    async with raw_server(answer(200, keys)) as server, open_licensespring(server.url, KEY) as client:
        assert type(await raised(client.generate_keys("ED", 2))) is Unavailable


@pytest.mark.parametrize(
    "created",
    [
        {"order_id": 5, "new_passwords": []},
        {"id": 5, "store_id": STORE_ID},
        {"id": 5, "store_id": STORE_ID, "order_items": [{"licenses": [{"license_key": "K1"}]}]},
        {"id": 5, "store_id": STORE_ID, "order_items": [{"licenses": [{"id": 1}]}]},
    ],
)
async def test_licenses_missing_in_the_answer_of_create_order_are_read(created: dict[str, object]) -> None:
    async with (
        raw_server(answer(200, created), page(LICENSE_1)) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        order = await client.create_order(ORDER)
        assert (order.id, order.store_id, [one.id for one in order.licenses]) == (5, STORE_ID, [1])
        assert server.requests[1].line.startswith("GET /api/v1/licenses/?order__store_id=")


@pytest.mark.parametrize("reading", [page(), answer(500), answer(429), answer(400), hang_up])
async def test_an_order_whose_licenses_cannot_be_seen_yet_is_unclear(reading: Act) -> None:
    async with (
        raw_server(answer(200, {"order_id": 5}), reading) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        error = await raised(client.create_order(ORDER))
        assert type(error) is Unclear
        assert error.call == "create_order"
        assert "order taken" in error.text


async def test_an_answer_about_another_order_or_license_is_not_taken_for_ours() -> None:
    other = {"id": 2, "store_id": "other", "order_items": [{"licenses": [LICENSE_1]}]}
    async with (
        raw_server(
            answer(200, other), answer(200, LICENSE_1 | {"id": 2}), answer(200, LICENSE_1 | {"id": 2})
        ) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        assert type(await raised(client.create_order(ORDER))) is Unclear
        assert type(await raised(client.update_license(1, {"note": "x"}))) is Unclear
        assert type(await raised(client.license(1))) is Unavailable


# --- enable, disable --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "kind"),
    [
        (answer(200, LICENSE_1 | {"enabled": False}), None),
        (answer(200, LICENSE_1), Refused),
        (answer(200, {"id": 1}), Refused),
        (answer(404), Refused),
        (answer(500), Unavailable),
    ],
)
async def test_a_refused_disable_counts_as_done_only_if_the_license_is_disabled(
    reading: Act, kind: type[TargetError] | None
) -> None:
    refusal = answer(400, {"detail": "License is already disabled."})
    async with raw_server(refusal, reading) as server, open_licensespring(server.url, KEY) as client:
        if kind is None:
            await client.disable(1)
        else:
            assert type(await raised(client.disable(1))) is kind
        assert [request.line.split()[0] for request in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Unauthorized), (404, NotFound), (429, Throttled), (502, Unclear)]
)
async def test_other_failures_of_enable_need_no_look_at_the_license(status: int, kind: type[TargetError]) -> None:
    async with raw_server(answer(status)) as server, open_licensespring(server.url, KEY) as client:
        assert type(await raised(client.enable(1))) is kind
        assert len(server.requests) == 1
