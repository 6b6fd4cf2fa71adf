"""The fold: what each fact changes, once, and what it leaves alone."""

from collections.abc import Sequence

import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.subscription import Customer, Dispute, EventRef
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAID_FEBRUARY,
    PAID_JANUARY,
    PURCHASE,
    SUBSCRIBED,
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
)


def subscribed(*later: f.Fact) -> Story:
    """A subscription of January, to which these facts happen in February."""
    return given(SUBSCRIBED, happened(FEBRUARY, *later, named="later"))


def since(name: str, at: object = FEBRUARY) -> EventRef:
    return EventRef(name, "told", at)  # type: ignore[arg-type]


# --- state --------------------------------------------------------------------------------------------------


def test_a_stream_that_only_holds_what_belongs_elsewhere_is_not_identified() -> None:
    story = given(happened(JANUARY, refunded("pi_1", 100), f.Noted()))
    assert (story.subscription.identified, story.subscription.state) == (False, State.PENDING)


@pytest.mark.parametrize(
    "fact",
    [
        f.SubscriptionOpened(),
        f.TrialStarted(),
        activated(),
        f.PaymentFellOverdue(),
        f.SubscriptionSuspended(reason="unpaid"),
        f.SubscriptionTerminated(),
        described(line()),
        paid("in_1"),
        f.PurchaseCompleted(paid=False),
        f.PurchaseFailed(),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_says_that_there_is_a_subscription_or_purchase_identifies_the_stream(fact: f.Fact) -> None:
    assert given(happened(JANUARY, fact)).subscription.identified


def test_the_state_remembers_the_event_that_changed_it_and_not_those_that_confirm_it() -> None:
    story = given(SUBSCRIBED, happened(FEBRUARY, activated()), happened(MARCH, activated()))
    assert story.subscription.state_since == since("created", JANUARY)


def test_a_suspension_keeps_its_reason() -> None:
    story = subscribed(f.SubscriptionSuspended(reason="unpaid"))
    assert (story.subscription.state, story.subscription.state_reason) == (State.SUSPENDED, "unpaid")


def test_a_trigger_without_a_row_changes_no_state_and_is_told_as_an_anomaly() -> None:
    story = subscribed(f.SubscriptionTerminated(reason="asked")).when(happened(MARCH, activated()))
    assert story.subscription.state is State.TERMINATED
    assert story.anomalies == ["subscription activated makes no sense while terminated"]
    assert story.subscription.anomalies == 1


def test_reactivation_brings_a_terminated_subscription_back() -> None:
    story = subscribed(f.SubscriptionTerminated()).when(happened(MARCH, f.SubscriptionReactivated()))
    assert (story.subscription.state, story.anomalies) == (State.ACTIVE, [])


def test_each_step_tells_the_states_before_and_after() -> None:
    story = subscribed(f.PaymentFellOverdue())
    steps = [(told.step.before, told.step.after) for told in story.told if told.step]
    assert steps == [(State.PENDING, State.ACTIVE), (State.ACTIVE, State.PAST_DUE)]


@pytest.mark.parametrize(
    "fact",
    [
        f.PaymentActionRequired(invoice="in_2"),
        f.TrialEndAnnounced(at=MARCH),
        f.Noted(about="nothing"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_is_only_shown_on_the_timeline_changes_nothing(fact: f.Fact) -> None:
    assert subscribed(fact).subscription == given(SUBSCRIBED).subscription


# --- lines --------------------------------------------------------------------------------------------------


def test_a_line_that_is_missing_from_a_complete_list_was_removed() -> None:
    story = given(happened(JANUARY, described(line("a"), line("b")))).when(happened(FEBRUARY, described(line("b"))))
    assert list(story.subscription.lines) == ["b"]


def test_a_line_that_is_missing_from_a_first_page_is_still_there() -> None:
    first = happened(JANUARY, described(line("a"), line("b")))
    story = given(first, happened(FEBRUARY, described(line("b", 2), complete=False)))
    assert {name: held.line.quantity for name, held in story.subscription.lines.items()} == {"a": 1, "b": 2}


def test_a_line_remembers_the_event_that_last_changed_it() -> None:
    story = given(
        happened(JANUARY, described(line("a"), line("b")), named="first"),
        happened(FEBRUARY, described(line("a"), line("b", 2)), named="second"),
        happened(MARCH, described(line("a"), line("b", 2)), named="third"),
    )
    lines = story.subscription.lines
    assert (lines["a"].since, lines["b"].since) == (since("first", JANUARY), since("second"))
    assert story.subscription.lines_since == since("second")


def sold(story: Story) -> list[tuple[str, str, int]]:
    return [(each.line.id, each.line.price, each.most) for each in story.subscription.sold]


def test_lines_are_remembered_as_sold_once_the_subscription_is_licensed() -> None:
    pending = given(happened(JANUARY, described(line()), f.SubscriptionOpened()))
    assert sold(pending) == []
    assert sold(pending.when(happened(FEBRUARY, activated()))) == [("si_1", "price_app", 1)]


def test_a_sold_line_remembers_the_most_units_it_ever_had() -> None:
    story = subscribed(described(line(quantity=5))).when(happened(MARCH, described(line(quantity=2))))
    assert sold(story) == [("si_1", "price_app", 5)]


def test_a_line_whose_price_was_swapped_is_remembered_in_both_forms() -> None:
    assert sold(subscribed(described(line(price="price_pro")))) == [
        ("si_1", "price_app", 1),
        ("si_1", "price_pro", 1),
    ]


def test_a_form_that_came_back_is_the_one_sold_last() -> None:
    story = subscribed(described(line(price="price_pro"))).when(happened(MARCH, described(line()), named="back"))
    assert sold(story) == [("si_1", "price_pro", 1), ("si_1", "price_app", 1)]
    assert story.subscription.sold[-1].since == since("back", MARCH)


def test_a_renewal_makes_no_new_form_of_a_line() -> None:
    assert sold(subscribed(described(line(start=FEBRUARY, end=MARCH)))) == [("si_1", "price_app", 1)]


# --- who, and how it is collected ---------------------------------------------------------------------------


def test_a_bill_tells_of_a_customer_only_what_is_not_known() -> None:
    """It shows the address of the day when it was written, and may be paid long after that changed."""
    billed = f.CustomerDescribed(reference="cus_1", email="old@example.com", name="Ada", as_billed=True)
    moved = f.CustomerDescribed(reference="cus_1", email="new@example.com")
    story = given(happened(JANUARY, moved), happened(FEBRUARY, billed))
    assert (story.subscription.customer.email, story.subscription.customer.name) == ("new@example.com", "Ada")


def test_a_customers_empty_field_says_nothing_about_the_earlier_value() -> None:
    story = given(
        happened(JANUARY, f.CustomerDescribed(reference="cus_1", email="a@example.com"), named="first"),
        happened(FEBRUARY, f.CustomerDescribed(name="Ada"), named="second"),
        happened(MARCH, f.CustomerDescribed(reference="cus_1"), named="third"),
    )
    assert story.subscription.customer == Customer(reference="cus_1", email="a@example.com", name="Ada")
    assert story.subscription.customer_since == since("second")


def test_collection_terms_are_the_last_that_were_described() -> None:
    by_invoice = subscribed(f.CollectionTermsDescribed(days_until_due=30))
    assert by_invoice.subscription.days_until_due == 30
    assert by_invoice.when(happened(MARCH, f.CollectionTermsDescribed())).subscription.days_until_due is None


def test_a_trial_that_is_extended_ends_later_and_the_event_that_did_it_is_known() -> None:
    story = given(
        happened(JANUARY, f.TrialStarted(until=FEBRUARY), named="first"),
        happened(FEBRUARY, f.TrialStarted(until=MARCH), named="second"),
        happened(MARCH, f.TrialStarted(), named="third"),
    )
    assert (story.subscription.trial_end, story.subscription.trial_since) == (MARCH, since("second"))


def test_a_cancellation_that_is_scheduled_and_withdrawn_leaves_no_end() -> None:
    scheduled = subscribed(f.CancellationScheduled(at=APRIL))
    assert (scheduled.subscription.cancel_at, scheduled.subscription.state) == (APRIL, State.ACTIVE)
    withdrawn = scheduled.when(happened(MARCH, f.CancellationWithdrawn(), named="withdrawn"))
    assert withdrawn.subscription.cancel_at is None
    assert withdrawn.subscription.cancel_since == since("withdrawn", MARCH)


def test_a_pause_of_collection_is_an_attribute_and_not_a_state() -> None:
    paused = subscribed(f.CollectionPaused(until=APRIL))
    assert (paused.subscription.collection_paused, paused.subscription.state) == (True, State.ACTIVE)
    assert not paused.when(happened(MARCH, f.CollectionResumed())).subscription.collection_paused


def test_links_are_kept_once_each_in_the_order_they_were_found() -> None:
    story = subscribed(f.StreamsLinked(streams=("invoice/in_1", "charge/ch_1"))).when(
        happened(MARCH, f.StreamsLinked(streams=("charge/ch_1", "invoice/in_2")))
    )
    assert list(story.subscription.links) == ["invoice/in_1", "charge/ch_1", "invoice/in_2"]


# --- money --------------------------------------------------------------------------------------------------


def test_an_invoice_counts_once_and_as_it_was_first_paid() -> None:
    story = given(SUBSCRIBED, PAID_JANUARY, happened(FEBRUARY, paid("in_1", period(MARCH, APRIL))))
    (invoice,) = story.subscription.invoices.values()
    assert (invoice.periods, invoice.paid) == ((period(JANUARY, FEBRUARY),), since("paid-january", JANUARY))


def test_a_payment_is_linked_to_its_invoice() -> None:
    story = given(SUBSCRIBED, PAID_JANUARY, PAID_FEBRUARY)
    assert story.subscription.payments == {"pi_1": "in_1", "pi_2": "in_2"}


@pytest.mark.parametrize("amounts", [(300, 1000), (1000, 300), (300, 1000, 1000, 300)])
def test_refunds_are_cumulative_so_their_order_and_number_do_not_matter(amounts: Sequence[int]) -> None:
    refunds = [happened(FEBRUARY, refunded("pi_1", back), named=str(index)) for index, back in enumerate(amounts)]
    assert given(SUBSCRIBED, *refunds).subscription.refunds["pi_1"].refunded == 1000


@pytest.mark.parametrize("invoices", [("in_1", ""), ("", "in_1")])
def test_a_refund_keeps_the_invoice_that_any_of_its_events_named(invoices: Sequence[str]) -> None:
    refunds = [
        happened(FEBRUARY, refunded("pi_1", 1000, invoice=invoice), named=str(index))
        for index, invoice in enumerate(invoices)
    ]
    assert given(SUBSCRIBED, *refunds).subscription.refunds["pi_1"].invoice == "in_1"


@pytest.mark.parametrize(
    "facts",
    [
        (disputed("dp_1", "pi_1"), dispute_closed("dp_1", "pi_1", f.DisputeOutcome.WON)),
        (dispute_closed("dp_1", "pi_1", f.DisputeOutcome.WON), disputed("dp_1", "pi_1")),
    ],
    ids=["in order", "swapped"],
)
def test_a_dispute_that_was_closed_stays_closed(facts: Sequence[f.Fact]) -> None:
    story = subscribed(*facts)
    assert story.subscription.disputes == {
        "dp_1": Dispute("pi_1", since("later"), f.DisputeOutcome.WON, opened=FEBRUARY)
    }


# --- one-time purchases -------------------------------------------------------------------------------------


def purchased(*later: f.Fact, is_paid: bool = True) -> Story:
    story = given(happened(JANUARY, *bought(line(recurring=False), is_paid=is_paid), stream=PURCHASE))
    return story.when(happened(FEBRUARY, *later, stream=PURCHASE)) if later else story


def test_a_purchase_is_pending_until_it_is_paid() -> None:
    unpaid = purchased(is_paid=False)
    assert (unpaid.subscription.purchase, unpaid.subscription.state) == (True, State.PENDING)
    assert unpaid.when(happened(FEBRUARY, f.PurchaseCompleted(paid=True))).subscription.state is State.ACTIVE


def test_a_purchase_whose_delayed_payment_failed_is_over() -> None:
    assert purchased(f.PurchaseFailed(), is_paid=False).subscription.state is State.TERMINATED


def test_a_purchase_that_is_refunded_in_full_is_over_and_in_part_is_not() -> None:
    assert purchased(refunded("pi_1", 1000)).subscription.state is State.TERMINATED
    assert purchased(refunded("pi_1", 999)).subscription.state is State.ACTIVE


def test_an_invoice_of_a_purchase_moves_nothing() -> None:
    assert purchased(paid("in_1"), is_paid=False).subscription.state is State.PENDING


def test_a_refund_ends_no_subscription() -> None:
    assert subscribed(linked("pi_1", "in_1"), refunded("pi_1", 1000)).subscription.state is State.ACTIVE


def test_a_purchase_whose_lines_are_not_known_waits_for_what_has_to_be_fetched() -> None:
    waiting = given(happened(JANUARY, f.PurchaseCompleted(paid=True, lines_from="sessions/cs_1")))
    assert waiting.subscription.lines_from == "sessions/cs_1"
    assert waiting.when(happened(FEBRUARY, *bought(line(recurring=False)))).subscription.lines_from == ""
    assert waiting.when(happened(FEBRUARY, described(line(recurring=False)))).subscription.lines_from == ""


def test_a_purchase_whose_lines_are_known_already_waits_for_nothing() -> None:
    completed = f.PurchaseCompleted(paid=True, lines_from="sessions/cs_1")
    assert purchased(completed).subscription.lines_from == ""
