"""Whatever is desired, in whatever order, and whichever answers are lost: that is what LicenseSpring ends up with."""

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.licensing import License, User
from domain.receipts import KeysClaimed, KeysGenerated
from projections.targets.errors import TargetError
from service.demo.matching import Held
from service.sandbox.faults import Answer, Effect, HtmlPage, Throttle
from tests.expressing import Account, account, desired
from tests.stories import APRIL, FEBRUARY, MARCH

USERS = tuple(User(f"{name}@example.com") for name in ("ada", "bob", "eve"))
PRODUCTS: dict[str, dict[str, Any]] = {
    "APP": {"max_activations": 9},
    "PEOPLE": {"users": USERS[:1]},
    "SUITE": {"is_bundle": True, "max_activations": 9},
}

shared: dict[str, st.SearchStrategy[Any]] = {
    "expiry": st.sampled_from([FEBRUARY, MARCH, APRIL]),
    "margin_hours": st.sampled_from([0, 48]),
    "trial": st.booleans(),
    "enabled": st.sampled_from([True, True, True, False]),
    "note": st.sampled_from(["", "ends soon"]),
    "free_devices": st.booleans(),
    "managed_by_customer": st.booleans(),
    "max_license_users": st.sampled_from([5, 7]),
    "consumption_period": st.sampled_from(["in_1", "in_2"]),
}
of_app: dict[str, st.SearchStrategy[Any]] = {
    "floating_users": st.sampled_from([None, 2, 9]),
    "features": st.sets(st.sampled_from(["export", "reports"])).map(lambda codes: tuple(sorted(codes))),
    "custom_fields": st.dictionaries(st.sampled_from(["Team", "Seat"]), st.sampled_from(["red", "blue"])),
    "maintenance": st.sampled_from([True, False]),
    "maintenance_duration": st.sampled_from(["1y", "2y"]),
}
of_people: dict[str, st.SearchStrategy[Any]] = {
    "users": st.sets(st.sampled_from(USERS), min_size=1).map(lambda users: tuple(sorted(users, key=str))),
    "max_activations": st.sampled_from([3, 4]),
}
faults: st.SearchStrategy[Effect] = st.sampled_from(
    [
        Answer(status=502, when="after"),
        Answer(status=502),
        HtmlPage(status=200, when="after"),
        Throttle(retry_after=0),
    ]
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[list[License]], list[tuple[Effect, int] | None]]:
    """What is desired of the units of one product, one wish after another, and which call of each goes wrong."""
    product = draw(st.sampled_from(sorted(PRODUCTS)))
    own = {"APP": of_app, "PEOPLE": of_people}
    varying = {**shared, **own.get(product, {})}
    units = draw(st.integers(1, 2))
    wishes = [
        [
            desired(unit, **{**PRODUCTS[product], "product_code": product, **draw(st.fixed_dictionaries(varying))})
            for unit in range(1, units + 1)
        ]
        for _ in range(draw(st.integers(1, 4)))
    ]
    trouble = draw(
        st.lists(st.none() | st.tuples(faults, st.integers(0, 8)), min_size=len(wishes), max_size=len(wishes))
    )
    return wishes, trouble


@settings(max_examples=60)
@given(stories())
def test_licensespring_ends_up_with_what_was_desired_last(
    story: tuple[list[list[License]], list[tuple[Effect, int] | None]],
) -> None:
    asyncio.run(live(*story))


async def live(wishes: list[list[License]], trouble: list[tuple[Effect, int] | None]) -> None:
    async with account() as at:
        await at.settle(*wishes[0])
        for wish, wrong in zip(wishes, trouble, strict=True):
            if wrong is not None:
                at.control.fault(wrong[0], skip=wrong[1])
            try:
                await at.attempt(*wish)
            except TargetError:
                # The next wish may come before this one is tried again.
                continue
            finally:
                at.control.clear_faults()
        await at.settle(*wishes[-1])
        assert at.refused == []
        assert at.mismatches(*wishes[-1]) == []
        assert_nothing_more(at, wishes[-1])
        assert len(at.held()) == len({each["id"] for each in at.held()})
        calls = len(at.control.calls())
        await at.settle(*wishes[-1])
        assert len(at.control.calls()) == calls


def assert_nothing_more(at: Account, wish: list[License]) -> None:
    """That nothing which was desired once is left on an enabled license."""
    held: dict[str, Held] = {str(each["id"]): each for each in at.held()}
    for each in (each for each in wish if each.enabled):
        there = held[at.applied.license(each.id).remote]
        assert set(there["features"]) == set(each.features)
        assert there["custom_fields"] == each.custom_fields
        assert there["is_floating_cloud"] is (each.floating_users is not None)
        assert there["note"] == each.note
        if at.applied.license(each.id).user_based:
            assert set(there["users"]) == {user.email for user in each.users}


kinds: dict[str, Any] = {
    "features": st.sampled_from([(), ("export",), ("TYPO",)]),
    "custom_fields": st.sampled_from([{}, {"Team": "red"}, {"Typo": "x"}]),
    "floating_users": st.sampled_from([None, 2, 99]),
    "expiry": st.sampled_from([FEBRUARY, MARCH]),
    "enabled": st.booleans(),
}


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries(kinds), min_size=1, max_size=4))
def test_what_is_refused_never_keeps_a_license_from_its_access_and_its_date(wishes: list[dict[str, Any]]) -> None:
    asyncio.run(refuse([desired(max_activations=9, **wish) for wish in wishes]))


async def refuse(wishes: list[License]) -> None:
    async with account() as at:
        for wish in wishes:
            await at.settle(wish)
            for there in at.held():
                assert there["enabled"] is wish.enabled
                assert not wish.enabled or there["validity_period"][:10] == f"{wish.expiry:%Y-%m-%d}"
            # A license that floats for too many from the start is not taken at all.
            assert at.held() or not wish.enabled or wish.floating_users == 99
            assert await at.settle(wish) == [], "a dead letter is not sent again by itself"


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 3), st.permutations(range(4)))
def test_each_generated_key_is_given_once_and_to_its_unit(
    quantities: list[int], generated: int, order: list[int]
) -> None:
    async def take() -> None:
        async with account() as at:
            if generated:
                keys = tuple(f"GENERATED-{number}" for number in range(1, generated + 1))
                at.take(KeysGenerated(target="ls", product="app", keys=keys))
            claimed = 0
            for quantity in quantities:
                units = [desired(unit, fulfillment="R1/app" if generated else "") for unit in range(1, quantity + 1)]
                if generated and quantity > claimed:
                    # As the pusher has it recorded before it follows the plan any further.
                    new = tuple(each.id for each in units[claimed:])
                    at.take(KeysClaimed(target="ls", product="app", licenses=new, after=claimed))
                    claimed = quantity
                await at.settle(*(units[place] for place in order if place < quantity))
            held = {each.id: at.applied.license(each.id).key for each in (desired(n) for n in range(1, 5))}
            for number, key in enumerate(held.values(), 1):
                assert key == f"GENERATED-{number}" or not key.startswith("GENERATED") or number > generated
            made = [key for key in held.values() if key]
            assert len(made) == max(quantities) == len(set(made))
            assert made[:generated] == [f"GENERATED-{number}" for number in range(1, len(made[:generated]) + 1)]
            assert msgspec.json.encode(at.applied)

    asyncio.run(take())
