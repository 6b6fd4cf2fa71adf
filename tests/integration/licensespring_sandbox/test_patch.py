"""PATCH of a license: fields, and the rules on fields that belong together."""

from typing import Any

import pytest

from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Vendor, settings

pytestmark = pytest.mark.anyio


async def test_a_patch_changes_what_it_names_and_answers_the_license(vendor: Vendor) -> None:
    license_ = await vendor.license(note="old", max_activations=1)
    changed = await vendor.patch(
        f"/licenses/{license_['id']}/",
        {"validity_period": "2030-02-01", "is_trial": False, "max_activations": 4, "grace_period": 48},
    )
    assert changed["validity_period"] == "2030-02-01T00:00:00Z"
    assert (changed["max_activations"], changed["grace_period"], changed["note"]) == (4, 48, "old")
    assert await vendor.get(f"/licenses/{license_['id']}/") == changed


async def test_the_same_patch_twice_leaves_the_same_license(vendor: Vendor) -> None:
    license_ = await vendor.license()
    body = {"valid_duration": "1m", "is_trial": False, "max_activations": 4}
    vendor.control.set_time(vendor.control.now, stopped=True)
    once = await vendor.patch(f"/licenses/{license_['id']}/", body)
    assert await vendor.patch(f"/licenses/{license_['id']}/", body) == once


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"validity_period": "2030-01-01"}, "is_trial"),
        ({"valid_duration": "1m"}, "is_trial"),
        ({"trial_days": 7}, "is_trial"),
        ({"maintenance_duration": "1y"}, "enable_maintenance_period"),
        ({"maintenance_period": "2030-01-01"}, "enable_maintenance_period"),
        ({"valid_duration": "1m", "validity_period": "2030-01-01", "is_trial": False}, "non_field_errors"),
        ({"max_activations": -1}, "max_activations"),
        ({"max_activations": True}, "max_activations"),
        ({"is_trial": "perhaps"}, "is_trial"),
        ({"valid_duration": "3 months", "is_trial": False}, "valid_duration"),
        ({"validity_period": "01.02.2030", "is_trial": False}, "validity_period"),
        ({"consumption_period": "hourly"}, "consumption_period"),
        ({"metadata": [1]}, "metadata"),
        ({"order": 5}, "order"),
    ],
)
async def test_a_patch_that_breaks_a_rule_changes_nothing_and_names_the_field(
    vendor: Vendor, body: dict[str, Any], field: str
) -> None:
    license_ = await vendor.license()
    status, answer = await vendor.refusal("PATCH", f"/licenses/{license_['id']}/", {"note": "new", **body})
    assert (status, list(answer)) == (400, [field])
    assert await vendor.get(f"/licenses/{license_['id']}/") == license_


async def test_dates_without_is_trial_can_be_accepted_or_lost_by_setting(open_vendor: Open) -> None:
    accepting = await open_vendor(settings(dates_without_is_trial="accepted"))
    losing = await open_vendor(settings(dates_without_is_trial="not_applied"))
    shown = []
    for vendor in (accepting, losing):
        license_ = await vendor.license()
        changed = await vendor.patch(f"/licenses/{license_['id']}/", {"validity_period": "2030-01-01", "note": "new"})
        shown.append((changed["validity_period"], changed["note"]))
    assert shown == [("2030-01-01T00:00:00Z", "new"), (None, "new")]


async def test_a_date_can_win_over_a_duration_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(duration_and_date="duration_ignored"))
    license_ = await vendor.license()
    body = {"valid_duration": "1m", "validity_period": "2030-01-01", "is_trial": False}
    changed = await vendor.patch(f"/licenses/{license_['id']}/", body)
    assert (changed["validity_period"], changed["valid_duration"]) == ("2030-01-01T00:00:00Z", None)


@pytest.mark.parametrize(
    ("setting", "expiry"),
    [("refused", None), ("accepted", "2030-01-01T15:00:00Z"), ("truncated", "2030-01-01T00:00:00Z")],
)
async def test_what_a_time_of_day_in_a_patch_does_is_a_setting(
    open_vendor: Open, setting: str, expiry: str | None
) -> None:
    vendor = await open_vendor(settings(patch_datetime=setting))
    license_ = await vendor.license()
    body = {"validity_period": "2030-01-01T15:00:00Z", "is_trial": False}
    answer = await vendor.call("PATCH", f"/licenses/{license_['id']}/", body)
    assert (answer.json()["validity_period"] if answer.status_code == 200 else None) == expiry


async def test_fields_that_cannot_be_patched_are_ignored(vendor: Vendor) -> None:
    license_ = await vendor.license()
    body = {
        "subscription_id": "sub_9",
        "license_type": "perpetual",
        "license_key": "X",
        "start_date": "2030-01-01",
        "z": 1,
    }
    changed = await vendor.patch(f"/licenses/{license_['id']}/", body)
    assert {**changed, "updated_at": ""} == {**license_, "updated_at": ""}


async def test_unknown_fields_can_be_refused_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(patch_unknown_field="refused"))
    license_ = await vendor.license()
    _, body = await vendor.refusal("PATCH", f"/licenses/{license_['id']}/", {"subscription_id": "sub_9"})
    assert list(body) == ["subscription_id"]


async def test_metadata_is_replaced_and_merged_only_by_setting(vendor: Vendor, open_vendor: Open) -> None:
    merging = await open_vendor(settings(metadata_patch="merge"))
    shown = []
    for one in (vendor, merging):
        license_ = await one.license(metadata={"a": 1})
        shown.append((await one.patch(f"/licenses/{license_['id']}/", {"metadata": {"b": 2}}))["metadata"])
    assert shown == [{"b": 2}, {"a": 1, "b": 2}]


async def test_enabled_can_be_patched_unless_the_setting_says_otherwise(vendor: Vendor, open_vendor: Open) -> None:
    stubborn = await open_vendor(settings(patch_enabled="ignored"))
    shown = []
    for one in (vendor, stubborn):
        license_ = await one.license()
        shown.append((await one.patch(f"/licenses/{license_['id']}/", {"enabled": False}))["status"])
    assert shown == ["Disabled", "Active"]


async def test_a_license_moves_to_another_order(vendor: Vendor) -> None:
    license_ = await vendor.license("order-1")
    target = await vendor.order("order-2", customer={"email": "ann@example.com"})
    moved = await vendor.patch(f"/licenses/{license_['id']}/", {"order": target["id"]})
    assert (moved["order_store_id"], moved["customer"]["email"]) == ("order-2", "ann@example.com")
    shown = await vendor.get(f"/orders/{target['id']}")
    assert len(shown["order_items"][0]["licenses"]) == 2


@pytest.mark.parametrize(
    ("setting", "accepted"), [("both", {"annually", "annualy"}), ("annually", {"annually"}), ("annualy", {"annualy"})]
)
async def test_the_spelling_of_a_yearly_period_is_a_setting(
    open_vendor: Open, setting: str, accepted: set[str]
) -> None:
    vendor = await open_vendor(settings(yearly_consumption=setting))
    license_ = await vendor.license()
    taken = set()
    for spelling in ("annually", "annualy"):
        answer = await vendor.call("PATCH", f"/licenses/{license_['id']}/", {"consumption_period": spelling})
        if answer.status_code == 200:
            taken.add(spelling)
    assert taken == accepted


async def test_bulk_update_changes_each_license_by_its_own_fields(vendor: Vendor) -> None:
    await vendor.order("order-1", {}, {})
    first, second = (one["id"] for one in (await vendor.get("/licenses/"))["results"])
    changed = await vendor.patch("/licenses/bulk_update/", [{"id": first, "note": "1"}, {"id": second, "note": "2"}])
    assert [(one["id"], one["note"]) for one in changed] == [(first, "1"), (second, "2")]


async def test_a_bulk_update_with_one_bad_entry_changes_nothing(vendor: Vendor) -> None:
    await vendor.order("order-1", {}, {})
    before = vendor.control.holdings()
    first, second = (one["id"] for one in (await vendor.get("/licenses/"))["results"])
    entries = [{"id": first, "note": "1"}, {"id": second, "validity_period": "2030-01-01"}]
    await vendor.refusal("PATCH", "/licenses/bulk_update/", entries)
    assert vendor.control.holdings() == before


@pytest.mark.parametrize(
    ("setting", "status", "disabled"),
    [("all_or_nothing", 404, 0), ("unknown_skipped", 200, 2), ("stops_there", 404, 1)],
)
async def test_what_an_unknown_id_does_to_a_bulk_call_is_a_setting(
    open_vendor: Open, setting: str, status: int, disabled: int
) -> None:
    vendor = await open_vendor(settings(bulk_with_unknown_id=setting))
    await vendor.order("order-1", {}, {})
    first, second = (one["id"] for one in (await vendor.get("/licenses/"))["results"])
    answer = await vendor.call("POST", "/licenses/disable_bulk/", [first, 1, second])
    assert answer.status_code == status
    assert (await vendor.get("/licenses/", enabled="false"))["count"] == disabled
