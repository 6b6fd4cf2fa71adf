"""Given charges at FastSpring, then what they pay for: a period, a change within one, or nothing but themselves."""

from typing import Any

import pytest

from domain import facts as f
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from tests.fastspring_orders import IN_SUBSCRIPTION, Told, after
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import APRIL, BOUGHT, DAY, FEBRUARY, MARCH, REBILL, Json, at

AT_WILL: Json = {"adhoc": True, "next": None, "intervalUnit": "adhoc"}


class TestCharges:
    def paid(self, **changes: Any) -> f.PeriodPaid:
        event = fs.event("subscription.charge.completed", fs.charge(**changes), created=MARCH + DAY)
        [stored] = fs.stored(event)
        [paid] = [fact for fact in PROVIDER.translate(stored) if isinstance(fact, f.PeriodPaid)]
        return paid

    def test_a_rebill_pays_from_its_moment_until_next(self) -> None:
        paid = self.paid()
        assert (paid.invoice, paid.amount, paid.first) == (REBILL, 5800, False)
        [period] = paid.periods
        assert (period.start, period.end, period.proration) == (at(MARCH + 32_726_105), at(APRIL), False)

    def prorated(self, *, made: int, until: int, **item: Any) -> f.PeriodPaid:
        changed = fs.item(subscription=fs.SUBSCRIPTION, proratedItemProratedCharge=12.5, **item)
        bill = fs.order(items=[changed], order="o9", id="o9")
        return self.paid(order=bill, timestamp=made, total=12.5, subscription=fs.embedded(next=until))

    def test_a_change_charged_in_mid_period_is_a_proration(self) -> None:
        [period] = self.prorated(made=FEBRUARY + 10 * DAY, until=MARCH).periods
        assert (period.end, period.proration) == (at(MARCH), True)

    def test_a_change_that_begins_a_new_period_pays_for_it(self) -> None:
        [period] = self.prorated(made=FEBRUARY + 10 * DAY, until=MARCH + 10 * DAY).periods
        assert not period.proration

    @pytest.mark.parametrize(("of", "proration"), [(None, True), (fs.SUBSCRIPTION, True), ("sub2", False)])
    def test_only_a_change_of_its_own_is_a_proration_whoever_the_item_names(self, of: Any, proration: bool) -> None:
        changed = fs.item(subscription=of, proratedItemProratedCharge=12.5)
        bill = fs.order(items=[changed], order="o9", id="o9")
        shown = fs.embedded(next=MARCH)
        [period] = self.paid(order=bill, timestamp=FEBRUARY + 10 * DAY, subscription=shown).periods
        assert period.proration is proration

    def test_amounts_of_nothing_make_no_proration(self) -> None:
        bill = fs.order(items=[fs.item(subscription=fs.SUBSCRIPTION, proratedItemTotal=0.0)], order="o9", id="o9")
        [period] = self.paid(order=bill, timestamp=MARCH + 10 * DAY).periods
        assert not period.proration

    def test_a_managed_subscription_is_paid_without_a_period(self) -> None:
        assert self.paid(subscription=fs.embedded(adhoc=True, next=None)).periods == ()

    def test_told_again_under_another_id_it_counts_once(self) -> None:
        told = ("subscription.charge.completed", fs.charge(), MARCH + DAY)
        subscription = after(told, (*told[:2], MARCH + 2 * DAY), stream=IN_SUBSCRIPTION)
        assert list(subscription.invoices) == [REBILL]

    def test_its_order_is_linked_for_refunds_and_chargebacks(self) -> None:
        subscription = after(("subscription.charge.completed", fs.charge(), MARCH + DAY), stream=IN_SUBSCRIPTION)
        assert f"order/{REBILL}" in subscription.links
        assert subscription.payments == {REBILL: REBILL}

    def test_without_expansion_it_says_who_paid_but_not_until_when(self) -> None:
        subscription = after(
            ("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY), stream=IN_SUBSCRIPTION
        )
        assert (subscription.state, subscription.invoices) == (State.ACTIVE, {})
        assert subscription.payments == {REBILL: REBILL}


class TestChargesAtWill:
    """A managed subscription: the vendor charges when they like, so no payment pays for a period."""

    BEGAN: Told = ("order.completed", fs.order(items=[fs.item(subscription=fs.embedded(**AT_WILL))]), BOUGHT)
    CHARGED: Told = (
        "subscription.charge.completed", fs.charge(subscription=fs.embedded(**AT_WILL)), MARCH + DAY,
    )  # fmt: skip
    REFUNDED: Told = ("return.created", fs.returned(), MARCH + 2 * DAY)
    CHARGED_BACK: Told = ("order.chargeback", fs.chargeback(), MARCH + 2 * DAY)

    def works(self, *told: Told) -> bool:
        [works] = {
            each.enabled for each in entitle(IN_SUBSCRIPTION, after(*told, stream=IN_SUBSCRIPTION), Policy()).licenses
        }
        return works

    @pytest.mark.parametrize("back", [REFUNDED, CHARGED_BACK], ids=["refund", "chargeback"])
    def test_the_money_of_the_last_payment_counts(self, back: Told) -> None:
        assert not self.works(self.BEGAN, back)
        assert self.works(self.BEGAN, self.CHARGED, back)

    def test_what_the_vendor_grants_again_was_paid_by_nothing_that_went_back(self) -> None:
        ended = ("subscription.deactivated", fs.deactivated(**AT_WILL), MARCH + 2 * DAY)
        shown = fs.subscription(**AT_WILL, changed=MARCH + 3 * DAY)
        again = ("subscription.activated", shown, MARCH + 3 * DAY)
        assert self.works(self.BEGAN, self.REFUNDED, ended, again)

    def test_so_it_is_with_what_is_left_of_a_trial(self) -> None:
        began = ("subscription.activated", fs.trial(), BOUGHT)
        first = ("order.completed", fs.order(items=[fs.item(subscription=fs.trial())]), BOUGHT + 1)
        back = ("order.chargeback", fs.chargeback(), BOUGHT + DAY)
        ended = ("subscription.deactivated", fs.deactivated(), BOUGHT + DAY)
        again = ("subscription.activated", fs.trial(changed=BOUGHT + 4 * DAY), BOUGHT + 4 * DAY)
        assert not self.works(began, first, back)
        assert self.works(began, first, back, ended, again)

    def test_its_first_activation_sent_again_grants_nothing(self) -> None:
        activated = ("subscription.activated", fs.subscription(**AT_WILL), MARCH + 3 * DAY)
        assert not self.works(self.BEGAN, self.REFUNDED, activated)
