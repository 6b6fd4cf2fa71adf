"""Licenses of one product and purchase share the generator's keys, in whichever streams; and names of any form."""

from collections.abc import AsyncIterator

import pytest

from domain.events import Stream
from tests.checkout import FULFILLMENT, Selling, completed, selling_to
from tests.key_requests import ask, form
from tests.payloads.fastspring import BOUGHT, ORDER, PRO, REFERENCE, Json, embedded, event, item, order, subscription

pytestmark = pytest.mark.anyio

OTHER = "SUBOTHER"


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Selling]:
    async with selling_to(database) as selling:
        yield selling


def another(shape: Json) -> Json:
    return {**shape, "id": OTHER, "subscription": OTHER}


TWO_SUBSCRIPTIONS = (
    event("subscription.activated", subscription(quantity=2), id_="EVONE"),
    event("subscription.activated", another(subscription(quantity=3)), id_="EVOTHER"),
    event(
        "order.completed",
        order(
            items=[
                item(subscription=embedded(quantity=2), quantity=2),
                item(subscription=another(embedded(quantity=3)), quantity=3),
            ]
        ),
        id_="EVORDER",
        created=BOUGHT + 1,
    ),
)
SUBSCRIPTION_AND_ITEM = (
    event("subscription.activated", subscription(quantity=2), id_="EVONE"),
    event(
        "order.completed",
        order(items=[item(subscription=embedded(quantity=2), quantity=2), item(quantity=3)]),
        id_="EVORDER",
        created=BOUGHT + 1,
    ),
)
TWO_ITEMS = (event("order.completed", order(items=[item(quantity=2), item(quantity=3)])),)


@pytest.mark.parametrize("events", [TWO_SUBSCRIPTIONS, SUBSCRIPTION_AND_ITEM, TWO_ITEMS])
@pytest.mark.parametrize("asked", ["before", "between", "after"])
async def test_all_licenses_of_a_product_share_the_keys_and_none_has_anothers(
    shop: Selling, events: tuple[Json, ...], asked: str
) -> None:
    given = await shop.keys(5) if asked == "before" else []
    for number, told in enumerate(events):
        await shop.tell(told)
        if asked == "between" and number == 0:
            await shop.pushed.projected.runner.project_until_idle()
            given = await shop.keys(5)
        await shop.settle()
    given = given or await shop.keys(5)
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert len(set(given)) == 5
    assert await shop.keys(5) == given
    assert await shop.pushed.projected.queries.streams(problems=True) == []


@pytest.mark.parametrize("first", [0, 1])
async def test_whoever_comes_first_has_the_first_keys_for_ever(shop: Selling, first: int) -> None:
    given = await shop.keys(5)
    await shop.tell(TWO_SUBSCRIPTIONS[first])
    await shop.settle()
    count = (2, 3)[first]
    assert sorted(shop.held()) == sorted(given[:count])
    await shop.tell(*TWO_SUBSCRIPTIONS)
    await shop.settle()
    before = await by_license(shop)
    assert sorted(before.values()) == sorted(given)
    async with shop.pushed.projected.pool.connection() as connection:
        await connection.execute("drop schema projection_1 cascade")
        await shop.pushed.projected.tables.prepare(connection)
    await shop.settle()
    assert await by_license(shop) == before


async def by_license(shop: Selling) -> dict[str, str]:
    return {view.id: view.key or "" for view in await shop.pushed.projected.queries.licenses()}


async def test_a_call_for_each_item_is_answered_the_same_keys_and_the_licenses_have_them(shop: Selling) -> None:
    two, three = await shop.keys(2), await shop.keys(3)
    assert three[:2] == two
    await shop.tell(*TWO_SUBSCRIPTIONS)
    await shop.settle()
    assert set(three) < set(shop.held())
    assert len(set(shop.held())) == 5


# --- what does not fit --------------------------------------------------------------------------------------


async def test_the_parameter_product_wins_over_a_name_for_people(shop: Selling) -> None:
    asked = {**form(2, "Falcon Pro (monthly)", REFERENCE, test="1"), "product": PRO}
    answer = await ask(shop.served.http, "acme", asked)
    await shop.tell(completed(2))
    await shop.settle()
    assert sorted(shop.held()) == sorted(answer.text.split("\n"))


async def test_keys_asked_for_under_another_name_are_listed_with_the_remedy(shop: Selling) -> None:
    await shop.keys(2, "Falcon Pro (monthly)")
    await shop.tell(completed(2))
    await shop.settle()
    (stream,) = await shop.pushed.projected.queries.streams(problems=True)
    assert "2 keys of 'Falcon Pro (monthly)'" in stream.problem
    assert "parameter product" in stream.problem


async def test_five_keys_for_a_single_license_are_listed(shop: Selling) -> None:
    given = await shop.keys(5)
    attributes = {"product_short_code": "falcon-pro", "single_license": "true"}
    await shop.tell(event("order.completed", order(items=[item(quantity=5, attributes=attributes)])))
    await shop.settle()
    assert shop.held() == given[:1]
    (stream,) = await shop.pushed.projected.queries.streams(problems=True)
    assert "4 keys" in stream.problem
    assert "single_license" in stream.problem


@pytest.mark.parametrize("reference", ["FAL/B", "FAL%2FB", "FAL/B/C%"])
async def test_a_reference_with_slashes_has_its_keys(shop: Selling, reference: str) -> None:
    given = await shop.keys(2, reference=reference)
    await shop.tell(completed(3, reference=reference))
    await shop.settle()
    assert set(given) < set(shop.held())
    assert await shop.keys(3, reference=reference) == shop.held()
    assert len(await shop.recorded(Stream(f"acme/fulfillment/{reference}"))) == 2


async def test_a_path_that_is_too_long_for_a_record_is_licensed_and_listed(shop: Selling) -> None:
    await shop.tell(event("order.completed", order(items=[item("p" * 3000, quantity=2)])))
    await shop.settle()
    assert len(set(shop.held())) == 2
    (stream,) = await shop.pushed.projected.queries.streams(problems=True)
    assert stream.stream == f"acme/order/{ORDER}"
    assert "shorten" in stream.problem
    assert await shop.pushed.projected.log.read_stream(FULFILLMENT) == []
