"""Faults on demand: each does to the wire, and to the rows, what it says."""

import asyncio
from typing import Any

import httpx2
import pytest

from service.sandbox.faults import Answer, Delay, Drop, Effect, HtmlPage, Stale, Throttle
from tests.integration.licensespring_sandbox.vendor import Vendor, order_body

pytestmark = pytest.mark.anyio

CREATE = "/api/v1/orders/create_order"


async def create(vendor: Vendor, store_id: str = "order-1") -> httpx2.Response | None:
    """The answer, or None when the connection was dropped."""
    try:
        return await vendor.call("POST", "/orders/create_order/", order_body(store_id))
    except httpx2.RemoteProtocolError:
        return None


def stored(vendor: Vendor) -> list[str]:
    return [order["store_id"] for order in vendor.control.holdings()["orders"]]


@pytest.mark.parametrize(
    ("effect", "status", "acted"),
    [
        (Answer(status=500), 500, False),
        (Answer(status=502, when="after"), 502, True),
        (HtmlPage(), 502, False),
        (HtmlPage(status=504, when="after"), 504, True),
        (Throttle(), 429, False),
        (Drop(), None, False),
        (Drop(when="after"), None, True),
        (Delay(seconds=0), 200, True),
        (Delay(seconds=0, when="after"), 200, True),
    ],
)
async def test_a_fault_meets_one_request_before_or_after_it_acted(
    vendor: Vendor, effect: Effect, status: int | None, acted: bool
) -> None:
    fault = vendor.control.fault(effect, method="POST", path=CREATE)
    answer = await create(vendor)
    assert (None if answer is None else answer.status_code) == status
    assert stored(vendor) == (["order-1"] if acted else [])
    call = vendor.control.calls()[-1]
    assert (call.status, call.acted, call.fault) == (status, acted, fault)
    answer = await create(vendor, "order-2")
    assert answer is not None
    assert answer.status_code == 200


async def test_an_answer_lost_after_the_change_makes_the_repeat_a_duplicate(vendor: Vendor) -> None:
    vendor.control.fault(Drop(when="after"), path=CREATE)
    assert await create(vendor) is None
    answer = await create(vendor)
    assert answer is not None
    assert answer.json()["code"] == "order_already_exists"
    assert (await vendor.get("/orders/", store_id="order-1"))["count"] == 1


async def test_bodies_and_headers_of_faults_are_what_was_asked_for(vendor: Vendor) -> None:
    vendor.control.fault(Answer(status=503, body={"message": "down"}, headers={"Retry-After": "7"}))
    vendor.control.fault(HtmlPage(status=503))
    vendor.control.fault(Throttle(retry_after=9))
    vendor.control.fault(Throttle(retry_after=None))
    vendor.control.fault(Answer(status=403))
    down, page, busy, silent, locked = [await vendor.call("GET", "/orders/") for _ in range(5)]
    assert (down.json(), down.headers["retry-after"]) == ({"message": "down"}, "7")
    assert page.headers["content-type"] == "text/html"
    assert page.text.startswith("<html>")
    assert (busy.json(), busy.headers["retry-after"]) == ({"detail": "Request was throttled."}, "9")
    assert "retry-after" not in silent.headers
    assert locked.json() == {"detail": "Authentication credentials were not provided."}


async def test_a_burst_meets_as_many_requests_as_it_says_after_those_it_skips(vendor: Vendor) -> None:
    vendor.control.fault(Throttle(), path="/api/v1/*", times=3, skip=2)
    statuses = [(await vendor.call("GET", "/orders/")).status_code for _ in range(7)]
    assert statuses == [200, 200, 429, 429, 429, 200, 200]


async def test_a_standing_fault_stays_until_it_is_removed_and_yields_to_counted_ones(vendor: Vendor) -> None:
    vendor.control.fault(Answer(status=500), times=None)
    vendor.control.fault(Answer(status=502))
    statuses = [(await vendor.call("GET", "/orders/")).status_code for _ in range(3)]
    vendor.control.clear_faults()
    assert [*statuses, (await vendor.call("GET", "/orders/")).status_code] == [502, 500, 500, 200]


@pytest.mark.parametrize(
    ("method", "path", "meets"),
    [
        ("GET", "/api/v1/licenses", True),
        ("GET", "/api/v1/licenses/", True),
        ("*", "/api/v1/lic*", True),
        ("POST", "/api/v1/licenses", False),
        ("GET", "/api/v1/orders", False),
        ("GET", "/api/v1/licenses/*", False),
    ],
)
async def test_faults_meet_by_method_and_path(vendor: Vendor, method: str, path: str, meets: bool) -> None:
    vendor.control.fault(Answer(status=500), method=method, path=path)
    assert ((await vendor.call("GET", "/licenses/")).status_code == 500) is meets


async def test_a_stale_read_shows_the_rows_before_the_last_change_and_a_write_is_never_stale(vendor: Vendor) -> None:
    license_ = await vendor.license(note="old")
    place = f"/licenses/{license_['id']}/"
    await vendor.patch(place, {"note": "new"})
    vendor.control.fault(Stale(), path="/api/v1/licenses/*", times=2)
    assert (await vendor.get(place))["note"] == "old"
    assert (await vendor.patch(place, {"max_activations": 2}))["note"] == "new"
    vendor.control.fault(Stale(changes=3))
    assert (await vendor.get("/licenses/"))["count"] == 0
    assert (await vendor.get(place))["note"] == "new"


async def test_a_stale_read_still_shows_what_was_deleted_since(vendor: Vendor) -> None:
    license_ = await vendor.license()
    await vendor.call("DELETE", f"/licenses/{license_['id']}/")
    vendor.control.fault(Stale())
    assert await vendor.get(f"/licenses/{license_['id']}/") == license_


async def test_a_request_whose_client_gave_up_waiting_acts_all_the_same(vendor: Vendor) -> None:
    vendor.control.fault(Delay(seconds=0.3), path=CREATE)
    with pytest.raises(httpx2.ReadTimeout):
        await vendor.http.post(CREATE, json=order_body("order-1"), timeout=0.1)
    async with asyncio.timeout(10):
        await vendor.control.called(1)
    assert stored(vendor) == ["order-1"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_delay_holds_its_request_up_but_no_other(vendor: Vendor, when: Any) -> None:
    vendor.control.fault(Delay(seconds=0.5, when=when), path=CREATE)
    slow = asyncio.create_task(create(vendor))
    quick = asyncio.create_task(vendor.call("GET", "/products/"))
    done, _ = await asyncio.wait({slow, quick}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {quick}
    answer = await slow
    assert answer is not None
    assert answer.status_code == 200


async def test_requests_at_the_same_time_make_one_order_per_id(vendor: Vendor) -> None:
    answers = await asyncio.gather(*(create(vendor, f"order-{number % 5}") for number in range(25)))
    statuses = sorted(answer.status_code for answer in answers if answer is not None)
    assert statuses == [200] * 5 + [400] * 20
    assert sorted(stored(vendor)) == [f"order-{number}" for number in range(5)]


@pytest.mark.parametrize(
    "body",
    [
        {"effect": {"kind": "explode"}},
        {"effect": {"kind": "drop", "when": "later"}},
        {"effect": {"kind": "delay", "seconds": 1e9}},
        {"effect": {"kind": "drop"}, "pth": "*"},
        {"effect": {"kind": "drop"}, "times": 0},
        {"effect": {"kind": "stale", "changes": 0}},
        {"effect": {"kind": "answer", "status": 99}},
        {},
    ],
)
async def test_a_fault_that_is_not_understood_is_refused_with_the_reason(vendor: Vendor, body: Any) -> None:
    answer = await vendor.http.post("/sandbox/faults", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["detail"]) > 10
    assert vendor.control.company.faults.placed() == []
