"""At LicenseSpring: licenses that people use, bundles, and keys that were given at the checkout."""

import msgspec
import pytest

from domain.licensing import License, User
from domain.receipts import KeysClaimed, KeysGenerated
from domain.subscription import Customer
from projections.targets.errors import Unavailable, Unclear
from service.sandbox.faults import Answer
from tests.expressing import ALONE, account, desired, other
from tests.stories import FEBRUARY, MARCH

pytestmark = pytest.mark.anyio

BOB, EVE = User("bob@example.com", "Bob Builder"), User("Eve@Example.com", manager=True)


# --- users ------------------------------------------------------------------------------------------------------


async def test_units_of_a_product_licensed_by_user_are_told_apart_by_the_order_of_their_making() -> None:
    units = [desired(unit, product_code="PEOPLE", users=(BOB,)) for unit in (1, 2, 3)]
    async with account() as at:
        await at.settle(*units)
        held = sorted(at.held(), key=lambda each: each["id"])
        assert [at.applied.license(each.id).remote for each in units] == [str(each["id"]) for each in held]
        assert {each["license_key"] for each in held} == {None}
        await at.settle(*units[:2], other(units[2], enabled=False))
        assert [each["enabled"] for each in sorted(at.held(), key=lambda each: each["id"])] == [True, True, False]


async def test_without_a_known_address_a_product_licensed_by_user_waits_as_a_dead_letter_until_there_is_one() -> None:
    nobody = desired(product_code="PEOPLE", customer=Customer(reference="cus_1"))
    async with account() as at:
        await at.settle(nobody)
        assert "no e-mail address is known" in at.applied.refusals[nobody.id].text
        assert at.held() == []
        await at.settle(other(nobody, users=(BOB,)))
        assert at.held()[0]["users"] == ["bob@example.com"]
        assert at.applied.refusals == {}


async def test_a_seat_that_is_given_up_makes_room_for_the_next() -> None:
    one_seat = msgspec.structs.replace(ALONE.products[2], terms={"max_license_users": 1})
    products = (*ALONE.products[:2], one_seat, *ALONE.products[3:])
    wish = desired(product_code="PEOPLE", users=(BOB,))
    async with account(msgspec.structs.replace(ALONE, products=products)) as at:
        await at.settle(wish)
        await at.settle(other(wish, users=(EVE,)))
        assert at.held()[0]["users"] == [EVE.email]
        assert at.applied.refusals == {}


# --- bundles ----------------------------------------------------------------------------------------------------

SUITE = desired(product_code="SUITE", is_bundle=True)


async def test_each_unit_of_a_bundle_is_an_order_of_its_own_with_a_license_of_each_product() -> None:
    units = [desired(unit, product_code="SUITE", is_bundle=True) for unit in (1, 2)]
    async with account() as at:
        await at.settle(*units)
        orders = at.control.holdings()["orders"]
        assert [sorted(each["product"] for each in order["licenses"]) for order in orders] == [
            ["APP", "SUITE", "TOOL"]
        ] * 2
        assert {each["validity_period"][:10] for each in at.held()} == {"2026-02-01"}
        assert at.mismatches(*units) == []


async def test_what_a_bundle_brought_shares_its_fate() -> None:
    async with account() as at:
        for step in (SUITE, other(SUITE, enabled=False), other(SUITE, expiry=MARCH)):
            await at.settle(step)
            assert {each["enabled"] for each in at.held()} == {step.enabled}
            assert at.mismatches(step) == []
        assert {each["validity_period"][:10] for each in at.held()} == {"2026-03-01"}
        await at.settle()
        assert {each["enabled"] for each in at.held()} == {False}


async def test_a_part_of_a_bundle_that_was_deleted_by_hand_holds_up_nothing_else() -> None:
    async with account() as at:
        await at.settle(SUITE)
        (app,) = (each for each in at.held() if each["product"] == "APP")
        at.control.delete_license(app["id"])
        await at.settle(other(SUITE, enabled=False))
        assert [each["enabled"] for each in at.held()] == [False, False]
        assert "APP" not in {each["product"] for each in at.held()}
        assert at.refused


async def test_a_second_bundle_is_refused_in_words_and_the_first_one_stays() -> None:
    box = desired(line="si_2", product_code="BOX", is_bundle=True)
    async with account() as at:
        await at.settle(SUITE)
        calls = len(at.control.calls())
        await at.settle(SUITE, box)
        assert len(at.control.calls()) == calls, "nobody was asked"
        assert at.applied.refusals[box.id].text == ("BOX, SUITE; LicenseSpring takes one, so sell them apart")
        await at.settle(other(SUITE, expiry=MARCH), box)
        assert at.mismatches(other(SUITE, expiry=MARCH)) == []
        await at.settle(other(SUITE, enabled=False), box)
        assert at.mismatches(other(SUITE, enabled=False), box) == []


async def test_licenses_of_a_bundle_that_cannot_be_seen_yet_are_waited_for() -> None:
    async with account() as at:
        at.control.fault(Answer(status=502, when="after"), method="POST", path="*/create_order")
        with pytest.raises(Unclear):
            await at.attempt(SUITE)
        (order,) = at.control.holdings()["orders"]
        named = {"id": order["id"], "store_id": order["store_id"]}
        ours = [
            {**held, "order_store_id": order["store_id"]} for held in order["licenses"] if held["product"] == "SUITE"
        ]
        for path, rows in (("*/orders", [named]), ("*/licenses", [{**ours[0], "product": None}])):
            page = {"count": 1, "next": None, "previous": None, "results": rows}
            at.control.fault(Answer(status=200, body=page), method="GET", path=path)
        with pytest.raises(Unavailable, match="only 1 of 3 licenses"):
            await at.attempt(SUITE)
        await at.settle(SUITE)
        assert at.mismatches(SUITE) == []
        assert len(at.applied.license(SUITE.id).companions) == 2


# --- keys of the license generator ------------------------------------------------------------------------------


def generated(*keys: str) -> KeysGenerated:
    return KeysGenerated(target="ls", product="app", keys=keys)


def claimed(*licenses: License) -> KeysClaimed:
    return KeysClaimed(target="ls", product="app", licenses=tuple(each.id for each in licenses))


async def test_units_take_the_keys_that_the_license_generator_gave_and_others_get_fresh_ones() -> None:
    units = [desired(unit, fulfillment="R1/app") for unit in (1, 2, 3)]
    async with account() as at:
        at.take(generated("FIRST", "SECOND"))
        at.take(claimed(*units))
        await at.settle(*units)
        keys = [at.applied.license(each.id).key for each in units]
        assert keys[:2] == ["FIRST", "SECOND"]
        assert keys[2] not in {"", "FIRST", "SECOND"}
        assert at.mismatches(*units) == []


async def test_a_generated_key_is_given_to_one_license_only() -> None:
    one, two = desired(fulfillment="R1/app"), desired(line="si_2", fulfillment="R1/app")
    async with account() as at:
        at.take(generated("FIRST"))
        at.take(claimed(one))
        await at.settle(one, two)
        assert at.applied.license(one.id).key == "FIRST"
        assert at.applied.license(two.id).key not in {"", "FIRST"}


async def test_keys_generated_for_a_product_licensed_by_user_do_no_harm() -> None:
    wish = desired(product_code="PEOPLE", users=(BOB,), fulfillment="R1/app")
    async with account() as at:
        at.take(generated("FIRST"))
        await at.settle(wish)
        assert (at.held()[0]["license_key"], at.held()[0]["users"]) == (None, ["bob@example.com"])


async def test_more_units_than_a_page_holds_are_made_in_several_orders() -> None:
    units = [desired(unit) for unit in range(1, 251)]
    async with account() as at:
        await at.settle(*units)
        assert [len(order["licenses"]) for order in at.control.holdings()["orders"]] == [100, 100, 50]
        assert at.mismatches(*units) == []
        assert {each["validity_period"][:10] for each in at.held()} == {f"{FEBRUARY:%Y-%m-%d}"}
