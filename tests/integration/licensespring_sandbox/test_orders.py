"""Creating, reading and changing orders."""

import re
from typing import Any

import pytest

from service.sandbox.licensespring import PolicySeed, ProductSeed
from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Vendor, order_body, settings

pytestmark = pytest.mark.anyio


def only_license(order: dict[str, Any]) -> dict[str, Any]:
    (item,) = order["order_items"]
    (license_,) = item["licenses"]
    assert isinstance(license_, dict)
    return license_


async def test_a_created_order_is_answered_whole_with_a_key_made_for_its_license(vendor: Vendor) -> None:
    order = await vendor.order("order-1", {"note": "first"}, subscription_id="sub_1")
    license_ = only_license(order)
    assert (order["store_id"], license_["order"], license_["order_store_id"]) == ("order-1", order["id"], "order-1")
    assert re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}", license_["license_key"])
    assert (license_["subscription_id"], license_["note"]) == ("sub_1", "first")
    assert await vendor.get(f"/orders/{order['id']}/") == order


async def test_large_ids_have_16_digits_and_grow(vendor: Vendor) -> None:
    orders = [await vendor.order(f"order-{number}") for number in range(3)]
    ids = [order["id"] for order in orders]
    assert ids == sorted(ids)
    assert all(len(str(number)) == 16 for number in ids)


async def test_both_slash_forms_are_the_same_place(vendor: Vendor) -> None:
    await vendor.post("/orders/create_order", order_body("order-1"))
    assert await vendor.get("/orders") == await vendor.get("/orders/")


async def test_a_second_order_with_the_same_id_is_refused_and_changes_nothing(vendor: Vendor) -> None:
    await vendor.order("order-1")
    before = vendor.control.holdings()
    body = {"status": 400, "code": "order_already_exists", "message": "Order with this id already exists."}
    assert await vendor.refusal("POST", "/orders/create_order/", order_body("order-1")) == (400, body)
    assert vendor.control.holdings() == before


@pytest.mark.parametrize(
    ("form", "status", "body"),
    [
        ("field_map", 400, {"id": ["Order with this id already exists."]}),
        ("detail", 400, {"detail": "Order with this id already exists."}),
        ("conflict", 409, {"detail": "Order with this id already exists."}),
    ],
)
async def test_the_form_of_the_duplicate_error_is_a_setting(
    open_vendor: Open, form: str, status: int, body: Any
) -> None:
    vendor = await open_vendor(settings(duplicate_order=form))
    await vendor.order("order-1")
    assert await vendor.refusal("POST", "/orders/create_order/", order_body("order-1")) == (status, body)


async def test_append_adds_licenses_to_the_existing_order(vendor: Vendor) -> None:
    first = await vendor.order("order-1", {"key": "AAAA-AAAA-AAAA-AAAA"})
    second = await vendor.order("order-1", {"key": "BBBB-BBBB-BBBB-BBBB"}, append=True)
    assert second["id"] == first["id"]
    assert (await vendor.get("/orders/"))["count"] == 1
    keys = [license_["license_key"] for license_ in (await vendor.get("/licenses/"))["results"]]
    assert keys == ["AAAA-AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB-BBBB"]


async def test_append_without_keys_makes_extra_licenses_each_time(vendor: Vendor) -> None:
    for _ in range(3):
        await vendor.order("order-1", append=True)
    assert (await vendor.get("/licenses/"))["count"] == 3


async def test_a_key_that_another_license_has_is_refused(vendor: Vendor) -> None:
    await vendor.order("order-1", {"key": "AAAA-AAAA-AAAA-AAAA"})
    _, body = await vendor.refusal(
        "POST", "/orders/create_order/", order_body("order-2", {"key": "AAAA-AAAA-AAAA-AAAA"})
    )
    assert body["code"] == "license_key_already_exists"
    same_twice = order_body("order-2", {"key": "B"}, {"key": "B"})
    assert (await vendor.refusal("POST", "/orders/create_order/", same_twice))[1][
        "code"
    ] == "license_key_already_exists"


async def test_an_order_with_one_bad_item_is_not_made_at_all(vendor: Vendor) -> None:
    before = vendor.control.holdings()
    body = order_body("order-1", {}, {}, customer={"email": "new@example.com"})
    body["items"].append({"product_code": "nonesuch", "licenses": [{}]})
    status, answer = await vendor.refusal("POST", "/orders/create_order/", body)
    assert (status, answer["code"]) == (400, "unknown_product")
    assert "nonesuch" in answer["message"]
    assert vendor.control.holdings() == before
    await vendor.order("order-1")


@pytest.mark.parametrize(
    ("product", "license_", "missing"),
    [
        ("demo", {"license_type": "time-limited"}, "valid_duration"),
        ("demo", {"license_type": "consumption"}, "max_consumptions"),
        ("demo-team", {}, "user"),
        ("demo", {"validity_period": "2030-01-01"}, "is_trial"),
        ("demo", {"license_type": "rental"}, "license_type"),
        ("demo", {"valid_duration": "1m2d"}, "valid_duration"),
        ("demo", {"max_activations": "many"}, "max_activations"),
        ("demo", {"policy_code": "nonesuch"}, "nonesuch"),
        ("demo", {"product_features": [{"code": "nonesuch"}]}, "nonesuch"),
        ("demo", {"metadata": "text"}, "metadata"),
    ],
)
async def test_a_license_that_breaks_a_rule_of_its_type_is_refused_and_the_text_says_which(
    vendor: Vendor, product: str, license_: dict[str, Any], missing: str
) -> None:
    body = order_body("order-1", license_, product=product)
    status, answer = await vendor.refusal("POST", "/orders/create_order/", body)
    assert status == 400
    assert missing in answer["message"]
    assert answer.keys() == {"status", "code", "message"}


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": [{"product_code": "demo"}]}, {"items": "demo"}])
async def test_an_order_without_licenses_is_refused(vendor: Vendor, body: dict[str, Any]) -> None:
    status, _ = await vendor.refusal("POST", "/orders/create_order/", {"id": "order-1", **body})
    assert status == 400


async def test_refusals_of_orders_can_be_field_maps_instead(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(order_errors="field_map"))
    _, body = await vendor.refusal(
        "POST", "/orders/create_order/", order_body("order-1", {"license_type": "consumption"})
    )
    assert list(body) == ["max_consumptions"]


@pytest.mark.parametrize("when", ["2030-05-01 10:20:30", "2030-05-01T10:20:30Z", "2030-05-01T12:20:30+02:00"])
async def test_a_new_license_takes_an_expiry_with_time_of_day(vendor: Vendor, when: str) -> None:
    license_ = await vendor.license(validity_period=when, is_trial=False)
    assert license_["validity_period"] == "2030-05-01T10:20:30Z"


@pytest.mark.parametrize(
    ("reading", "instant"), [("start_of_day", "2030-05-01T00:00:00Z"), ("end_of_day", "2030-05-01T23:59:59Z")]
)
async def test_what_a_plain_date_means_as_expiry_is_a_setting(open_vendor: Open, reading: str, instant: str) -> None:
    vendor = await open_vendor(settings(date_only_expiry=reading))
    license_ = await vendor.license(validity_period="2030-05-01", is_trial=False)
    assert license_["validity_period"] == instant


async def test_an_expiry_without_is_trial_can_be_accepted_or_lost_by_setting(open_vendor: Open) -> None:
    accepting = await open_vendor(settings(dates_without_is_trial="accepted"))
    losing = await open_vendor(settings(dates_without_is_trial="not_applied"))
    assert (await accepting.license(validity_period="2030-05-01"))["validity_period"] == "2030-05-01T00:00:00Z"
    assert (await losing.license(validity_period="2030-05-01"))["validity_period"] is None


async def test_fields_come_from_the_order_then_the_named_policy_then_the_product(open_vendor: Open) -> None:
    product = ProductSeed(
        short_code="pro",
        terms={"max_activations": 2, "grace_period": 24, "note": "product"},
        policies=(PolicySeed(code="team", default_license_type="perpetual", terms={"max_activations": 5}),),
    )
    vendor = await open_vendor(settings(products=(product,)))
    await vendor.order(
        "order-1", {}, {"policy_code": "team"}, {"policy_code": "team", "max_activations": 9}, product="pro"
    )
    shown = (await vendor.get("/licenses/"))["results"]
    assert [one["max_activations"] for one in shown] == [2, 5, 9]
    assert [one["license_type"] for one in shown] == ["subscription", "perpetual", "perpetual"]
    assert {one["grace_period"] for one in shown} == {24}


async def test_subscription_id_belongs_to_the_item_and_is_ignored_on_a_license(vendor: Vendor) -> None:
    license_ = await vendor.license(subscription_id="sub_1")
    assert license_["subscription_id"] is None


async def test_a_user_based_license_has_users_instead_of_a_key(vendor: Vendor) -> None:
    order = await vendor.order(
        "order-1",
        {"users": [{"email": "ann@example.com", "is_manager": True, "max_activations": 3}]},
        product="demo-team",
    )
    license_ = only_license(order)
    (user,) = license_["license_users"]
    assert license_["license_key"] is None
    assert (user["true_email"], user["is_manager"], user["max_activations"]) == ("ann@example.com", True, 3)
    assert [made["email"] for made in order["new_passwords"]] == ["ann@example.com"]
    again = await vendor.order("order-2", {"users": [{"email": "ann@example.com"}]}, product="demo-team")
    assert "new_passwords" not in again


async def test_features_and_custom_fields_are_set_at_creation(vendor: Vendor) -> None:
    license_ = await vendor.license(
        product_features=[{"code": "reports", "max_consumption": 7}], custom_fields=[{"name": "Team", "value": "red"}]
    )
    (feature,) = license_["product_features"]
    assert (feature["product_feature"]["code"], feature["max_consumption"]) == ("reports", 7)
    assert license_["product_custom_fields"] == [{"name": "Team", "data_type": "text", "value": "red"}]


async def test_order_metadata_travels_as_text_that_holds_json(vendor: Vendor) -> None:
    order = await vendor.order("order-1", metadata='{"tier": 3}')
    assert order["metadata"] == {"tier": 3}
    for wrong in ({"tier": 3}, "{", "3"):
        await vendor.refusal("POST", "/orders/create_order/", order_body("order-2", metadata=wrong))


async def test_the_short_answer_of_create_order_is_a_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(create_order_answer="order_id"))
    answer = await vendor.order("order-1")
    assert answer.keys() == {"order_id", "new_passwords"}
    assert await vendor.get(f"/orders/{answer['order_id']}")


async def test_an_order_can_be_renamed_but_not_to_a_name_that_is_taken(vendor: Vendor) -> None:
    order = await vendor.order("order-1")
    await vendor.order("order-2")
    renamed = await vendor.patch(f"/orders/{order['id']}", {"store_id": "order-3"})
    assert renamed["store_id"] == "order-3"
    assert (await vendor.get("/licenses/", order__store_id="order-3"))["count"] == 1
    await vendor.refusal("PATCH", f"/orders/{order['id']}", {"store_id": "order-2"})


async def test_an_order_is_given_to_another_customer(vendor: Vendor) -> None:
    order = await vendor.order("order-1", customer={"email": "ann@example.com"})
    bob = (await vendor.call("POST", "/customers/", {"email": "bob@example.com"})).json()
    changed = await vendor.patch(f"/orders/{order['id']}", {"customer": bob["id"]})
    assert changed["customer"]["email"] == "bob@example.com"
    assert (await vendor.get("/licenses/", customer_email="bob@example.com"))["count"] == 1
    assert (await vendor.refusal("PATCH", f"/orders/{order['id']}", {"customer": 9999}))[0] == 400


async def test_deleting_an_order_deletes_its_licenses(vendor: Vendor) -> None:
    order = await vendor.order("order-1", {}, {})
    assert (await vendor.call("DELETE", f"/orders/{order['id']}/")).status_code == 204
    assert (await vendor.get("/licenses/"))["count"] == 0
    assert await vendor.refusal("GET", f"/orders/{order['id']}/") == (404, {"detail": "Not found."})


async def test_managers_come_and_go(vendor: Vendor) -> None:
    buyer = {"email": "boss@example.com", "is_manager": True}
    order = await vendor.order("order-1", customer=buyer)
    place = f"/orders/{order['id']}"
    added = await vendor.post(f"{place}/add_manager/", {"email": "ann@example.com"})
    assert added["new_user"] is True
    assert len(added["password"]) > 0
    emails = [manager["true_email"] for manager in await vendor.get(f"{place}/managers/")]
    assert emails == ["boss@example.com", "ann@example.com"]
    assert await vendor.post(f"{place}/remove_manager/", {"license_user_id": added["id"]}) == {"detail": "removed"}
    assert len(await vendor.get(f"{place}/managers/")) == 1


async def test_generated_keys_have_the_asked_shape_and_are_all_different(vendor: Vendor) -> None:
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", (await vendor.get("/orders/generate_license/", product="demo"))[0])
    keys = await vendor.get("/orders/generate_license/", product="demo", quantity=50, key_length=20, alphabet="AB")
    assert len(keys) == 50
    assert all(re.fullmatch(r"([AB]{4}-){4}[AB]{4}", key) for key in keys)
    assert len(set(await vendor.get("/orders/generate_license/", product="demo", quantity=50))) == 50


@pytest.mark.parametrize("query", [{}, {"product": "nonesuch"}, {"product": "demo", "key_length": 8}])
async def test_keys_are_refused_for_a_wrong_product_or_length(vendor: Vendor, query: dict[str, Any]) -> None:
    assert (await vendor.refusal("GET", "/orders/generate_license/", **query))[0] == 400
