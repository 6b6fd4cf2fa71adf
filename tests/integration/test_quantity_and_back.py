"""A customer of FastSpring takes back a change of the quantity: the licenses are those of the quantity that stands."""

import pytest

from service.sandbox.fastspring import Store, catalog, deliveries, sign
from service.sandbox.fastspring.lifecycle import START
from tests.checkout import WEBHOOK_SECRET, selling_to

pytestmark = pytest.mark.anyio


async def test_a_quantity_that_was_changed_there_and_back_and_there_again_counts(database: str) -> None:
    store = Store("there-and-back", start=START)
    [subscription] = store.subscriptions_of(store.buy(store.account("Ada", "ada@example.com"), [(catalog.PRO, 4)]))
    for quantity in (2, 1, 2):
        store.change_quantity(subscription, quantity)
    async with selling_to(database) as shop:
        for delivery in deliveries(store):
            signed = {"x-fs-signature": sign(delivery.body, WEBHOOK_SECRET)}
            told = await shop.served.http.post("/webhooks/acme", content=delivery.body, headers=signed)
            assert told.status_code == 200
        await shop.settle()
        assert len(shop.held()) == 2
