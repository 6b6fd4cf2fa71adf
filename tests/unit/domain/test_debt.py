"""What is owed: what is paid beyond the day it fell past due stays, and only the payment that failed then counts."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.policy import PastDueDays, Policy, ProductPolicy
from tests.stories import (
    APRIL,
    FEBRUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    Story,
    because,
    described,
    happened,
    line,
    paid,
    paying,
    period,
)

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
WEEK_OVER = FEBRUARY + 7 * DAY
OVERDUE = f.PaymentFellOverdue()


def owing(*more: f.Fact, days: PastDueDays = 7) -> Story:
    """January is paid, February is due and is not."""
    return paying(described(line(start=FEBRUARY, end=MARCH)), OVERDUE, *more, at=FEBRUARY, past_due_days=days)


def failed(invoice: str = "in_2", *, final: bool = False) -> f.PaymentFailed:
    return f.PaymentFailed(invoice=invoice, attempt=1, final=final)


def paid_after(delay: timedelta, *periods: f.PaidPeriod) -> Story:
    """A week later grace ended; the payment is told after that, without a word on how the subscription stands."""
    payment = happened(FEBRUARY + delay, paid("in_2", *periods), named="paid-late")
    return owing().at(WEEK_OVER).when(payment)


# --- what is paid -------------------------------------------------------------------------------------------


def test_what_tenure_suspended_is_back_at_once_when_it_is_paid_without_a_word_of_the_provider() -> None:
    story = paid_after(9 * DAY, period(FEBRUARY, MARCH))
    assert (story.subscription.state, story.license().enabled, story.anomalies) == (State.ACTIVE, True, [])
    assert story.subscription.state_since is not None
    assert (story.subscription.state_since.event_id, story.timers) == ("paid-late", ())
    assert story.license().expiry == MARCH


def test_a_payment_for_what_is_over_brings_nothing_back() -> None:
    story = paid_after(9 * DAY, period(FEBRUARY - 31 * DAY, FEBRUARY))
    assert (story.subscription.state, story.license().enabled) == (State.SUSPENDED, False)


def test_what_the_provider_suspended_itself_is_not_brought_back_by_a_payment() -> None:
    story = paying(f.SubscriptionSuspended(reason="unpaid"), at=FEBRUARY).when(PAID_FEBRUARY)
    assert story.subscription.state is State.SUSPENDED


def test_who_paid_is_not_disabled_although_the_provider_does_not_say_that_all_is_well() -> None:
    story = owing().when(happened(FEBRUARY + DAY, paid("in_2", period(FEBRUARY, MARCH))))
    assert (story.subscription.state, story.timers) == (State.PAST_DUE, ())
    assert story.at(APRIL).license().enabled


def test_an_end_of_grace_that_rang_before_the_payment_was_heard_of_counts_for_nothing() -> None:
    story = paid_after(2 * DAY, period(FEBRUARY, MARCH))
    assert (story.subscription.state, story.license().enabled) == (State.PAST_DUE, True)
    assert story.anomalies == ["grace ended makes no sense: what is paid reaches beyond the day it fell past due"]


def test_a_declined_upgrade_amid_a_paid_period_disables_nothing() -> None:
    story = paying(OVERDUE, at=MID_JANUARY, past_due_days=7)
    assert story.timers == ()
    assert story.at(APRIL).license().enabled


def test_after_a_declined_upgrade_the_next_period_is_owed_from_when_it_is_told_overdue() -> None:
    story = paying(OVERDUE, at=MID_JANUARY, past_due_days=7).when(happened(FEBRUARY + HOUR, OVERDUE, named="again"))
    assert [timer.at for timer in story.timers] == [WEEK_OVER + HOUR]
    over = story.at(APRIL)
    assert (over.subscription.state, over.license().enabled) == (State.SUSPENDED, False)


def test_a_year_that_a_proration_pays_is_paid() -> None:
    changed = paid("in_2", f.PaidPeriod(line="si_1", start=MID_JANUARY, end=APRIL, proration=True))
    story = paying(changed, past_due_days=7).when(happened(FEBRUARY, OVERDUE))
    assert (story.timers, story.license().enabled) == ((), True)


def test_what_is_billed_in_arrears_is_paid_when_what_was_used_is() -> None:
    used = line(start=FEBRUARY, end=MARCH, in_arrears=True)
    story = paying(described(used), OVERDUE, at=FEBRUARY + HOUR, past_due_days=7)
    assert story.timers == ()
    unpaid = described(line(start=MARCH, end=APRIL, in_arrears=True))
    assert [timer.at for timer in story.when(happened(MARCH, unpaid, OVERDUE)).timers] == [MARCH + 7 * DAY]


PRO = {"product_short_code": "PRO"}


def two(*later: f.Fact) -> Story:
    """A month of APP and a quarter of PRO; on the first of February the month is due."""
    both = described(line(start=FEBRUARY, end=MARCH), line("si_2", attributes=PRO, price="price_pro"))
    quarter = paid("in_q", period(MID_JANUARY, APRIL, "si_2"))
    return paying(quarter, past_due_days=7).when(happened(FEBRUARY, both, OVERDUE, *later, named="due"))


def test_a_line_that_is_paid_further_keeps_what_the_other_one_loses() -> None:
    assert len(two().timers) == 1
    over = two().at(WEEK_OVER)
    assert over.subscription.state is State.PAST_DUE
    assert {each.product_code: each.enabled for each in over.licenses} == {"APP": False, "PRO": True}
    enabled = next(each for each in over.licenses if each.enabled)
    assert because(enabled, "enabled")[0] in {"the subscription is past_due", "paid beyond the day it fell past due"}


def test_an_end_that_was_the_last_when_it_rang_is_not_when_a_line_turns_out_to_be_paid() -> None:
    both = described(line(start=FEBRUARY, end=MARCH), line("si_2", attributes=PRO, price="price_pro"))
    due = paying(past_due_days=7).when(happened(FEBRUARY, both, OVERDUE, named="due"))
    rang = due.at(WEEK_OVER)
    assert rang.subscription.state is State.SUSPENDED
    told = rang.when(happened(FEBRUARY + DAY, paid("in_q", period(FEBRUARY, APRIL, "si_2"))))
    assert told.subscription.state is State.PAST_DUE
    assert {each.product_code: each.enabled for each in told.licenses} == {"APP": False, "PRO": True}
    both_paid = told.when(happened(WEEK_OVER + DAY, paid("in_2", period(FEBRUARY, MARCH))))
    assert all(each.enabled for each in both_paid.licenses)


# --- who gave up --------------------------------------------------------------------------------------------


def test_another_invoice_that_failed_for_good_ends_no_grace() -> None:
    story = owing(failed("in_2"), days="provider").when(happened(FEBRUARY + DAY, failed("in_other", final=True)))
    assert (story.subscription.gave_up, story.timers) == (None, ())
    gave_up = story.when(happened(MARCH, failed("in_2", final=True)))
    assert [timer.at for timer in gave_up.timers] == [MARCH + 48 * HOUR]


def test_an_invoice_that_failed_for_good_while_all_was_well_is_forgotten_at_the_next_debt() -> None:
    story = paying(failed("in_other", final=True), past_due_days="provider").when(happened(FEBRUARY, OVERDUE))
    assert (story.subscription.gave_up, story.timers) == (None, ())


@pytest.mark.parametrize("before", [timedelta(0), SECOND, -SECOND], ids=["together", "before", "after"])
def test_a_failure_for_good_counts_when_it_is_told_about_when_it_fell_past_due(before: timedelta) -> None:
    story = paying(OVERDUE, at=FEBRUARY, past_due_days="provider").when(
        happened(FEBRUARY - before, failed(final=True), named="a-failure")
    )
    assert [timer.at for timer in story.timers] == [FEBRUARY - before + 48 * HOUR]


def test_a_failure_without_a_name_is_one_of_what_is_past_due() -> None:
    for first, then in (("", "in_2"), ("in_2", "")):
        story = owing(failed(first), days="provider").when(happened(MARCH, failed(then, final=True)))
        assert len(story.timers) == 1


def test_a_payment_of_what_failed_takes_back_that_the_provider_gave_up() -> None:
    story = owing(failed(final=True), days="provider").when(happened(FEBRUARY + DAY, paid("in_2")))
    assert (story.subscription.failed, story.timers) == (None, ())


def test_an_end_of_grace_counts_for_nothing_when_the_provider_tried_again_meanwhile() -> None:
    over = owing(failed(final=True), days="provider").at(FEBRUARY + 2 * DAY)
    assert not over.license().enabled
    again = over.when(happened(FEBRUARY + DAY, failed()))
    assert again.license().enabled
    assert again.anomalies == ["grace ended makes no sense: the provider had not given up"]


def test_what_the_provider_suspends_itself_forgets_that_it_gave_up() -> None:
    story = owing(failed(final=True), f.SubscriptionSuspended(reason="unpaid"), days="provider")
    assert (story.subscription.gave_up, story.subscription.past_due_since) == (None, None)


def test_who_gave_up_at_once_without_any_margin_ends_grace_right_after_and_not_at_that_instant() -> None:
    story = paying(OVERDUE, failed(final=True), at=FEBRUARY, past_due_days="provider", renewal_margin_hours=0)
    assert [timer.at - FEBRUARY for timer in story.timers] == [timedelta(microseconds=1)]


@pytest.mark.parametrize("hours", [(72, 24), (24, 72)])
def test_of_several_lines_the_longest_margin_counts_after_the_provider_gave_up(hours: tuple[int, int]) -> None:
    lines = [
        line(name, start=FEBRUARY, end=MARCH, attributes={"product_short_code": code}, price=name)
        for name, code in (("si_1", "APP"), ("si_2", "PRO"))
    ]
    margins = {
        code: ProductPolicy(renewal_margin_hours=margin) for code, margin in zip(("APP", "PRO"), hours, strict=True)
    }
    story = owing(failed(final=True), described(*lines), days="provider").under(Policy(products=margins))
    assert [timer.at - FEBRUARY for timer in story.timers] == [72 * HOUR]
