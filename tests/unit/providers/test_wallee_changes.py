"""Given a change of the plan, or a debt, then what was paid counts as long as it reaches and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.licensing import License, entitle
from domain.policy import PastDueDays, Policy
from domain.timers import due_timers
from tests.payloads import wallee as w
from tests.payloads.wallee import BILL, CHARGE, FEBRUARY, IN, JANUARY, MARCH, Json
from tests.stories import rang

HOUR = timedelta(hours=1)
CHANGED = datetime(2026, 1, 10, tzinfo=UTC)
YEAR = w.bill(CHANGED, datetime(2027, 1, 10, tzinfo=UTC), BILL + 1)
TO_A_YEAR = [YEAR, w.bill(effectivePeriodEndDate=w.date(CHANGED))]
BILLS = [w.bill(FEBRUARY, MARCH, BILL + 1), w.bill(effectivePeriodEndDate=w.date(FEBRUARY))]


def held(page: Json, until: datetime = CHANGED, days: PastDueDays = 0) -> tuple[License, ...]:
    """After what was to ring by then has rung."""
    events = [w.read(page, asked=CHANGED + HOUR)]
    policy = Policy(past_due_days=days)
    while True:
        subscription = w.folded(*events).subscription
        due = [each for each in due_timers(IN, subscription, [policy]) if each.at <= until]
        if not due:
            return entitle(IN, subscription, policy).licenses
        events.append(rang(due[0], stream=IN))


class TestAMonthChangedForAYear:
    @pytest.mark.parametrize("state", ["FAILED", "PROCESSING", "SCHEDULED"])
    @pytest.mark.parametrize("days", [0, 7, "provider"])
    def test_the_month_counts_while_the_year_is_not_paid(self, state: str, days: PastDueDays) -> None:
        page = w.whole(charges=[w.charge(state, CHARGE + 1, CHANGED), w.charge()], periodBills=TO_A_YEAR)
        for each in held(page, MARCH, days):
            assert (each.enabled, each.begins, each.expiry) == (True, JANUARY, FEBRUARY)
            assert each.margin_hours < 20 * 24

    def test_the_year_counts_once_it_is_paid(self) -> None:
        page = w.whole(charges=[w.charge(number=CHARGE + 1, at=CHANGED), w.charge()], periodBills=TO_A_YEAR)
        assert {(each.enabled, each.expiry) for each in held(page)} == {(True, datetime(2027, 1, 10, tzinfo=UTC))}

    def test_a_year_that_was_changed_for_months_is_not_given_anew(self) -> None:
        bills = [
            w.bill(CHANGED, datetime(2026, 2, 10, tzinfo=UTC), BILL + 1),
            w.bill(JANUARY, datetime(2027, 1, 1, tzinfo=UTC), effectivePeriodEndDate=w.date(CHANGED)),
        ]
        page = w.whole(charges=[w.charge("FAILED", CHARGE + 1, CHANGED), w.charge()], periodBills=bills)
        assert {each.expiry for each in held(page)} == {CHANGED}


class TestACheaperPlan:
    def test_what_went_back_for_it_locks_nobody_out(self) -> None:
        soon = JANUARY + 3 * HOUR
        cheap = w.charge(number=CHARGE + 1, at=soon, paid_by={"completedAmount": 25.0, "authorizationAmount": 25.0})
        back = w.charge(paid_by={"refundedAmount": 30.0})
        bills = [w.bill(soon, FEBRUARY, BILL + 1), w.bill(effectivePeriodEndDate=w.date(soon))]
        page = w.whole(charges=[cheap, back], periodBills=bills)
        assert {(each.enabled, each.expiry) for each in held(page)} == {(True, FEBRUARY)}


class TestABillWithoutACharge:
    @pytest.mark.parametrize("state", ["FAILED", "PROCESSING"])
    def test_it_is_not_paid_while_an_earlier_one_is_owed(self, state: str) -> None:
        bills = [w.bill(MARCH, datetime(2026, 4, 1, tzinfo=UTC), BILL + 2), *BILLS]
        page = w.whole(charges=[w.charge(state, CHARGE + 1, FEBRUARY), w.charge()], periodBills=bills)
        assert {each.expiry for each in held(page)} == {FEBRUARY}
        if state == "FAILED":
            assert {each.enabled for each in held(page, MARCH)} == {False}

    def test_it_is_paid_once_nothing_is_owed(self) -> None:
        later = w.charge(number=CHARGE + 2, at=datetime(2026, 2, 20, tzinfo=UTC))
        bills = [w.bill(MARCH, datetime(2026, 4, 1, tzinfo=UTC), BILL + 2), *BILLS]
        page = w.whole(charges=[later, w.charge("FAILED", CHARGE + 1, FEBRUARY), w.charge()], periodBills=bills)
        assert {each.expiry for each in held(page)} == {datetime(2026, 4, 1, tzinfo=UTC)}
