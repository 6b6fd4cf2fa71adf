"""Every field of a license at LicenseSpring: created with it, changed to another, refused, and its answer lost."""

from typing import Any

import msgspec
import pytest

from domain.licensing import License, User
from projections.targets.errors import Unclear
from service.sandbox.faults import Answer, Effect, HtmlPage
from tests.expressing import ADA, ALONE, Account, account, desired, other
from tests.stories import APRIL, MARCH

pytestmark = pytest.mark.anyio

BOB, EVE = User("bob@example.com", "Bob Builder"), User("Eve@Example.com", manager=True)
CONSUMPTION: dict[str, Any] = {"license_type": "consumption", "max_consumptions": 100, "consumption_period": "in_1"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # what                   created with this                       changed to that
    "activations": ({"max_activations": 3}, {"max_activations": 5}),
    "dates": ({"expiry": MARCH, "margin_hours": 24}, {"expiry": APRIL, "margin_hours": 0}),
    "trial to full": ({"trial": True}, {"trial": False, "expiry": MARCH}),
    "floating": (
        {"max_activations": 5, "floating_users": 2},
        {"max_activations": 9, "floating_users": 7},
    ),
    "floating on": ({"max_activations": 5}, {"max_activations": 5, "floating_users": 2}),
    "users allowed": ({"max_license_users": 4}, {"max_license_users": 6}),
    "consumptions": (CONSUMPTION, {**CONSUMPTION, "max_consumptions": 200}),
    "maintenance": (
        {"maintenance": True, "maintenance_duration": "1y"},
        {"maintenance": True, "maintenance_duration": "2y"},
    ),
    "maintenance off": ({"maintenance": True, "maintenance_duration": "1y"}, {"maintenance": False}),
    "duration": (
        {"license_type": "time-limited", "expiry": None, "valid_duration": "1y"},
        {"license_type": "time-limited", "expiry": None, "valid_duration": "2y"},
    ),
    "policy": ({"policy_code": "gold"}, {"policy_code": "gold", "max_activations": 51}),
    "note": ({"note": "ends on 1 May"}, {"note": ""}),
    "features": ({"features": ("export",)}, {"features": ("export", "reports")}),
    "features, others": ({"features": ("export",)}, {"features": ("reports",)}),
    "custom fields": ({"custom_fields": {"Team": "red"}}, {"custom_fields": {"Team": "blue", "Seat": "4"}}),
    "custom fields, none": ({"custom_fields": {"Team": "red"}}, {}),
    "manager": ({"managed_by_customer": True}, {}),
    "manager, later": ({}, {"managed_by_customer": True}),
    "users": (
        {"product_code": "PEOPLE", "users": (BOB,), "max_activations": 3},
        {"product_code": "PEOPLE", "users": (BOB, EVE), "max_activations": 3},
    ),
    "users, others": ({"product_code": "PEOPLE", "users": (BOB,)}, {"product_code": "PEOPLE", "users": (EVE,)}),
    "users' activations": (
        {"product_code": "PEOPLE", "users": (BOB, EVE), "max_activations": 3},
        {"product_code": "PEOPLE", "users": (BOB, EVE), "max_activations": 8},
    ),
    "bundle": (
        {"product_code": "SUITE", "is_bundle": True},
        {"product_code": "SUITE", "is_bundle": True, "expiry": APRIL},
    ),
}


def wishes(name: str) -> tuple[License, License]:
    before, after = CASES[name]
    return desired(**before), desired(**after)


@pytest.mark.parametrize("name", CASES)
async def test_a_license_is_created_with_what_is_desired_and_changed_when_that_changes(name: str) -> None:
    before, after = wishes(name)
    async with account() as at:
        await at.settle(before)
        assert at.mismatches(before) == []
        assert exactly(at, before)
        await at.settle(after)
        assert at.mismatches(after) == []
        assert exactly(at, after)
        calls = len(at.control.calls())
        await at.settle(after)
        assert len(at.control.calls()) == calls, "what is in line is not asked for again"
        assert at.refused == []


def exactly(at: Account, wish: License) -> bool:
    """Whether what stands beside a license is that and nothing more."""
    (there,) = (each for each in at.held() if each["product"] == wish.product_code)
    assert set(there["features"]) == set(wish.features)
    assert there["custom_fields"] == wish.custom_fields
    assert {user.casefold() for user in there["users"]} == {user.email.casefold() for user in wish.users}
    assert there["managers"] == ([ADA.email] if wish.managed_by_customer else [])
    assert there["is_floating_cloud"] is (wish.floating_users is not None)
    assert there["note"] == wish.note
    return True


LOST: list[Effect] = [Answer(status=502, when="after"), HtmlPage(status=200, when="after"), Answer(status=503)]


@pytest.mark.parametrize("effect", LOST, ids=["after", "page", "before"])
@pytest.mark.parametrize("name", CASES)
async def test_whichever_answer_is_lost_the_license_ends_up_right(name: str, effect: Effect) -> None:
    before, after = wishes(name)
    async with account() as at:
        for skip in range(12):
            at.start_over()
            at.control.fault(effect, skip=skip)
            await at.settle(before)
            assert at.mismatches(before) == []
            await at.settle(after)
            assert at.mismatches(after) == []
            assert exactly(at, after)
            assert at.refused == []
            if at.control.company.faults.placed():
                return  # there are no so many calls
    raise AssertionError("there are more calls than were tried")


@pytest.mark.parametrize(
    "open_point",
    [
        {"repeat_of_assign": "refused"},
        {"repeat_of_enable_disable": "refused"},
        {"feature_values_not_sent": "reset"},
        {"custom_field_twice": "replaced"},
        {"custom_field_related": "object"},
        {"bundle_answer": "page"},
        {"bundle_members": "as_sent"},
        {"create_order_answer": "order_id"},
    ],
    ids=lambda point: "=".join(*point.items()),
)
async def test_it_ends_up_right_whatever_licensespring_leaves_open(open_point: dict[str, Any]) -> None:
    async with account(msgspec.structs.replace(ALONE, **open_point)) as at:
        for name, method in ((name, method) for name in CASES for method in ("POST", "PATCH")):
            before, after = wishes(name)
            at.start_over()
            await at.settle(before)
            at.control.fault(Answer(status=502, when="after"), method=method)
            await at.settle(after)
            assert at.mismatches(after) == []
            assert exactly(at, after)
            assert at.refused == []


@pytest.mark.parametrize("name", CASES)
async def test_a_wish_that_goes_back_after_a_lost_answer_is_followed_back(name: str) -> None:
    before, after = wishes(name)
    lost = 0
    async with account() as at:
        for method, skip in ((method, skip) for method in ("POST", "PATCH", "DELETE") for skip in range(4)):
            at.start_over()
            await at.settle(before)
            at.control.fault(Answer(status=502, when="after"), skip=skip, method=method)
            try:
                await at.attempt(after)
            except Unclear:
                lost += 1
                await at.settle(before)
                assert at.mismatches(before) == []
                assert exactly(at, before)
    assert lost, "no answer was ever lost"


async def test_what_an_answer_does_not_tell_is_set_again_rather_than_taken_for_granted() -> None:
    wish = desired(note="ends on 1 May", max_activations=3)
    async with account() as at:
        await at.settle(wish)
        number = at.held()[0]["id"]
        at.control.fault(Answer(status=502, when="after"), method="PATCH")
        with pytest.raises(Unclear):
            await at.attempt(other(wish, note="ends on 1 June"))
        at.control.fault(Answer(status=200, body={"id": number, "enabled": True}), method="GET")
        await at.settle(wish)
        assert at.held()[0]["note"] == "ends on 1 May"
        assert at.mismatches(wish) == []


# --- what may not be touched ------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", ["kept", "reset"])
async def test_what_a_policy_or_a_person_set_beside_it_stays(values: Any) -> None:
    gold = msgspec.structs.replace(
        ALONE.products[0], terms={"is_floating_cloud": True, "floating_users": 2, "max_activations": 2, "note": "VIP"}
    )
    products = (gold, *ALONE.products[1:])
    async with account(msgspec.structs.replace(ALONE, products=products, feature_values_not_sent=values)) as at:
        wish = desired(features=("export",))
        await at.settle(wish)
        (there,) = at.held()
        path = f"licenses/{there['id']}/update_features/"
        by_hand = {
            "product_features": [{"product_feature": "export", "max_consumption": 7}, {"product_feature": "extra"}]
        }
        await at.client.exchange.post("by hand", path, by_hand)
        later = other(wish, features=("export", "reports"), expiry=MARCH)
        await at.settle(later)
        (there,) = at.held()
        assert there["features"] == {"export": 7, "extra": 0, "reports": 0}
        assert (there["is_floating_cloud"], there["note"]) == (True, "VIP")


async def test_a_user_whom_somebody_else_assigned_keeps_the_license() -> None:
    wish = desired(product_code="PEOPLE", users=(BOB,))
    async with account() as at:
        await at.settle(wish)
        (there,) = at.held()
        await at.client.exchange.post("by hand", f"licenses/{there['id']}/assign_user/", {"email": "guest@example.com"})
        await at.settle(other(wish, users=(EVE,)))
        assert {user.casefold() for user in at.held()[0]["users"]} == {"guest@example.com", "eve@example.com"}


async def test_a_license_is_not_left_to_nobody_because_its_users_are_not_known_any_more() -> None:
    wish = desired(product_code="PEOPLE", users=(BOB,))
    async with account() as at:
        await at.settle(wish)
        assert await at.settle(other(wish, users=())) == []
        assert at.held()[0]["users"] == ["bob@example.com"]


# --- refused ----------------------------------------------------------------------------------------------------

REFUSED: dict[str, dict[str, Any]] = {
    "feature": {"features": ("TYPO",)},
    "custom field": {"custom_fields": {"Typo": "x"}},
    "both": {"features": ("TYPO",), "custom_fields": {"Typo": "x", "Team": "red"}},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_had_keeps_nobody_from_a_license_nor_from_its_renewal(name: str) -> None:
    wish = desired(**REFUSED[name])
    async with account() as at:
        await at.settle(wish)
        assert [each["enabled"] for each in at.held()] == [True]
        assert at.applied.refusals[wish.id].text
        for step in (other(wish, expiry=APRIL), other(wish, expiry=APRIL, enabled=False), wish):
            await at.settle(step)
            (there,) = at.held()
            assert there["enabled"] is step.enabled
            assert not step.enabled or there["validity_period"][:10] == f"{step.expiry:%Y-%m-%d}"
        if "Team" in wish.custom_fields:
            assert at.held()[0]["custom_fields"] == {"Team": "red"}


async def test_a_value_that_is_refused_does_not_stop_the_renewal() -> None:
    wish = desired(max_activations=3)
    async with account() as at:
        await at.settle(wish)
        later = other(wish, floating_users=9, expiry=MARCH)
        await at.settle(later)
        (there,) = at.held()
        assert there["validity_period"][:10] == "2026-03-01"
        assert "floating_users" in at.applied.refusals[wish.id].text
        assert await at.settle(later) == [], "a dead letter is not sent again by itself"
        await at.settle(other(later, max_activations=9))
        assert at.held()[0]["floating_users"] == 9
        assert at.applied.refusals == {}
