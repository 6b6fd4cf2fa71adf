"""Each licensing model of NetLicensing: which template is taken, and what its license says."""

from datetime import timedelta
from typing import Any

import pytest

from domain.receipts import Fields
from projections.targets.netlicensing.envelope import Item
from projections.targets.netlicensing.express import FOR_EVER, express, express_time
from projections.targets.netlicensing.templates import Template, choose
from projections.targets.netlicensing.wire import form, is_reserved, told
from tests.netlicensing import desired
from tests.stories import FEBRUARY, JANUARY


def entry(kind: str, model: str, *, offered: bool = True, module: str = "M", product: str = "APP") -> Fields:
    return {"type": kind, "model": model, "module": module, "product": product, "offered": offered}


TIME, YEAR = entry("TIMEVOLUME", "subscription"), entry("TIMEVOLUME", "subscription")
FLOATING = entry("FLOATING", "floating", module="F")
TRIAL, BOUGHT = entry("TIMEVOLUME", "tryandbuy", offered=False), entry("FEATURE", "tryandbuy")
THING, DAY = entry("FEATURE", "rental"), entry("TIMEVOLUME", "rental")
EXPORT, REPORTS = entry("FEATURE", "multifeature", module="P"), entry("FEATURE", "multifeature", module="P")
QUOTA = entry("QUANTITY", "quota", module="Q")


@pytest.mark.parametrize(
    ("entries", "wish", "chosen"),
    [
        ({"t": TIME}, {}, ["t"]),
        ({"t": TIME, "f": FLOATING}, {}, ["t"]),
        ({"f": FLOATING}, {}, ["f"]),
        ({"t": TIME, "y": YEAR}, {"policy_code": "y"}, ["y"]),
        ({"t": TIME, "f": FLOATING}, {"policy_code": " t , f "}, ["t", "f"]),
        ({"trial": TRIAL, "b": BOUGHT}, {}, ["b"]),
        ({"trial": TRIAL, "b": BOUGHT}, {"expiry": None}, ["b"]),
        ({"trial": entry("TIMEVOLUME", "tryandbuy"), "b": BOUGHT}, {}, ["b"]),
        ({"day": DAY, "thing": THING}, {}, ["thing", "day"]),
        ({"export": EXPORT, "reports": REPORTS}, {"features": ("export",)}, ["export"]),
        ({"t": TIME, "export": EXPORT}, {"features": ("export",)}, ["t", "export"]),
        ({"t": TIME, "export": EXPORT}, {}, ["t"]),
        ({"export": EXPORT}, {"expiry": None}, ["export"]),
        ({"q": QUOTA, "t": TIME}, {"max_activations": 4, "expiry": None}, ["q"]),
    ],
)
def test_the_template_that_was_named_or_the_only_one_that_fits_is_taken(
    entries: dict[str, Fields], wish: dict[str, Any], chosen: list[str]
) -> None:
    made = choose(desired(**wish), entries)
    assert made.refused == ""
    assert [each.number for each in made.templates] == chosen


@pytest.mark.parametrize(
    ("entries", "wish", "said"),
    [
        ({}, {}, "no license templates"),
        ({"t": TIME, "y": YEAR}, {}, "t, y; name those that count in license_policy"),
        ({"trial": TRIAL}, {}, "no license template of APP is offered"),
        ({"t": TIME}, {"policy_code": "typo"}, "has no license template typo; it has t"),
        ({"t": TIME, "f": FLOATING}, {"floating_users": 3}, "several license templates fit"),
        ({}, {"is_bundle": True}, "no bundle APP"),
        (
            {"t": TIME, "o": entry("FEATURE", "multifeature", product="OTHER")},
            {"is_bundle": True},
            "APP, OTHER, but a licensee has one product",
        ),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_words_that_name_the_choices(
    entries: dict[str, Fields], wish: dict[str, Any], said: str
) -> None:
    assert said in choose(desired(**wish), entries).refused


def test_a_feature_without_a_template_holds_up_nothing_else() -> None:
    made = choose(desired(features=("export", "typo")), {"t": TIME, "export": EXPORT})
    assert [each.number for each in made.templates] == ["t", "export"]
    assert (made.unknown, made.refused) == (("typo",), "")


def test_a_feature_that_was_not_sold_is_never_given_because_it_is_the_last_one_left() -> None:
    made = choose(desired(features=("export",)), {"export": EXPORT, "reports": REPORTS})
    assert [each.number for each in made.templates] == ["export"]


@pytest.mark.parametrize(
    ("kind", "model", "wish", "said"),
    [
        ("FLOATING", "floating", {"floating_users": 5}, {"maxSessions": 5}),
        ("FLOATING", "floating", {"max_activations": 4}, {"maxSessions": 4}),
        ("FLOATING", "floating", {}, {}),
        (
            "QUANTITY",
            "payperuse",
            {"max_consumptions": 7, "consumption_period": "p1", "max_activations": 3},
            {"quantity": 7, "consumption_counted": "p1"},
        ),
        ("QUANTITY", "quota", {"max_activations": 3}, {"quantity": 3}),
        ("QUANTITY", "quota", {"max_license_users": 0}, {"quantity": -1}),
        ("QUANTITY", "nodelocked", {"max_activations": 2, "max_consumptions": 9}, {"quota": 2}),
        ("FEATURE", "multifeature", {"max_activations": 2}, {}),
        ("FEATURE", "tryandbuy", {}, {}),
    ],
)
def test_each_model_says_what_was_bought_in_its_own_words(
    kind: str, model: str, wish: dict[str, Any], said: Fields
) -> None:
    fields = express(desired(**wish), Template(number="t", type=kind, model=model), {})
    assert fields == {"enabled": True, **said}


@pytest.mark.parametrize(
    ("wish", "start", "volume"),
    [
        ({"margin_hours": 0}, "2026-01-01T00:00:00Z", 31),
        ({"margin_hours": 1}, "2026-01-01T00:00:00Z", 32),
        ({"margin_hours": 48}, "2026-01-01T00:00:00Z", 33),
        ({"margin_hours": 0, "begins": JANUARY + timedelta(hours=9)}, "2026-01-01T00:00:00Z", 31),
        ({"margin_hours": 0, "begins": None}, "2026-02-01T00:00:00Z", 1),
        ({"margin_hours": 0, "begins": FEBRUARY + timedelta(days=3)}, "2026-02-01T00:00:00Z", 1),
        ({"expiry": None, "valid_duration": "30d"}, "2026-01-01T00:00:00Z", 30),
        ({"expiry": None, "valid_duration": "1y", "begins": None}, "now", 366),
        ({"expiry": None}, "2026-01-01T00:00:00Z", FOR_EVER),
        ({"expiry": None, "begins": None}, "now", FOR_EVER),
    ],
)
def test_time_is_whole_days_from_a_midnight_to_the_end_or_a_hundred_years(
    wish: dict[str, Any], start: str, volume: int
) -> None:
    fields = express_time(desired(**wish), {})
    assert fields["startDate"] == start
    assert (fields["timeVolume"], fields["timeVolumePeriod"]) == (volume, "DAY")


def test_a_duration_without_a_beginning_counts_from_the_start_that_the_server_told() -> None:
    wish = desired(expiry=None, valid_duration="1y", begins=None)
    assert express_time(wish, {"startDate": "2026-03-01T12:00:00Z"})["timeVolume"] == 365


def test_a_start_that_the_server_told_counts_whatever_it_is() -> None:
    fields = express_time(desired(margin_hours=0), {"startDate": "2025-12-31T12:00:00Z"})
    assert (fields["startDate"], fields["timeVolume"]) == ("2025-12-31T12:00:00Z", 32)


def test_what_the_documents_spell_in_two_ways_is_sent_in_both() -> None:
    assert form({"parentfeature": "L1", "quota": 3, "enabled": False, "there": True, "template": "t"}) == {
        "parentfeature": "L1",
        "parentFeature": "L1",
        "quota": "3",
        "quantity": "3",
        "active": "false",
    }


def test_consumption_that_starts_again_is_set_to_nothing_and_properties_lose_their_prefix() -> None:
    assert form({"consumption_counted": "p2", "custom_field:Team": ""}) == {"usedQuantity": "0", "Team": ""}


@pytest.mark.parametrize("name", ["active", "Number", "nodeSecret2", "PRICE", "timevolume"])
def test_a_property_of_a_vendor_never_sets_one_of_netlicensings_own(name: str) -> None:
    assert is_reserved(name)
    assert not is_reserved("Team")


def test_texts_are_read_as_what_they_mean_and_nonsense_is_not_known() -> None:
    item = Item(
        "License",
        {"active": "TRUE", "timeVolume": "61", "quantity": "many", "startDate": "2026-01-01T01:00:00.000+01:00"},
    )
    assert told(item, ["enabled", "timeVolume", "quantity", "startDate", "maxSessions", "custom_field:Team"]) == {
        "enabled": True,
        "timeVolume": 61,
        "quantity": None,
        "startDate": "2026-01-01T00:00:00Z",
        "maxSessions": None,
        "custom_field:Team": "",
    }
