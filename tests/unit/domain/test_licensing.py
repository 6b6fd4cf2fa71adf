"""From the subscription to its licenses: identity, access, expiry and margin, and why."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import partition_of
from domain.licensing import MOST_UNITS, License, license_id
from domain.policy import Policy
from domain.subscription import Customer
from domain.terms import Terms
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAID_FEBRUARY,
    PAID_JANUARY,
    PURCHASE,
    STREAM,
    SUBSCRIBED,
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
    linked,
    paid,
    period,
    refunded,
    utc,
)

MID_JANUARY, LATE_JANUARY = utc(2026, 1, 15), utc(2026, 1, 20)
PRO = {"product_short_code": "PRO"}
MARGIN = timedelta(hours=48)


def paying(*later: f.Fact, at: datetime = MID_JANUARY, **policy: Any) -> Story:
    """A subscription whose January is paid, to which these facts happen in the middle of January."""
    story = given(SUBSCRIBED, PAID_JANUARY, policy=Policy(**policy))
    return story.when(happened(at, *later, named="later")) if later else story


def units(story: Story) -> dict[tuple[str, str, int], bool]:
    """Line, product and unit of every license, and whether it is enabled."""
    return {(each.line, each.product_code, each.unit): each.enabled for each in story.licenses}


def because(granted: License, field: str) -> tuple[str, str]:
    """The rule and the name of the event."""
    why = granted.because[field]
    return why.rule, why.event.event_id if why.event else ""


def until(granted: License) -> datetime:
    """How long it works by itself."""
    assert granted.expiry is not None
    return granted.expiry + timedelta(hours=granted.margin_hours)


# --- identity -----------------------------------------------------------------------------------------------


def test_a_license_is_identified_by_stream_line_unit_product_and_type() -> None:
    terms = Terms(product_code="APP", license_type="subscription")
    other_product = msgspec.structs.replace(terms, product_code="PRO")
    other_type = msgspec.structs.replace(terms, license_type="consumption")
    ids = {
        license_id(STREAM, "si_1", 1, terms),
        license_id(PURCHASE, "si_1", 1, terms),
        license_id(STREAM, "si_2", 1, terms),
        license_id(STREAM, "si_1", 2, terms),
        license_id(STREAM, "si_1", 1, other_product),
        license_id(STREAM, "si_1", 1, other_type),
    }
    assert len(ids) == 6


def test_terms_that_a_license_server_can_change_are_no_part_of_the_identity() -> None:
    few = Terms(product_code="APP", license_type="subscription", max_activations=1, valid_duration="1y")
    many = Terms(product_code="APP", license_type="subscription", max_activations=9)
    assert license_id(STREAM, "si_1", 1, few) == license_id(STREAM, "si_1", 1, many)


def test_an_id_never_changes_between_versions() -> None:
    terms = Terms(product_code="APP", license_type="subscription")
    assert license_id(STREAM, "si_1", 1, terms) == "lic_620ceefc79e2db66b012abd5"


def test_an_id_names_its_partition() -> None:
    assert int(paying().license().id[4:6], 16) == partition_of(STREAM)


def test_a_renewal_a_pause_and_a_recovery_keep_the_license() -> None:
    story = paying()
    before = story.license().id
    for index, fact in enumerate((f.PaymentFellOverdue(), f.SubscriptionSuspended(reason="unpaid"), activated())):
        story = story.when(happened(FEBRUARY + timedelta(days=index), fact))
        assert story.license().id == before
    assert story.when(PAID_FEBRUARY).license().id == before


def test_fields_are_those_of_line_terms_and_customer() -> None:
    granted = paying(f.CustomerDescribed(email="a@example.com"), described(line(attributes=TERMS))).license()
    assert granted.stream == STREAM
    assert (granted.subscription, granted.line, granted.unit) == ("sub_1", "si_1", 1)
    assert (granted.product_code, granted.license_type, granted.max_activations) == ("APP", "subscription", 3)
    assert granted.customer == Customer(email="a@example.com")


def test_every_field_that_can_change_says_why() -> None:
    identity = {"id", "stream", "subscription", "line", "unit", "because"}
    assert set(paying().license().because) == set(License.__struct_fields__) - identity


# --- lines and units ----------------------------------------------------------------------------------------


def test_a_pending_subscription_has_no_licenses() -> None:
    assert given(happened(JANUARY, described(line()), f.SubscriptionOpened())).licenses == ()


def test_quantity_is_the_number_of_licenses() -> None:
    assert units(paying(described(line(quantity=3)))) == dict.fromkeys([("si_1", "APP", n) for n in (1, 2, 3)], True)


def test_a_lowered_quantity_disables_the_highest_units_and_a_raised_one_enables_them_again() -> None:
    story = paying(described(line(quantity=3))).when(happened(LATE_JANUARY, described(line(quantity=1)), named="low"))
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): False, ("si_1", "APP", 3): False}
    assert because(story.licenses[2], "enabled") == ("the line was lowered or replaced", "low")
    raised = story.when(happened(FEBRUARY, described(line(quantity=2))))
    assert units(raised) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): True, ("si_1", "APP", 3): False}


def test_units_beyond_the_quantity_keep_the_terms_they_had_last() -> None:
    more = {**TERMS, "max_activations": "9"}
    story = paying(described(line(quantity=2))).when(
        happened(LATE_JANUARY, described(line(quantity=2, attributes=more))),
        happened(FEBRUARY, described(line(quantity=1, attributes=more))),
    )
    assert [(each.unit, each.enabled, each.max_activations) for each in story.licenses] == [(1, True, 9), (2, False, 9)]


def test_a_quantity_of_nothing_disables_all() -> None:
    assert units(paying(described(line(quantity=0)))) == {("si_1", "APP", 1): False}


def test_a_removed_line_is_disabled_and_the_other_is_not() -> None:
    story = paying(described(line("si_1"), line("si_2"))).when(
        happened(LATE_JANUARY, described(line("si_2")), named="removed")
    )
    assert units(story) == {("si_1", "APP", 1): False, ("si_2", "APP", 1): True}
    assert because(story.licenses[0], "enabled") == ("the line was removed", "removed")


def test_another_product_makes_another_license_and_disables_the_old_one_and_going_back_swaps_them() -> None:
    upgraded = paying(described(line(price="price_pro", attributes=PRO)))
    assert units(upgraded) == {("si_1", "APP", 1): False, ("si_1", "PRO", 1): True}
    back = upgraded.when(happened(LATE_JANUARY, described(line())))
    assert units(back) == {("si_1", "APP", 1): True, ("si_1", "PRO", 1): False}
    assert {each.id for each in upgraded.licenses} == {each.id for each in back.licenses}


def test_units_that_were_sold_before_an_upgrade_are_still_named_after_going_back_to_fewer() -> None:
    story = paying(described(line(quantity=2))).when(
        happened(LATE_JANUARY, described(line(price="price_pro", attributes=PRO))),
        happened(FEBRUARY, described(line(quantity=1))),
    )
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): False, ("si_1", "PRO", 1): False}


def test_a_new_price_of_the_same_product_keeps_the_license() -> None:
    assert units(paying(described(line(price="price_2026")))) == {("si_1", "APP", 1): True}


def test_a_line_that_becomes_another_type_makes_another_license_and_disables_the_old_one() -> None:
    story = paying(described(line(recurring=False)))
    assert {each.license_type: each.enabled for each in story.licenses} == {"perpetual": True, "subscription": False}


def test_a_quantity_beyond_all_reason_is_bounded_and_told_as_a_problem() -> None:
    story = paying(described(line(quantity=2_000_000_000)))
    assert len(story.licenses) == MOST_UNITS
    assert story.entitlement.problems == (
        "line si_1: quantity 2000000000 is more than Tenure licenses for one line; the first 10000 units are licensed",
    )


def test_a_quantity_at_the_bound_is_licensed_whole() -> None:
    story = paying(described(line(quantity=MOST_UNITS)))
    assert (len(story.licenses), story.entitlement.problems) == (MOST_UNITS, ())


def test_a_line_without_a_product_code_is_not_licensed() -> None:
    story = paying(described(line("si_1"), line("si_2", attributes={"colour": "red"})))
    assert units(story) == {("si_1", "APP", 1): True}
    assert story.entitlement.problems == story.entitlement.warnings == ()


def test_licenses_are_sorted_by_line_product_and_unit_whatever_the_order_of_lines() -> None:
    lines = line("a", 2), line("b"), line("b2", attributes=PRO)
    there = paying(described(*lines)).licenses
    back = paying(described(*reversed(lines))).licenses
    assert [(each.line, each.unit) for each in there] == [(each.line, each.unit) for each in back]
    assert [(each.line, each.unit) for each in there][:3] == [("a", 1), ("a", 2), ("b", 1)]


def test_an_attribute_that_is_not_known_is_a_warning_once() -> None:
    story = paying(described(line("a", attributes={**TERMS, "x": "1"}), line("b", attributes={**TERMS, "x": "1"})))
    assert story.entitlement.warnings == ("attribute 'x' of product prod_app is not known and was ignored",)


# --- attributes that cannot be used -------------------------------------------------------------------------

WRONG = {**TERMS, "max_activations": "many"}
PROBLEM = "line si_1: max_activations of product prod_app is 'many'; allowed: a whole number from 1"


def test_a_wrong_attribute_is_a_problem_and_the_other_lines_are_licensed() -> None:
    story = given(happened(JANUARY, described(line("si_1", attributes=WRONG), line("si_2")), activated()))
    assert units(story) == {("si_2", "APP", 1): True}
    assert story.entitlement.problems == (PROBLEM,)


def test_a_wrong_attribute_that_was_mended_is_a_problem_no_longer() -> None:
    wrong = happened(JANUARY, described(line(attributes=WRONG)), activated())
    story = given(wrong, happened(MID_JANUARY, described(line())))
    assert units(story) == {("si_1", "APP", 1): True}
    assert story.entitlement.problems == ()


def test_a_vendors_slip_locks_nobody_out() -> None:
    story = paying(described(line(quantity=2, attributes=WRONG)))
    assert story.entitlement.problems == (PROBLEM,)
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): True}
    assert story.licenses[0].max_activations == 3


def test_a_vendors_slip_in_an_upgrade_keeps_what_was_understood_last() -> None:
    story = paying(described(line(attributes={**PRO, "max_activations": "many"})))
    assert units(story) == {("si_1", "APP", 1): True}


def test_a_vendors_slip_keeps_the_product_that_was_sold_last_and_not_the_one_seen_last() -> None:
    story = paying(described(line(price="price_pro", attributes=PRO))).when(
        happened(LATE_JANUARY, described(line())), happened(FEBRUARY, described(line(attributes=WRONG)))
    )
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "PRO", 1): False}


def test_a_vendors_slip_does_not_revive_a_terminated_subscription() -> None:
    story = paying(described(line(attributes=WRONG)), f.SubscriptionTerminated())
    assert units(story) == {("si_1", "APP", 1): False}


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


def test_a_proration_extends_nothing() -> None:
    credit = period(MID_JANUARY, utc(2027, 1, 1), proration=True)
    assert paying(paid("in_1b", credit)).license().expiry == FEBRUARY


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
