"""What stands still is tried again over HTTP, by an act with author and reason."""

from collections.abc import AsyncIterator

import pytest

from service.settings import Settings
from tests.api_requests import JO, OPERATE, assert_problem, got, retried
from tests.serving import Served, settings
from tests.shop import SUB_1, open_shop, project, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
def configured(database: str) -> Settings:
    return settings(database)


@pytest.fixture
async def shop(configured: Settings, database: str) -> AsyncIterator[Served]:
    async with open_shop(configured, database) as shop:
        yield shop


async def test_a_stopped_stream_is_retried_by_an_act_that_the_timeline_tells(shop: Served) -> None:
    answer = await retried(shop, "sub_2", "streams")
    assert (answer.status_code, answer.json()) == (202, {"accepted": "shop/subscription/sub_2", "notes": []})
    *_, entry = (await got(shop, "/subscriptions/sub_2/timeline"))["items"]
    assert (entry["kind"], entry["folded"]) == ("operator", True)
    assert entry["summary"] == ["jo had this tried again: the product is there"]
    assert_problem(await retried(shop, "sub_1", "streams"), 409)
    assert_problem(await retried(shop, "sub_9", "streams"), 404)


async def test_a_retry_without_the_provider_s_key_says_which_is_missing(shop: Served) -> None:
    answer = await retried(shop, "pi_9", "streams")
    assert answer.status_code == 202
    [note] = answer.json()["notes"]
    assert "set TENURE_SOURCE_SHOP_API_KEY" in note


async def test_a_refused_license_is_a_dead_letter_that_can_be_retried(
    shop: Served, configured: Settings, database: str
) -> None:
    identifier = (await got(shop, "/licenses"))["items"][0]["id"]
    assert_problem(await retried(shop, identifier), 409)
    await refused(shop.process.reader.log, identifier)
    await project(configured, database)
    [letter] = (await got(shop, "/dead-letters"))["items"]
    assert (letter["id"], letter["refusal"]["status"]) == (identifier, 400)
    assert (await retried(shop, identifier)).status_code == 202
    await project(configured, database)
    assert (await got(shop, "/dead-letters"))["items"] == []
    timeline = (await got(shop, "/subscriptions/sub_1/timeline"))["items"]
    assert (timeline[-1]["kind"], timeline[-1]["summary"]) == ("operator", ["jo asked ls again: the product is there"])


async def test_all_that_was_refused_of_a_subscription_can_be_retried_at_once(
    shop: Served, configured: Settings, database: str
) -> None:
    log = shop.process.reader.log
    assert_problem(await retried(shop, "sub_1"), 409)
    await refused(log, "17", call="change customer")
    await project(configured, database)
    assert "change customer 17" in (await got(shop, "/subscriptions/sub_1"))["summary"]["problem"]
    assert (await retried(shop, "sub_1")).json() == {"accepted": SUB_1, "notes": []}
    await project(configured, database)
    assert (await got(shop, "/subscriptions/sub_1"))["summary"]["problem"] == ""


async def test_a_retry_names_its_author_and_why(shop: Served) -> None:
    for body in ({}, {"author": ""}, {"author": "jo"}, {**JO, "reason": " "}, {**JO, "more": 1}):
        for what in ("dead-letters/lic_1", "streams/sub_2"):
            answer = await shop.http.post(f"/api/v1/{what}/retry", headers=OPERATE, json=body)
            assert assert_problem(answer, 400)["errors"]
