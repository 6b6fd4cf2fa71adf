"""Whose a number is at NetLicensing: nothing of others is taken over, shown or given away."""

from typing import Any

import pytest

from domain.receipts import KeysClaimed, KeysGenerated
from projections.targets.errors import Refused, Unclear
from projections.targets.netlicensing.options import Options
from service.sandbox.faults import Answer, Drop
from tests.netlicensing import Account, Holding, account, active, desired

pytestmark = pytest.mark.anyio

PERIOD: dict[str, Any] = {"product_code": "RENDER", "max_consumptions": 10, "consumption_period": "p1"}


def shown(number: str, **properties: str) -> dict[str, Any]:
    told = {"number": number, "active": "true", **properties}
    item = {"type": "License", "property": [{"name": name, "value": value} for name, value in told.items()]}
    return {"items": {"item": [item]}}


async def number_of(at: Account) -> str:
    """Under which number the license is made: it is the same in every account."""
    async with account(options=at.options) as other:
        await Holding(other).settle(desired())
        (number,) = other.licenses()
        return number


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"licenseeNumber": "SOMEBODY"}, "of another licensee"),
        ({"licenseTemplateNumber": "other"}, "made from another license template"),
    ],
)
async def test_a_license_of_somebody_else_is_never_taken_over(others: dict[str, str], told: str) -> None:
    async with account() as at:
        holding, number = Holding(at), await number_of(at)
        at.control.fault(Answer(status=400), method="POST", path="/license", times=None)
        at.control.fault(Answer(status=200, body=shown(number, **others)), method="GET", path="/license/*", times=None)
        await holding.settle(desired())
        assert told in holding.refused[-1].text
        assert number not in holding.refused[-1].text
        assert not holding.applied.license(desired().id).remote


async def test_nor_is_it_when_a_look_finds_it_after_a_lost_answer() -> None:
    async with account() as at:
        holding, number = Holding(at), await number_of(at)
        at.control.fault(Drop(), method="POST", path="/license")
        with pytest.raises(Unclear):
            await holding.attempt(desired())
        body = shown(number, licenseeNumber="SOMEBODY")
        at.control.fault(Answer(status=200, body=body), method="GET", path="/license/*")
        with pytest.raises(Refused, match="of another licensee"):
            await at.target.look(holding.doubts[0], holding.applied)


async def test_what_was_about_to_be_made_is_looked_for_when_it_is_over_and_switched_off() -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Drop(when="after"), method="POST", path="/license")
        with pytest.raises(Unclear):
            await holding.attempt(desired())
        # As after a restore: what was in doubt is forgotten, what was recorded is not.
        holding.doubts = []
        await holding.settle(desired(enabled=False))
        assert len(at.licenses()) == 1
        assert active(at.licenses()) == []


async def test_and_what_is_there_under_its_number_but_is_somebody_elses_is_left_alone() -> None:
    async with account() as at:
        holding, number = Holding(at), await number_of(at)
        at.control.fault(Drop(), method="POST", path="/license")
        with pytest.raises(Unclear):
            await holding.attempt(desired())
        holding.doubts = []
        body = shown(number, licenseeNumber="SOMEBODY")
        at.control.fault(Answer(status=200, body=body), method="GET", path="/license/*")
        assert await holding.settle(desired(enabled=False)) == ["find license"]
        assert holding.applied.license(desired().id).missing


async def test_a_look_does_not_give_the_consumption_of_an_interval_twice() -> None:
    async with account() as at:
        holding, wish = Holding(at), desired(**PERIOD)
        await holding.settle(wish)
        at.control.fault(Drop(when="after"), method="POST", path="/license/*")
        with pytest.raises(Unclear):
            await holding.attempt(desired(**{**PERIOD, "max_consumptions": 20}))
        (number,) = at.licenses()
        at.control.change("license", number, {"usedQuantity": "7"})
        await holding.settle(desired(**{**PERIOD, "max_consumptions": 20}))
        assert at.licenses()[number]["usedQuantity"] == "7"


async def test_a_property_with_a_name_of_netlicensings_own_is_never_sent_by_a_change() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired())
        await holding.settle(desired(custom_fields={"Active": "false", "licenseeNumber": "x", "Team": "red"}))
        (license_,) = at.licenses().values()
        assert license_["Team"] == "red"
        assert (license_["active"], license_["licenseeNumber"]) == ("true", *at.licensees())
        assert {each.call for each in holding.refused} == {"set custom field"}


async def test_a_template_that_makes_licenses_by_itself_is_not_chosen() -> None:
    async with account() as at:
        at.control.change("licensetemplate", "float-seats", {"automatic": "true"})
        holding = Holding(at)
        await holding.settle(desired(product_code="FLOAT", floating_users=2))
        assert at.licenses() == {}
        assert "no license template of FLOAT is offered" in holding.refused[-1].text


@pytest.mark.parametrize(
    ("options", "generated", "marked"),
    [
        (Options(), True, True),
        (Options(), False, False),
        (Options(licensee="unit"), False, False),
        (Options(mark_for_transfer=True), False, True),
        (Options(mark_for_transfer=False), True, False),
    ],
)
async def test_only_who_has_a_key_drawn_by_chance_may_be_emptied_unless_the_vendor_decides(
    options: Options, generated: bool, marked: bool
) -> None:
    async with account(options=options) as at:
        holding, wish = Holding(at), desired(fulfillment="R1/app")
        keys = tuple(at.target.new_keys(1)) if generated else (f"tenure-{wish.id}",)
        holding.take(KeysGenerated(target="nl", product="app", keys=keys))
        holding.take(KeysClaimed(target="nl", product="app", licenses=(wish.id,)))
        await holding.settle(wish)
        (licensee,) = at.licensees().values()
        assert licensee["number"] == keys[0]
        assert (licensee.get("markedForTransfer") == "true") is marked
