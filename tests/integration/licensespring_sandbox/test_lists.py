"""Lists: pages, filters, orderings; customers and the catalog."""

from typing import Any

import pytest

from tests.integration.licensespring_sandbox.conftest import Open
from tests.integration.licensespring_sandbox.vendor import Vendor, settings

pytestmark = pytest.mark.anyio


async def found(vendor: Vendor, path: str, **query: Any) -> list[Any]:
    """The store ids, emails or codes of the rows that a filter lets through."""
    rows = (await vendor.get(path, **query))["results"]
    name = {"/orders/": "store_id", "/licenses/": "order_store_id", "/customers/": "email"}[path]
    return [row[name] for row in rows]


@pytest.fixture
async def stocked(vendor: Vendor) -> Vendor:
    """Three orders of two customers, one per day from 2030-01-01 12:00 on; the third is user-based and disabled."""
    for number, (store_id, product, buyer) in enumerate(
        (("shop/1", "demo", "ann"), ("shop/2", "demo-perpetual", "bob"), ("other/3", "demo-team", "ann"))
    ):
        vendor.control.set_time(
            vendor.control.now.replace(year=2030, month=1, day=1 + number, hour=12, minute=0, second=0, microsecond=0),
            stopped=True,
        )
        license_: dict[str, Any] = {"note": f"Note {number}", "users": [{"email": "user@example.com"}]}
        if number == 0:
            license_ |= {"validity_period": "2031-01-01", "is_trial": False}
        customer = {"email": f"{buyer}@example.com", "company_name": f"{buyer} Ltd", "reference": f"ref-{buyer}"}
        await vendor.order(store_id, license_, product=product, subscription_id=f"sub_{number}", customer=customer)
    (last,) = (await vendor.get("/licenses/", order__store_id="other/3"))["results"]
    await vendor.post(f"/licenses/{last['id']}/disable/")
    return vendor


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/orders/", {"store_id": "shop/1"}, ["shop/1"]),
        ("/orders/", {"store_id": "shop"}, []),
        ("/orders/", {"store_id__startswith": "shop"}, ["shop/1", "shop/2"]),
        ("/orders/", {"store_id__icontains": "OTHER"}, ["other/3"]),
        ("/orders/", {"customer__email": "ann@example.com"}, ["shop/1", "other/3"]),
        ("/orders/", {"customer_email": "bob@example.com"}, ["shop/2"]),
        ("/orders/", {"customer_company_name__icontains": "ANN"}, ["shop/1", "other/3"]),
        ("/orders/", {"customer_reference__icontains": "bob"}, ["shop/2"]),
        ("/licenses/", {"order__store_id": "shop/2"}, ["shop/2"]),
        ("/licenses/", {"order__store_id__startswith": "shop"}, ["shop/1", "shop/2"]),
        ("/licenses/", {"order__store_id__icontains": "OTHER"}, ["other/3"]),
        ("/licenses/", {"subscription_id": "sub_1"}, ["shop/2"]),
        ("/licenses/", {"enabled": "false"}, ["other/3"]),
        ("/licenses/", {"enabled": "True"}, ["shop/1", "shop/2"]),
        ("/licenses/", {"active": "false"}, ["shop/2"]),
        ("/licenses/", {"customer_email": "ann@example.com", "enabled": "true"}, ["shop/1"]),
        ("/licenses/", {"customer_email__icontains": "BOB"}, ["shop/2"]),
        ("/licenses/", {"customer__reference__icontains": "ref-b"}, ["shop/2"]),
        ("/licenses/", {"product__short_code": "demo"}, ["shop/1"]),
        ("/licenses/", {"product__authorization_method": "user"}, ["other/3"]),
        ("/licenses/", {"license_key__isnull": "true"}, ["other/3"]),
        ("/licenses/", {"license_users__true_email": "user@example.com"}, ["other/3"]),
        ("/licenses/", {"note__icontains": "note 1"}, ["shop/2"]),
        ("/licenses/", {"validity_period__gte": "2031-01-01"}, ["shop/1"]),
        ("/licenses/", {"validity_period__lt": "2031-01-01"}, []),
        ("/licenses/", {"updated_at__gte": "2030-01-02T12:00:00Z"}, ["shop/2", "other/3"]),
        ("/licenses/", {"updated_at__gt": "2030-01-02T12:00:00Z"}, ["other/3"]),
        ("/licenses/", {"updated_at__lt": "2030-01-02"}, ["shop/1"]),
        ("/licenses/", {"updated_at__date__lte": "2030-01-02"}, ["shop/1", "shop/2"]),
        ("/licenses/", {"order_by": "-updated_at"}, ["other/3", "shop/2", "shop/1"]),
        ("/licenses/", {"order_by": "validity_period"}, ["shop/1", "shop/2", "other/3"]),
        ("/licenses/", {"order_by": "-validity_period"}, ["shop/2", "other/3", "shop/1"]),
        ("/licenses/", {"order_by": "nonsense"}, ["shop/1", "shop/2", "other/3"]),
        ("/customers/", {"email": "ann@example.com"}, ["ann@example.com"]),
        ("/customers/", {"email__startswith": "b"}, ["bob@example.com"]),
        ("/customers/", {"reference__exact": "ref-bob"}, ["bob@example.com"]),
        ("/customers/", {"reference__icontains": "REF"}, ["ann@example.com", "bob@example.com"]),
        ("/customers/", {"company_name__icontains": "bob"}, ["bob@example.com"]),
    ],
)
async def test_a_documented_filter_lets_through_what_it_should(
    stocked: Vendor, path: str, query: dict[str, str], expected: list[str]
) -> None:
    assert await found(stocked, path, **query) == expected


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/orders/", {"order_store_id": "shop/1"}),
        ("/licenses/", {"store_id": "shop/1"}),
        ("/licenses/", {"order__store_id": ""}),
        ("/licenses/", {"enabled": "maybe"}),
        ("/customers/", {"reference": "ref-bob"}),
    ],
)
async def test_a_filter_that_is_unknown_or_empty_is_ignored(stocked: Vendor, path: str, query: dict[str, str]) -> None:
    assert await found(stocked, path, **query) == await found(stocked, path)


@pytest.mark.parametrize(
    "query",
    [{"updated_at__gte": "yesterday"}, {"customer_id": "ann"}, {"updated_at__date__gt": "2030-01-02T12:00:00Z"}],
)
async def test_a_filter_value_that_cannot_be_read_is_refused(stocked: Vendor, query: dict[str, str]) -> None:
    status, body = await stocked.refusal("GET", "/licenses/", **query)
    assert (status, list(body)) == (400, list(query))


async def test_licenses_are_found_by_key_and_by_ids(stocked: Vendor) -> None:
    first, second, _ = (await stocked.get("/licenses/"))["results"]
    assert await found(stocked, "/licenses/", license_key=first["license_key"]) == ["shop/1"]
    assert await found(stocked, "/licenses/", license_key__startswith=second["license_key"][:9]) == ["shop/2"]
    assert await found(stocked, "/licenses/", id__in=f"{first['id']},{second['id']},5") == ["shop/1", "shop/2"]
    assert await found(stocked, "/licenses/", customer_id=first["customer"]["id"]) == ["shop/1", "other/3"]


async def test_pages_have_20_rows_and_links_that_lead_through_all_of_them(vendor: Vendor) -> None:
    await vendor.order("order-1", *[{} for _ in range(45)])
    page = await vendor.get("/licenses/", order_by="-id", order__store_id="order-1")
    assert (page["count"], page["previous"]) == (45, None)
    assert page["next"].startswith(f"{vendor.url}/api/v1/licenses/?")
    sizes, ids = [], []
    while True:
        sizes.append(len(page["results"]))
        ids += [one["id"] for one in page["results"]]
        if page["next"] is None:
            break
        page = (await vendor.http.get(page["next"])).json()
    assert sizes == [20, 20, 5]
    assert ids == sorted(ids, reverse=True)
    back = (await vendor.http.get(page["previous"])).json()
    assert [one["id"] for one in back["results"]] == ids[20:40]


async def test_licenses_come_100_at_a_time_at_most_and_orders_in_full(vendor: Vendor) -> None:
    await vendor.order("order-0", *[{} for _ in range(120)])
    for number in range(1, 121):
        await vendor.order(f"order-{number}")
    page = await vendor.get("/licenses/", limit=1000)
    assert (len(page["results"]), page["count"]) == (100, 240)
    assert "limit=100&offset=100" in page["next"]
    assert len((await vendor.get("/orders/", limit=1000))["results"]) == 121


@pytest.mark.parametrize("limit", ["0", "-5", "many", ""])
async def test_a_limit_that_is_no_positive_number_counts_as_absent(vendor: Vendor, limit: str) -> None:
    await vendor.order("order-1", *[{} for _ in range(25)])
    assert len((await vendor.get("/licenses/", limit=limit))["results"]) == 20


async def test_customers_are_created_read_and_changed(vendor: Vendor) -> None:
    body = {"email": "ann@example.com", "company_name": "Ann Ltd", "reference": "cus_1", "metadata": {"vip": True}}
    answer = await vendor.call("POST", "/customers/", body)
    assert answer.status_code == 201
    customer = answer.json()
    assert customer.items() >= {**body, "total_orders": 0, "total_licenses": 0, "company": 1}.items()
    await vendor.order("order-1", {}, {}, customer={"email": "ann@example.com"})
    changed = await vendor.patch(f"/customers/{customer['id']}/", {"phone": "123"})
    assert (changed["phone"], changed["total_orders"], changed["total_licenses"]) == ("123", 1, 2)
    assert await vendor.get(f"/customers/{customer['id']}/") == changed
    assert (await vendor.refusal("POST", "/customers/", {"email": "nobody"}))[1] == {
        "email": ["Enter a valid email address."]
    }


async def test_a_created_customer_can_be_answered_with_200_by_setting(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(created_customer_status=200))
    assert (await vendor.call("POST", "/customers/", {"reference": "cus_1"})).status_code == 200


async def test_neither_email_nor_reference_of_customers_is_unique(vendor: Vendor) -> None:
    for _ in range(2):
        await vendor.call("POST", "/customers/", {"email": "ann@example.com", "reference": "cus_1"})
    assert (await vendor.get("/customers/", reference__exact="cus_1"))["count"] == 2


async def test_an_order_takes_the_customer_with_its_email_and_fills_empty_fields(vendor: Vendor) -> None:
    await vendor.call("POST", "/customers/", {"email": "Ann@example.com", "first_name": "Ann"})
    buyer = {"email": "ann@example.com", "first_name": "Anna", "company": "Ann Ltd"}
    order = await vendor.order("order-1", customer=buyer)
    assert (order["customer"]["first_name"], order["customer"]["company_name"]) == ("Ann", "Ann Ltd")
    assert (await vendor.get("/customers/"))["count"] == 1


async def test_matching_customers_by_email_can_be_switched_off(open_vendor: Open) -> None:
    vendor = await open_vendor(settings(customer_matching="never"))
    for number in range(2):
        await vendor.order(f"order-{number}", customer={"email": "ann@example.com"})
    assert (await vendor.get("/customers/"))["count"] == 2


async def test_the_catalog_shows_the_configured_products_and_their_policies(vendor: Vendor) -> None:
    products = (await vendor.get("/products/"))["results"]
    assert [product["short_code"] for product in products] == ["demo", "demo-team", "demo-perpetual", "demo-suite"]
    (team,) = (await vendor.get("/products/", short_code="demo-team"))["results"]
    assert (team["authorization_method"], team["default_license_type"]) == ("user", "subscription")
    assert await vendor.get(f"/products/{team['id']}/") == team
    (policy,) = (await vendor.get("/license-templates/", product=team["id"]))["results"]
    assert (policy["is_default"], policy["product"]) == (True, team["id"])
