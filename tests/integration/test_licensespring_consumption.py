"""At LicenseSpring: consumption that starts from 0 with each interval, and devices that are freed at the end."""

from typing import Any

import pytest

from service.sandbox.faults import Answer, Effect
from tests.expressing import Account, account, desired, other
from tests.stories import MARCH

pytestmark = pytest.mark.anyio

CONSUMPTION: dict[str, Any] = {
    "license_type": "consumption",
    "max_consumptions": 100,
    "consumption_period": "in_1",
}


def consume(at: Account, total: int) -> None:
    (there,) = at.held()
    at.control.change_license(there["id"], {"total_consumptions": total})


async def test_what_was_consumed_starts_from_0_with_each_interval_and_only_then() -> None:
    wish = desired(**CONSUMPTION)
    async with account() as at:
        await at.settle(wish)
        consume(at, 60)
        await at.settle(other(wish, expiry=MARCH))
        assert at.held()[0]["total_consumptions"] == 60
        later = other(wish, expiry=MARCH, consumption_period="in_2")
        assert await at.settle(later) == ["reset consumption"]
        assert at.held()[0]["total_consumptions"] == 0
        consume(at, 5)
        assert await at.settle(later) == []
        assert at.held()[0]["total_consumptions"] == 5


@pytest.mark.parametrize("effect", [Answer(status=502, when="after"), Answer(status=502)])
async def test_consumption_is_reset_once_though_the_answer_was_lost(effect: Effect) -> None:
    wish = desired(**CONSUMPTION)
    async with account() as at:
        await at.settle(wish)
        consume(at, 60)
        at.control.fault(effect, method="POST")
        await at.settle(other(wish, consumption_period="in_2"))
        assert at.held()[0]["total_consumptions"] == 0
        resets = [call for call in at.control.calls() if call.path.endswith("reset_consumption") and call.acted]
        assert len(resets) == 1


async def test_a_lost_answer_about_something_else_gives_no_consumption_away() -> None:
    wish = desired(**CONSUMPTION)
    async with account() as at:
        await at.settle(wish)
        consume(at, 60)
        at.control.fault(Answer(status=502, when="after"), method="PATCH")
        await at.settle(other(wish, expiry=MARCH))
        assert at.held()[0]["total_consumptions"] == 60


@pytest.mark.parametrize("effect", [None, Answer(status=502, when="after"), Answer(status=502)])
@pytest.mark.parametrize("product", ["APP", "SUITE"])
async def test_devices_are_freed_once_after_the_end_and_again_after_the_next(
    product: str, effect: Effect | None
) -> None:
    wish = desired(product_code=product, is_bundle=product == "SUITE")
    over = other(wish, enabled=False, free_devices=True)
    async with account() as at:
        await at.settle(wish)
        for _ in range(2):
            for there in at.held():
                at.control.activate(there["id"], "machine")
            if effect is not None:
                at.control.fault(effect, method="POST", skip=1)
            await at.settle(over)
            assert {(there["enabled"], there["times_activated"]) for there in at.held()} == {(False, 0)}
            assert await at.settle(over) == []
            await at.settle(wish)
            assert {there["enabled"] for there in at.held()} == {True}


async def test_devices_stay_where_the_policy_keeps_them() -> None:
    wish = desired()
    async with account() as at:
        await at.settle(wish)
        at.control.activate(at.held()[0]["id"], "machine")
        assert await at.settle(other(wish, enabled=False)) == ["disable license"]
        assert at.held()[0]["times_activated"] == 1
