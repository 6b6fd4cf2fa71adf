"""The plan, rule by rule: which call follows from which field, and which does not."""

from domain.licensing import User
from domain.receipts import Applied
from domain.subscription import Customer
from projections.targets.licensespring.calls import (
    AddManager,
    AssignUser,
    ChangeActivations,
    ChangeFeatures,
    ChangeLicense,
    FreeDevices,
    RemoveManager,
    ResetConsumption,
    SetCustomField,
    UnassignUser,
)
from projections.targets.licensespring.express import express
from projections.targets.licensespring.plan import plan
from tests.expressing import desired, held, names, other, refuse
from tests.stories import MARCH

BOB, EVE = User("bob@example.com"), User("eve@example.com")


# --- values -----------------------------------------------------------------------------------------------------


def test_dates_and_values_are_calls_of_their_own_and_dates_come_first() -> None:
    wish = desired(max_activations=3)
    dates, values = plan([other(wish, expiry=MARCH, max_activations=5)], held(wish))
    assert isinstance(dates, ChangeLicense)
    assert isinstance(values, ChangeLicense)
    assert dates.fields == {"validity_period": "2026-03-01", "is_trial": False}
    assert values.fields == {"max_activations": 5}


def test_what_licensespring_takes_only_together_is_sent_together() -> None:
    wish = desired(max_activations=9, floating_users=2, maintenance=True, maintenance_duration="1y")
    (change,) = plan([other(wish, floating_users=3, maintenance_duration="2y")], held(wish))
    assert isinstance(change, ChangeLicense)
    assert change.fields == {
        "floating_users": 3,
        "is_floating_cloud": True,
        "maintenance_duration": "2y",
        "enable_maintenance_period": True,
    }
    endless = desired(expiry=None, valid_duration="1y")
    (change,) = plan([other(endless, valid_duration="2y")], held(endless))
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"valid_duration": "2y", "is_trial": False}


def test_a_duration_gives_way_to_a_date() -> None:
    assert "valid_duration" not in express(desired(valid_duration="1y"))


def test_what_is_no_longer_desired_is_taken_back_only_where_it_was_ours() -> None:
    wish = desired(max_activations=9, floating_users=2, note="ends in May")
    (change,) = plan([other(wish, floating_users=None, note="")], held(wish))
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"is_floating_cloud": False, "note": ""}
    assert plan([desired()], held(desired())) == []


def test_a_value_of_which_nothing_is_known_is_set_again() -> None:
    wish = desired(max_activations=3)
    (change,) = plan([wish], held(wish, max_activations=None))
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"max_activations": 3}


def test_features_that_were_added_are_removed_and_nobody_elses() -> None:
    wish = desired(features=("b", "c"))
    applied = held(wish, **{"feature:a": True, "feature:b": True, "feature:z": False})
    (change,) = plan([wish], applied)
    assert isinstance(change, ChangeFeatures)
    assert (change.added, change.removed) == (("c",), ("a",))


def test_each_custom_field_is_a_call_of_its_own() -> None:
    wish = desired(custom_fields={"Team": "blue", "Seat": "4"})
    applied = held(wish, **{"custom_field:Team": "red", "custom_field:Old": "x", "custom_field:Gone": ""})
    calls = [call for call in plan([wish], applied) if isinstance(call, SetCustomField)]
    assert {(call.field, call.value) for call in calls} == {("Team", "blue"), ("Seat", "4"), ("Old", None)}
    assert len({call.digest for call in calls}) == 3


def test_a_refused_call_holds_up_no_other_and_is_not_made_again() -> None:
    wish = desired(features=("b",), custom_fields={"Team": "red"})
    applied = held(wish)
    features, field = plan([wish], applied)
    both = refuse(refuse(applied, features), field)
    assert plan([wish], both) == []
    assert names(*plan([other(wish, expiry=MARCH)], both))[:1] == ["change license"]
    assert names(*plan([wish], refuse(applied, field))) == ["change features"]


# --- consumption and devices ------------------------------------------------------------------------------------


def test_consumption_is_reset_when_its_interval_is_another_and_never_while_disabled() -> None:
    wish = desired(consumption_period="in_2")
    (reset,) = plan([wish], held(wish, consumption_counted="in_1"))
    assert isinstance(reset, ResetConsumption)
    assert reset.period == "in_2"
    assert plan([wish], held(wish, consumption_counted="in_2")) == []
    off = other(wish, enabled=False)
    assert names(*plan([off], held(wish, consumption_counted="in_1"))) == ["disable license"]
    assert plan([other(wish, consumption_period="")], held(wish, consumption_counted="in_1")) == []


def test_devices_are_freed_after_the_license_is_disabled_and_once() -> None:
    wish = desired(enabled=False, free_devices=True)
    assert names(*plan([wish], held(wish))) == ["disable license"]
    (free,) = plan([wish], held(wish, enabled=False))
    assert isinstance(free, FreeDevices)
    assert plan([wish], held(wish, enabled=False, devices_freed=True)) == []
    assert names(*plan([wish], refuse(held(wish), plan([wish], held(wish))[0]))) == [], "only of what is disabled"


# --- users and managers -----------------------------------------------------------------------------------------


def test_users_are_assigned_before_others_leave() -> None:
    wish = desired(product_code="PEOPLE", users=(EVE,), max_activations=3)
    applied = held(wish, **{"user:bob@example.com": True, "activations:bob@example.com": 3})
    assign, unassign = plan([wish], applied)
    assert isinstance(assign, AssignUser)
    assert isinstance(unassign, UnassignUser)
    assert (assign.user, assign.max_activations, unassign.email) == (EVE, 3, "bob@example.com")


def test_a_users_activations_are_changed_and_the_licenses_own_are_not_asked_for() -> None:
    wish = desired(product_code="PEOPLE", users=(BOB,), max_activations=4)
    applied = held(wish, **{"user:bob@example.com": True, "activations:bob@example.com": 3})
    (change,) = plan([wish], applied)
    assert isinstance(change, ChangeActivations)
    assert change.activations == {"bob@example.com": 4}


def test_one_person_in_two_spellings_is_one() -> None:
    wish = desired(product_code="PEOPLE", users=(User("Bob@Example.com"),))
    assert plan([wish], held(wish, **{"user:bob@example.com": True})) == []


def test_users_of_a_license_with_a_key_are_nobodys_business() -> None:
    wish = desired(max_activations=3)
    assert plan([other(wish, users=(BOB,))], held(wish)) == []


def test_a_manager_is_added_and_only_one_who_was_added_is_removed() -> None:
    wish = desired(managed_by_customer=True)
    (add,) = plan([wish], held(wish))
    assert isinstance(add, AddManager)
    assert (add.email, add.order) == ("ada@example.com", f"tenure-{wish.id}")
    known = Applied(licenses=held(wish).licenses, orders={add.order: {"manager:ada@example.com": True}})
    assert plan([wish], known) == []
    (remove,) = plan([other(wish, managed_by_customer=False)], known)
    assert isinstance(remove, RemoveManager)
    assert plan([other(wish, managed_by_customer=False)], held(wish)) == []
    assert plan([other(wish, customer=Customer())], known) == [], "of an unknown address nothing follows"
