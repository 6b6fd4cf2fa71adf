"""How requests are let in: keys, roles, forms, formats, rate limits."""

import base64
from typing import Any

import httpx2
import pytest

from service.sandbox.netlicensing import falcon
from tests.integration.netlicensing_sandbox.conftest import Open
from tests.integration.netlicensing_sandbox.vendor import JSON, Vendor, infos, numbers

pytestmark = pytest.mark.anyio

TYPES = "/utility/licenseTypes"


def basic(login: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


async def asked(vendor: Vendor, headers: dict[str, str], path: str = TYPES, method: str = "GET") -> httpx2.Response:
    async with httpx2.AsyncClient(headers=headers) as http:
        return await http.request(method, f"{vendor.api_url}{path}")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("apiKey:wrong"), 401),
        (basic("someone:5a9dbc80-0000-4000-8000-000000000001"), 401),
        (basic("demo:wrong"), 401),
        ({"Authorization": "Basic %%%"}, 401),
        ({"Authorization": "Bearer 5a9dbc80-0000-4000-8000-000000000001"}, 401),
        (basic("apiKey:5a9dbc80-0000-4000-8000-000000000001"), 200),
        (basic("demo:demo"), 200),
    ],
)
async def test_only_a_key_or_a_login_is_let_in(vendor: Vendor, headers: dict[str, str], status: int) -> None:
    answer = await asked(vendor, {**JSON, **headers})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert infos(answer)[0]["type"] == "ERROR"


async def test_a_key_does_what_its_role_allows_and_a_login_does_everything(vendor: Vendor) -> None:
    assert (await vendor.licensee()).status_code == 200
    product = {"number": "mine", "name": "Mine", "version": "1"}
    refused = await vendor.call("POST", "/product", product)
    assert (refused.status_code, infos(refused)[0]["id"]) == (403, "AccessDeniedException")
    async with httpx2.AsyncClient(headers=JSON, auth=("demo", "demo")) as http:
        assert numbers(await http.post(f"{vendor.api_url}/product", data=product)) == ["mine"]


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("ROLE_APIKEY_LICENSEE", [403, 403, 200]), ("ROLE_APIKEY_ANALYTICS", [200, 403, 200])],
)
async def test_a_lesser_role_reads_or_validates_only(open_vendor: Open, role: Any, statuses: list[int]) -> None:
    vendor = await open_vendor(falcon(api_key_role=role))
    vendor.control.create("licensee", number="ann", productNumber="falcon")
    answers = [
        await vendor.call("GET", "/licensee/ann"),
        await vendor.call("POST", "/licensee/ann", {"active": "false"}),
        await vendor.call("POST", "/licensee/ann/validate"),
    ]
    assert [answer.status_code for answer in answers] == statuses


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("text/html, application/json;q=0.9", 200), ("application/xml", 406), ("*/*", 406)],
)
async def test_answers_are_json_and_nothing_else(vendor: Vendor, accept: str, status: int) -> None:
    assert (await vendor.http.get(f"{vendor.api_url}{TYPES}", headers={"Accept": accept})).status_code == status


async def test_whether_any_format_means_json_is_a_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(falcon(accept_any="json"))
    assert (await vendor.http.get(f"{vendor.api_url}{TYPES}", headers={"Accept": "*/*"})).status_code == 200


async def test_bodies_are_forms_in_utf_8(vendor: Vendor) -> None:
    sent = {"number": "zoë & co", "productNumber": "falcon"}
    place = f"{vendor.api_url}/licensee"
    assert (await vendor.http.post(place, json=sent)).status_code == 415
    raw = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await vendor.http.post(place, content=b"number=%ff", headers=raw)).status_code == 400
    assert (await vendor.http.post(place, content=b"x" * 2_000_000, headers=raw)).status_code == 413
    assert numbers(await vendor.http.post(place, data=sent)) == ["zoë & co"]
    assert numbers(await vendor.http.get(f"{place}/zo%C3%AB%20%26%20co")) == ["zoë & co"]


async def test_another_base_url_is_not_found(vendor: Vendor) -> None:
    assert (await vendor.http.get(f"{vendor.url}/core/v1/rest/licensee")).status_code == 404


async def test_no_content_has_no_body(vendor: Vendor) -> None:
    await vendor.licensee()
    answer = await vendor.call("DELETE", "/licensee/ann")
    assert (answer.status_code, answer.content) == (204, b"")
    assert numbers(await vendor.call("GET", "/licensee")) == []


async def test_the_rate_limit_is_one_of_a_rolling_minute_and_says_how_long_to_wait(open_vendor: Open) -> None:
    vendor = await open_vendor(falcon(requests_per_minute=2))
    statuses = [(await vendor.call("GET", TYPES)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = await vendor.call("GET", TYPES)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    vendor.control.advance(seconds=61)
    assert (await vendor.call("GET", TYPES)).status_code == 200
    assert [call.acted for call in vendor.control.calls()] == [True, True, False, False, True]


@pytest.mark.parametrize("status", [402, 403, 429])
async def test_how_the_rate_limit_refuses_is_a_setting(open_vendor: Open, status: Any) -> None:
    settings = falcon(requests_per_minute=1, rate_limited_status=status, rate_limited_retry_after=False)
    vendor = await open_vendor(settings)
    await vendor.call("GET", TYPES)
    refused = await vendor.call("GET", TYPES)
    assert refused.status_code == status
    assert "retry-after" not in refused.headers
    assert infos(refused)[0]["type"] == "ERROR"


async def test_a_client_that_hammers_may_never_get_through(open_vendor: Open) -> None:
    vendor = await open_vendor(falcon(requests_per_minute=1, refused_requests_count=True))
    assert (await vendor.call("GET", TYPES)).status_code == 200
    for _ in range(4):
        vendor.control.advance(seconds=40)
        assert (await vendor.call("GET", TYPES)).status_code == 429
    vendor.control.advance(seconds=61)
    assert (await vendor.call("GET", TYPES)).status_code == 200


async def test_the_status_of_a_wrong_key_is_a_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(falcon(bad_key_status=403))
    assert (await asked(vendor, {**JSON, **basic("apiKey:wrong")})).status_code == 403


async def test_the_log_names_no_values(vendor: Vendor) -> None:
    await vendor.call("GET", "/license", filter="licenseeNumber=ann@example.com")
    (call,) = vendor.control.calls()
    assert (call.method, call.path, call.query, call.status) == ("GET", "/license", ["filter"], 200)
