"""The NetLicensing Gateway's one job: keys at FastSpring's checkout that are licensees or licenses at NetLicensing."""

from typing import Any

import pytest

from projections.targets.netlicensing.options import Options
from tests.gateway import ADA, EVE, PERPETUAL, PRO, PROJECTS, SEATS, Gateway, gateway, settings_of
from tests.key_requests import form, keys
from tests.serving import served

pytestmark = pytest.mark.anyio

UNIT, PURCHASE, BY_LICENSE = {"licensee": "unit"}, {"licensee": "purchase"}, {"key": "license"}


# --- the key, and the quantity --------------------------------------------------------------------------------


async def test_the_key_is_the_number_of_a_licensee_whose_license_works(database: str) -> None:
    async with gateway(database) as shop:
        [key] = await shop.sell()
        assert set(shop.licensees()) == {key}
        assert shop.licensees()[key]["productNumber"] == "falcon-pro"
        assert shop.is_valid(key)


async def test_quantity_to_licensees_gives_each_unit_a_licensee_of_its_own(database: str) -> None:
    async with gateway(database, **UNIT) as shop:
        given = await shop.sell(quantity=3)
        assert len(set(given)) == 3
        assert set(shop.licensees()) == set(given)
        assert all(len(shop.active(key)) == 1 and shop.is_valid(key) for key in given)


@pytest.mark.parametrize("options", [{}, PURCHASE])
async def test_quantity_to_licenses_gives_one_licensee_as_many_licenses(database: str, options: dict[str, Any]) -> None:
    async with gateway(database, **options) as shop:
        given = await shop.sell(PROJECTS, 3)
        assert len(given) == 3
        [key] = set(given)
        assert set(shop.licensees()) == {key}
        assert len(shop.active(key)) == 3
        assert shop.sandbox.control.effective()[key]["modules"]["falcon-quota"]["quota"] == 30


@pytest.mark.parametrize("options", [BY_LICENSE, {**BY_LICENSE, **UNIT}])
@pytest.mark.parametrize("quantity", [1, 3])
async def test_where_licenses_are_the_keys_each_unit_is_a_license_of_that_number(
    database: str, options: dict[str, Any], quantity: int
) -> None:
    async with gateway(database, **options) as shop:
        given = await shop.sell(PROJECTS, quantity)
        assert len(set(given)) == quantity
        assert set(shop.active()) == set(given)
        assert len(shop.licensees()) == (quantity if "licensee" in options else 1)


async def test_as_at_the_gateway_times_of_one_licensee_add_up_so_units_need_their_own(database: str) -> None:
    async with gateway(database, **PURCHASE) as shop:
        [shared] = set(await shop.sell(quantity=3))
        ends = shop.sandbox.control.effective()[shared]["modules"]["falcon-pro-module"]["expires"]
        [one, *_] = shop.active(shared).values()
        assert ends.date().isoformat() > "2026-04-01"
        assert int(one["timeVolume"]) < 40
        assert any('their times add up: set licensee = "unit"' in each for each in await shop.problems())


async def test_a_single_license_for_a_whole_quantity_has_one_key(database: str) -> None:
    async with gateway(database) as shop:
        [key] = await shop.sell(SEATS, 3)
        modules = shop.sandbox.control.effective()[key]["modules"]
        assert modules["falcon-floating-module"]["sessions"] == 3


async def test_the_licenses_are_of_all_templates_that_the_product_names(database: str) -> None:
    several = {**PROJECTS.attributes, "license_policy": "falcon-10-projects,export"}
    product = type(PROJECTS)(path="both", display="both", price=1, attributes=several, generator="quantity")
    async with gateway(database) as shop:
        [key] = await shop.sell(product)
        templates = {each["licenseTemplateNumber"] for each in shop.active(key).values()}
        assert {"falcon-10-projects", "export"} <= templates


# --- the other options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_buyers_data_are_kept_there_only_if_that_is_wanted(database: str, wanted: bool) -> None:
    async with gateway(database, save_buyer=wanted) as shop:
        [key] = await shop.sell()
        assert (shop.licensees()[key].get("customerEmail") == ADA[1]) is wanted
        assert shop.licensees()[key]["name"] == ADA[0]
        assert any(ADA[1] in str(each) for each in shop.licensees().values()) is wanted


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_licensee_is_marked_for_transfer_if_that_is_wanted(database: str, wanted: bool) -> None:
    async with gateway(database, mark_for_transfer=wanted) as shop:
        [key] = await shop.sell()
        assert (shop.licensees()[key].get("markedForTransfer") == "true") is wanted


# --- who comes first --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, UNIT, BY_LICENSE])
@pytest.mark.parametrize("quantity", [1, 3])
@pytest.mark.parametrize("asked", ["before the order", "between order and push", "after the push"])
async def test_whenever_the_keys_are_asked_for_they_are_those_of_what_was_bought(
    database: str, options: dict[str, Any], quantity: int, asked: str
) -> None:
    async with gateway(database, **options) as shop:
        order = shop.check_out(PROJECTS, quantity)
        given = await shop.keys() if asked == "before the order" else []
        shop.store.complete(order)
        await shop.tell()
        if asked == "between order and push":
            await shop.project()
            given = await shop.keys()
        await shop.settle()
        given = given or await shop.keys()
        await shop.settle()
        assert len(given) == len(shop.active()) == quantity
        assert set(given) == set(shop.active() if options == BY_LICENSE else shop.licensees())
        assert await shop.keys() == given
        assert await shop.problems() == []


async def test_a_renewal_asks_again_and_gets_the_same_key_whose_license_works_longer(database: str) -> None:
    async with gateway(database) as shop:
        order = shop.check_out()
        given = await shop.keys()
        await shop.complete(order)
        [before] = shop.active(given[0]).values()
        [subscription] = shop.store.subscriptions_of(order)
        shop.store.renew(subscription)
        assert await shop.keys(reference="FAL260301-1004-22228B") == given
        await shop.tell()
        await shop.settle()
        [after] = shop.active(given[0]).values()
        assert int(after["timeVolume"]) > int(before["timeVolume"])
        assert after["startDate"] == before["startDate"]


async def test_an_order_that_is_lost_leaves_keys_and_nothing_at_netlicensing(database: str) -> None:
    async with gateway(database) as shop:
        order = shop.check_out(quantity=3)
        given = await shop.keys()
        shop.store.fail_order(order)
        await shop.tell()
        await shop.settle()
        assert len(given) == 3
        assert (shop.licensees(), shop.licenses()) == ({}, {})


@pytest.mark.parametrize("options", [{}, UNIT, BY_LICENSE])
async def test_a_refund_takes_away_all_that_was_bought_and_nothing_else(database: str, options: dict[str, Any]) -> None:
    async with gateway(database, **options) as shop:
        await shop.sell(PROJECTS, 1, buyer=EVE)
        kept = set(shop.active())
        order = shop.check_out(PROJECTS, 3)
        await shop.keys()
        await shop.complete(order)
        assert len(shop.active()) == 4
        shop.store.refund(order)
        await shop.tell()
        await shop.settle()
        assert set(shop.active()) == kept


# --- a licensee that the customer has already -------------------------------------------------------------------


async def test_a_tag_of_the_order_has_it_join_the_buyers_licensee(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell()
        assert await shop.sell(tags={"licenseeNumber": first}) == [first]
        assert set(shop.licensees()) == {first}
        assert len(shop.active(first)) == 2
        assert await shop.problems() == []


async def test_a_parameter_of_the_fulfillment_does_so_too(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell()
        assert await shop.sell(parameters={"licenseeNumber": first}) == [first]
        assert len(shop.active(first)) == 2


async def test_another_product_of_the_shop_joins_where_it_is_the_same_at_netlicensing(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell(PRO)
        assert await shop.sell(PERPETUAL, tags={"licenseeNumber": first}) == [first]
        assert {each["licenseeNumber"] for each in shop.active().values()} == {first}


@pytest.mark.parametrize("options", [UNIT, {**UNIT, **BY_LICENSE}])
async def test_where_each_unit_has_a_licensee_the_first_one_joins(database: str, options: dict[str, Any]) -> None:
    async with gateway(database, **options) as shop:
        [first] = await shop.sell(PROJECTS)
        [licensee] = shop.licensees()
        given = await shop.sell(PROJECTS, 3, tags={"licenseeNumber": first})
        assert len(set(given)) == 3
        assert len(shop.licensees()) == 3
        assert len(shop.active(licensee)) == 2


async def test_where_licenses_are_the_keys_the_purchase_joins_the_licensee_of_the_one_named(database: str) -> None:
    async with gateway(database, key="license", licensee="purchase") as shop:
        [first] = await shop.sell(PROJECTS)
        [licensee] = shop.licensees()
        given = await shop.sell(PROJECTS, 2, tags={"licenseeNumber": first})
        assert first not in given
        assert set(shop.licensees()) == {licensee}
        assert set(shop.active(licensee)) == {first, *given}


async def test_a_refund_of_what_joined_leaves_what_was_there(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell(PROJECTS)
        kept = set(shop.active())
        order = shop.check_out(PROJECTS, 2, tags={"licenseeNumber": first})
        assert await shop.keys() == [first, first]
        await shop.complete(order)
        assert len(shop.active(first)) == 3
        shop.store.refund(order)
        await shop.tell()
        await shop.settle()
        assert set(shop.active()) == kept


async def test_who_joined_once_gets_the_same_key_again_and_who_did_not_keeps_theirs(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell()
        shop.check_out()
        fresh = await shop.keys()
        assert await shop.keys(licenseeNumber=first) == fresh
        shop.check_out()
        assert await shop.keys(licenseeNumber=first) == [first]
        assert await shop.keys() == [first]


async def test_a_purchase_that_has_keys_joins_nothing_when_more_are_asked_for(database: str) -> None:
    async with gateway(database, key="license", licensee="purchase") as shop:
        [first] = await shop.sell(PROJECTS)
        [licensee] = shop.licensees()
        order = shop.check_out(PROJECTS)
        given = await shop.keys()
        assert (await shop.keys(quantity="2", licenseeNumber=first))[:1] == given
        await shop.complete(order)
        assert set(shop.active(licensee)) == {first}
        assert set(shop.active()) == {first, *given}


async def test_nobody_gets_a_licensee_of_somebody_else_whatever_they_write(database: str) -> None:
    async with gateway(database) as shop:
        [adas] = await shop.sell()
        before = shop.licensees()[adas]
        for written in (adas, adas.lower(), f" {adas} ", "%", "*", "tenure-1", "demo", "'; drop table", "ä" * 200):
            [eves] = await shop.sell(buyer=EVE, tags={"licenseeNumber": written})
            assert eves != adas
            assert shop.licensees()[eves]["name"] == EVE[0]
        assert len(shop.active(adas)) == 1
        assert shop.licensees()[adas] == before


async def test_a_licensee_that_tenure_did_not_make_is_not_joined(database: str) -> None:
    async with gateway(database) as shop:
        shop.sandbox.control.create("licensee", number="VIP", productNumber="falcon-pro", name=ADA[0])
        [key] = await shop.sell(tags={"licenseeNumber": "VIP"})
        assert key != "VIP"
        assert shop.licenses("VIP") == {}


async def test_a_licensee_of_another_product_is_not_joined(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell(PRO)
        [second] = await shop.sell(PROJECTS, tags={"licenseeNumber": first})
        assert second != first
        assert shop.licensees()[second]["productNumber"] == "falcon"
        assert await shop.problems() == []


async def test_a_test_purchase_at_a_live_store_joins_nothing(database: str) -> None:
    async with gateway(database) as shop:
        [first] = await shop.sell()
        live = settings_of(database, shop.sandbox.url, Options(), mode="live")
        asked = form(1, PRO.path, "FAL-TRY", test="1", email=ADA[1], licenseeNumber=first)
        async with served(live, database) as front:
            assert await keys(front.http, "acme", asked) != [first]
        # The same at a store in test mode, whose orders are all test orders.
        assert await keys(shop.served.http, "acme", asked) == [first]


@pytest.mark.parametrize("tags", ["", "no json", "[]", '{"licenseeNumber": {"a": 1}}', '{"licenseeNumber": null}', "{"])
async def test_tags_that_say_nothing_usable_do_not_fail_a_checkout(database: str, tags: str) -> None:
    async with gateway(database) as shop:
        shop.check_out()
        assert len(await shop.keys(tags=tags)) == 1


async def test_units_that_are_added_later_stay_with_the_licensee(database: str) -> None:
    async with gateway(database) as shop:
        shop.check_out(PROJECTS, 2)
        given = await shop.keys()
        assert await shop.keys(quantity="5") == given[:1] * 5


async def test_a_guess_is_told_to_the_vendor_without_naming_anybody(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database) as shop:
        [adas] = await shop.sell()
        await sold_to_eve(shop, adas)
    told = capfd.readouterr().out
    assert "the licensee named is not the buyer's" in told
    assert not {adas, ADA[1], EVE[1]} & set(told.split())


async def sold_to_eve(shop: Gateway, licensee: str) -> None:
    assert await shop.sell(buyer=EVE, tags={"licenseeNumber": licensee}) != [licensee]
