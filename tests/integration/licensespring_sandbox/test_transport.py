"""Keys, rate limits and requests that are no requests."""

import pytest

from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Vendor, order_body, settings

pytestmark = pytest.mark.anyio

NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize(
    "header",
    ["", "Api-Key", "Api-Key wrong", "Bearer {key}", "{key}", "Api-Key {key}x", "Api-Key {key} {key}"],
)
async def test_without_a_valid_key_nothing_is_answered_and_nothing_happens(vendor: Vendor, header: str) -> None:
    (key,) = vendor.control.company.settings.api_keys
    headers = {"Authorization": header.format(key=key)}
    answer = await vendor.http.post("/api/v1/orders/create_order/", json=order_body("order-1"), headers=headers)
    assert (answer.status_code, answer.json()) == (403, NO_CREDENTIALS)
    assert vendor.control.holdings()["orders"] == []


async def test_every_configured_key_opens_the_same_company(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(api_keys=("AAAAAAAA.first", "BBBBBBBB.second")))
    await vendor.order("order-1")
    answer = await vendor.http.get("/api/v1/orders/", headers={"Authorization": "Api-Key BBBBBBBB.second"})
    assert answer.json()["count"] == 1


async def test_the_plan_limits_the_company_over_a_rolling_minute(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(plan="free", api_keys=("AAAAAAAA.first", "BBBBBBBB.second")))
    for _ in range(600):
        assert vendor.control.company.limits.spends(vendor.control.company.clock.ticks()) is None
    answer = await vendor.call("GET", "/orders/")
    assert (answer.status_code, answer.json()) == (429, {"detail": "Request was throttled."})
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    other = await vendor.http.get("/api/v1/orders/", headers={"Authorization": "Api-Key BBBBBBBB.second"})
    assert other.status_code == 429
    vendor.control.advance(seconds=61)
    assert (await vendor.call("GET", "/orders/")).status_code == 200


async def test_one_authorization_may_ask_50_times_a_second_on_any_plan(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(flood_protection=True))
    authorization = str(vendor.http.headers["authorization"])
    ticks = vendor.control.company.clock.ticks()
    for number in range(50):
        assert vendor.control.company.limits.arrives(ticks, f"10.0.0.{number}", authorization) is None
    assert vendor.control.company.limits.arrives(ticks, "10.0.1.1", authorization) == 1
    assert vendor.control.company.limits.arrives(ticks + 1.01, "10.0.1.1", authorization) is None


async def test_one_address_may_ask_200_times_in_ten_seconds_even_with_wrong_keys(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(flood_protection=True))
    ticks = vendor.control.company.clock.ticks()
    for number in range(200):
        assert vendor.control.company.limits.arrives(ticks, "127.0.0.1", f"Api-Key {number}") is None
    answer = await vendor.call("GET", "/orders/")
    assert answer.status_code == 429
    vendor.control.advance(seconds=11)
    assert (await vendor.call("GET", "/orders/")).status_code == 200


async def test_a_throttled_answer_can_come_without_retry_after(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(plan="free", throttled_answer="bare"))
    for _ in range(600):
        vendor.control.company.limits.spends(vendor.control.company.clock.ticks())
    answer = await vendor.call("GET", "/orders/")
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers


async def test_throttled_requests_do_not_act_and_do_not_count(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(plan="free"))
    for _ in range(600):
        vendor.control.company.limits.spends(vendor.control.company.clock.ticks())
    vendor.control.advance(seconds=30)
    for _ in range(5):
        assert (await vendor.call("POST", "/orders/create_order/", order_body("order-1"))).status_code == 429
    assert vendor.control.holdings()["orders"] == []
    vendor.control.advance(seconds=31)
    await vendor.order("order-1")


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/nowhere/", 404, "Not found."),
        ("GET", "/licenses/abc/", 404, "Not found."),
        ("PUT", "/licenses/1/", 405, 'Method "PUT" not allowed.'),
        ("GET", "/orders/create_order/", 405, 'Method "GET" not allowed.'),
    ],
)
async def test_wrong_places_and_methods_are_answered_as_django_does(
    vendor: Vendor, method: str, path: str, status: int, detail: str
) -> None:
    assert await vendor.refusal(method, path) == (status, {"detail": detail})


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"[]", "application/json; charset=utf-8", 400),
        (b"null", "application/json", 400),
        (b"", "application/json", 400),
        (b"id=1", "application/x-www-form-urlencoded", 415),
        (b" " * 3_000_000, "application/json", 413),
    ],
)
async def test_bodies_that_are_no_json_object_are_refused(
    vendor: Vendor, content: bytes, media_type: str, status: int
) -> None:
    for path in ("/orders/create_order/", "/customers/"):
        answer = await vendor.http.post(f"/api/v1{path}", content=content, headers={"Content-Type": media_type})
        assert answer.status_code == status
    assert vendor.control.holdings() == {"orders": [], "customers": []}
