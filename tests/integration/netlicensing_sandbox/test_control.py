"""The control API: the same back door over HTTP."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.integration.netlicensing_sandbox.vendor import Vendor, numbers

pytestmark = pytest.mark.anyio

START = "2030-01-01T00:00:00Z"


async def control(vendor: Vendor, method: str, path: str, body: Any = None) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.request(method, f"{vendor.url}/sandbox{path}", json=body)


async def test_effective_tells_what_programs_are_told_at_the_sandboxes_clock(vendor: Vendor) -> None:
    await control(vendor, "POST", "/clock", {"now": START, "stopped": True})
    await vendor.licensee(product="falcon-studio")
    form = {"licenseeNumber": "ann", "licenseTemplateNumber": "falcon-studio-time", "startDate": "now"}
    await vendor.call("POST", "/license", {**form, "number": "l-1", "timeVolume": "2", "timeVolumePeriod": "DAY"})
    told = (await control(vendor, "GET", "/effective")).json()["ann"]
    module = {"model": "Subscription", "valid": True, "expires": "2030-01-03T00:00:00Z"}
    assert told == {"product": "falcon-studio", "active": True, "modules": {"falcon-studio-module": module}}
    await control(vendor, "POST", "/clock", {"advance_seconds": 2 * 86_400})
    told = (await control(vendor, "GET", "/effective")).json()["ann"]["modules"]
    assert told == {"falcon-studio-module": {**module, "valid": False}}


async def test_a_person_changes_and_deletes_behind_the_clients_back(vendor: Vendor) -> None:
    await vendor.licensee()
    changed = await control(vendor, "PATCH", "/entities/licensee/ann", {"active": "false", "note": "late"})
    assert changed.json()["note"] == "late"
    assert (await control(vendor, "GET", "/entities/licensee/ann")).json()["active"] == "false"
    assert (await control(vendor, "PATCH", "/entities/licensee/ann", {"active": "perhaps"})).status_code == 400
    assert (await control(vendor, "DELETE", "/entities/licensee/ann")).status_code == 204
    assert (await control(vendor, "GET", "/entities/licensee/ann")).status_code == 404
    assert (await control(vendor, "GET", "/entities/planet/mars")).status_code == 404
    assert vendor.control.calls()[1:] == []


async def test_holdings_are_licensees_and_licenses_by_number(vendor: Vendor) -> None:
    await vendor.licensee()
    held = (await control(vendor, "GET", "/holdings")).json()
    assert held == vendor.control.holdings()
    assert list(held["licensees"]) == ["ann"]


async def test_a_snapshot_is_taken_and_brought_back(vendor: Vendor) -> None:
    await vendor.licensee()
    snapshot = (await control(vendor, "GET", "/snapshot")).json()
    vendor.control.reset()
    assert (await control(vendor, "POST", "/snapshot", snapshot)).status_code == 204
    assert numbers(await vendor.call("GET", "/licensee")) == ["ann"]


async def test_products_are_added_and_what_cannot_be_is_refused(vendor: Vendor) -> None:
    module = {
        "number": "m",
        "licensing_model": "Quota",
        "templates": [{"number": "t", "license_type": "QUANTITY", "properties": {"quantity": "3"}}],
    }
    assert (await control(vendor, "POST", "/products", {"number": "p", "modules": [module]})).status_code == 204
    assert vendor.control.show("licensetemplate", "t")["quantity"] == "3"
    wrong = {**module, "number": "n", "templates": [{"number": "u", "license_type": "FLOATING"}]}
    assert (await control(vendor, "POST", "/products", {"number": "q", "modules": [wrong]})).status_code == 400
    assert "q" not in numbers(await vendor.call("GET", "/product"))


async def test_the_overview_counts_and_shows_settings_but_no_key(vendor: Vendor) -> None:
    answer = await control(vendor, "GET", "/")
    told = answer.json()
    assert (told["counts"]["bundle"], told["calls"], told["faults"]) == (1, 0, 0)
    assert told["settings"]["duplicate_number_status"] == 400
    assert "5a9dbc80" not in answer.text


async def test_the_clock_stops_moves_and_returns_to_real_time(vendor: Vendor) -> None:
    stopped = (await control(vendor, "POST", "/clock", {"now": START, "stopped": True})).json()
    assert stopped == {"now": "2030-01-01T00:00:00Z", "stopped": True}
    assert (await control(vendor, "GET", "/clock")).json() == stopped
    assert (await control(vendor, "POST", "/clock", {"now": "2030-01-01T00:00:00"})).status_code == 400
    real = (await control(vendor, "POST", "/clock", {"real": True})).json()
    assert abs((datetime.fromisoformat(real["now"]) - datetime.now(UTC)).total_seconds()) < 60


async def test_calls_and_faults_are_listed_and_cleared(vendor: Vendor) -> None:
    await vendor.licensee()
    assert (await control(vendor, "GET", "/calls")).json()["calls"][0]["path"] == "/licensee"
    assert (await control(vendor, "DELETE", "/calls")).status_code == 204
    assert (await control(vendor, "GET", "/calls")).json() == {"total": 0, "calls": []}
    placed = (await control(vendor, "POST", "/faults", {"effect": {"kind": "drop"}, "times": None})).json()
    assert [fault["id"] for fault in (await control(vendor, "GET", "/faults")).json()] == [placed["id"]]
    assert (await control(vendor, "DELETE", f"/faults/{placed['id']}")).status_code == 204
    assert (await control(vendor, "DELETE", f"/faults/{placed['id']}")).status_code == 404
    assert (await control(vendor, "DELETE", "/faults")).status_code == 204
    assert (await control(vendor, "POST", "/reset")).status_code == 204
