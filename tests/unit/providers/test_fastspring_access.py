"""Given that a subscription at FastSpring ends, pauses or is not paid, then whether there is access."""

from typing import Any

import pytest

from domain import facts as f
from domain.events import stream_of
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from tests.fastspring_stories import LATER, LATEST, OPENING, RENEWED, SOON, Told, after, line_of, only, steps
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import APRIL, BOUGHT, DAY, MARCH, REBILL, at

IN_SUBSCRIPTION = stream_of("store", "subscription", fs.SUBSCRIPTION)


class TestEnding:
    def test_a_canceled_one_is_active_until_its_day(self) -> None:
        subscription = after(*OPENING, ("subscription.canceled", fs.canceled(), SOON))
        assert (subscription.state, subscription.cancel_at) == (State.ACTIVE, at(MARCH - DAY))

    def test_a_cancellation_that_is_taken_back(self) -> None:
        canceled = ("subscription.canceled", fs.canceled(), SOON)
        subscription = after(*OPENING, canceled, ("subscription.uncanceled", fs.subscription(), SOON + DAY))
        assert (subscription.state, subscription.cancel_at) == (State.ACTIVE, None)

    def test_a_cancellation_without_a_day_says_so(self) -> None:
        shown = fs.canceled(deactivationDate=None, next=None)
        assert "does not name" in only("subscription.canceled", shown, f.Noted).about

    def test_deactivated_is_the_end(self) -> None:
        assert after(*OPENING, ("subscription.deactivated", fs.deactivated(), SOON)).state is State.TERMINATED

    def test_a_deactivation_sent_again_after_the_subscription_is_on_again_ends_nothing(self) -> None:
        subscription = after(*OPENING, ("subscription.deactivated", fs.subscription(), SOON))
        assert subscription.state is State.ACTIVE

    def test_an_activation_later_on_reopens_it_until_next(self) -> None:
        again = fs.subscription(next=APRIL, sequence=1, changed=LATER)
        subscription = after(
            *OPENING,
            ("subscription.deactivated", fs.deactivated(), SOON),
            ("subscription.activated", again, LATER),
        )
        assert subscription.state is State.ACTIVE
        assert max(period.end for paid in subscription.invoices.values() for period in paid.periods) == at(APRIL)

    def test_what_is_granted_on_the_day_of_a_payment_that_went_back_counts_though_it_ends_sooner(self) -> None:
        noon = MARCH + DAY // 2
        again = fs.subscription(next=APRIL - DAY, sequence=2, changed=noon + 3)
        back = fs.returned()
        told = (
            *OPENING,
            ("subscription.charge.completed", fs.charge(timestamp=noon), noon),
            ("return.created", back | {"original": back["original"] | {"id": REBILL, "order": REBILL}}, noon + 1),
        )
        ended = ("subscription.deactivated", fs.deactivated(), noon + 2)
        assert self.working(*told) == {False}
        assert self.working(*told, ended, ("subscription.activated", again, noon + 3)) == {True}

    def working(self, *told: Told) -> set[bool]:
        return {each.enabled for each in entitle(IN_SUBSCRIPTION, after(*told), Policy()).licenses}

    def test_reopening_is_not_odd(self) -> None:
        again = fs.subscription(next=APRIL, changed=LATER)
        ended = ("subscription.deactivated", fs.deactivated(), SOON)
        [*_, last] = steps(*OPENING, ended, ("subscription.activated", again, LATER))
        assert (last.after, last.anomalies) == (State.ACTIVE, ())

    def test_one_whose_trial_still_runs_is_in_trial_again(self) -> None:
        began = ("subscription.activated", fs.trial(), BOUGHT)
        ended = ("subscription.deactivated", fs.deactivated(), SOON)
        again = ("subscription.activated", fs.trial(changed=SOON + DAY), SOON + DAY)
        [*_, last] = steps(began, ended, again)
        assert (last.after, last.anomalies) == (State.TRIALING, ())
        assert after(began, ended, (*began[:2], SOON + DAY)).state is State.TERMINATED
        anew = ("subscription.deactivated", fs.deactivated(changed=SOON + 2 * DAY), SOON + 2 * DAY)
        assert after(began, ended, again, anew, (*again[:2], SOON + 3 * DAY)).state is State.TERMINATED

    def test_an_activation_sent_again_reopens_nothing(self) -> None:
        told = (*OPENING, ("subscription.deactivated", fs.deactivated(), SOON), (*OPENING[0][:2], SOON + DAY))
        assert after(*told).state is State.TERMINATED
        assert steps(*told)[-1].anomalies

    def test_an_activation_sent_again_that_shows_the_end_ends_it(self) -> None:
        again = ("subscription.activated", fs.deactivated(), SOON + DAY)
        assert after(*OPENING, again).state is State.TERMINATED

    @pytest.mark.parametrize("type_", ["subscription.updated", "subscription.canceled", "subscription.uncanceled"])
    def test_what_is_inactive_has_no_access_whatever_tells_so(self, type_: str) -> None:
        assert after(*OPENING, (type_, fs.deactivated(), SOON)).state is State.TERMINATED
        assert after(*OPENING, (type_, fs.subscription(active=False, state="x"), SOON)).state is State.SUSPENDED

    def test_a_payload_without_active_goes_by_the_state(self) -> None:
        gone = {name: value for name, value in fs.deactivated().items() if name != "active"}
        assert after(*OPENING, ("subscription.updated", gone, SOON)).state is State.TERMINATED


class TestShownBefore:
    """Events sent again by hand, under another id, with the object as it was when they were sent first."""

    PAUSED = fs.subscription(state="paused", active=False, changed=SOON)
    PAID = ("subscription.charge.completed", fs.charge(timestamp=LATER + DAY), LATER + DAY)

    @pytest.mark.parametrize(
        ("before", "since"),
        [
            (("subscription.payment.overdue", fs.overdue(1), LATER), PAID),
            (("subscription.charge.failed", fs.charge_failed(), LATER), PAID),
            (
                ("subscription.paused", PAUSED, SOON),
                ("subscription.resumed", fs.subscription(changed=SOON + DAY), SOON + DAY),
            ),
            (
                ("subscription.deactivated", fs.deactivated(changed=SOON), SOON),
                ("subscription.activated", fs.subscription(next=APRIL, changed=LATER), LATER),
            ),
        ],
        ids=["overdue", "declined", "paused", "deactivated"],
    )
    def test_they_take_nothing_back_that_came_since(self, before: Told, since: Told) -> None:
        told = (*OPENING, before, since)
        again = (*before[:2], LATEST)
        assert after(*told).state is State.ACTIVE
        assert after(*told, again).state is State.ACTIVE
        [*_, last] = steps(*told, again)
        assert not last.anomalies

    def test_a_quantity_that_is_changed_back_counts(self) -> None:
        five = ("subscription.updated", fs.subscription(quantity=5, changed=SOON), SOON)
        nine = ("subscription.updated", fs.subscription(quantity=9, changed=SOON + DAY), SOON + DAY)
        again = (*five[:2], SOON + 2 * DAY)
        assert line_of(after(*OPENING, five, nine)).quantity == 9
        assert line_of(after(*OPENING, five, nine, again)).quantity == 5

    def test_a_decline_that_says_no_more_than_the_one_before_counts(self) -> None:
        declined = fs.charge_failed()
        early, due = ("subscription.charge.failed", declined, SOON), ("subscription.charge.failed", declined, LATER)
        assert after(*OPENING, early, due).state is State.PAST_DUE
        bare = fs.unexpanded(fs.charge_failed())
        told = (*OPENING, ("subscription.charge.failed", bare, LATER), self.PAID)
        assert after(*told, ("subscription.charge.failed", bare, APRIL + DAY)).state is State.PAST_DUE

    @pytest.mark.parametrize("state", ["trial", "active"])
    def test_a_trial_that_is_over_is_none(self, state: str) -> None:
        shown = fs.trial() | {"state": state}
        first = fs.order(items=[fs.item(subscription=shown | {"account": fs.ACCOUNT, "product": fs.PRO})])
        began = (("subscription.activated", shown, BOUGHT), ("order.completed", first, BOUGHT + 200))
        paid = ("subscription.charge.completed", fs.charge(timestamp=BOUGHT + 14 * DAY), BOUGHT + 14 * DAY)
        for again in began:
            anew = {**again[1], "changed": BOUGHT + 20 * DAY}
            for data in (again[1], anew):
                assert after(*began, paid, (again[0], data, BOUGHT + 20 * DAY)).state is State.ACTIVE

    def test_what_was_charged_early_is_no_trial_any_more(self) -> None:
        phases = fs.trial(MARCH)["instructions"]
        charged = fs.charge(timestamp=SOON, subscription=fs.embedded(next=APRIL, sequence=2, instructions=phases))
        card = fs.subscription(next=APRIL, sequence=2, instructions=phases, changed=SOON + DAY)
        began = ("subscription.activated", fs.trial(MARCH), BOUGHT)
        told = (began, ("subscription.charge.completed", charged, SOON))
        assert after(*told, ("subscription.updated", card, SOON + DAY)).state is State.ACTIVE

    def test_a_trial_after_an_order_that_failed_works(self) -> None:
        failed = ("order.failed", fs.order(), BOUGHT - 1000)
        assert after(failed, ("subscription.activated", fs.trial(), BOUGHT)).state is State.TRIALING

    def test_an_order_sent_again_ends_no_pause(self) -> None:
        told = (*OPENING, ("subscription.paused", self.PAUSED, SOON), (*OPENING[1][:2], SOON + DAY))
        assert after(*told).state is State.SUSPENDED


class TestPause:
    PAUSED = fs.subscription(state="paused", active=False)

    def test_paused_is_suspended_for_that_reason(self) -> None:
        subscription = after(*OPENING, ("subscription.paused", self.PAUSED, LATER))
        assert (subscription.state, subscription.state_reason) == (State.SUSPENDED, "paused")

    def test_a_resumption_sent_again_pays_no_younger_debt(self) -> None:
        overdue = ("subscription.payment.overdue", fs.overdue(1), LATEST)
        assert after(*OPENING, overdue, ("subscription.resumed", fs.overdue(1), LATEST + DAY)).state is State.PAST_DUE

    def test_a_charge_sent_again_ends_no_pause(self) -> None:
        told = (*OPENING, RENEWED, ("subscription.paused", self.PAUSED, LATEST), (*RENEWED[:2], LATEST + DAY))
        assert after(*told).state is State.SUSPENDED

    def test_a_pause_that_has_not_begun_takes_nothing_away(self) -> None:
        asked = fs.subscription(isPauseScheduled=True)
        assert after(*OPENING, ("subscription.paused", asked, SOON)).state is State.ACTIVE
        assert "asked for" in only("subscription.paused", asked, f.Noted).about

    def test_resumed_is_active_again(self) -> None:
        resumed = ("subscription.resumed", fs.subscription(next=APRIL), LATER + DAY)
        assert after(*OPENING, ("subscription.paused", self.PAUSED, LATER), resumed).state is State.ACTIVE

    def test_resumed_but_still_off_stays_off(self) -> None:
        resumed = ("subscription.resumed", self.PAUSED, LATER + DAY)
        assert after(*OPENING, ("subscription.paused", self.PAUSED, LATER), resumed).state is State.SUSPENDED


class TestOverdue:
    OVERDUE = ("subscription.payment.overdue", fs.overdue(1), LATEST)
    FAILED = ("subscription.charge.failed", fs.charge_failed(), LATER)

    @pytest.mark.parametrize("told", [OVERDUE, FAILED], ids=["notice", "failed charge"])
    def test_it_is_past_due(self, told: Told) -> None:
        assert after(*OPENING, told).state is State.PAST_DUE

    def test_each_notice_says_how_many_there_were(self) -> None:
        assert only(*self.OVERDUE[:2], f.Noted, LATEST).about == "notice 1 of 4 sent"

    def test_its_period_reaches_to_where_the_store_gives_up(self) -> None:
        """Four weekly notices, and a week: longer than the month that is to be paid."""
        line = line_of(after(*OPENING, self.OVERDUE))
        assert (line.period_start, line.period_end) == (at(MARCH), at(MARCH + 5 * 7 * DAY))

    def test_or_through_the_period_that_is_to_be_paid(self) -> None:
        shown = fs.overdue(1) | {"intervalUnit": "year"}
        line = line_of(after(*OPENING, ("subscription.payment.overdue", shown, LATEST)))
        assert line.period_end == at(MARCH + 365 * DAY)

    @pytest.mark.parametrize(
        "shown",
        [
            fs.subscription(paymentMethodAction="UPDATED", changed=LATER + DAY),
            fs.canceled(next=MARCH, deactivationDate=MARCH + 35 * DAY, changed=LATER + DAY),
        ],
        ids=["another card", "canceled"],
    )
    def test_whatever_changes_meanwhile_leaves_the_store_all_its_time(self, shown: Any) -> None:
        reach = line_of(after(*OPENING, self.FAILED)).period_end
        told = (*OPENING, self.FAILED, ("subscription.updated", shown, LATER + DAY))
        assert line_of(after(*told)).period_end == reach
        assert after(*told).state is State.PAST_DUE

    def test_a_charge_is_the_recovery(self) -> None:
        charge = fs.charge(timestamp=LATEST + DAY)
        subscription = after(
            *OPENING, self.FAILED, self.OVERDUE, ("subscription.charge.completed", charge, LATEST + DAY)
        )
        assert (subscription.state, subscription.past_due_since) == (State.ACTIVE, None)

    def test_a_charge_that_recovers_late_counts_though_its_period_is_over(self) -> None:
        paid = APRIL + 2 * DAY
        charge = fs.charge(timestamp=paid)
        assert after(*OPENING, self.OVERDUE, ("subscription.charge.completed", charge, paid)).state is State.ACTIVE

    def test_an_old_charge_sent_again_pays_no_younger_debt(self) -> None:
        overdue = ("subscription.payment.overdue", fs.overdue(1, next=APRIL), APRIL + 8 * DAY)
        again = (*RENEWED[:2], APRIL + 9 * DAY)
        assert after(*OPENING, RENEWED, overdue, again).state is State.PAST_DUE

    def test_an_old_order_sent_again_pays_no_younger_debt(self) -> None:
        assert after(*OPENING, self.OVERDUE, (*OPENING[1][:2], LATEST + DAY)).state is State.PAST_DUE

    def test_another_card_pays_nothing_yet(self) -> None:
        """The charge failed, and the state does not say so before the first notice."""
        card = ("subscription.updated", fs.subscription(paymentMethodAction="UPDATED"), LATER + DAY)
        assert after(*OPENING, self.FAILED, card).state is State.PAST_DUE

    def test_a_notice_sent_again_after_it_was_paid_changes_nothing(self) -> None:
        again = ("subscription.payment.overdue", fs.subscription(next=APRIL), LATEST + DAY)
        assert after(*OPENING, RENEWED, again).state is State.ACTIVE

    @pytest.mark.parametrize("by_now", ["active", "canceled"])
    @pytest.mark.parametrize("type_", ["subscription.charge.failed", "subscription.payment.overdue"])
    def test_a_failure_sent_again_after_it_was_paid_changes_nothing(self, type_: str, by_now: str) -> None:
        shown = fs.subscription(next=APRIL, state=by_now)
        data = fs.charge_failed(subscription=fs.embedded(next=APRIL, state=by_now)) if "charge" in type_ else shown
        failed = (*self.FAILED[:2], MARCH + DAY // 4)
        subscription = after(*OPENING, failed, RENEWED, (type_, data, LATEST + DAY))
        assert (subscription.state, line_of(subscription).period_end) == (State.ACTIVE, at(APRIL))

    def test_a_change_that_could_not_be_charged_leaves_what_is_paid(self) -> None:
        assert after(*OPENING, (*self.FAILED[:2], SOON)).state is State.ACTIVE

    def test_a_failure_told_again_while_it_is_owed_is_one_still(self) -> None:
        owed = fs.charge_failed(subscription=fs.embedded(state="overdue"))
        assert after(*OPENING, self.FAILED, ("subscription.charge.failed", owed, LATEST)).state is State.PAST_DUE

    @pytest.mark.parametrize("form", [lambda data: data, fs.unexpanded], ids=["expanded", "unexpanded"])
    def test_a_charge_told_twice_pays_once(self, form: Any) -> None:
        charge = ("subscription.charge.completed", form(fs.charge()))
        overdue = ("subscription.payment.overdue", fs.overdue(1, next=APRIL), APRIL + 8 * DAY)
        told = (*OPENING, (*charge, MARCH + DAY // 2), overdue, (*charge, APRIL + 9 * DAY))
        assert after(*told).state is State.PAST_DUE

    def test_a_charge_first_heard_of_long_after_shows_how_it_stands(self) -> None:
        charge = fs.charge(subscription=fs.embedded(next=APRIL, state="overdue"))
        subscription = after(("subscription.charge.completed", charge, APRIL + 9 * DAY))
        assert (subscription.state, line_of(subscription).period_start) == (State.PAST_DUE, at(APRIL))
        gone = fs.charge(subscription=fs.deactivated())
        assert after(("subscription.charge.completed", gone, APRIL + 9 * DAY)).state is State.TERMINATED

    def test_a_subscription_first_heard_of_overdue_is_past_due(self) -> None:
        assert after(self.OVERDUE).state is State.PAST_DUE
        assert after(("subscription.updated", fs.overdue(1), LATEST)).state is State.PAST_DUE

    def test_a_failed_charge_says_why_in_the_stores_words(self) -> None:
        assert only(*self.FAILED[:2], f.Noted, LATER).about == "declined: EXPIRED_CARD"

    def test_a_failed_charge_of_what_is_over_brings_nothing_back(self) -> None:
        gone = fs.charge_failed(subscription=fs.deactivated())
        assert after(*OPENING, ("subscription.charge.failed", gone, LATER)).state is State.TERMINATED

    def test_a_failed_charge_that_only_names_its_subscription(self) -> None:
        told = ("subscription.charge.failed", fs.unexpanded(fs.charge_failed()), LATER)
        assert after(*OPENING, told).state is State.PAST_DUE

    def test_a_payment_reminder_is_only_noted(self) -> None:
        before = after(*OPENING)
        reminded = after(*OPENING, ("subscription.payment.reminder", fs.subscription(), SOON))
        assert (reminded.state, reminded.lines, reminded.invoices) == (before.state, before.lines, before.invoices)
