"""Told too early, too late or changed: failures before payments, trials after charges, edited catalogs, far dates."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import facts as f
from domain.durations import LAST, after, later
from domain.lifecycle import State
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    PURCHASE,
    TERMS,
    Story,
    activated,
    bought,
    described,
    dispute_closed,
    disputed,
    given,
    happened,
    line,
    paid,
    paying,
    period,
    refunded,
)

# --- a purchase that failed, a trial that is opened again ---------------------------------------------------


def after_a_failure(*later: f.Fact) -> Story:
    waiting = happened(JANUARY, *bought(line(recurring=False), is_paid=False), stream=PURCHASE)
    failed = happened(MID_JANUARY, f.PurchaseFailed(), stream=PURCHASE)
    return given(waiting, failed, happened(FEBRUARY, *later, stream=PURCHASE, named="paid"))


def test_a_purchase_that_is_paid_after_an_attempt_failed_is_licensed() -> None:
    story = after_a_failure(f.PurchaseCompleted(paid=True))
    assert (story.subscription.state, story.license().enabled, story.anomalies) == (State.ACTIVE, True, [])


def test_a_purchase_that_was_refunded_is_not_brought_back() -> None:
    story = after_a_failure(f.PurchaseCompleted(paid=True), refunded("pi_1", 1000), f.PurchaseCompleted(paid=True))
    assert story.subscription.state is State.TERMINATED


def trial(*, reopens: bool = False, key: str = "", by_calendar: bool = False) -> f.TrialStarted:
    return f.TrialStarted(until=MARCH, reopens=reopens, key=key, ends_with_a_charge=by_calendar)


def test_a_trial_reopens_what_ended_if_it_may_and_only_once() -> None:
    first = happened(JANUARY, described(line()), trial(reopens=True, key="first"))
    ended = given(first, happened(MID_JANUARY, f.SubscriptionTerminated()))
    assert ended.when(happened(FEBRUARY, trial())).subscription.state is State.TERMINATED
    assert ended.when(happened(FEBRUARY, trial(reopens=True, key="first"))).subscription.state is State.TERMINATED
    again = ended.when(happened(FEBRUARY, trial(reopens=True, key="second")))
    assert (again.subscription.state, again.license().enabled, again.anomalies) == (State.TRIALING, True, [])


CHARGED = happened(LATE_JANUARY, activated(), paid("in_2", period(LATE_JANUARY, MARCH)), named="charged")


@pytest.mark.parametrize("between", [f.Noted(), f.SubscriptionSuspended(reason="paused"), f.PaymentFellOverdue()])
def test_a_trial_that_only_the_calendar_shows_ends_with_a_charge(between: f.Fact) -> None:
    begun = happened(JANUARY, f.SubscriptionBegan(), described(line()), trial(by_calendar=True))
    story = given(begun, CHARGED, happened(FEBRUARY, between), happened(FEBRUARY, trial(by_calendar=True), named="z"))
    assert (story.subscription.state, story.license().trial) == (State.ACTIVE, False)


def test_a_first_payment_ends_no_trial_and_one_that_the_provider_says_is_one() -> None:
    first = as_first(paid("in_1", period(JANUARY, FEBRUARY), amount=0))
    story = given(happened(JANUARY, described(line()), trial(by_calendar=True), first))
    assert story.when(happened(MID_JANUARY, trial(by_calendar=True))).subscription.state is State.TRIALING
    assert story.when(CHARGED, happened(FEBRUARY, trial())).subscription.state is State.TRIALING


def as_first(it: f.PeriodPaid) -> f.PeriodPaid:
    return f.PeriodPaid(invoice=it.invoice, periods=it.periods, amount=it.amount, currency=it.currency, first=True)


def test_what_was_paid_before_an_end_does_not_end_the_trial_that_comes_after_it() -> None:
    ended = paying(f.SubscriptionTerminated())
    again = ended.when(happened(FEBRUARY, trial(reopens=True, key="b", by_calendar=True)))
    story = again.when(happened(FEBRUARY + timedelta(days=1), trial(by_calendar=True)))
    assert story.subscription.state is State.TRIALING


# --- money of which nobody knows what it paid ---------------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True])
def test_a_dispute_of_an_unknown_payment_is_not_about_what_was_paid_after_it(closed: bool) -> None:
    facts = [disputed("dp_1", "pi_unknown")]
    lost = dispute_closed("dp_1", "pi_unknown", f.DisputeOutcome.LOST)
    story = paying(*facts)
    assert not story.license().enabled
    renewed = story.when(PAID_FEBRUARY, *([happened(MARCH, lost)] if closed else []))
    assert renewed.license().enabled
    assert not renewed.when(happened(MARCH, disputed("dp_2", "pi_other"))).license().enabled


def test_a_return_that_is_told_again_with_less_is_as_much_as_it_was() -> None:
    def part(name: str, back: int) -> f.PaymentRefunded:
        return f.PaymentRefunded(payment="pi_1", amount=1000, refunded=back, currency="eur", part=name)

    story = paying(part("r_1", 600), part("r_1", 400), part("r_2", 300))
    assert story.subscription.refunds["pi_1"].refunded == 900


# --- the catalog is edited ----------------------------------------------------------------------------------

OTHER = {**TERMS, "product_short_code": "OTHER"}


def test_a_price_whose_code_is_changed_in_the_catalog_is_another_product_until_it_is_changed_back() -> None:
    first = paying().license().id
    story = paying().when(happened(MID_JANUARY, described(line(attributes=OTHER))))
    assert {each.product_code: each.enabled for each in story.licenses} == {"APP": False, "OTHER": True}
    (warning,) = story.entitlement.warnings
    assert "was sold as 'APP' (subscription) before and is 'OTHER' (subscription) now" in warning
    back = story.when(happened(FEBRUARY, described(line())))
    assert [each.id for each in back.licenses if each.enabled] == [first]


def test_another_price_is_another_product() -> None:
    story = paying(described(line(price="price_other", attributes=OTHER)))
    assert {each.product_code: each.enabled for each in story.licenses} == {"APP": False, "OTHER": True}
    assert story.entitlement.problems == ()


def test_a_single_license_of_a_former_product_allows_what_it_allowed_at_last() -> None:
    single = {**TERMS, "single_license": "true"}
    story = given(
        happened(JANUARY, described(line(quantity=5, attributes=single)), activated()),
        happened(MID_JANUARY, described(line(quantity=2, attributes=single))),
        happened(FEBRUARY, described(line(price="price_other", attributes=OTHER))),
    )
    assert {each.product_code: each.max_activations for each in story.licenses} == {"APP": 6, "OTHER": 3}


# --- the end of time ----------------------------------------------------------------------------------------

FAR = datetime(9999, 12, 31, 23, tzinfo=UTC)


def test_dates_at_the_end_of_time_are_the_last_day_and_stop_nothing() -> None:
    assert (later(FAR, timedelta(days=1)), later(MARCH, timedelta(days=31)), after(FAR, "1d")) == (LAST, APRIL, LAST)
    forever = happened(
        JANUARY, described(line(start=JANUARY, end=FAR)), activated(), paid("in_1", period(JANUARY, FAR))
    )
    terms = f.CollectionTermsDescribed(days_until_due=30)
    for fact in (terms, f.PaymentFellOverdue(), f.TrialStarted(until=FAR), f.CollectionPaused()):
        granted = given(forever, happened(FEBRUARY, fact)).license()
        assert (granted.expiry, granted.margin_hours) == (LAST, 0)


def test_a_debt_at_the_end_of_time_has_a_timer_all_the_same() -> None:
    story = paying(f.PaymentFellOverdue(), at=FAR, past_due_days=7)
    assert [timer.at for timer in story.timers] == [LAST]
