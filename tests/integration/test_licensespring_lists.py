"""Lists of LicenseSpring whose filters are ignored or whose pages are not what they should be."""

import pytest

from projections.targets.errors import Refused, Unavailable
from projections.targets.licensespring import lists
from projections.targets.licensespring.client import open_licensespring
from tests.integration.raw_http import Act, answer, page, raw_server

pytestmark = pytest.mark.anyio

KEY = "AbCdEfGh.0123456789abcdef0123456789abcdef"
STORE_ID = "tenure/stripe-main/sub_1/0"


def order_row(number: int, store_id: str) -> dict[str, object]:
    return {"id": number, "store_id": store_id, "order_items": []}


async def test_an_order_is_found_although_the_filter_is_ignored() -> None:
    async with (
        raw_server(
            page(order_row(1, "other"), order_row(2, STORE_ID + "0"), more=True),
            page(order_row(3, STORE_ID), more=True),
        ) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        found = await client.find_order(STORE_ID)
        assert found is not None
        assert found.id == 3
        assert [request.line.split("offset=")[1] for request in server.requests] == ["0 HTTP/1.1", "2 HTTP/1.1"]


async def test_nothing_is_found_when_only_others_come_back() -> None:
    others = page(order_row(1, "other"), {"id": 2}, None, "text", {"store_id": STORE_ID})
    async with raw_server(others) as server, open_licensespring(server.url, KEY) as client:
        assert await client.find_order(STORE_ID) is None


async def test_a_search_is_given_up_rather_than_answered_no_when_the_filter_is_plainly_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lists, "MOST_STRANGERS", 3)
    strangers = [order_row(number, "other") for number in range(3)]
    async with raw_server(page(*strangers, more=True)) as server, open_licensespring(server.url, KEY) as client:
        with pytest.raises(Refused, match="store_id is ignored"):
            await client.find_order(STORE_ID)


@pytest.mark.parametrize(
    "act", [answer(200, {"count": 0}), answer(200, []), answer(200), answer(200, {"results": {"id": 1}})]
)
async def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(act: Act) -> None:
    async with raw_server(act) as server, open_licensespring(server.url, KEY) as client:
        with pytest.raises(Unavailable, match="not a page of a list"):
            await client.find_order(STORE_ID)


async def test_a_list_that_does_not_advance_ends_with_an_error() -> None:
    stuck = page(order_row(1, "other"), more=True)
    async with raw_server(stuck, stuck) as server, open_licensespring(server.url, KEY) as client:
        with pytest.raises(Unavailable, match="does not advance"):
            await client.find_order(STORE_ID)


async def test_a_sweep_of_licenses_goes_through_all_pages_and_ends_at_an_empty_one() -> None:
    async with (
        raw_server(page({"id": 1}, {"id": 2}, more=True), page({"id": 3}, more=True), page(more=True)) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        assert [one.id async for one in client.licenses()] == [1, 2, 3]


async def test_the_licenses_of_an_order_come_once_each_in_the_order_of_their_ids() -> None:
    def row(number: int, store_id: str = STORE_ID) -> dict[str, object]:
        return {"id": number, "order_store_id": store_id}

    async with (
        raw_server(page(row(2), row(9, "other"), more=True), page(row(2), row(1))) as server,
        open_licensespring(server.url, KEY) as client,
    ):
        assert [one.id for one in await client.licenses_of_order(STORE_ID)] == [1, 2]


async def test_of_several_customers_with_one_reference_the_oldest_is_taken() -> None:
    rows = [{"id": 9, "reference": "cus_1"}, {"id": 7, "reference": "cus_1"}, {"id": 1, "reference": "cus_10"}]
    async with raw_server(page(*rows)) as server, open_licensespring(server.url, KEY) as client:
        found = await client.find_customer("cus_1")
        assert found is not None
        assert found.id == 7


async def test_a_license_is_found_by_exactly_its_key() -> None:
    rows = [{"id": 1, "license_key": "K10"}, {"id": 2, "license_key": "K1"}]
    async with raw_server(page(*rows)) as server, open_licensespring(server.url, KEY) as client:
        found = await client.find_license("K1")
        assert found is not None
        assert found.id == 2
