"""Money whose payment is known by another name, in parts, or not at all; and payments of nothing."""

from itertools import permutations

import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.subscription import FIRST_PAYMENT
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PURCHASE,
    SUBSCRIBED,
    Story,
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


def first_payment(invoice: str = "", amount: int = 1000) -> f.PeriodPaid:
    """The payment that comes with the beginning; some events tell of it without its name."""
    return f.PeriodPaid(
        invoice=invoice, periods=(period(JANUARY, FEBRUARY),), amount=amount, currency="eur", first=True
    )


def returned(part: str, back: int, payment: str = "order_1") -> f.PaymentRefunded:
    return f.PaymentRefunded(payment=payment, amount=1000, refunded=back, currency="eur", part=part)


# --- the first payment --------------------------------------------------------------------------------------


def test_the_first_payment_counts_once_whoever_told_of_it_first() -> None:
    for events in permutations(
        [
            happened(JANUARY, first_payment(), named="activated"),
            happened(JANUARY, first_payment("order_1"), named="order"),
            happened(MID_JANUARY, first_payment(), named="activated again"),
        ]
    ):
        assert list(given(SUBSCRIBED, *events).subscription.invoices) == ["order_1"]


def test_a_first_payment_without_a_name_pays_as_well_as_one_with() -> None:
    unnamed = given(SUBSCRIBED, happened(JANUARY, first_payment()))
    assert list(unnamed.subscription.invoices) == [FIRST_PAYMENT]
    assert unnamed.license().expiry == FEBRUARY


def test_a_refund_of_a_payment_that_nobody_named_is_of_the_first_while_that_counts() -> None:
    story = given(SUBSCRIBED, happened(JANUARY, first_payment()))
    back = happened(MID_JANUARY, refunded("order_1", 1000), named="back")
    assert not story.when(back).license().enabled
    renewed = story.when(happened(FEBRUARY, paid("order_2", period(FEBRUARY, MARCH))))
    assert renewed.when(back).license().enabled
    assert not renewed.when(happened(MARCH, refunded("order_2", 1000))).license().enabled


def test_a_refund_of_another_named_payment_leaves_the_first_one_alone() -> None:
    story = given(SUBSCRIBED, happened(JANUARY, first_payment("order_1")))
    assert story.when(happened(MID_JANUARY, refunded("order_9", 1000))).license().enabled
    assert not story.when(happened(MID_JANUARY, refunded("order_1", 1000))).license().enabled


def test_a_part_of_a_first_payment_of_unknown_amount_is_a_part() -> None:
    story = given(SUBSCRIBED, happened(JANUARY, first_payment(amount=0)))
    assert story.when(happened(MID_JANUARY, refunded("order_1", 400))).license().enabled
    assert not story.when(happened(MID_JANUARY, refunded("order_1", 1000))).license().enabled


# --- returns that add up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([("r1", 600), ("r2", 400), ("r1", 600)])))
def test_returns_add_up_each_counted_once(order: tuple[tuple[str, int], ...]) -> None:
    events = [happened(MID_JANUARY, returned(part, back), named=str(place)) for place, (part, back) in enumerate(order)]
    story = given(SUBSCRIBED, happened(JANUARY, paid("order_1", period(JANUARY, FEBRUARY))), *events)
    assert story.subscription.refunds["order_1"].refunded == 1000
    assert not story.license().enabled


def test_a_return_that_adds_nothing_is_kept_all_the_same() -> None:
    story = paying(returned("r1", 0), returned("r2", 0)).when(happened(LATE_JANUARY, returned("r1", 300)))
    refund = story.subscription.refunds["order_1"]
    assert (refund.refunded, refund.parts) == (300, {"r1": 300, "r2": 0})


def test_a_total_and_its_parts_are_not_added_to_each_other() -> None:
    for facts in permutations([refunded("order_1", 600), returned("r1", 600), returned("r2", 100)]):
        assert paying(*facts).subscription.refunds["order_1"].refunded == 700


# --- nothing was paid, so nothing can go back ---------------------------------------------------------------


def test_a_free_invoice_is_not_refunded_because_nothing_was_paid() -> None:
    free = given(SUBSCRIBED, happened(JANUARY, paid("in_0", period(JANUARY, FEBRUARY), amount=0)))
    assert free.license().enabled
    assert free.when(happened(MID_JANUARY, refunded("in_0", 0, 0))).license().enabled


def test_a_free_purchase_is_not_refunded_because_nothing_was_paid() -> None:
    free = given(happened(JANUARY, *bought(line(recurring=False)), stream=PURCHASE))
    story = free.when(happened(FEBRUARY, refunded("order_1", 0, 0), stream=PURCHASE))
    assert (story.subscription.state, story.license().enabled) == (State.ACTIVE, True)


# --- payments that are known by their invoice ---------------------------------------------------------------


def disputes_of(*facts: f.Fact) -> Story:
    start = given(SUBSCRIBED, happened(JANUARY, paid("order_1", period(JANUARY, FEBRUARY))))
    return start.when(happened(FEBRUARY, paid("order_2", period(FEBRUARY, MARCH))), happened(FEBRUARY, *facts))


def test_a_dispute_that_names_the_invoice_is_of_that_invoice_only() -> None:
    assert disputes_of(disputed("dp_1", "order_1")).license().enabled
    assert not disputes_of(disputed("dp_1", "order_2")).license().enabled
    lost = f.DisputeOutcome.LOST
    assert disputes_of(dispute_closed("dp_1", "order_1", lost)).license().enabled
    assert not disputes_of(dispute_closed("dp_1", "order_2", lost)).license().enabled


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_refund_known_by_its_payment_counts_before_between_and_after_what_links_it(place: int) -> None:
    links = [
        happened(MID_JANUARY, paid("in_1", period(JANUARY, FEBRUARY)), named="paid"),
        happened(MID_JANUARY, linked("pi_1", "in_1"), named="linked"),
    ]
    links.insert(place, happened(MID_JANUARY, refunded("pi_1", 1000), named="refund"))
    granted = given(SUBSCRIBED, *links).license()
    assert because(granted, "enabled") == ("policy on_refund: the current period was refunded", "refund")


# --- payments that pay for no period ------------------------------------------------------------------------


def charged_at_will(*facts: f.Fact) -> Story:
    """January and February are paid, by invoices that say of no period; then these facts happen."""
    first = f.PeriodPaid(invoice="order_1", periods=(), amount=1000, currency="eur", first=True)
    start = given(SUBSCRIBED, happened(JANUARY, first))
    return start.when(happened(FEBRUARY, paid("order_2")), happened(MARCH, *facts))


@pytest.mark.parametrize(("invoice", "enabled"), [("order_1", True), ("order_2", False)])
def test_without_periods_the_money_that_counts_was_paid_last(invoice: str, enabled: bool) -> None:
    for taken in (
        refunded(invoice, 1000),
        disputed("dp_1", invoice),
        dispute_closed("dp_1", invoice, f.DisputeOutcome.LOST),
    ):
        assert charged_at_will(taken).license().enabled is enabled


def test_a_first_payment_that_is_named_late_is_still_not_the_last() -> None:
    first = f.PeriodPaid(invoice="order_1", periods=(), amount=1000, currency="eur", first=True)
    story = given(SUBSCRIBED, happened(FEBRUARY, paid("order_2")), happened(MARCH, first))
    assert not story.when(happened(MARCH, refunded("order_2", 1000))).license().enabled
    assert story.when(happened(MARCH, refunded("order_1", 1000))).license().enabled


def test_a_dispute_of_an_unknown_payment_may_be_of_the_one_that_counts() -> None:
    assert not charged_at_will(disputed("dp_1", "order_9")).license().enabled


def test_a_proration_of_another_line_pays_for_no_line_but_its_own() -> None:
    added = happened(MID_JANUARY, paid("in_2", period(MID_JANUARY, FEBRUARY, "si_2", proration=True)))
    assert given(SUBSCRIBED, added, happened(LATE_JANUARY, refunded("in_2", 1000))).license().enabled


def test_a_refund_disables_every_line_that_the_payment_paid_for_and_no_other() -> None:
    both = f.LinesDescribed(lines=(line("si_1"), line("si_2")))
    story = given(
        happened(JANUARY, both, f.SubscriptionActivated()),
        happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY), period(JANUARY, FEBRUARY, "si_2")), named="both"),
        happened(MID_JANUARY, paid("in_2", period(MID_JANUARY, MARCH, "si_2")), named="one"),
    )
    assert [each.enabled for each in story.when(happened(MARCH, refunded("in_1", 1000))).licenses] == [False, True]
    assert [each.enabled for each in story.when(happened(MARCH, refunded("in_2", 1000))).licenses] == [True, False]
