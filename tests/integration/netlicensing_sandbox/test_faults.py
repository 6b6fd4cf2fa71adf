"""Faults on demand: each does to the wire, and to the records, what it says."""

import asyncio
from typing import Any

import httpx2
import pytest

from service.sandbox.faults import Answer, Delay, Drop, Effect, ErrorInOk, HtmlPage, Throttle
from tests.integration.netlicensing_sandbox.vendor import Vendor, infos

pytestmark = pytest.mark.anyio


async def create(vendor: Vendor, number: str = "ann") -> httpx2.Response | None:
    """The answer, or None when the connection was dropped."""
    try:
        return await vendor.licensee(number)
    except httpx2.RemoteProtocolError:
        return None


def stored(vendor: Vendor) -> list[str]:
    return list(vendor.control.holdings()["licensees"])


@pytest.mark.parametrize(
    ("effect", "status", "acted"),
    [
        (Answer(status=500), 500, False),
        (Answer(status=502, when="after"), 502, True),
        (ErrorInOk(), 200, False),
        (ErrorInOk(when="after"), 200, True),
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
    fault = vendor.control.fault(effect, method="POST", path="/licensee")
    answer = await create(vendor)
    assert (None if answer is None else answer.status_code) == status
    assert stored(vendor) == (["ann"] if acted else [])
    call = vendor.control.calls()[-1]
    assert (call.status, call.acted, call.fault) == (status, acted, fault)
    answer = await create(vendor, "bob")
    assert answer is not None
    assert infos(answer) == []


async def test_an_answer_lost_after_the_change_makes_the_repeat_a_duplicate(vendor: Vendor) -> None:
    vendor.control.fault(Drop(when="after"), path="/licensee")
    assert await create(vendor) is None
    answer = await create(vendor)
    assert answer is not None
    assert (answer.status_code, infos(answer)[0]["id"]) == (400, "IllegalOperationException")
    assert stored(vendor) == ["ann"]


async def test_bodies_and_headers_of_faults_are_what_was_asked_for(vendor: Vendor) -> None:
    vendor.control.fault(Answer(status=503, body={"message": "down"}, headers={"Retry-After": "7"}))
    vendor.control.fault(ErrorInOk(id="ValidationException", text="no"))
    vendor.control.fault(Throttle(retry_after=9))
    vendor.control.fault(Throttle(retry_after=None))
    vendor.control.fault(Answer(status=402))
    down, inside, busy, silent, unpaid = [await vendor.call("GET", "/licensee") for _ in range(5)]
    assert (down.json(), down.headers["retry-after"]) == ({"message": "down"}, "7")
    assert infos(inside) == [{"id": "ValidationException", "type": "ERROR", "value": "no"}]
    assert busy.headers["retry-after"] == "9"
    assert "retry-after" not in silent.headers
    assert (unpaid.status_code, infos(unpaid)[0]["type"]) == (402, "ERROR")


async def test_a_burst_meets_as_many_requests_as_it_says_after_those_it_skips(vendor: Vendor) -> None:
    vendor.control.fault(Throttle(), path="/licens*", times=3, skip=2)
    statuses = [(await vendor.call("GET", "/licensee")).status_code for _ in range(7)]
    assert statuses == [200, 200, 429, 429, 429, 200, 200]


async def test_a_standing_fault_stays_until_it_is_removed_and_yields_to_counted_ones(vendor: Vendor) -> None:
    vendor.control.fault(Answer(status=500), times=None)
    vendor.control.fault(Answer(status=502))
    statuses = [(await vendor.call("GET", "/licensee")).status_code for _ in range(3)]
    vendor.control.clear_faults()
    assert [*statuses, (await vendor.call("GET", "/licensee")).status_code] == [502, 500, 500, 200]


async def test_a_request_whose_client_gave_up_waiting_acts_all_the_same(vendor: Vendor) -> None:
    vendor.control.fault(Delay(seconds=0.3), path="/licensee")
    with pytest.raises(httpx2.ReadTimeout):
        await vendor.http.post(
            f"{vendor.api_url}/licensee", data={"number": "ann", "productNumber": "falcon"}, timeout=0.1
        )
    async with asyncio.timeout(10):
        await vendor.control.called(1)
    assert stored(vendor) == ["ann"]


async def test_a_delay_holds_its_request_up_but_no_other(vendor: Vendor) -> None:
    vendor.control.fault(Delay(seconds=0.5, when="after"), path="/licensee")
    slow = asyncio.create_task(create(vendor))
    quick = asyncio.create_task(vendor.call("GET", "/license"))
    done, _ = await asyncio.wait({slow, quick}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {quick}
    assert await slow is not None


async def test_requests_at_the_same_time_make_one_licensee_per_number(vendor: Vendor) -> None:
    answers = await asyncio.gather(*(create(vendor, f"c-{number % 5}") for number in range(25)))
    statuses = sorted(answer.status_code for answer in answers if answer is not None)
    assert statuses == [200] * 5 + [400] * 20
    assert sorted(stored(vendor)) == [f"c-{number}" for number in range(5)]


async def test_a_mistake_of_the_sandbox_itself_is_answered_with_500_and_logged(
    vendor: Vendor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor.control.account.store, "all", None)
    assert (await vendor.call("GET", "/licensee")).status_code == 500
    assert "GET licensee" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"effect": {"kind": "explode"}},
        {"effect": {"kind": "drop", "when": "later"}},
        {"effect": {"kind": "delay", "seconds": 1e9}},
        {"effect": {"kind": "drop"}, "pth": "*"},
        {"effect": {"kind": "drop"}, "times": 0},
        {"effect": {"kind": "answer", "status": 99}},
        {},
    ],
)
async def test_a_fault_that_is_not_understood_is_refused_with_the_reason(vendor: Vendor, body: Any) -> None:
    answer = await vendor.http.post(f"{vendor.url}/sandbox/faults", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["detail"]) > 10
    assert vendor.control.account.faults.placed() == []
