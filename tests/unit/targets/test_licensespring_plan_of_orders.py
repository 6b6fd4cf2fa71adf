"""The plan for what is not there yet: orders, bundles, and whose key it is."""

from collections.abc import Sequence

import pytest

from domain.generated import problems
from domain.licensing import License, User
from domain.receipts import Applied, Fields, KeysClaimed, KeysGenerated, KeysMinted, apply_receipt
from projections.targets.keys import MintKeys, TakeKeys
from projections.targets.licensespring.calls import (
    ChangeLicense,
    CreateOrder,
    DisableLicense,
    EnableLicense,
    RefuseBundles,
)
from projections.targets.licensespring.express import express
from projections.targets.licensespring.plan import plan
from tests.expressing import desired, held, names, other, refuse
from tests.stories import JANUARY, MARCH

BOB = User("bob@example.com")


# --- orders -----------------------------------------------------------------------------------------------------


def minted(*wishes: License, user_based: bool = False) -> Applied:
    keys: dict[str, str] = {each.id: "" if user_based else f"KEY-{each.unit}" for each in wishes}
    receipt = KeysMinted(target="ls", order="o-1", keys=keys, user_based=user_based)
    return apply_receipt({}, receipt, JANUARY)["ls"]


def test_an_order_that_is_refused_is_tried_without_what_can_be_added_later() -> None:
    wish = desired(features=("b",), custom_fields={"Team": "red"}, max_activations=3)
    applied = minted(wish)
    (whole,) = plan([wish], applied)
    (bare,) = plan([wish], refuse(applied, whole))
    assert isinstance(whole, CreateOrder)
    assert isinstance(bare, CreateOrder)
    assert whole.licenses[wish.id].features == ("b",)
    assert bare.licenses[wish.id].features == ()
    assert bare.licenses[wish.id].fields == whole.licenses[wish.id].fields
    assert plan([wish], refuse(refuse(applied, whole), bare)) == []


def test_what_is_prepared_without_a_key_is_created_with_its_users() -> None:
    wish = desired(product_code="PEOPLE", users=(BOB,), max_activations=3)
    (create,) = plan([wish], minted(wish, user_based=True))
    assert isinstance(create, CreateOrder)
    assert (create.user_based, create.licenses[wish.id].users) == (True, (BOB,))
    assert "max_activations" not in create.licenses[wish.id].fields


def test_each_unit_of_a_bundle_is_prepared_by_itself() -> None:
    units = [desired(unit, product_code="SUITE", is_bundle=True) for unit in (1, 2)]
    calls = plan(units, Applied())
    assert [call.subjects for call in calls] == [(unit.id,) for unit in units]
    assert len({call.order for call in calls}) == 2


def test_two_bundles_are_refused_without_asking_but_what_is_there_goes_on() -> None:
    suite = desired(product_code="SUITE", is_bundle=True)
    box = desired(line="si_2", product_code="BOX", is_bundle=True)
    (refusal,) = plan([suite, box], Applied())
    assert isinstance(refusal, RefuseBundles)
    assert refusal.product_codes == ("BOX", "SUITE")
    assert refusal.name == "hold two bundles in one order"
    refusal, renewal = plan([other(suite, expiry=MARCH), box], held(suite))
    assert (refusal.subjects, renewal.subjects) == ((box.id,), (suite.id,))
    assert names(*plan([suite, other(box, enabled=False)], Applied())) == ["mint keys"]


def test_every_license_of_a_bundle_is_enabled_dated_and_disabled_by_itself() -> None:
    wish = desired(product_code="SUITE", is_bundle=True, max_activations=3)
    dates = {name: value for name, value in express(wish).items() if name != "max_activations"}
    beside: dict[str, Fields] = {
        "2": {**dates, "enabled": False, "license_type": "subscription"},
        "3": {"enabled": True, "license_type": "perpetual"},
    }
    enable, date = plan([wish], held(wish, beside))
    assert isinstance(enable, EnableLicense)
    assert isinstance(date, ChangeLicense)
    assert (enable.remote, enable.companion) == ("2", True)
    assert (date.remote, date.fields) == ("3", {"is_trial": False, "validity_period": "2026-02-03"})
    off = plan([other(wish, enabled=False)], held(wish, beside))
    assert [call.remote for call in off if isinstance(call, DisableLicense)] == ["1", "3"]
    assert len({call.digest for call in off}) == 2
    assert names(*plan([], held(wish, beside))) == ["disable license", "disable license"]


# --- generated keys ---------------------------------------------------------------------------------------------


def generated(*keys: str, applied: Applied | None = None) -> Applied:
    receipt = KeysGenerated(target="ls", product="app", keys=keys)
    return apply_receipt({"ls": applied or Applied()}, receipt, JANUARY)["ls"]


def claimed(applied: Applied, *licenses: License | str, product: str = "app") -> Applied:
    names = tuple(each if isinstance(each, str) else each.id for each in licenses)
    after = len(applied.claimed.get(product, ()))
    receipt = KeysClaimed(target="ls", product=product, licenses=names, after=after)
    return apply_receipt({"ls": applied}, receipt, JANUARY)["ls"]


def test_keys_that_may_be_generated_are_asked_for_all_units_of_the_line() -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in (1, 2, 3)]
    (mint,) = plan([units[0], units[1], other(units[2], enabled=False)], Applied())
    assert isinstance(mint, MintKeys)
    assert (mint.fulfillment, mint.subjects) == ("R1/app", tuple(unit.id for unit in units[:2]))
    (mint,) = plan(units, minted(units[0]))[1:]
    assert mint.subjects == tuple(unit.id for unit in units), "a unit's number is its place in the list"


def test_licenses_claim_their_places_before_they_take_the_keys_there() -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in (1, 2, 3)]
    given = {units[0].id: "ONE", units[1].id: "TWO", units[2].id: "THREE"}
    (mint,) = plan(units, generated("ONE", "TWO"))
    assert isinstance(mint, MintKeys)
    assert (mint.subjects, mint.fulfillment) == (tuple(given), "R1/app")
    four = generated("ONE", "TWO", "THREE", "FOUR")
    (claim,) = plan(units, four)
    (take,) = plan(units, claimed(four, *units))
    assert isinstance(claim, TakeKeys)
    assert isinstance(take, TakeKeys)
    assert (claim.fulfillment, claim.keys) == ("R1/app", given)
    assert (take.fulfillment, take.keys) == ("", given)
    assert claim.digest != take.digest


def test_a_key_at_a_place_of_another_subscription_is_not_taken() -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in (1, 2)]
    applied = claimed(claimed(generated("ONE", "TWO", "THREE"), "lic_of_another"), *units)
    (take,) = plan(units, applied)
    assert isinstance(take, TakeKeys)
    assert take.keys == {units[0].id: "TWO", units[1].id: "THREE"}


def test_a_place_whose_key_nobody_chose_gets_one() -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in (1, 2)]
    (mint,) = plan(units, claimed(generated("ONE"), *units))
    assert isinstance(mint, MintKeys)
    assert (mint.fulfillment, mint.subjects) == ("R1/app", (units[1].id,))


def test_a_generated_key_that_another_license_has_is_not_taken_again() -> None:
    one, two = desired(fulfillment="R1/app"), desired(line="si_2", fulfillment="R1/app")
    # Of before licenses claimed places: the first took the key by its number.
    applied = claimed(generated("KEY-1", applied=minted(one)), two)
    (mint,) = (call for call in plan([one, two], applied) if isinstance(call, MintKeys | TakeKeys))
    assert isinstance(mint, MintKeys)
    assert (mint.subjects, mint.fulfillment) == ((two.id,), "")
    assert problems([one, two], applied) == []


@pytest.mark.parametrize("count", [1, 2])
def test_a_license_keeps_its_key_when_another_was_generated_and_a_person_is_told(count: int) -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in range(1, count + 1)]
    applied = generated(*(f"OTHER-{unit.unit}" for unit in units), applied=minted(*units))
    assert names(*plan(units, applied)) == ["create order"]
    (problem,) = problems(units, applied)
    assert "APP" in problem
    assert f"{count} key" in problem
    assert "OTHER" not in problem


def taken(*keys: str, by: Sequence[License]) -> Applied:
    """Licenses that claimed the first places and hold the keys there."""
    receipt = KeysMinted(target="ls", order="o-1", keys={each.id: key for each, key in zip(by, keys, strict=False)})
    applied = claimed(generated(*keys), *by)
    return apply_receipt({"ls": applied}, receipt, JANUARY)["ls"]


def test_keys_that_no_license_takes_are_told_once_the_licenses_have_theirs() -> None:
    one = desired(fulfillment="R1/app")
    keys = ("A", "B", "C", "D", "E")
    assert problems([one], generated(*keys)) == []
    (problem,) = problems([one], taken(*keys, by=[one]))
    assert "4 keys of app" in problem
    assert "single_license" in problem
    assert problems([one], claimed(taken(*keys, by=[one]), *"wxyz")) == [], "others of the purchase have them"
    assert problems([other(one, enabled=False)], taken(*keys, by=[one])) == [], "it is over"


def test_keys_of_a_product_that_no_license_is_called_by_are_told() -> None:
    one = desired(fulfillment="R1/app")
    strange = KeysGenerated(target="ls", product="App (monthly)", keys=("A", "B"))
    chosen = KeysGenerated(target="ls", product="app", keys=("K",), asked=False)
    applied = {"ls": Applied()}
    for receipt in (strange, chosen, KeysClaimed(target="ls", product="app", licenses=(one.id,))):
        applied = apply_receipt(applied, receipt, JANUARY)
    (problem,) = problems([one], applied["ls"])
    assert "2 keys of 'App (monthly)'" in problem
    assert "parameter product" in problem
    assert problems([one], claimed(applied["ls"], "lic_x", product="App (monthly)")) == []


def test_a_hundred_licenses_go_into_one_order() -> None:
    calls = plan([desired(unit) for unit in range(1, 251)], Applied())
    assert [len(call.subjects) for call in calls] == [100, 100, 50]
