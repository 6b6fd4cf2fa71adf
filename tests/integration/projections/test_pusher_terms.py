"""The pusher with what stands beside a license: doubts that name it, bundles, and licenses without a key."""

from collections.abc import Mapping

import msgspec
import pytest

from domain import facts as f
from domain.events import Event
from service.sandbox.faults import Answer
from service.sandbox.licensespring.settings import CustomFieldSeed, ProductSeed
from tests.pushing import ADA, QUIET, live, pushing
from tests.stories import FEBRUARY, JANUARY, MARCH, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

SHOP = msgspec.structs.replace(
    QUIET,
    products=(
        ProductSeed(short_code="APP", custom_fields=(CustomFieldSeed(name="Team"),)),
        ProductSeed(short_code="TOOL"),
        ProductSeed(short_code="SUITE", bundle=("APP", "TOOL")),
        ProductSeed(short_code="PEOPLE", authorization_method="user"),
    ),
)


def sold(attributes: Mapping[str, str]) -> f.LinesDescribed:
    return described(line(start=JANUARY, end=FEBRUARY, attributes=dict(attributes)))


def bought(**attributes: str) -> Event:
    return happened(JANUARY, ADA, sold(attributes), activated(), paid("in_1", period(JANUARY, FEBRUARY)))


async def test_a_custom_field_that_was_set_unheard_and_is_no_longer_wanted_is_taken_away(database: str) -> None:
    async with pushing(database, SHOP) as pushed:
        await live(pushed, (bought(short_code="APP"),))
        pushed.sandbox.control.fault(Answer(status=502, when="after"), method="POST", path="*/license-custom-fields")
        team = {"short_code": "APP", "custom_field_Team": "red"}
        await pushed.projected.take([happened(FEBRUARY, sold(team))])
        (claim,) = await pushed.pusher._claim(1)
        await pushed.pusher._push(claim)
        assert pushed.held()[0]["custom_fields"] == {"Team": "red"}, "it was set, and nobody heard of it"
        await live(pushed, (happened(MARCH, sold({"short_code": "APP"})),))
        assert pushed.held()[0]["custom_fields"] == {}
        assert await pushed.mismatches() == []


async def test_a_bundle_lives_and_ends_as_one(database: str) -> None:
    ended = happened(MARCH, f.SubscriptionTerminated())
    async with pushing(database, SHOP) as pushed:
        await live(pushed, (bought(short_code="SUITE", is_product_bundle="true"),))
        assert sorted(held["product"] for held in pushed.held()) == ["APP", "SUITE", "TOOL"]
        assert await pushed.mismatches() == []
        (license_,) = await pushed.projected.queries.licenses()
        assert license_.applied is not None
        assert len(license_.applied.companions) == 2
        await live(pushed, (ended,))
        assert {held["enabled"] for held in pushed.held()} == {False}
        assert await pushed.mismatches() == []


async def test_a_product_licensed_by_user_is_the_customers_without_a_key(database: str) -> None:
    async with pushing(database, SHOP) as pushed:
        await live(pushed, (bought(short_code="PEOPLE"),))
        (held,) = pushed.held()
        assert (held["license_key"], held["users"]) == (None, ["ada@example.com"])
        (license_,) = await pushed.projected.queries.licenses()
        assert (license_.key, license_.due) == (None, False)
        moved = happened(FEBRUARY, f.CustomerDescribed(reference="cus_ada", email="ada@new.example"))
        await live(pushed, (moved,))
        assert [held["users"] for held in pushed.held()] == [["ada@new.example"]]
        assert await pushed.mismatches() == []
        assert await pushed.projected.queries.licenses(refused=True) == []
