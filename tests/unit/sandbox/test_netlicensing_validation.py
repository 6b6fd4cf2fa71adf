"""The sandbox of NetLicensing: what a program is told under each licensing model."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.sandbox.netlicensing.models.timed import later
from tests.unit.sandbox.netlicensing_vendor import NOON, Vendor, settings


@pytest.fixture
def vendor() -> Vendor:
    vendor = Vendor()
    vendor.licensee()
    return vendor


def effective(vendor: Vendor, module: str, licensee: str = "ann") -> Any:
    return vendor.control.effective()[licensee]["modules"][module]


@pytest.mark.parametrize(
    ("start", "volume", "period", "end"),
    [
        ("2030-01-31", 1, "DAY", "2030-02-01"),
        ("2030-01-31", 30, "", "2030-03-02"),
        ("2030-01-31", 2, "WEEK", "2030-02-14"),
        ("2030-01-31", 1, "MONTH", "2030-02-28"),
        ("2030-12-31", 2, "MONTH", "2031-02-28"),
        ("2028-02-29", 1, "YEAR", "2029-02-28"),
        ("2030-01-31", 0, "MONTH", "2030-01-31"),
    ],
)
def test_time_volumes_end_by_the_calendar(start: str, volume: int, period: str, end: str) -> None:
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert later(begins, volume, period).date() == datetime.fromisoformat(end).date()


@pytest.mark.parametrize("period", ["DAY", "WEEK", "MONTH", "YEAR"])
def test_time_volumes_end_before_the_calendar_does(period: str) -> None:
    assert later(NOON, 2**31 - 1, period).year == 9998


def test_a_subscription_is_valid_until_its_time_volume_ends(vendor: Vendor) -> None:
    assert vendor.told("falcon-time") == {"valid": "false"}
    vendor.license("l-1", "falcon-time-month", startDate="now", timeVolume="10", timeVolumePeriod="DAY")
    assert vendor.told("falcon-time") == {"valid": "true", "expires": "2030-02-10T12:00:00.000Z"}
    vendor.control.advance(days=10)
    assert vendor.told("falcon-time")["valid"] == "false"
    vendor.post("/license/l-1", timeVolume="11")
    assert effective(vendor, "falcon-time") == {
        "model": "Subscription",
        "valid": True,
        "expires": NOON + timedelta(days=11),
    }


def test_time_volumes_of_several_licenses_accumulate(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-time-month", startDate="2030-01-31", timeVolume="10", timeVolumePeriod="DAY")
    vendor.license("l-2", "falcon-time-month", startDate="2030-02-05", timeVolume="10", timeVolumePeriod="DAY")
    assert vendor.told("falcon-time")["expires"] == "2030-02-20T00:00:00.000Z"
    vendor.post("/license/l-1", active="false")
    assert vendor.told("falcon-time") == {"valid": "false", "expires": "2030-02-15T00:00:00.000Z"}


def test_nothing_is_valid_between_two_time_volumes_with_a_gap(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-time-month", startDate="2030-01-01", timeVolume="10", timeVolumePeriod="DAY")
    vendor.license("l-2", "falcon-time-month", startDate="2030-03-01", timeVolume="10", timeVolumePeriod="DAY")
    assert vendor.told("falcon-time") == {"valid": "false", "expires": "2030-03-11T00:00:00.000Z"}
    vendor.control.set_time(datetime(2030, 3, 5, tzinfo=UTC), stopped=True)
    assert vendor.told("falcon-time")["valid"] == "true"


def test_the_first_validation_begins_the_trial_and_a_purchase_ends_it(vendor: Vendor) -> None:
    trial = {"valid": "true", "evaluation": "true", "evaluationExpires": "2030-02-14T12:00:00.000Z"}
    assert vendor.told("falcon-try", dryRun="true") == trial
    assert vendor.control.holdings()["licenses"] == {}
    assert vendor.told("falcon-try") == trial
    vendor.control.advance(days=13)
    assert vendor.told("falcon-try") == trial
    vendor.control.advance(days=1)
    assert vendor.told("falcon-try") == {**trial, "valid": "false"}
    vendor.license("bought", "falcon-try-bought")
    assert vendor.told("falcon-try") == {"valid": "true", "evaluation": "false"}
    vendor.post("/license/bought", active="false")
    assert vendor.told("falcon-try")["valid"] == "false"
    assert len(vendor.control.holdings()["licenses"]) == 2


def test_a_purchase_before_the_first_validation_leaves_no_trial(vendor: Vendor) -> None:
    vendor.license("bought", "falcon-try-bought")
    assert vendor.told("falcon-try") == {"valid": "true", "evaluation": "false"}
    assert list(vendor.control.holdings()["licenses"]) == ["bought"]


def test_each_rented_thing_has_its_own_time_and_warning(vendor: Vendor) -> None:
    for thing, days in (("car", "30"), ("boat", "5"), ("kite", "2")):
        vendor.license(thing, "falcon-rental-thing")
        vendor.license(f"{thing}-time", "falcon-rental-day", startDate="now", timeVolume=days, parentfeature=thing)
    vendor.license("tent", "falcon-rental-thing")
    told = vendor.told("falcon-rental")
    assert {thing: one["expirationWarningLevel"] for thing, one in told.items()} == {
        "car": "green",
        "boat": "yellow",
        "kite": "red",
        "tent": "red",
    }
    assert told["boat"]["expires"] == "2030-02-05T12:00:00.000Z"
    assert told["tent"] == {"valid": "false", "expirationWarningLevel": "red"}


def test_sessions_are_checked_out_up_to_the_sum_of_the_licenses_and_run_out(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-session", maxSessions="1")
    vendor.license("l-2", "falcon-session", maxSessions="1")
    module = "falcon-sessions"
    out = {"valid": "true", "expirationTimestamp": "2030-01-31T13:00:00.000Z"}
    assert vendor.asked(module, sessionId="a", action="checkOut") == out
    assert vendor.asked(module, sessionId="b", action="checkOut") == out
    assert vendor.asked(module, sessionId="c", action="checkOut") == {"valid": "false"}
    assert vendor.asked(module, sessionId="a", action="checkOut") == out
    assert vendor.asked(module, sessionId="a", action="checkIn") == {"valid": "true"}
    assert vendor.asked(module, sessionId="c", action="checkOut") == out
    assert effective(vendor, module) == {"model": "Floating", "valid": True, "sessions": 2, "in_use": 2}
    vendor.control.advance(hours=1)
    assert effective(vendor, module)["in_use"] == 0
    assert vendor.asked(module, sessionId="d", action="checkOut", maxCheckoutValidity="60") == {
        "valid": "true",
        "expirationTimestamp": "2030-01-31T13:01:00.000Z",
    }


def test_a_dry_run_takes_no_session_no_use_and_no_machine(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-session")
    vendor.license("l-2", "falcon-100-frames")
    vendor.license("l-3", "falcon-node")
    before = vendor.control.dump()
    form = {
        "dryRun": "true",
        "productModuleNumber0": "falcon-sessions",
        "sessionId0": "a",
        "action0": "checkOut",
        "productModuleNumber1": "falcon-frames",
        "usedQuantity1": "10",
        "productModuleNumber2": "falcon-nodes",
        "nodeSecret2": "machine",
    }
    told = vendor.validated(**form)
    assert told["falcon-sessions"]["valid"] == told["falcon-nodes"]["valid"] == "true"
    assert told["falcon-frames"]["remainingQuantity"] == "90"
    assert vendor.control.dump() == before
    vendor.validated(**{**form, "dryRun": "false"})
    modules = vendor.control.effective()["ann"]["modules"]
    assert modules["falcon-sessions"]["in_use"] == modules["falcon-nodes"]["in_use"] == 1
    assert modules["falcon-frames"]["remaining"] == 90


def test_a_floating_module_is_left_out_until_a_session_is_named(vendor: Vendor) -> None:
    assert "falcon-sessions" not in vendor.validated()
    module = {"productModuleNumber0": "falcon-sessions"}
    assert vendor.refusal("POST", "/licensee/ann/validate", **module, action0="checkOut")[0] == 400
    assert vendor.refusal("POST", "/licensee/ann/validate", **module, sessionId0="a", action0="take")[0] == 400
    listed = Vendor(settings(floating_without_session="listed"))
    listed.licensee()
    assert listed.told("falcon-sessions") == {"valid": "false"}


def test_the_unit_of_a_checkout_is_a_setting() -> None:
    vendor = Vendor(settings(checkout_validity_unit="days"))
    vendor.licensee()
    vendor.license("l-1", "falcon-session")
    told = vendor.asked("falcon-sessions", sessionId="a", action="checkOut", maxCheckoutValidity="2")
    assert told["expirationTimestamp"] == "2030-02-02T12:00:00.000Z"


def test_two_floating_modules_of_one_product_keep_their_own_sessions(vendor: Vendor) -> None:
    vendor.post("/productmodule", number="more", name="More", productNumber="falcon", licensingModel="Floating")
    vendor.post(
        "/licensetemplate",
        number="more-1",
        name="More",
        productModuleNumber="more",
        licenseType="FLOATING",
        maxSessions="1",
    )
    vendor.license("l-1", "falcon-session")
    vendor.license("l-2", "more-1")
    both = {"productModuleNumber0": "falcon-sessions", "productModuleNumber1": "more"}
    vendor.validated(**both, sessionId0="a", sessionId1="b", action0="checkOut", action1="checkOut")
    assert [effective(vendor, module)["in_use"] for module in ("falcon-sessions", "more")] == [1, 1]


def test_features_are_valid_while_there_is_an_active_license_of_each(vendor: Vendor) -> None:
    vendor.license("l-1", "export")
    assert vendor.told("falcon-features") == {
        "export": {"valid": "true", "featureName": "Export"},
        "reports": {"valid": "false", "featureName": "Reports"},
    }
    assert effective(vendor, "falcon-features")["features"] == {"export": {"valid": True}}
    vendor.post("/license/l-1", active="false")
    assert vendor.told("falcon-features")["export"]["valid"] == "false"


def test_features_that_are_not_licensed_may_be_left_out() -> None:
    vendor = Vendor(settings(features_not_licensed="omitted"))
    vendor.licensee()
    vendor.license("l-1", "export")
    assert list(vendor.told("falcon-features")) == ["export"]


def test_use_is_taken_from_what_the_licenses_sum_up_to(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-100-frames")
    vendor.license("l-2", "falcon-100-frames", quantity="50", usedQuantity="20")
    assert vendor.told("falcon-frames") == {"valid": "true", "remainingQuantity": "130"}
    assert vendor.asked("falcon-frames", usedQuantity="110") == {"valid": "true", "remainingQuantity": "20"}
    assert vendor.asked("falcon-frames", reserveQuantity="21") == {"valid": "false", "remainingQuantity": "20"}
    assert vendor.get("/license/l-1")["usedQuantity"] == "100"
    assert vendor.get("/license/l-2")["usedQuantity"] == "30"
    assert vendor.asked("falcon-frames", usedQuantity="20") == {"valid": "true", "remainingQuantity": "0"}
    assert vendor.told("falcon-frames")["valid"] == "false"


def test_quotas_sum_up_and_one_unlimited_is_unlimited(vendor: Vendor) -> None:
    assert vendor.told("falcon-quota") == {"valid": "false", "quota": "0"}
    vendor.license("l-1", "falcon-10-projects")
    vendor.license("l-2", "falcon-10-projects", quantity="5")
    assert vendor.told("falcon-quota") == {"valid": "true", "quota": "15"}
    vendor.post("/license/l-2", quantity="-1")
    assert vendor.told("falcon-quota") == {"valid": "true", "quota": "-1"}


def test_machines_are_bound_while_there_is_room(vendor: Vendor) -> None:
    vendor.license("l-1", "falcon-node", quota="1")
    vendor.license("l-2", "falcon-node", quota="1")
    told = [vendor.asked("falcon-nodes", nodeSecret=secret)["valid"] for secret in ("a", "b", "c", "a")]
    assert told == ["true", "true", "false", "true"]
    assert vendor.told("falcon-nodes") == {"valid": "false"}


def test_only_predefined_machines_are_valid_where_the_module_says_so(vendor: Vendor) -> None:
    vendor.post("/productmodule/falcon-nodes", nodeSecretMode="PREDEFINED")
    vendor.license("l-1", "falcon-node", quota="5", nodeSecret="a,b")
    told = [vendor.asked("falcon-nodes", nodeSecret=secret)["valid"] for secret in ("a", "b", "c")]
    assert told == ["true", "true", "false"]


def test_an_unknown_licensee_is_made_where_the_product_says_so(vendor: Vendor) -> None:
    form = {"productNumber": "falcon", "licenseeName": "Bob"}
    assert vendor.refusal("POST", "/licensee/bob/validate", **form) == (404, "NotFoundException")
    vendor.post("/product/falcon", licenseeAutoCreate="true")
    assert vendor.told("falcon-try", "bob", **form)["valid"] == "true"
    assert vendor.get("/licensee/bob")["name"] == "Bob"


@pytest.mark.parametrize(("how", "valid"), [("not_valid", "false"), ("ignored", "true")])
def test_what_an_inactive_licensee_is_told_is_a_setting(how: Any, valid: str) -> None:
    vendor = Vendor(settings(inactive_licensee=how))
    vendor.licensee()
    vendor.license("l-1", "falcon-10-projects")
    vendor.post("/licensee/ann", active="false")
    assert vendor.told("falcon-quota")["valid"] == valid
    assert effective(vendor, "falcon-quota")["valid"] is (valid == "true")


def test_an_inactive_licensee_may_be_refused_and_effective_still_answers() -> None:
    vendor = Vendor(settings(inactive_licensee="refused"))
    vendor.licensee()
    vendor.post("/licensee/ann", active="false")
    assert vendor.refusal("POST", "/licensee/ann/validate")[0] == 400
    assert effective(vendor, "falcon-quota") == {"model": "Quota", "valid": False}


def test_parameters_without_their_module_are_refused(vendor: Vendor) -> None:
    assert vendor.refusal("POST", "/licensee/ann/validate", sessionId0="a") == (400, "MalformedRequestException")


@pytest.mark.parametrize(("how", "ttl"), [("minutes", "1440"), ("instant", "2030-02-01T12:00:00.000Z")])
def test_the_form_of_the_ttl_is_a_setting(how: Any, ttl: str) -> None:
    vendor = Vendor(settings(ttl=how))
    vendor.licensee()
    told = vendor.call("POST", "/licensee/ann/validate").body
    assert told is not None
    assert told["ttl"] == ttl
