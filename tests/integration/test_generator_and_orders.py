"""The license generator and the order tell of one purchase, one after the other: one key and license a unit."""

from collections.abc import AsyncIterator

import pytest

from tests.checkout import FULFILLMENT, LITE, SUBSCRIBED, Selling, completed, selling_to, store
from tests.payloads.fastspring import (
    BOUGHT,
    DAY,
    MARCH,
    ORDER,
    PRO,
    REFERENCE,
    charge,
    embedded,
    event,
    item,
    order,
    subscription,
)
from tests.serving import served

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Selling]:
    async with selling_to(database) as selling:
        yield selling


async def test_keys_that_the_checkout_got_are_the_keys_of_the_licenses(shop: Selling) -> None:
    given = await shop.keys(3)
    await shop.tell(completed(3))
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert len(set(given)) == 3


async def test_keys_of_licenses_that_are_there_are_what_the_checkout_gets(shop: Selling) -> None:
    await shop.tell(completed(3))
    await shop.settle()
    assert sorted(await shop.keys(3)) == sorted(shop.held())
    assert len(await shop.recorded()) == 1


async def test_the_first_unit_has_the_first_key_whoever_came_first(shop: Selling) -> None:
    given = await shop.keys(3)
    await shop.tell(completed(3))
    await shop.tell(completed(3, reference="FAL-2", number="2"))
    await shop.settle()
    views = await shop.pushed.projected.queries.licenses()
    by_unit = {(view.desired.fulfillment, view.desired.unit): view.key for view in views}
    assert [by_unit[f"{REFERENCE}/{PRO}", unit] for unit in (1, 2, 3)] == given
    assert [by_unit[f"FAL-2/{PRO}", unit] for unit in (1, 2, 3)] == await shop.keys(3, reference="FAL-2")


async def test_keys_that_come_between_the_order_and_its_push_are_used(shop: Selling) -> None:
    await shop.tell(completed(2))
    await shop.pushed.projected.runner.project_until_idle()
    given = await shop.keys(2)
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert len(await shop.recorded()) == 1


async def test_a_repeated_call_gets_the_same_keys_at_any_time(shop: Selling) -> None:
    given = await shop.keys(2)
    for step in (shop.tell(completed(2)), shop.pushed.projected.runner.project_until_idle(), shop.settle()):
        await step
        assert await shop.keys(2) == given
    assert len(shop.held()) == 2


async def test_a_subscription_and_its_renewals_have_the_keys_of_the_first_order(shop: Selling) -> None:
    begun = {"subscriptionReference": f"{REFERENCE}S"}
    given = await shop.keys(2, **begun)
    await shop.tell(*SUBSCRIBED)
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert await shop.keys(2, reference="FAL260301-1004-22228B", **begun) == given
    await shop.tell(event("subscription.charge.completed", charge(), id_="EVCHARGED", created=MARCH + DAY))
    await shop.settle()
    assert await shop.keys(2, reference="FAL260301-1004-22228B", **begun) == given
    assert sorted(shop.held()) == sorted(given)


async def test_two_products_of_one_order_have_their_own_keys(shop: Selling) -> None:
    pro = await shop.keys(2)
    both = [item(quantity=2), item("falcon-lite", attributes=LITE, quantity=1)]
    await shop.tell(event("order.completed", order(items=both)))
    await shop.settle()
    lite = await shop.keys(1, "falcon-lite")
    assert sorted(shop.held()) == sorted(pro)
    assert shop.held("falcon-lite") == lite


async def test_a_subscription_and_a_one_time_product_of_one_order_have_their_own_keys(shop: Selling) -> None:
    lite = await shop.keys(1, "falcon-lite")
    both = [item(subscription=embedded()), item("falcon-lite", attributes=LITE, quantity=1)]
    await shop.tell(SUBSCRIBED[0], event("order.completed", order(items=both), id_="EVORDER", created=BOUGHT + 1))
    await shop.settle()
    assert sorted(shop.held()) == sorted(await shop.keys(2))
    assert shop.held("falcon-lite") == lite


@pytest.mark.parametrize("asked_first", [True, False])
async def test_a_unit_more_keeps_the_keys_and_gets_a_new_one(shop: Selling, asked_first: bool) -> None:
    given = await shop.keys(2) if asked_first else []
    await shop.tell(*SUBSCRIBED)
    await shop.settle()
    before = shop.held()
    more = subscription(quantity=3, subtotal=87.0)
    await shop.tell(event("subscription.updated", more, id_="EVUPDATED", created=BOUGHT + DAY))
    await shop.settle()
    assert set(before) <= set(shop.held())
    assert set(given) <= set(shop.held())
    assert sorted(await shop.keys(3)) == sorted(shop.held())
    assert (await shop.keys(3))[:2] == await shop.keys(2)


async def test_more_keys_than_units_were_asked_for_are_kept_for_units_to_come(shop: Selling) -> None:
    given = await shop.keys(3)
    await shop.tell(*SUBSCRIBED)
    await shop.settle()
    assert shop.held() == given[:2]
    (stream,) = await shop.pushed.projected.queries.streams(problems=True)
    assert "1 key of" in stream.problem
    more = subscription(quantity=3, subtotal=87.0)
    await shop.tell(event("subscription.updated", more, id_="EVUPDATED", created=BOUGHT + DAY))
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert await shop.pushed.projected.queries.streams(problems=True) == []


async def test_a_single_license_of_many_units_has_one_key(shop: Selling) -> None:
    given = await shop.keys(5, single_license="true")
    attributes = {"product_short_code": "falcon-pro", "single_license": "true"}
    await shop.tell(event("order.completed", order(items=[item(quantity=5, attributes=attributes)])))
    await shop.settle()
    assert shop.held() == given
    assert len(given) == 1


async def test_a_purchase_that_nobody_asked_keys_for_has_licenses_all_the_same(shop: Selling) -> None:
    await shop.tell(completed(2))
    await shop.settle()
    assert len(set(shop.held())) == 2


async def test_the_purchases_timeline_tells_of_the_request_and_its_keys(shop: Selling) -> None:
    await shop.keys(2)
    await shop.tell(completed(2))
    await shop.settle()
    async with served(store(shop.pushed.projected.dsn), shop.pushed.projected.dsn, open_to_all=True) as front:
        answer = await front.http.get(f"/api/v1/subscriptions/{ORDER}/timeline")
    told = [words for entry in answer.json()["items"] for words in entry["summary"]]
    assert "the license generator asked for keys" in told
    assert f"2 keys for the license generator ({PRO})" in told
    streams = {view.stream: view.status for view in await shop.pushed.projected.queries.streams(statuses=("other",))}
    assert streams[FULFILLMENT] == "other"
