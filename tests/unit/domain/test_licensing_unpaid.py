"""What works before it is paid, for how long, and what the payment or its failure makes of it."""

from datetime import timedelta

from domain import facts as f
from domain.lifecycle import State
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MID_JANUARY,
    PURCHASE,
    STREAM,
    attributed,
    because,
    bought,
    described,
    given,
    happened,
    line,
)


def test_a_license_may_work_for_a_time_before_the_first_payment() -> None:
    story = given(happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened(), named="new"))
    granted = story.license()
    assert (granted.enabled, granted.trial) == (True, False)
    assert (granted.expiry, granted.margin_hours) == (JANUARY + timedelta(days=7), 0)
    assert because(granted, "enabled") == ("unpaid_active_license_period: works while the payment is open", "new")
    again = story.when(happened(MID_JANUARY, f.SubscriptionOpened()))
    assert again.license().expiry == granted.expiry


def test_it_counts_from_the_first_event_that_said_so_in_whatever_order_they_came() -> None:
    early = happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened())
    late = happened(MID_JANUARY, f.SubscriptionOpened(), named="late")
    assert given(late, early).license() == given(early, late).license()


def test_the_payment_makes_it_a_license_like_any_other_and_its_failure_ends_it() -> None:
    attributes = {"short_code": "APP", "unpaid_active_license_period": "1w"}
    once = line(recurring=False, attributes=attributes)
    story = given(happened(JANUARY, *bought(once, is_paid=False), stream=PURCHASE))
    granted = story.license()
    assert (granted.license_type, granted.enabled, granted.trial, granted.expiry) == (
        "perpetual",
        True,
        True,
        JANUARY + timedelta(days=7),
    )
    done = story.when(happened(FEBRUARY, f.PurchaseCompleted(paid=True), stream=PURCHASE)).license()
    assert (done.id, done.enabled, done.trial, done.expiry) == (granted.id, True, False, None)
    failed = story.when(happened(FEBRUARY, f.PurchaseFailed(), stream=PURCHASE))
    assert (failed.subscription.state, failed.license().enabled) == (State.TERMINATED, False)


def test_what_worked_before_it_was_paid_and_was_swapped_is_named_to_be_disabled() -> None:
    attributes = {"short_code": "PRO", "unpaid_active_license_period": "7d"}
    story = given(happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened()))
    swapped = story.when(happened(MID_JANUARY, described(line(price="price_pro", attributes=attributes))))
    assert {each.product_code: each.enabled for each in swapped.licenses} == {"APP": False, "PRO": True}


def test_without_the_attribute_nothing_works_before_it_is_paid() -> None:
    assert given(happened(JANUARY, attributed(), f.SubscriptionOpened())).licenses == ()
    lines_alone = attributed(unpaid_active_license_period="7d")
    assert given(happened(JANUARY, lines_alone, stream=STREAM)).licenses == ()
