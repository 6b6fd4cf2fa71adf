"""Bundles, custom fields, floating licenses and what users may do, as a vendor's back office sees them."""

from typing import Any

import pytest

from service.sandbox.licensespring.settings import CustomFieldSeed, FeatureSeed, ProductSeed
from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Json, Vendor, order_body, settings

pytestmark = pytest.mark.anyio

PRODUCTS = (
    ProductSeed(short_code="one", terms={"max_activations": 5}, custom_fields=(CustomFieldSeed(name="Team"),)),
    ProductSeed(short_code="two", features=(FeatureSeed(code="export"),)),
    ProductSeed(short_code="both", bundle=("one", "two"), custom_fields=(CustomFieldSeed(name="Seat"),)),
    ProductSeed(short_code="people", authorization_method="user"),
)


async def product_id(vendor: Vendor, code: str) -> int:
    (product,) = (await vendor.get("/products/", short_code=code))["results"]
    number: int = product["id"]
    return number


# --- bundles ----------------------------------------------------------------------------------------------------


async def test_a_bundle_makes_a_license_of_its_own_and_one_of_each_product_in_it(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS))
    order = await vendor.order("b-1", {"key": "OURS", "max_activations": 9}, product="both", is_bundle=True)
    licenses = [license_ for item in order["order_items"] for license_ in item["licenses"]]
    assert [each["product"]["short_code"] for each in licenses] == ["both", "one", "two"]
    assert licenses[0]["license_key"] == "OURS"
    assert len({each["license_key"] for each in licenses}) == 3
    assert [each["max_activations"] for each in licenses] == [9, 5, 1]


async def test_licenses_of_a_bundle_may_take_over_what_was_sent_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS, bundle_members="as_sent"))
    sent = {"key": "OURS", "max_activations": 9, "custom_fields": [{"name": "Seat", "value": "4"}]}
    await vendor.order("b-1", sent, product="both", is_bundle=True)
    page = await vendor.get("/licenses/", order__store_id="b-1")
    assert [each["max_activations"] for each in page["results"]] == [9, 9, 9]


@pytest.mark.parametrize(
    "body",
    [
        {**order_body("b-1", product="one"), "is_bundle": True},
        {**order_body("b-1", product="both"), "is_bundle": True}
        | {"items": order_body("b-1", product="both")["items"] * 2},
    ],
    ids=["no bundle", "two of them"],
)
async def test_a_bundle_order_is_for_exactly_one_bundle(open_vendor: Open, body: dict[str, Any]) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS))
    status, _ = await vendor.refusal("POST", "/orders/create_order/", body)
    assert status == 400
    assert vendor.control.holdings()["orders"] == []


@pytest.mark.parametrize("form", ["list", "page"])
async def test_what_is_in_a_bundle_and_where_a_product_is_in_can_be_asked(open_vendor: Open, form: str) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS, bundle_answer=form))
    inside = await vendor.get(f"/products/{await product_id(vendor, 'both')}/bundle/")
    around = await vendor.get(f"/products/{await product_id(vendor, 'one')}/in_bundle/")
    listed = [answer["results"] if form == "page" else answer for answer in (inside, around)]
    assert [[each["short_code"] for each in products] for products in listed] == [["one", "two"], ["both"]]


# --- custom fields ----------------------------------------------------------------------------------------------


async def test_a_custom_field_is_made_changed_and_taken_away_one_by_one(vendor: Vendor) -> None:
    license_ = await vendor.license()
    fields = await vendor.get("/product-custom-fields/", product=license_["product"]["id"])
    (team,) = fields["results"]
    body = {"license": license_["id"], "product_custom_field": team["id"], "value": "red"}
    made = await vendor.call("POST", "/license-custom-fields/", body)
    assert (made.status_code, made.json()["value"]) == (201, "red")
    number = made.json()["id"]
    await vendor.patch(f"/license-custom-fields/{number}/", {"value": "blue"})
    (row,) = (await vendor.get("/license-custom-fields/", license=license_["id"]))["results"]
    assert row == {"id": number, "license": license_["id"], "product_custom_field": team["id"], "value": "blue"}
    assert vendor.control.holdings()["orders"][-1]["licenses"][0]["custom_fields"] == {"Team": "blue"}
    assert (await vendor.call("DELETE", f"/license-custom-fields/{number}/")).status_code == 204
    assert (await vendor.refusal("GET", f"/license-custom-fields/{number}/"))[0] == 404


@pytest.mark.parametrize(("twice", "status"), [("refused", 400), ("replaced", 201)])
async def test_a_custom_field_is_held_once(open_vendor: Open, twice: str, status: int) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS, custom_field_twice=twice))
    license_ = await vendor.license(product="one", custom_fields=[{"name": "Team", "value": "red"}])
    (row,) = (await vendor.get("/license-custom-fields/", license=license_["id"]))["results"]
    again = {"license": license_["id"], "product_custom_field": row["product_custom_field"], "value": "blue"}
    assert (await vendor.call("POST", "/license-custom-fields/", again)).status_code == status
    rows = (await vendor.get("/license-custom-fields/", license=license_["id"]))["results"]
    assert [each["value"] for each in rows] == ["red" if twice == "refused" else "blue"]


async def test_a_custom_field_that_the_product_does_not_have_is_refused(open_vendor: Open) -> None:
    for reaction, expected in (("refused", 400), ("ignored", 200)):
        vendor = await open_vendor(settings(products=PRODUCTS, unknown_custom_field=reaction))
        body = order_body("o-1", {"custom_fields": [{"name": "Typo", "value": "x"}]}, product="one")
        assert (await vendor.call("POST", "/orders/create_order/", body)).status_code == expected


# --- floating, users, features ----------------------------------------------------------------------------------


async def test_no_more_may_use_it_at_once_than_may_use_it_at_all(vendor: Vendor) -> None:
    floating: Json = {"is_floating_cloud": True, "floating_users": 4, "max_activations": 3}
    assert (await vendor.refusal("POST", "/orders/create_order/", order_body("o-1", floating)))[0] == 400
    license_ = await vendor.license(**{**floating, "floating_users": 3})
    path = f"/licenses/{license_['id']}/"
    assert (await vendor.refusal("PATCH", path, {"floating_users": 4}))[0] == 400
    assert (await vendor.refusal("PATCH", path, {"max_activations": 2}))[0] == 400
    assert (await vendor.patch(path, {"floating_users": 4, "max_activations": 4}))["floating_users"] == 4


async def test_what_each_user_may_do_is_set_by_the_users_ids(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(products=PRODUCTS))
    license_ = await vendor.license(product="people", users=[{"email": "ada@example.com", "max_activations": 1}])
    (user,) = license_["license_users"]
    path = f"/licenses/{license_['id']}/set_users_activations/"
    await vendor.post(path, {str(user["id"]): {"max_activations": 7}})
    seen = await vendor.get(f"/licenses/{license_['id']}/")
    assert seen["license_users"][0]["max_activations"] == 7
    assert (await vendor.refusal("POST", path, {"99999": {"max_activations": 7}}))[0] == 400


@pytest.mark.parametrize(("values", "left"), [("kept", 7), ("reset", 100)])
async def test_values_of_a_feature_that_are_not_sent_are_kept_or_not_by_setting(
    open_vendor: Open, values: str, left: int
) -> None:
    vendor = await open_vendor(settings(feature_values_not_sent=values))
    license_ = await vendor.license(product_features=[{"code": "reports", "max_consumption": 7}])
    body = {"product_features": [{"product_feature": "reports"}]}
    changed = await vendor.post(f"/licenses/{license_['id']}/update_features/", body)
    assert changed["product_features"][0]["max_consumption"] == left
