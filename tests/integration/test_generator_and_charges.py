"""A later charge is the first that is heard of a subscription: the licenses have the keys of its first order."""

from collections.abc import AsyncIterator

import pytest

from service.sandbox.fastspring import Store, catalog, deliveries, form, sign
from service.sandbox.fastspring.lifecycle import START
from tests.checkout import WEBHOOK_SECRET, Selling, selling_to
from tests.key_requests import PRIVATE_KEY

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Selling]:
    async with selling_to(database) as selling:
        yield selling


@pytest.mark.parametrize("act", ["renew", "fail_charge"])
async def test_a_charge_that_comes_before_all_else_names_the_first_order(shop: Selling, act: str) -> None:
    store = Store("charged", start=START)
    [subscription] = store.subscriptions_of(store.buy(store.account("Ada", "ada@example.com"), [(catalog.PRO, 2)]))
    getattr(store, act)(subscription)
    [charge] = [it for it in deliveries(store, most=1) if it.events[0].type.startswith("subscription.charge.")]
    signed = {"x-fs-signature": sign(charge.body, WEBHOOK_SECRET)}
    assert (await shop.served.http.post("/webhooks/acme", content=charge.body, headers=signed)).status_code == 200
    await shop.settle()
    [call] = store.calls
    answer = await shop.served.http.post("/fulfillment/acme", data=form(call, PRIVATE_KEY))
    await shop.settle()
    assert sorted(answer.text.split("\n")) == sorted(shop.held())
