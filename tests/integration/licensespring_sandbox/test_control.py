"""The control API: clock, drift by hand, holdings, the log and starting over."""

import pytest

from service.sandbox.licensespring import ProductSeed
from tests.integration.licensespring_sandbox.vendor import Vendor, order_body

pytestmark = pytest.mark.anyio


async def test_faults_are_placed_listed_and_removed_over_http(vendor: Vendor) -> None:
    body = {"method": "GET", "path": "/api/v1/orders", "times": 2, "effect": {"kind": "answer", "status": 500}}
    placed = (await vendor.http.post("/sandbox/faults", json=body)).json()
    assert (placed["left"], placed["fault"]["effect"]["status"]) == (2, 500)
    assert (await vendor.call("GET", "/orders/")).status_code == 500
    assert [one["left"] for one in (await vendor.http.get("/sandbox/faults")).json()] == [1]
    assert (await vendor.http.delete(f"/sandbox/faults/{placed['id']}")).status_code == 204
    assert (await vendor.http.delete(f"/sandbox/faults/{placed['id']}")).status_code == 404
    await vendor.http.post("/sandbox/faults", json={**body, "times": None})
    assert (await vendor.http.delete("/sandbox/faults")).status_code == 204
    assert (await vendor.call("GET", "/orders/")).status_code == 200


async def test_the_clock_is_set_stopped_advanced_and_let_go(vendor: Vendor) -> None:
    stopped = await vendor.http.post("/sandbox/clock", json={"now": "2030-01-01T00:00:00Z", "stopped": True})
    assert stopped.json() == {"now": "2030-01-01T00:00:00Z", "stopped": True}
    await vendor.http.post("/sandbox/clock", json={"advance_seconds": 3600})
    assert (await vendor.license())["created_at"] == "2030-01-01T01:00:00Z"
    assert (await vendor.http.get("/sandbox/clock")).json() == {"now": "2030-01-01T01:00:00Z", "stopped": True}
    real = (await vendor.http.post("/sandbox/clock", json={"real": True})).json()
    assert real["stopped"] is False
    assert real["now"] < "2030"


@pytest.mark.parametrize("body", [{"now": "2030-01-01T00:00:00"}, {"advance_seconds": -1}, {"noon": 1}])
async def test_a_clock_change_that_makes_no_sense_is_refused(vendor: Vendor, body: dict[str, object]) -> None:
    assert (await vendor.http.post("/sandbox/clock", json=body)).status_code == 400


async def test_holdings_show_orders_with_licenses_and_customers_but_no_passwords(vendor: Vendor) -> None:
    buyer = {"email": "ann@example.com", "reference": "cus_1"}
    fields = {
        "key": "AAAA-1",
        "validity_period": "2031-01-01",
        "is_trial": False,
        "product_features": [{"code": "export"}],
    }
    await vendor.order("order-1", fields, subscription_id="sub_1", customer=buyer)
    created = await vendor.order("order-2", {"users": [{"email": "bob@example.com"}]}, product="demo-team")
    answer = await vendor.http.get("/sandbox/holdings")
    (first, second) = answer.json()["orders"]
    (license_,) = first["licenses"]
    assert (
        license_.items()
        >= {
            "license_key": "AAAA-1",
            "product": "demo",
            "enabled": True,
            "subscription_id": "sub_1",
            "validity_period": "2031-01-01T00:00:00Z",
            "features": {"export": 0},
        }.items()
    )
    (customer,) = answer.json()["customers"]
    assert (first["customer"], customer["reference"]) == (customer["id"], "cus_1")
    assert second["licenses"][0]["users"] == ["bob@example.com"]
    assert created["new_passwords"][0]["new_password"] not in answer.text


async def test_the_log_tells_every_request_in_order_and_nothing_secret(vendor: Vendor) -> None:
    await vendor.order("order-1", customer={"email": "ann@example.com"})
    await vendor.get("/licenses/", customer_email="ann@example.com", limit=5)
    await vendor.http.get("/api/v1/orders/", headers={"Authorization": "Api-Key wrong"})
    await vendor.call("GET", "/nowhere/")
    answer = await vendor.http.get("/sandbox/calls")
    calls = answer.json()["calls"]
    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("POST", "/api/v1/orders/create_order/", 200),
        ("GET", "/api/v1/licenses/", 200),
        ("GET", "/api/v1/orders/", 403),
        ("GET", "/api/v1/nowhere/", 404),
    ]
    assert calls[1]["query"] == ["customer_email", "limit"]
    (key,) = vendor.control.company.settings.api_keys
    for secret in ("ann@example.com", key, "wrong"):
        assert secret not in answer.text


async def test_the_log_keeps_the_latest_calls_and_counts_them_all(vendor: Vendor) -> None:
    kept = vendor.control.company.settings.calls_kept
    for _ in range(kept + 5):
        vendor.control.company.calls.add(vendor.control.now, "GET", "/", [], status=200, acted=True, fault=None)
    body = (await vendor.http.get("/sandbox/calls")).json()
    assert (body["total"], len(body["calls"]), body["calls"][0]["number"]) == (kept + 5, kept, 6)


async def test_a_license_changes_by_hand_without_any_rule(vendor: Vendor) -> None:
    license_ = await vendor.license()
    body = {"validity_period": "2029-01-01", "enabled": False, "license_type": "perpetual", "subscription_id": "other"}
    answer = await vendor.http.patch(f"/sandbox/licenses/{license_['id']}", json=body)
    assert answer.status_code == 200
    changed = await vendor.get(f"/licenses/{license_['id']}/")
    assert answer.json() == changed
    assert (changed["validity_period"], changed["status"]) == ("2029-01-01T00:00:00Z", "Disabled")
    assert (await vendor.get("/licenses/", subscription_id="other"))["count"] == 1


@pytest.mark.parametrize("body", [{"colour": "red"}, {"max_activations": "many"}, {"license_type": "rental"}])
async def test_a_change_by_hand_that_makes_no_sense_is_refused_with_the_reason(
    vendor: Vendor, body: dict[str, str]
) -> None:
    license_ = await vendor.license()
    answer = await vendor.http.patch(f"/sandbox/licenses/{license_['license_key']}", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert await vendor.get(f"/licenses/{license_['id']}/") == license_


async def test_licenses_and_orders_vanish_by_hand(vendor: Vendor) -> None:
    license_ = await vendor.license("order-1")
    await vendor.order("order-2", {}, {})
    assert (await vendor.http.delete(f"/sandbox/licenses/{license_['license_key']}")).status_code == 204
    assert (await vendor.http.delete("/sandbox/orders/order-2")).status_code == 204
    assert (await vendor.get("/licenses/"))["count"] == 0
    for gone in (f"licenses/{license_['id']}", "orders/order-2"):
        assert (await vendor.http.delete(f"/sandbox/{gone}")).status_code == 404


async def test_a_device_is_activated_by_hand_until_activations_are_used_up(vendor: Vendor) -> None:
    license_ = await vendor.license(product="demo-perpetual", max_activations=1)
    place = f"/sandbox/licenses/{license_['license_key']}/activate"
    for _ in range(2):
        answer = await vendor.http.post(place, json={"hardware_id": "machine-1"})
        assert answer.json()["times_activated"] == 1
    refused = await vendor.http.post(place, json={"hardware_id": "machine-2"})
    assert (refused.status_code, refused.json()["code"]) == (400, "license_activated_max_times")


async def test_products_are_added_while_it_runs(vendor: Vendor) -> None:
    seed = {"short_code": "new", "default_license_type": "perpetual", "terms": {"max_activations": 3}}
    assert (await vendor.http.post("/sandbox/products", json=seed)).status_code == 201
    license_ = await vendor.license(product="new")
    assert (license_["license_type"], license_["max_activations"]) == ("perpetual", 3)
    wrong = await vendor.http.post("/sandbox/products", json={"short_code": "bad", "terms": {"maxactivations": 3}})
    assert wrong.status_code == 400
    assert "maxactivations" in wrong.json()["detail"]


async def test_reset_leaves_only_the_seed_data(vendor: Vendor) -> None:
    fresh = (await vendor.http.get("/sandbox")).json()
    await vendor.order("order-1", customer={"email": "ann@example.com"})
    vendor.control.add_product(ProductSeed(short_code="new"))
    await vendor.http.post("/sandbox/faults", json={"effect": {"kind": "drop"}, "path": "/api/v1/never"})
    await vendor.http.post("/sandbox/clock", json={"now": "2030-01-01T00:00:00Z", "stopped": True})
    assert (await vendor.http.post("/sandbox/reset")).status_code == 204
    after = (await vendor.http.get("/sandbox")).json()
    assert {**after, "now": ""} == {**fresh, "now": ""}
    assert after["now"] < "2030"
    await vendor.order("order-1")


async def test_the_overview_shows_settings_but_no_keys(vendor: Vendor) -> None:
    answer = await vendor.http.get("/sandbox")
    assert answer.json()["settings"]["plan"] == "unlimited"
    assert vendor.control.company.settings.api_keys[0] not in answer.text


async def test_control_and_api_never_meet(vendor: Vendor) -> None:
    assert (await vendor.http.get("/api/v1/sandbox/holdings")).status_code == 404
    assert (await vendor.http.get("/api/sandbox/holdings")).status_code == 404
    answer = await vendor.http.post("/sandbox/orders/create_order/", json=order_body("order-1"))
    assert answer.status_code in (404, 405)
