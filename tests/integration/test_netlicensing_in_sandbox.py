"""What a customer's program is told by NetLicensing's sandbox, and the client against what NetLicensing leaves open."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from domain.receipts import CustomerChanged, Fields, LicenseChanged
from domain.words import say_receipt
from projections.targets.netlicensing.options import Options
from service.sandbox.faults import Answer, ErrorInOk, Throttle
from tests.netlicensing import ALONE, Holding, account, desired, desired_of
from tests.stories import FEBRUARY, JANUARY, MARCH

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("product", "wish", "told"),
    [
        ("APP", {}, {"valid": True}),
        ("FLOAT", {"floating_users": 5}, {}),
        ("QUOTA", {"max_activations": 3}, {"valid": True}),
        ("PARTS", {"features": ("export",)}, {}),
    ],
)
async def test_a_program_is_told_what_was_bought(product: str, wish: dict[str, Any], told: dict[str, Any]) -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired(product_code=product, **wish))
        (licensee,) = at.control.effective().values()
        assert licensee["product"] == product
        assert told.items() <= licensee["modules"][f"{product}-module"].items()


async def test_a_renewal_moves_the_end_that_a_program_is_told_to_the_new_date() -> None:
    async with account() as at:
        holding = Holding(at)
        for expiry in (FEBRUARY, MARCH):
            await holding.settle(desired(expiry=expiry, margin_hours=0))
            (licensee,) = at.control.effective().values()
            assert licensee["modules"]["APP-module"]["expires"] == expiry


async def test_what_was_bought_once_outlives_the_month_of_its_template_also_where_it_was_made_to_last_one() -> None:
    once = desired(expiry=None)
    async with account() as at:
        holding = Holding(at)
        await holding.settle(once)
        (number,) = at.licenses()
        # As the template would have it, and as nobody has told since.
        at.control.change("license", number, {"timeVolume": "1", "timeVolumePeriod": "MONTH"})
        untold: Fields = {"timeVolume": None, "timeVolumePeriod": None}
        holding.take(LicenseChanged(target="nl", license=once.id, fields=untold))
        at.control.advance(days=400)
        await holding.settle(once)
        (licensee,) = at.control.effective().values()
        time = licensee["modules"]["APP-module"]
        assert time["valid"]
        assert time["expires"] > JANUARY + timedelta(days=99 * 365)


async def test_a_licensee_is_told_as_created_once_and_as_found_by_the_customers_other_purchase() -> None:
    async with account() as at:
        for stream, said in (("shop/subscription/a", "created"), ("shop/subscription/b", "found")):
            holding = Holding(at)
            await holding.settle(desired_of(stream))
            (receipt,) = [each for each in holding.received if isinstance(each, CustomerChanged)]
            assert say_receipt(receipt).startswith(f"customer {said} at nl")


async def test_units_have_ends_of_their_own_though_they_are_one_customers() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(*(desired(unit, margin_hours=0) for unit in (1, 2, 3)))
        ends = [each["modules"]["APP-module"]["expires"] for each in at.control.effective().values()]
        assert ends == [FEBRUARY] * 3


async def test_purchases_of_their_own_end_by_themselves() -> None:
    async with account(options=Options(licensee="purchase")) as at:
        for stream, expiry in (("shop/subscription/a", FEBRUARY), ("shop/subscription/b", MARCH)):
            await Holding(at).settle(desired_of(stream, expiry=expiry, margin_hours=0))
        ends = [each["modules"]["APP-module"]["expires"] for each in at.control.effective().values()]
        assert sorted(ends) == [FEBRUARY, MARCH]


@pytest.mark.parametrize("status", [429, 402, 403])
@pytest.mark.parametrize("header", [True, False])
async def test_a_limit_is_waited_out_however_it_is_told(status: int, header: bool) -> None:
    limited = msgspec.structs.replace(
        ALONE, requests_per_minute=1, rate_limited_status=status, rate_limited_retry_after=header, now=JANUARY
    )
    async with account(limited) as at:
        holding = Holding(at)
        for _ in range(12):
            try:
                await holding.attempt(desired())
            except Exception:  # noqa: BLE001 - whatever it is called, the same is tried again a minute later
                at.control.advance(seconds=61)
            else:
                break
        assert holding.refused == []
        assert holding.mismatches(desired()) == []


async def test_an_error_in_a_success_that_acted_is_found_out_by_a_look() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired())
        at.control.fault(ErrorInOk(when="after"), method="POST")
        await holding.settle(desired(enabled=False))
        assert holding.refused == []
        await holding.settle(desired())
        assert holding.mismatches(desired()) == []


async def test_a_refusal_is_final_when_a_look_finds_nothing_and_a_person_may_retry() -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Answer(status=400), method="POST", path="/license", times=None)
        await holding.settle(desired())
        assert {each.call for each in holding.refused} == {"create license"}
        assert at.licenses() == {}
        at.control.clear_faults()
        assert await holding.settle(desired()) == []
        holding.retry(desired())
        await holding.settle(desired())
        assert holding.mismatches(desired()) == []


async def test_on_a_slow_account_a_refusal_comes_to_an_end_too() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired(enabled=True, product_code="QUOTA"))
        at.tokens = 0
        at.control.fault(Answer(status=400), method="POST", path="/license", times=None)
        await holding.settle(desired())
        assert {each.call for each in holding.refused} == {"create license"}


async def test_a_license_that_somebody_deleted_need_not_be_disabled() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired())
        (number,) = at.licenses()
        at.control.delete("license", number)
        await holding.settle(desired(enabled=False))
        assert holding.refused == []
        assert await holding.settle(desired(enabled=False)) == []


async def test_a_licensee_number_that_is_taken_for_another_product_is_told_in_plain_words() -> None:
    async with account() as at:
        holding = Holding(at)
        named = Holding(at)
        await named.settle(desired())
        (number,) = at.licensees()
        at.control.delete("licensee", number)
        at.control.create("licensee", productNumber="QUOTA", number=number)
        await holding.settle(desired())
        refused = holding.refused[-1]
        assert "for product QUOTA: a licensee has one" in refused.text
        assert "Ada" not in refused.text


async def test_a_throttled_request_did_nothing_and_leaves_no_doubt() -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Throttle(retry_after=5), method="POST")
        with pytest.raises(Exception, match="slower"):
            await holding.attempt(desired())
        assert holding.doubts == []
