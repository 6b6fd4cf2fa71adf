"""Given what is read of a subscription whole, then how it stands, what is paid and what is licensed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import facts as f
from domain.history import Fold
from domain.licensing import License, entitle
from domain.policy import Policy
from domain.providers import Untranslatable
from domain.timers import due_timers
from tests.payloads import wallee as w
from tests.payloads.wallee import BILL, CHARGE, FEBRUARY, IN, JANUARY, MARCH, MID_FEBRUARY, Json

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RENEWAL = CHARGE + 1
BILLS = [w.bill(FEBRUARY, MARCH, BILL + 1), w.bill(effectivePeriodEndDate=w.date(FEBRUARY), state="BILLED")]
UPDATED = w.charge(number=RENEWAL, at=FEBRUARY)


def after(*pages: Json) -> Fold:
    return w.folded(*(w.read(page, asked=MARCH + number * HOUR) for number, page in enumerate(pages)))


def licenses(page: Json, **policy: Any) -> tuple[License, ...]:
    return entitle(IN, after(page).subscription, Policy(**policy)).licenses


def problems(page: Json) -> tuple[str, ...]:
    return entitle(IN, after(page).subscription, Policy()).problems


def renewed(*charges: Json, state: str = "ACTIVE", **more: Any) -> Json:
    """In its second month: January is paid, and these charges were made for February."""
    return w.whole(w.subscription(state), charges=[*charges, w.charge()], periodBills=BILLS, **more)


def only(page: Json, kind: type[f.Fact]) -> Any:
    [fact] = [fact for fact in w.facts_of(page) if isinstance(fact, kind)]
    return fact


def expiry(page: Json) -> datetime | None:
    [end] = {each.expiry for each in licenses(page)}
    return end


class TestStates:
    @pytest.mark.parametrize(
        ("state", "ours"),
        [
            ("PENDING", "pending"),
            ("INITIALIZING", "pending"),
            ("ACTIVE", "active"),
            ("SUSPENDED", "suspended"),
            ("TERMINATION_SCHEDULED", "active"),
            ("TERMINATING", "terminated"),
            ("TERMINATED", "terminated"),
            ("FAILED", "terminated"),
        ],
    )
    def test_each_has_its_meaning(self, state: str, ours: str) -> None:
        page = w.whole(w.subscription(state, plannedTerminationDate=w.date(MARCH)))
        assert after(page).subscription.state.value == ours
        assert bool([each for each in licenses(page) if each.enabled]) is (ours == "active")

    def test_one_that_is_not_known_stops_the_stream(self) -> None:
        with pytest.raises(Untranslatable, match=r"subscription\.state"):
            w.facts_of(w.whole(w.subscription("ASLEEP")))

    def test_a_planned_end_stands_on_the_timeline_and_changes_no_license(self) -> None:
        page = w.whole(w.subscription("TERMINATION_SCHEDULED", plannedTerminationDate=w.date(MARCH)))
        assert f.CancellationScheduled(at=MARCH) in w.facts_of(page)
        assert [each.expiry for each in licenses(page)] == [each.expiry for each in licenses(w.whole())]
        nameless = w.whole(w.subscription("TERMINATION_SCHEDULED"))
        assert f.Noted(about="will end on a day that wallee does not name") in w.facts_of(nameless)
        assert f.CancellationWithdrawn() in w.facts_of(w.whole())

    def test_terminating_is_over_although_a_paid_period_is_open(self) -> None:
        page = w.whole(w.subscription("TERMINATING"))
        assert {each.enabled for each in licenses(page)} == {False}
        assert expiry(page) == FEBRUARY

    def test_a_pause_is_one_if_it_is_not_to_end_the_subscription(self) -> None:
        paused = renewed(UPDATED, state="SUSPENDED", suspensions=[w.suspension()])
        assert only(paused, f.SubscriptionSuspended) == f.SubscriptionSuspended(reason="paused", since=MID_FEBRUARY)
        assert all(each.enabled for each in licenses(paused, on_pause="keep"))
        ending = renewed(
            UPDATED,
            state="SUSPENDED",
            suspensions=[w.suspension(endAction="TERMINATE", plannedEndDate=w.date(MARCH))],
        )
        assert only(ending, f.SubscriptionSuspended).reason == "manual"
        assert only(ending, f.CancellationScheduled).at == MARCH
        assert not any(each.enabled for each in licenses(ending, on_pause="keep"))

    def test_a_suspension_with_a_day_on_which_it_goes_on_says_so(self) -> None:
        back = w.suspension(endAction="REACTIVATE", plannedEndDate=w.date(MARCH))
        page = renewed(UPDATED, state="SUSPENDED", suspensions=[back])
        assert f.Noted(about="suspended until 2026-03-01") in w.facts_of(page)

    @pytest.mark.parametrize(
        ("reason", "ours"),
        [("FAILED_CHARGE", "failed charge"), ("SUBSCRIBER_INITIATED_REFUND", "subscriber initiated refund")],
    )
    def test_other_suspensions_keep_their_reason(self, reason: str, ours: str) -> None:
        page = renewed(w.charge("FAILED", RENEWAL, FEBRUARY), state="SUSPENDED", suspensions=[w.suspension(reason)])
        assert only(page, f.SubscriptionSuspended).reason == ours
        assert not any(each.enabled for each in licenses(page, on_pause="keep"))

    def test_a_suspension_that_the_search_does_not_find_yet_is_one_all_the_same(self) -> None:
        assert only(w.whole(w.subscription("SUSPENDED")), f.SubscriptionSuspended).reason == "suspended"


class TestPaid:
    def test_a_successful_charge_pays_the_bill_in_which_it_falls(self) -> None:
        paid = only(renewed(UPDATED), f.PaymentsDescribed)
        assert {each.invoice: each.periods[0].end for each in paid.paid} == {
            f"charge:{CHARGE}": FEBRUARY,
            f"charge:{RENEWAL}": MARCH,
        }
        assert {(each.amount, each.currency) for each in paid.paid} == {(3000, "CHF")}
        assert expiry(renewed(UPDATED)) == MARCH

    @pytest.mark.parametrize("hours", [-20, 0, 3, 200])
    def test_a_charge_shortly_before_a_period_is_for_that_one(self, hours: int) -> None:
        page = renewed(w.charge(number=RENEWAL, at=FEBRUARY + hours * HOUR))
        assert expiry(page) == MARCH

    @pytest.mark.parametrize("state", ["AUTHORIZED", "COMPLETED", "PROCESSING", "CONFIRMED"])
    def test_a_charge_whose_transaction_is_not_fulfilled_pays_nothing_yet(self, state: str) -> None:
        page = renewed(w.charge("SUCCESSFUL", RENEWAL, FEBRUARY, paid_by={"state": state}))
        assert expiry(page) == FEBRUARY
        assert only(page, f.SubscriptionActivated)

    def test_where_the_transaction_is_only_named_the_charge_counts(self) -> None:
        page = renewed(w.charge(number=RENEWAL, at=FEBRUARY, transaction={"id": 5}))
        assert expiry(page) == MARCH

    def test_one_that_is_under_way_or_planned_has_not_paid(self) -> None:
        for state in ("PROCESSING", "SCHEDULED"):
            assert expiry(renewed(w.charge(state, RENEWAL, FEBRUARY))) == FEBRUARY

    def test_one_that_is_planned_for_the_next_period_is_no_debt_of_this_one(self) -> None:
        free = w.whole(charges=[w.charge("SCHEDULED", at=FEBRUARY)])
        assert expiry(free) == FEBRUARY

    def test_a_period_for_which_nothing_is_charged_is_paid(self) -> None:
        page = renewed()
        bill = only(page, f.PaymentsDescribed).paid[-1]
        assert (bill.invoice, bill.amount, expiry(page)) == (f"period:{BILL + 1}", 0, MARCH)

    def test_before_it_began_nothing_is_paid(self) -> None:
        for state in ("PENDING", "INITIALIZING"):
            page = w.whole(w.subscription(state, activatedOn=None), charges=[w.charge("PROCESSING")])
            assert only(page, f.PaymentsDescribed).paid == ()
            assert licenses(page) == ()

    def test_an_initial_payment_that_took_days_pays_the_first_period(self) -> None:
        page = w.whole(periodBills=[w.bill(JANUARY + 5 * DAY, FEBRUARY)], charges=[w.charge(at=JANUARY)])
        assert only(page, f.PaymentsDescribed).paid[0].invoice == f"charge:{CHARGE}"

    def test_a_change_amid_a_period_neither_ends_it_nor_begins_another(self) -> None:
        changed = JANUARY + 9 * DAY
        bills = [w.bill(changed, FEBRUARY, BILL + 1), w.bill(effectivePeriodEndDate=w.date(changed))]
        for state in ("SUCCESSFUL", "FAILED"):
            page = w.whole(periodBills=bills, charges=[w.charge(state, RENEWAL, changed), w.charge()])
            [first] = {each.begins for each in licenses(page)}
            assert (first, expiry(page)) == (JANUARY, FEBRUARY)

    def test_its_money_back_disables_and_a_part_of_it_does_not(self) -> None:
        part = renewed(w.charge(number=RENEWAL, at=FEBRUARY, paid_by={"refundedAmount": 12.5}))
        assert all(each.enabled for each in licenses(part))
        assert not any(each.enabled for each in licenses(part, on_partial_refund="disable"))
        full = renewed(w.charge(number=RENEWAL, at=FEBRUARY, paid_by={"refundedAmount": 30.0}))
        assert not any(each.enabled for each in licenses(full))
        assert all(each.enabled for each in licenses(full, on_refund="keep"))

    def test_the_money_of_an_earlier_period_takes_nothing_away(self) -> None:
        page = w.whole(charges=[UPDATED, w.charge(paid_by={"refundedAmount": 30.0})], periodBills=BILLS)
        assert all(each.enabled for each in licenses(page))

    def test_what_was_charged_again_after_it_went_back_counts(self) -> None:
        back = w.charge(number=RENEWAL, at=FEBRUARY, paid_by={"refundedAmount": 30.0})
        assert all(each.enabled for each in licenses(renewed(w.charge(number=RENEWAL + 1, at=MID_FEBRUARY), back)))

    def test_payments_lead_to_their_streams(self) -> None:
        links = only(renewed(UPDATED), f.StreamsLinked)
        assert links.streams == (f"transaction/{CHARGE + 1000}", f"transaction/{RENEWAL + 1000}")


FAILED = w.charge("FAILED", RENEWAL, FEBRUARY)
ASKED = w.charge("PROCESSING", RENEWAL, FEBRUARY)


class TestPastDue:
    @pytest.mark.parametrize(
        "page",
        [
            renewed(FAILED),
            renewed(FAILED, state="TERMINATION_SCHEDULED"),
            renewed(ASKED, levels=[w.level(of=RENEWAL + 1000)]),
            renewed(w.charge("PROCESSING", RENEWAL, FEBRUARY, paid_by={"state": "FAILED"})),
            renewed(w.charge("SUCCESSFUL", RENEWAL, FEBRUARY, paid_by={"state": "DECLINE"})),
        ],
    )
    def test_it_is_while_wallee_calls_it_active_and_a_charge_has_failed(self, page: Json) -> None:
        assert only(page, f.PaymentFellOverdue).since == FEBRUARY
        assert expiry(page) == FEBRUARY
        assert all(each.enabled for each in licenses(page))

    def test_it_is_not_before_anything_failed_or_once_it_is_discarded_or_paid(self) -> None:
        again = w.charge(number=RENEWAL + 1, at=MID_FEBRUARY)
        discarded = w.charge("DISCARDED", RENEWAL, FEBRUARY)
        for page in (renewed(ASKED, levels=[w.level("PENDING")]), renewed(discarded), renewed(again, FAILED)):
            assert only(page, f.SubscriptionActivated)
        assert expiry(renewed(again, FAILED)) == MARCH

    def test_another_attempt_that_is_under_way_does_not_make_it_well(self) -> None:
        again = w.charge("PROCESSING", RENEWAL + 1, MID_FEBRUARY)
        assert only(renewed(again, FAILED), f.PaymentFellOverdue).since == FEBRUARY

    def test_the_day_stays_the_same_while_the_customer_is_asked_and_when_the_charge_has_failed(self) -> None:
        late = w.charge("FAILED", RENEWAL, FEBRUARY, failedOn=w.date(MID_FEBRUARY))
        assert only(renewed(late), f.PaymentFellOverdue).since == FEBRUARY

    def test_what_was_to_be_paid_shortly_before_the_period_is_owed_from_its_beginning(self) -> None:
        early = w.charge("FAILED", RENEWAL, FEBRUARY - 5 * HOUR)
        assert only(renewed(early), f.PaymentFellOverdue).since == FEBRUARY

    def test_a_declined_change_amid_a_paid_period_takes_nothing_away_until_something_else_is_owed(self) -> None:
        change = w.charge("FAILED", RENEWAL, JANUARY + 9 * DAY)
        amid = w.whole(charges=[change, w.charge()])
        assert only(amid, f.PaymentFellOverdue).since == JANUARY + 9 * DAY
        assert due_timers(IN, after(amid).subscription, [Policy(past_due_days=3)]) == ()
        renewal = w.charge("FAILED", RENEWAL + 1, FEBRUARY)
        assert only(renewed(renewal, change), f.PaymentFellOverdue).since == FEBRUARY

    def test_what_had_failed_before_the_vendor_brought_it_back_is_claimed_no_more(self) -> None:
        ended = w.suspension("FAILED_CHARGE", "ENDED", effectiveEndDate=w.date(MID_FEBRUARY + DAY))
        page = renewed(FAILED, suspensions=[ended])
        assert only(page, f.SubscriptionActivated).since == MID_FEBRUARY + DAY
        assert expiry(page) == MARCH

    def test_the_days_of_the_policy_count_from_when_it_was_due(self) -> None:
        [timer] = due_timers(IN, after(renewed(FAILED)).subscription, [Policy(past_due_days=40)])
        assert timer.at == FEBRUARY + 40 * DAY


class TestLines:
    def test_the_product_has_as_many_units_as_the_component_that_counts_them(self) -> None:
        held = licenses(w.whole())
        assert [(each.line, each.unit, each.product_code, each.max_activations) for each in held] == [
            ("subscription", 1, "falcon", 3),
            ("subscription", 2, "falcon", 3),
        ]
        assert {each.customer.email for each in held} == {"ada@example.com"}
        assert {each.customer.company for each in held} == {"Marlow Ltd"}

    def test_without_one_that_counts_them_it_is_one(self) -> None:
        assert len(licenses(w.whole(w.subscription(comment="product_short_code = falcon"), versions=[]))) == 1

    def test_a_part_of_a_unit_is_licensed_as_a_whole_one(self) -> None:
        page = w.whole(versions=[w.version(chosen={str(w.COMPONENT): 2.25})])
        assert len(licenses(page)) == 3

    def test_components_with_attributes_of_their_own_are_lines_of_their_own(self) -> None:
        comment = "product_short_code = falcon\nexport.feature_code = exp\nseat.product_short_code = seat\nother.x = y"
        page = w.whole(
            w.subscription(comment=comment),
            versions=[w.version(chosen={"311": 2, "312": 1, "313": 4})],
            components=[w.component(), w.component(312, "export"), w.component(313, "plain")],
        )
        held = licenses(page)
        assert [(each.line, each.product_code, each.features) for each in held] == [
            ("component/seat", "seat", ("exp",)),
            ("component/seat", "seat", ("exp",)),
            ("subscription", "falcon", ("exp",)),
        ]
        assert {(each.expiry, each.begins) for each in held} == {(FEBRUARY, JANUARY)}

    def test_the_version_that_counts_now_says_how_many(self) -> None:
        versions = [
            w.version("PENDING", 7109, chosen={"311": 9}),
            w.version("ACTIVE", 7102, chosen={"311": 1}),
            w.version("TERMINATED", 7101, chosen={"311": 5}),
        ]
        assert len(licenses(w.whole(versions=versions))) == 1

    def test_a_product_that_is_only_named_keeps_what_was_known_of_it(self) -> None:
        named = w.whole(w.subscription(currentProductVersion={"id": w.PRODUCT_VERSION}, version=4))
        assert len(entitle(IN, after(w.whole(), named).subscription, Policy()).licenses) == 2

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("max_activations = many", "max_activations of product falcon-monthly is 'many'; allowed: a whole number"),
            ("license_type = forever", "allowed: one of perpetual"),
        ],
    )
    def test_a_slip_is_a_problem_that_says_what_is_allowed(self, line: str, said: str) -> None:
        page = w.whole(w.subscription(comment=f"product_short_code = falcon\n{line}"))
        assert licenses(page) == ()
        [problem] = problems(page)
        assert said in problem

    def test_a_misspelt_code_is_a_problem_too(self) -> None:
        [problem] = problems(w.whole(w.subscription(comment="shortcode = falcon")))
        assert "was short_code meant by shortcode?" in problem

    def test_a_slip_in_the_comment_of_what_is_sold_locks_nobody_out(self) -> None:
        slip = w.whole(w.subscription(version=4, comment=f"{w.COMMENT}max_activations = x"))
        entitlement = entitle(IN, after(w.whole(), slip).subscription, Policy())
        assert [each.enabled for each in entitlement.licenses] == [True, True]
        assert entitlement.problems


class TestTests:
    PREVIEW, LIVE, UNTOLD = ({"environment": "PREVIEW"}, {"environment": "LIVE"}, {"environment": None})

    def paid(self, *environments: Json) -> Json:
        charges = [
            w.charge(number=CHARGE + place, at=at, transaction=w.transaction(number=CHARGE + 1000 + place, **told))
            for place, (at, told) in enumerate(zip((JANUARY, FEBRUARY), environments, strict=False))
        ]
        return w.whole(w.subscription(), charges=charges, periodBills=BILLS)

    def test_is_one_that_was_only_paid_as_tests(self) -> None:
        assert after(self.paid(self.PREVIEW, self.PREVIEW)).subscription.test is True

    @pytest.mark.parametrize("other", [LIVE, UNTOLD])
    def test_is_none_once_a_payment_was_for_real_or_does_not_say(self, other: Json) -> None:
        assert after(self.paid(self.PREVIEW, other)).subscription.test is False
        assert after(self.paid(other, self.PREVIEW)).subscription.test is False

    def test_nothing_tells_while_nothing_is_to_be_paid(self) -> None:
        assert after(self.paid()).subscription.test is None
