"""Until when a license works by itself: the expiry, and the margin beyond it."""

from datetime import datetime, timedelta

import pytest

from domain import facts as f
from domain.licensing import License
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    SUBSCRIBED,
    activated,
    because,
    described,
    given,
    happened,
    line,
    linked,
    paid,
    paying,
    period,
    refunded,
    utc,
)

MARGIN = timedelta(hours=48)


def until(granted: License) -> datetime:
    """How long it works by itself."""
    assert granted.expiry is not None
    return granted.expiry + timedelta(hours=granted.margin_hours)


# --- expiry -------------------------------------------------------------------------------------------------


def test_the_expiry_is_what_the_latest_invoice_paid_through() -> None:
    assert paying().license().expiry == FEBRUARY
    renewed = paying().when(PAID_FEBRUARY).license()
    assert renewed.expiry == MARCH
    assert because(renewed, "expiry") == ("paid through by invoice in_2", "paid-february")


def test_the_current_period_is_not_paid_because_the_provider_says_that_it_began() -> None:
    assert paying(described(line(start=FEBRUARY, end=MARCH)), at=FEBRUARY).license().expiry == FEBRUARY


def test_before_the_first_invoice_the_expiry_is_the_start_of_the_current_period() -> None:
    granted = given(SUBSCRIBED).license()
    assert granted.expiry == JANUARY
    assert because(granted, "expiry") == ("no invoice is paid yet: the start of the current period", "created")


def test_a_subscription_first_seen_amid_a_period_is_paid_through_as_the_provider_says() -> None:
    """Its invoice was paid before Tenure listened, and nobody may be locked out for that."""
    seen = happened(MID_JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated(), named="seen")
    granted = given(seen).license()
    assert granted.expiry == FEBRUARY
    assert because(granted, "expiry") == ("first seen amid this period, in good standing: its end", "seen")


def test_amid_a_period_means_however_soon_after_its_start_and_whatever_another_line_paid() -> None:
    year = utc(2027, 1, 1)
    base = line(start=JANUARY, end=year)
    seen = happened(JANUARY + timedelta(hours=30), described(base), activated())
    add_on = paid("in_9", period(MID_JANUARY, FEBRUARY, "si_2"))
    added = happened(MID_JANUARY, described(base, line("si_2", start=MID_JANUARY, end=FEBRUARY)), add_on)
    assert given(seen).license().expiry == year
    assert {each.line: each.expiry for each in given(seen, added).licenses} == {"si_1": year, "si_2": FEBRUARY}


def test_what_is_billed_in_arrears_works_through_the_period_that_is_being_used() -> None:
    metered = described(line(start=FEBRUARY, end=MARCH, in_arrears=True))
    granted = paying(metered, at=FEBRUARY).license()
    assert granted.expiry == FEBRUARY
    assert until(granted) == MARCH + MARGIN


def test_its_next_period_counts_from_a_paid_invoice_like_any_other() -> None:
    seen = happened(MID_JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated())
    turned = happened(FEBRUARY, described(line(start=FEBRUARY, end=MARCH)), activated())
    assert given(seen, turned).license().expiry == FEBRUARY
    assert given(seen, turned, PAID_FEBRUARY).license().expiry == MARCH


def test_while_billing_is_paused_a_license_works_as_long_as_the_provider_counts_it_as_active() -> None:
    paused = happened(FEBRUARY, described(line(start=FEBRUARY, end=MARCH)), f.CollectionPaused(behavior="void"))
    assert until(paying().when(paused).license()) == MARCH + MARGIN
    resumed = happened(FEBRUARY + timedelta(days=9), f.CollectionResumed())
    assert until(paying().when(paused, resumed).license()) == FEBRUARY + MARGIN


def test_a_proration_that_reaches_no_further_than_its_period_extends_nothing() -> None:
    more_seats = period(MID_JANUARY, FEBRUARY, proration=True)
    assert paying(paid("in_1b", more_seats)).license().expiry == FEBRUARY


def test_a_credit_for_the_rest_of_a_year_that_was_left_for_a_month_extends_nothing() -> None:
    year = utc(2027, 1, 1)
    swap = paid("in_2", period(JANUARY, year, proration=True), period(JANUARY, FEBRUARY))
    assert paying(swap).license().expiry == FEBRUARY


def test_a_later_proration_that_reaches_further_pays_through_its_end_until_it_is_refunded() -> None:
    longer = (paid("in_1b", period(MID_JANUARY, APRIL, proration=True)), linked("pi_1b", "in_1b"))
    assert because(paying(*longer).license(), "expiry") == ("paid through by invoice in_1b", "later")
    assert paying(*longer).license().expiry == APRIL
    assert paying(*longer, refunded("pi_1b", 1000)).license().expiry == FEBRUARY
    assert paying(*longer, refunded("pi_1b", 1000)).license().enabled


def test_a_line_that_was_added_is_paid_through_as_its_proration_says() -> None:
    year = utc(2027, 1, 1)
    first = happened(
        JANUARY, described(line(start=JANUARY, end=year)), activated(), paid("in_1", period(JANUARY, year))
    )
    proration = paid("in_1b", period(MID_JANUARY, FEBRUARY, "si_2", proration=True))
    added = happened(MID_JANUARY, described(line(), line("si_2")), proration)
    assert {each.line: each.expiry for each in given(first, added).licenses} == {"si_1": year, "si_2": FEBRUARY}


def test_a_line_that_was_added_and_is_billed_later_is_paid_through_as_the_others_are() -> None:
    assert [each.expiry for each in paying(described(line(), line("si_2"))).licenses] == [FEBRUARY, FEBRUARY]


def test_lines_of_different_intervals_end_on_their_own_days() -> None:
    year = utc(2027, 1, 1)
    both = happened(JANUARY, described(line("month"), line("year")), activated())
    bill = happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY, "month"), period(JANUARY, year, "year")))
    assert {each.line: each.expiry for each in given(both, bill).licenses} == {"month": FEBRUARY, "year": year}


def test_a_change_from_year_to_month_counts_the_period_that_began_last() -> None:
    year = happened(JANUARY, described(line()), activated(), paid("in_1", period(JANUARY, utc(2027, 1, 1))))
    swapped = happened(MARCH, paid("in_2", period(MARCH, utc(2027, 1, 1), proration=True), period(MARCH, APRIL)))
    assert given(year, swapped).license().expiry == APRIL


def test_an_earlier_period_that_is_paid_late_does_not_shorten() -> None:
    assert (
        given(SUBSCRIBED, PAID_FEBRUARY, happened(MARCH, paid("in_1", period(JANUARY, FEBRUARY)))).license().expiry
        == MARCH
    )


def test_a_trial_expires_with_the_trial_and_says_so() -> None:
    story = given(happened(JANUARY, described(line()), f.TrialStarted(until=FEBRUARY), named="trial"))
    granted = story.license()
    assert (granted.trial, granted.expiry) == (True, FEBRUARY)
    assert because(granted, "expiry") == ("the end of the trial", "trial")
    assert story.when(happened(FEBRUARY, activated())).license().trial is False


# --- margin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 48, 96])
def test_the_margin_is_policy(hours: int) -> None:
    granted = paying(renewal_margin_hours=hours).license()
    assert granted.margin_hours == hours
    assert because(granted, "margin_hours") == ("policy renewal_margin_hours", "")


def test_past_due_works_as_long_as_the_provider_may_collect_the_period() -> None:
    overdue = (described(line(start=FEBRUARY, end=MARCH)), f.PaymentFellOverdue())
    granted = paying(*overdue, at=FEBRUARY).license()
    assert (granted.expiry, until(granted)) == (FEBRUARY, MARCH + MARGIN)
    assert because(granted, "margin_hours") == (
        "past due: licensed while the provider tries to collect this period",
        "later",
    )


def test_invoices_that_are_due_after_days_leave_that_many_days() -> None:
    granted = paying(f.CollectionTermsDescribed(days_until_due=30)).license()
    assert until(granted) == FEBRUARY + timedelta(days=30) + MARGIN
    assert because(granted, "margin_hours")[0] == "invoices are due after days_until_due"


def test_past_due_and_days_until_due_give_whichever_reaches_further() -> None:
    terms = f.CollectionTermsDescribed(days_until_due=60)
    granted = paying(terms, described(line(start=FEBRUARY, end=MARCH)), f.PaymentFellOverdue()).license()
    assert until(granted) == FEBRUARY + timedelta(days=60) + MARGIN


def test_a_recovery_whose_paid_invoice_is_still_to_be_told_works_for_a_margin() -> None:
    overdue = happened(FEBRUARY, described(line(start=FEBRUARY, end=MARCH)), f.PaymentFellOverdue())
    recovered = paying().when(overdue, happened(utc(2026, 2, 22), activated(), named="recovered"))
    granted = recovered.license()
    assert (granted.expiry, until(granted)) == (FEBRUARY, utc(2026, 2, 22) + MARGIN)
    assert because(granted, "margin_hours") == (
        "in good standing since this event: the invoice may be told later",
        "recovered",
    )
    assert recovered.when(PAID_FEBRUARY).license().margin_hours == 48


def test_a_margin_that_is_no_whole_hour_is_rounded_up() -> None:
    overdue = happened(
        FEBRUARY, described(line(start=FEBRUARY, end=MARCH + timedelta(minutes=1))), f.PaymentFellOverdue()
    )
    assert paying().when(overdue).license().margin_hours == 28 * 24 + 48 + 1
