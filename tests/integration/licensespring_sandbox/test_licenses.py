"""What is done to licenses, and what the customer's application is told about them."""

from typing import Any

import pytest

from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Vendor, settings

pytestmark = pytest.mark.anyio


async def verdict(vendor: Vendor, license_: dict[str, Any], product: str = "demo") -> str:
    """`valid`, or why not."""
    query = {"license_key": license_["license_key"], "product": product, "hardware_id": "machine-1"}
    answer = await vendor.call("GET", "/licenses/check_license/", **query)
    body = answer.json()
    if answer.status_code != 200:
        assert answer.status_code == body["status"] == 400
        return str(body["code"])
    assert body["license_enabled"]
    assert body["license_active"]
    return "expired" if body["is_expired"] else "valid"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("disable/", "License disabled."),
        ("enable/", "License enabled."),
        ("reset/", "License and all devices reset."),
        ("reset_consumption", "License consumption reset."),
    ],
)
async def test_an_action_answers_with_its_literal_message_also_when_repeated(
    vendor: Vendor, action: str, message: str
) -> None:
    license_ = await vendor.license()
    for _ in range(2):
        assert await vendor.post(f"/licenses/{license_['id']}/{action}") == {"message": message}


async def test_bulk_actions_answer_with_their_literal_messages(vendor: Vendor) -> None:
    await vendor.order("order-1", {"metadata": {"a": 1}}, {"metadata": {"a": 1}})
    ids = [one["id"] for one in (await vendor.get("/licenses/"))["results"]]
    assert await vendor.post("/licenses/disable_bulk/", ids) == {"message": "Licenses disabled."}
    assert await vendor.post("/licenses/reset_bulk/", ids) == {"message": "Licenses and related devices reset."}
    body = {"license_ids": ids, "reset_metadata": True}
    assert await vendor.post("/licenses/custom_bulk_reset", body) == {"message": "Licenses reset successfully."}
    shown = (await vendor.get("/licenses/"))["results"]
    assert [(one["enabled"], one["metadata"]) for one in shown] == [(False, {}), (False, {})]


async def test_a_repeat_of_enable_or_disable_can_be_refused_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(repeat_of_enable_disable="refused"))
    place = f"/licenses/{(await vendor.license())['id']}"
    assert (await vendor.refusal("POST", f"{place}/enable/"))[0] == 400
    await vendor.post(f"{place}/disable/")
    assert (await vendor.refusal("POST", f"{place}/disable/"))[1] == {"detail": "License is already disabled."}


async def test_disabling_keeps_everything_and_enabling_brings_it_back(vendor: Vendor) -> None:
    license_ = await vendor.license(max_activations=3, validity_period="2030-01-01", is_trial=False)
    vendor.control.activate(license_["id"], "machine-1")
    before = await vendor.get(f"/licenses/{license_['id']}/")
    await vendor.post(f"/licenses/{license_['id']}/disable/")
    disabled = await vendor.get(f"/licenses/{license_['id']}/")
    assert (disabled["status"], disabled["enabled"], disabled["times_activated"]) == ("Disabled", False, 1)
    await vendor.post(f"/licenses/{license_['id']}/enable/")
    after = await vendor.get(f"/licenses/{license_['id']}/")
    assert {**after, "updated_at": ""} == {**before, "updated_at": ""}


async def test_deleting_twice_finds_nothing_the_second_time(vendor: Vendor) -> None:
    license_ = await vendor.license()
    assert (await vendor.call("DELETE", f"/licenses/{license_['id']}/")).status_code == 204
    assert await vendor.refusal("DELETE", f"/licenses/{license_['id']}/") == (404, {"detail": "Not found."})


@pytest.mark.parametrize("action", ["enable/", "disable/", "reset/", "assign_user/", "update_features/"])
async def test_actions_on_unknown_licenses_are_not_found(vendor: Vendor, action: str) -> None:
    body = {"email": "ann@example.com", "product_features": []}
    assert await vendor.refusal("POST", f"/licenses/1/{action}", body) == (404, {"detail": "Not found."})


async def test_status_follows_activation_and_is_active_from_the_start_for_subscriptions(vendor: Vendor) -> None:
    subscription = await vendor.license("order-1")
    perpetual = await vendor.license("order-2", product="demo-perpetual")
    assert (subscription["status"], perpetual["status"]) == ("Active", "Inactive")
    assert vendor.control.activate(perpetual["id"], "machine-1")["status"] == "Active"


async def test_the_word_for_inactive_is_a_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(inactive_status="Not Activated"))
    assert (await vendor.license(product="demo-perpetual"))["status"] == "Not Activated"


async def test_reset_frees_devices_and_counters_and_leaves_the_license_enabled(vendor: Vendor) -> None:
    license_ = await vendor.license(product="demo-perpetual", total_consumptions=5)
    vendor.control.activate(license_["id"], "machine-1")
    await vendor.post(f"/licenses/{license_['id']}/reset/")
    after = await vendor.get(f"/licenses/{license_['id']}/")
    assert (after["times_activated"], after["total_consumptions"], after["enabled"]) == (0, 0, True)
    (device,) = (await vendor.get("/devices/", license=license_["id"]))["results"]
    assert (device["hardware_id"], device["device_active"]) == ("machine-1", False)


async def test_a_device_reset_frees_one_device(vendor: Vendor) -> None:
    license_ = await vendor.license(max_activations=2)
    for machine in ("machine-1", "machine-2"):
        vendor.control.activate(license_["id"], machine)
    (device,) = (await vendor.get("/devices/", hardware_id="machine-2"))["results"]
    assert await vendor.post(f"/devices/{device['id']}/reset/") == {"message": "Device reset and license updated."}
    assert (await vendor.get(f"/licenses/{license_['id']}/"))["times_activated"] == 1


async def test_update_features_replaces_the_whole_set(vendor: Vendor) -> None:
    license_ = await vendor.license(product_features=[{"code": "export"}, {"code": "reports"}])
    body = {"product_features": [{"product_feature": "reports", "max_consumption": 9}]}
    updated = await vendor.post(f"/licenses/{license_['id']}/update_features/", body)
    (feature,) = updated["product_features"]
    assert (feature["id"], feature["max_consumption"]) == (license_["product_features"][1]["id"], 9)
    status, _ = await vendor.refusal(
        "POST", f"/licenses/{license_['id']}/update_features/", {"product_features": [{"product_feature": "no"}]}
    )
    assert status == 400


async def test_users_are_assigned_and_unassigned(vendor: Vendor) -> None:
    license_ = await vendor.license(product="demo-team", users=[{"email": "ann@example.com"}], max_license_users=2)
    place = f"/licenses/{license_['id']}"
    first = await vendor.post(f"{place}/assign_user/", {"email": "bob@example.com", "is_manager": True})
    assert first["message"] == "License assigned."
    assert first["new_password"]
    assert await vendor.post(f"{place}/assign_user/", {"email": "bob@example.com"}) == {"message": "License assigned."}
    assert (await vendor.refusal("POST", f"{place}/assign_user/", {"email": "eve@example.com"}))[0] == 400
    shown = await vendor.get("/licenses/", license_users__true_email="bob@example.com")
    assert shown["count"] == 1
    gone = await vendor.post(f"{place}/unassign_user/", {"license_user_email": "bob@example.com"})
    assert gone == {"message": "License unassigned."}
    (ann,) = (await vendor.get(f"{place}/"))["license_users"]
    await vendor.post(f"{place}/unassign_user/", {"license_user_id": ann["id"]})
    assert (await vendor.get(f"{place}/"))["license_users"] == []
    assert (await vendor.refusal("POST", f"{place}/unassign_user/", {"license_user_id": ann["id"]}))[0] == 404


async def test_a_license_without_limit_takes_any_number_of_users(vendor: Vendor) -> None:
    license_ = await vendor.license(product="demo-team", users=[{"email": "ann@example.com"}], max_license_users=0)
    for number in range(5):
        await vendor.post(f"/licenses/{license_['id']}/assign_user/", {"email": f"user-{number}@example.com"})
    assert len((await vendor.get(f"/licenses/{license_['id']}/"))["license_users"]) == 6


async def test_a_refused_assignment_makes_no_user(vendor: Vendor) -> None:
    license_ = await vendor.license(product="demo-team", users=[{"email": "ann@example.com"}])
    await vendor.refusal("POST", f"/licenses/{license_['id']}/assign_user/", {"email": "eve@example.com"})
    await vendor.patch(f"/licenses/{license_['id']}/", {"max_license_users": 2})
    assigned = await vendor.post(f"/licenses/{license_['id']}/assign_user/", {"email": "eve@example.com"})
    assert "new_password" in assigned


async def test_a_repeated_assignment_can_be_refused_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(repeat_of_assign="refused"))
    license_ = await vendor.license(product="demo-team", users=[{"email": "ann@example.com"}])
    body = {"email": "ann@example.com"}
    assert (await vendor.refusal("POST", f"/licenses/{license_['id']}/assign_user/", body))[0] == 400


async def test_a_license_is_valid_while_enabled_active_and_not_expired(vendor: Vendor) -> None:
    license_ = await vendor.license(validity_period="2030-01-01", is_trial=False)
    assert await verdict(vendor, license_) == "valid"
    await vendor.post(f"/licenses/{license_['id']}/disable/")
    assert await verdict(vendor, license_) == "license_not_enabled"
    await vendor.post(f"/licenses/{license_['id']}/enable/")
    vendor.control.set_time(vendor.control.now.replace(year=2030, month=1, day=1))
    assert await verdict(vendor, license_) == "expired"


async def test_grace_hours_keep_only_subscription_licenses_valid_after_their_date(vendor: Vendor) -> None:
    grace: dict[str, Any] = {"allow_grace_period": True, "grace_period": 24}
    subscription = await vendor.license("order-1", validity_period="2030-01-01", is_trial=False, **grace)
    limited = await vendor.license("order-2", license_type="time-limited", valid_duration="1d", **grace)
    vendor.control.set_time(vendor.control.now.replace(year=2029, month=12, day=31, hour=12), stopped=True)
    vendor.control.activate(limited["id"], "machine-1")
    vendor.control.advance(hours=24)
    assert (await verdict(vendor, subscription), await verdict(vendor, limited)) == ("valid", "expired")
    vendor.control.advance(hours=12)
    assert await verdict(vendor, subscription) == "expired"


async def test_a_perpetual_license_expires_only_as_a_trial(vendor: Vendor) -> None:
    bought = await vendor.license("order-1", product="demo-perpetual", validity_period="2030-01-01", is_trial=False)
    tried = await vendor.license("order-2", product="demo-perpetual", is_trial=True, trial_days=14)
    for license_ in (bought, tried):
        vendor.control.activate(license_["id"], "machine-1")
    assert await verdict(vendor, tried, "demo-perpetual") == "valid"
    vendor.control.advance(days=14)
    assert await verdict(vendor, tried, "demo-perpetual") == "expired"
    await vendor.patch(f"/licenses/{tried['id']}/", {"is_trial": False})
    vendor.control.advance(days=3650)
    assert await verdict(vendor, tried, "demo-perpetual") == "valid"
    assert await verdict(vendor, bought, "demo-perpetual") == "valid"


async def test_a_duration_counts_from_the_first_activation(vendor: Vendor) -> None:
    vendor.control.set_time(
        vendor.control.now.replace(year=2030, month=1, day=31, hour=9, minute=0, second=0), stopped=True
    )
    license_ = await vendor.license(license_type="time-limited", valid_duration="1m")
    assert license_["validity_period"] is None
    assert await verdict(vendor, license_) == "license_not_active"
    vendor.control.activate(license_["id"], "machine-1")
    assert (await vendor.get(f"/licenses/{license_['id']}/"))["validity_period"] == "2030-02-28T09:00:00Z"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"product": "demo", "hardware_id": "m"}, "missing_parameters"),
        ({"product": "none", "hardware_id": "m", "license_key": "X"}, "unknown_product"),
        ({"product": "demo", "hardware_id": "m", "license_key": "X"}, "license_not_found"),
    ],
)
async def test_a_check_that_cannot_be_answered_says_why(vendor: Vendor, query: dict[str, str], code: str) -> None:
    status, body = await vendor.refusal("GET", "/licenses/check_license/", **query)
    assert (status, body["code"]) == (400, code)


async def test_a_check_on_a_device_never_activated_can_be_refused_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(check_on_unknown_device="refused"))
    license_ = await vendor.license()
    assert await verdict(vendor, license_) == "device_not_found"
    vendor.control.activate(license_["id"], "machine-1")
    assert await verdict(vendor, license_) == "valid"
