"""wallee's client and its sandbox, which share no code, understand one another over real HTTP."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from service.sandbox.wallee import (
    DEFAULT_KEY,
    LIFECYCLES,
    SPACE,
    Habits,
    Space,
    catalog,
    deliveries,
    running_wallee_api,
)
from service.sources.keys import key_ring
from service.sources.wallee import RECEIVING
from service.sources.wallee_api import WalleeApi, open_wallee

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 2, tzinfo=UTC)
HABITS = (Habits(), Habits(nulls=True, touches=True, bills_at_start=True))


async def page(api: WalleeApi, about: str) -> Any:
    pages = await api.read(about)
    assert pages is not None, about
    [only] = pages
    return msgspec.json.decode(only)


@pytest.mark.parametrize("habits", HABITS)
@pytest.mark.parametrize("name", LIFECYCLES)
async def test_a_life_is_read_as_it_was_lived(name: str, habits: Habits) -> None:
    space = LIFECYCLES[name].space(habits=habits)
    async with running_wallee_api([space]) as running, open_wallee(running.url, DEFAULT_KEY, str(SPACE)) as api:
        for identifier in space.book.subscriptions:
            assert await page(api, f"subscriptions/{identifier}#1") == _whole(space, identifier)
        for identifier in space.book.transactions:
            charges = space.search("charge", f"transaction.id:{identifier}", order="id:DESC", limit=100).data
            expected = {"transaction": space.object("transaction", identifier), "charges": charges}
            assert await page(api, f"payment/transactions/{identifier}#1") == expected
        for kind, path in SINGLE.items():
            for each in space.search(kind, "", limit=100).data:
                assert await page(api, f"{path}/{each['id']}") == each


SINGLE: dict[Any, str] = {
    "charge": "subscriptions/charges",
    "version": "subscriptions/versions",
    "suspension": "subscriptions/suspensions",
    "period-bill": "subscriptions/period-bills",
    "refund": "payment/refunds",
    "level": "payment/charge-flow-levels",
}


def _whole(space: Space, identifier: int) -> Any:
    def listed(kind: Any, query: str, *expand: str) -> list[Any]:
        return space.search(kind, query, order="id:DESC", limit=100, expand=expand).data

    own = f"subscription.id:{identifier}"
    versions, charges = listed("version", own), listed("charge", own, "transaction")
    components = {
        each["component"] for version in versions for each in version.get("componentConfigurations") or () if each
    }
    waiting = [each["transaction"]["id"] for each in charges if each["state"] == "PROCESSING" and each["transaction"]]
    expand = ["subscriber", "currentProductVersion", "currentProductVersion.product"]
    return {
        "subscription": space.object("subscription", identifier, expand),
        "versions": versions,
        "charges": charges,
        "suspensions": listed("suspension", own),
        "periodBills": listed("period-bill", f"subscriptionVersion.{own}"),
        "components": [space.object("component", each, ["reference"]) for each in sorted(components)],
        "levels": [level for each in waiting for level in listed("level", f"transaction.id:{each}")],
    }


async def test_what_is_sold_is_listed_with_the_attributes_of_its_comment() -> None:
    space = LIFECYCLES["renewed"].space()
    async with running_wallee_api([space]) as running, open_wallee(running.url, DEFAULT_KEY, str(SPACE)) as api:
        items = {item.name: item async for item in api.catalog()}
    team = items[catalog.TEAM.product.reference]
    assert team.recurring
    assert team.attributes["product_short_code"] == "falcon-team"
    assert items["falcon-pro-monthly/pro-export"].attributes == {"feature_code": "falcon-export"}
    assert "quantity" not in team.attributes, "it is of Tenure's own convention, no attribute"


@pytest.mark.parametrize("keys_as_json", [False, True])
async def test_what_it_sends_is_authentic(keys_as_json: bool) -> None:
    space = LIFECYCLES["renewed"].space()
    async with (
        running_wallee_api([space], keys_as_json=keys_as_json) as running,
        open_wallee(running.host, DEFAULT_KEY, str(SPACE)) as api,
        key_ring("pay", api) as keys,
    ):
        assert RECEIVING.key_id is not None
        assert RECEIVING.account_of is not None
        for delivery in deliveries(space):
            key = await keys.find(RECEIVING.key_id(delivery.headers))
            assert key is not None
            RECEIVING.verify(delivery.headers, delivery.body, [key], NOW)
            assert RECEIVING.account_of(delivery.body) == str(SPACE)
        assert list(running.api.calls) == [f"/webhooks/encryption-keys/{space.signing.id}"]
