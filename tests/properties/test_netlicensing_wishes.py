"""Whatever is desired, in whatever order, and whichever answers are lost: that is what NetLicensing ends up with."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.licensing import License
from domain.subscription import Customer
from projections.targets.errors import TargetError
from projections.targets.netlicensing.options import Options
from service.sandbox.faults import Answer, Effect, ErrorInOk, HtmlPage, Throttle
from tests.expressing import ADA
from tests.netlicensing import ALONE, Account, Holding, account, days, desired, desired_of
from tests.stories import APRIL, FEBRUARY, MARCH

BOB = Customer(reference="cus_ada", email="bob@example.com", name="Bob Example", company="Bobs")
PRODUCTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "APP": {},
    "FLOAT": {"floating_users": st.sampled_from([2, 9])},
    "RENDER": {"max_consumptions": st.sampled_from([10, 20]), "consumption_period": st.sampled_from(["p1", "p2"])},
    "QUOTA": {"max_activations": st.sampled_from([None, 3, 5])},
    "NODES": {"max_activations": st.sampled_from([1, 4])},
    "PARTS": {"features": st.sampled_from([("export",), ("export", "reports"), ("reports",)])},
    "TRY": {"expiry": st.none()},
    "RENT": {},
    "STUDIO": {
        "policy_code": st.sampled_from(["studio-month", "studio-month, studio-seats", "studio-seats"]),
        "features": st.sampled_from([(), ("studio-export",)]),
        "floating_users": st.sampled_from([None, 3]),
    },
    "SUITE": {"is_bundle": st.just(True)},
}
shared: dict[str, st.SearchStrategy[Any]] = {
    "expiry": st.sampled_from([FEBRUARY, MARCH, APRIL, None]),
    "valid_duration": st.sampled_from([None, None, "30d"]),
    "margin_hours": st.sampled_from([0, 48]),
    "trial": st.booleans(),
    "enabled": st.sampled_from([True, True, True, False]),
    "custom_fields": st.dictionaries(st.sampled_from(["Team", "Seat"]), st.sampled_from(["red", "blue"])),
}
options = st.builds(
    Options,
    licensee=st.sampled_from(["customer", "purchase", "unit"]),
    key=st.sampled_from(["licensee", "license"]),
    save_buyer=st.booleans(),
)
faults: st.SearchStrategy[Effect] = st.sampled_from(
    [
        Answer(status=502, when="after"),
        Answer(status=502),
        HtmlPage(status=200, when="after"),
        ErrorInOk(when="after"),
        Throttle(retry_after=0),
    ]
)
left_open = st.fixed_dictionaries(
    {
        "duplicate_number_status": st.sampled_from([400, 409, 500, 200]),
        "single_element": st.sampled_from(["list", "object"]),
        "empty_list": st.sampled_from(["empty", "null", "no_content"]),
        "error_id": st.sampled_from(["name", "number"]),
        "parent_feature_sent": st.sampled_from(["both", "parentfeature", "parentFeature"]),
        "parent_feature_shown": st.sampled_from(["parentfeature", "parentFeature"]),
        "node_locked_field": st.sampled_from(["both", "quota", "quantity"]),
        "bundle_templates_field": st.sampled_from(["licenseTemplateNumbers", "licenseTemplatesNumbers"]),
        "start_date_change": st.sampled_from(["accepted", "refused", "ignored"]),
    }
)
Trouble = list[tuple[Effect, int] | None]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[list[License]], Trouble]:
    """What is desired of the units of one product, one wish after another, and which request of each goes wrong."""
    product = draw(st.sampled_from(sorted(PRODUCTS)))
    varying = {**shared, **PRODUCTS[product]}
    units = draw(st.integers(1, 2))
    wishes = []
    for _ in range(draw(st.integers(1, 4))):
        known = {"product_code": product, "customer": draw(st.sampled_from([ADA, BOB]))}
        wishes.append([desired(unit, **known, **draw(st.fixed_dictionaries(varying))) for unit in range(1, units + 1)])
    trouble = draw(
        st.lists(st.none() | st.tuples(faults, st.integers(0, 6)), min_size=len(wishes), max_size=len(wishes))
    )
    return wishes, trouble


@settings(max_examples=60)
@given(stories(), options, left_open, st.booleans())
def test_netlicensing_ends_up_with_what_was_desired_last(
    story: tuple[list[list[License]], Trouble], chosen: Options, undocumented: dict[str, Any], slow: bool
) -> None:
    asyncio.run(live(*story, chosen, undocumented, slow=slow))


async def live(
    wishes: list[list[License]], trouble: Trouble, chosen: Options, undocumented: dict[str, Any], *, slow: bool
) -> None:
    async with account(msgspec.structs.replace(ALONE, **undocumented), chosen) as at:
        holding = Holding(at)
        for wish, wrong in zip(wishes, trouble, strict=True):
            if wrong is not None:
                at.control.fault(wrong[0], skip=wrong[1])
            at.tokens = 1 if slow else None
            try:
                await holding.attempt(*wish)
            except TargetError:
                # The next wish may come before this one is tried again, in another process.
                at.restart()
            finally:
                at.control.clear_faults()
        at.tokens = 0 if slow else None
        await holding.settle(*wishes[-1])
        if holding.refused:
            # An ERROR in a 200 looks like a refusal; a person asks again.
            holding.retry(*wishes[-1])
            for number in holding.applied.customers:
                holding.applied.refusals.pop(number, None)
            await holding.settle(*wishes[-1])
        assert holding.mismatches(*wishes[-1]) == []
        assert_none_twice(at, holding)
        assert_for_ever(at, holding, *wishes[-1])
        calls = len(at.control.calls())
        await holding.settle(*wishes[-1])
        assert len(at.control.calls()) == calls


def assert_none_twice(at: Account, holding: Holding) -> None:
    """That every license there is one that is known, and no two are of one template for one license of ours."""
    known = {number for held in holding.applied.licenses.values() for number in held.parts}
    made = {number: each for number, each in at.licenses().items() if each["licenseTemplateNumber"] != "try-trial"}
    assert made.keys() <= known
    parts = [
        (identifier, made[number]["licenseTemplateNumber"])
        for identifier, held in holding.applied.licenses.items()
        for number in held.parts
        if number in made
    ]
    assert len(parts) == len(set(parts))


def assert_for_ever(at: Account, holding: Holding, *wishes: License) -> None:
    """That nothing which was bought without an end ends there by itself."""
    without_end = [each for each in wishes if each.enabled and each.expiry is None and each.valid_duration is None]
    for wish in without_end:
        for number in holding.applied.license(wish.id).parts:
            there = at.licenses().get(number, {})
            if there.get("active") == "true" and there.get("timeVolume"):
                assert days(there) >= timedelta(days=99 * 365)


@settings(max_examples=30)
@given(
    st.permutations(["a", "b"]),
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans(), st.sampled_from([FEBRUARY, MARCH])), max_size=6),
    st.lists(st.none() | st.tuples(faults, st.integers(0, 4)), min_size=8, max_size=8),
)
def test_two_subscriptions_of_a_customer_share_a_licensee_and_never_touch_each_others_licenses(
    order: list[str], steps: list[tuple[str, bool, Any]], trouble: Trouble
) -> None:
    async def go() -> None:
        async with account() as at:
            holdings = {name: Holding(at) for name in order}
            wishes = {name: desired_of(f"shop/subscription/{name}") for name in order}
            for (name, enabled, expiry), wrong in zip(
                [*((name, True, FEBRUARY) for name in order), *steps], trouble, strict=False
            ):
                wishes[name] = msgspec.structs.replace(wishes[name], enabled=enabled, expiry=expiry)
                if wrong is not None and not isinstance(wrong[0], ErrorInOk):
                    at.control.fault(wrong[0], skip=wrong[1])
                await holdings[name].settle(wishes[name])
                at.control.clear_faults()
                for each, holding in holdings.items():
                    if holding.applied.licenses:
                        assert holding.mismatches(wishes[each]) == []
                        assert holding.refused == []
            assert len(at.licensees()) == 1
            assert len(at.licenses()) == len(order)
            assert all(each["active"] == "true" for each in at.licensees().values())

    asyncio.run(go())
