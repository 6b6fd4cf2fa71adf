"""Who has access: by state, by policy where money was returned, and for one-time purchases."""

from typing import Any

import pytest

from domain import facts as f
from domain.policy import Policy
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    PURCHASE,
    SUBSCRIBED,
    Story,
    activated,
    because,
    bought,
    dispute_closed,
    disputed,
    given,
    happened,
    line,
    linked,
    paid,
    paying,
    period,
    refunded,
)

# --- access -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "enabled"),
    [
        (f.TrialStarted(until=FEBRUARY), True),
        (activated(), True),
        (f.PaymentFellOverdue(), True),
        (f.SubscriptionSuspended(reason="unpaid"), False),
        (f.SubscriptionSuspended(reason="paused"), False),
        (f.SubscriptionTerminated(), False),
    ],
)
def test_the_state_gives_and_takes_access(fact: f.Fact, enabled: bool) -> None:
    granted = paying(fact).license()
    assert granted.enabled is enabled
    assert because(granted, "enabled")[0].startswith("the subscription is ")


def test_why_access_ended_names_the_event_that_ended_it() -> None:
    story = paying(f.SubscriptionTerminated())
    assert because(story.license(), "enabled") == ("the subscription is terminated", "later")


def test_a_scheduled_cancellation_takes_nothing_before_its_time() -> None:
    assert paying(f.CancellationScheduled(at=FEBRUARY)).license() == paying().license()


REFUND = refunded("pi_1", 1000)


def test_a_refund_of_the_current_period_takes_access_until_another_is_paid() -> None:
    story = paying(REFUND)
    assert because(story.license(), "enabled") == ("policy on_refund: the current period was refunded", "later")
    assert story.when(PAID_FEBRUARY).license().enabled


def test_a_refund_of_an_earlier_period_takes_nothing() -> None:
    assert paying().when(PAID_FEBRUARY, happened(MARCH, REFUND)).license().enabled


def test_a_refund_takes_nothing_where_the_policy_keeps() -> None:
    assert paying(REFUND, on_refund="keep").license().enabled


def test_a_refund_that_the_policy_keeps_revives_no_terminated_subscription() -> None:
    assert not paying(f.SubscriptionTerminated(), REFUND, on_refund="keep").license().enabled


def test_refunds_of_several_payments_of_one_invoice_add_up() -> None:
    story = paying(linked("pi_1b", "in_1"), refunded("pi_1", 600, 600), refunded("pi_1b", 400, 400))
    assert not story.license().enabled
    assert paying(linked("pi_1b", "in_1"), refunded("pi_1", 600, 600)).license().enabled


def test_a_refund_that_names_its_invoice_needs_no_linked_payment() -> None:
    assert not paying(refunded("pi_9", 1000, invoice="in_1")).license().enabled


def test_a_refund_that_is_told_before_its_payment_is_linked_counts_all_the_same() -> None:
    story = given(SUBSCRIBED, happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY)), named="paid"))
    assert not story.when(happened(MID_JANUARY, REFUND), happened(LATE_JANUARY, linked("pi_1", "in_1"))).enabled


@pytest.mark.parametrize(("policy", "enabled"), [("keep", True), ("disable", False)])
def test_what_a_partial_refund_does_is_policy(policy: str, enabled: bool) -> None:
    granted = paying(refunded("pi_1", 400), on_partial_refund=policy).license()
    assert granted.enabled is enabled
    if not enabled:
        assert because(granted, "enabled") == (
            "policy on_partial_refund: the current period was refunded in part",
            "later",
        )


DISPUTE = disputed("dp_1", "pi_1")
OUTCOMES = [
    (f.DisputeOutcome.WON, True),
    (f.DisputeOutcome.WITHDRAWN, True),
    (f.DisputeOutcome.LOST, False),
]


def test_an_open_dispute_takes_access_by_policy() -> None:
    assert because(paying(DISPUTE).license(), "enabled") == ("policy on_dispute: a payment is disputed", "later")
    assert paying(DISPUTE, on_dispute="keep").license().enabled


@pytest.mark.parametrize(("outcome", "enabled"), OUTCOMES)
def test_a_closed_dispute_gives_access_back_unless_it_was_lost(outcome: f.DisputeOutcome, enabled: bool) -> None:
    closed = dispute_closed("dp_1", "pi_1", outcome)
    assert paying(DISPUTE, closed).license().enabled is enabled
    assert paying(DISPUTE, closed, on_dispute="keep").license().enabled


def test_a_dispute_that_was_lost_counts_for_its_period_only() -> None:
    lost = dispute_closed("dp_1", "pi_1", f.DisputeOutcome.LOST)
    assert paying(DISPUTE, lost).when(PAID_FEBRUARY).license().enabled


# --- one-time purchases -------------------------------------------------------------------------------------


def purchased(*later: f.Fact, **policy: Any) -> Story:
    first = happened(JANUARY, *bought(line(recurring=False)), named="bought", stream=PURCHASE)
    story = given(first, policy=Policy(**policy))
    return story.when(happened(FEBRUARY, *later, named="later", stream=PURCHASE)) if later else story


def test_a_purchase_is_perpetual_and_without_margin() -> None:
    granted = purchased().license()
    assert (granted.license_type, granted.enabled, granted.expiry, granted.margin_hours) == ("perpetual", True, None, 0)
    assert because(granted, "expiry") == ("bought once: it does not expire by itself", "")


@pytest.mark.parametrize(("policy", "enabled"), [("keep", True), ("disable", False)])
def test_what_the_refund_of_a_purchase_does_is_policy(policy: str, enabled: bool) -> None:
    assert purchased(REFUND, on_refund=policy).license().enabled is enabled


@pytest.mark.parametrize(("policy", "enabled"), [("keep", True), ("disable", False)])
def test_what_a_partial_refund_of_a_purchase_does_is_policy(policy: str, enabled: bool) -> None:
    assert purchased(refunded("pi_1", 400), on_partial_refund=policy).license().enabled is enabled


def test_an_open_dispute_of_an_earlier_period_leaves_the_paid_one_alone() -> None:
    renewed = paying().when(PAID_FEBRUARY)
    assert renewed.when(happened(FEBRUARY, disputed("dp_1", "pi_2"), named="now")).license().enabled is False
    assert renewed.when(happened(FEBRUARY, disputed("dp_1", "pi_1"), named="then")).license().enabled is True


def test_an_open_dispute_of_a_purchase_takes_access() -> None:
    assert not purchased(DISPUTE).license().enabled


@pytest.mark.parametrize(("outcome", "enabled"), OUTCOMES)
def test_a_closed_dispute_of_a_purchase_gives_access_back_unless_it_was_lost(
    outcome: f.DisputeOutcome, enabled: bool
) -> None:
    closed = dispute_closed("dp_1", "pi_1", outcome)
    assert purchased(DISPUTE, closed).license().enabled is enabled
    assert purchased(DISPUTE, closed, on_dispute="keep").license().enabled


def test_the_refund_of_a_purchase_that_is_understood_only_later_counts() -> None:
    story = given(happened(JANUARY, REFUND, stream=PURCHASE))
    assert not story.when(happened(FEBRUARY, *bought(line(recurring=False)), stream=PURCHASE)).license().enabled
