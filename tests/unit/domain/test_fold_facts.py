"""Facts that only say what is known: reopening, answers, prices, users, ends; and how little repeats change."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.lifecycle import State
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    MID_JANUARY,
    Story,
    activated,
    described,
    given,
    happened,
    line,
    paying,
)

# --- reopening ----------------------------------------------------------------------------------------------


def reopened(key: str) -> f.SubscriptionActivated:
    return f.SubscriptionActivated(reopens=True, key=key)


def ended() -> Story:
    start = happened(JANUARY, described(line()), reopened("first"), named="start")
    return given(start, happened(MID_JANUARY, f.SubscriptionTerminated(reason="unpaid"), named="end"))


def test_an_activation_that_says_something_new_reopens_what_was_terminated() -> None:
    story = ended().when(happened(FEBRUARY, reopened("second")))
    assert (story.subscription.state, story.subscription.state_reason, story.anomalies) == (State.ACTIVE, "", [])
    assert story.license().enabled


def test_an_activation_that_was_sent_again_reopens_nothing() -> None:
    story = ended().when(happened(FEBRUARY, reopened("first")))
    assert story.subscription.state is State.TERMINATED
    assert story.anomalies == ["an activation that was told before brings nothing back"]


@pytest.mark.parametrize("happens", [f.PaymentFellOverdue(), f.SubscriptionSuspended(reason="paused")])
def test_an_activation_that_was_sent_again_pays_no_debt_and_ends_no_pause(happens: f.Fact) -> None:
    story = given(happened(JANUARY, reopened("first")), happened(MID_JANUARY, happens))
    before = story.subscription.state
    again = story.when(happened(FEBRUARY, reopened("first")))
    assert (again.subscription.state, len(again.anomalies)) == (before, 1)
    assert again.when(happened(MARCH, reopened("second"))).subscription.state is State.ACTIVE


@pytest.mark.parametrize("then", [f.SubscriptionActivated(), f.TrialStarted(until=MARCH)])
def test_an_activation_that_was_sent_again_while_all_is_well_is_not_worth_a_word(then: f.Fact) -> None:
    begun = happened(JANUARY, reopened("first"), then, named="begun")
    story = given(begun, happened(MID_JANUARY, reopened("first"), then))
    since = story.subscription.state_since
    assert (since is not None and since.event_id, story.anomalies) == ("begun", [])


def test_an_activation_that_may_not_reopen_does_not() -> None:
    story = ended().when(happened(FEBRUARY, activated()))
    assert story.subscription.state is State.TERMINATED
    assert story.anomalies == ["subscription activated makes no sense while terminated"]


def test_what_reopened_and_ended_again_needs_yet_another_activation() -> None:
    story = ended().when(
        happened(FEBRUARY, reopened("second"), named="b"),
        happened(FEBRUARY + timedelta(days=1), f.SubscriptionTerminated(), named="c"),
        happened(MARCH, reopened("second"), named="d"),
    )
    assert story.subscription.state is State.TERMINATED


# --- what was read back -------------------------------------------------------------------------------------


def test_what_was_asked_is_remembered_once_found_or_not() -> None:
    story = paying(f.AnswerRead(about="prices/price_app"), f.AnswerRead(about="prices/gone", found=False)).when(
        happened(FEBRUARY, f.AnswerRead(about="prices/price_app"))
    )
    assert list(story.subscription.answered) == ["prices/price_app", "prices/gone"]


def test_a_description_of_a_price_changes_only_the_lines_that_lack_one() -> None:
    bare = line("si_2", price="price_pro", product="", attributes={}, described=False)
    pro = f.PriceDescribed(price="price_pro", product="prod_pro", attributes={"short_code": "PRO"})
    app = f.PriceDescribed(price="price_app", product="prod_app", attributes={"short_code": "OTHER"})
    story = paying(described(line(), bare)).when(happened(FEBRUARY, pro, app, named="read"))
    told, read = (story.subscription.lines[name] for name in ("si_1", "si_2"))
    assert told.line == line()
    assert (read.line.product, read.line.attributes, read.line.described) == ("prod_pro", {"short_code": "PRO"}, True)
    assert read.since.event_id == "read"


def test_a_description_that_came_first_serves_the_lines_that_come_later() -> None:
    read = happened(JANUARY, f.PriceDescribed(price="p", product="prod_p", attributes={"short_code": "P"}))
    bare = happened(MID_JANUARY, described(line(price="p", attributes={}, described=False)), activated())
    assert given(read, bare).license().product_code == "P"
    assert given(bare, read).license() == given(read, bare).license()


def test_what_is_not_described_was_not_sold_as_anything_yet() -> None:
    story = given(happened(JANUARY, described(line(attributes={}, described=False)), activated()))
    assert story.subscription.sold == []


# --- the rest -----------------------------------------------------------------------------------------------


def test_the_first_reference_of_a_license_generator_stays() -> None:
    story = paying(f.FulfillmentNamed(reference="A")).when(happened(FEBRUARY, f.FulfillmentNamed(reference="B")))
    assert story.subscription.fulfillment == "A"


def test_an_end_by_its_terms_is_since_the_event_that_changed_it() -> None:
    story = paying(f.FixedEndDescribed(at=MARCH)).when(happened(FEBRUARY, f.FixedEndDescribed(at=MARCH), named="again"))
    assert story.subscription.ends_since is not None
    assert story.subscription.ends_since.event_id == "later"


def test_a_payment_that_is_under_way_opens_a_purchase() -> None:
    story = given(happened(JANUARY, f.PurchaseCompleted(paid=False), named="open"))
    assert story.subscription.opened_since is not None
    assert (story.subscription.opened_since.event_id, story.subscription.state) == ("open", State.PENDING)


def test_a_failure_for_good_counts_from_the_first_that_said_so() -> None:
    final = f.PaymentFailed(invoice="in_2", attempt=4, final=True)
    story = paying(f.PaymentFellOverdue(), final).when(happened(FEBRUARY, final, named="again"))
    assert story.subscription.gave_up is not None
    assert story.subscription.gave_up.event_id == "later"
    assert story.when(happened(MARCH, activated())).subscription.gave_up is None


def test_past_due_counts_from_the_first_event_of_the_spell() -> None:
    story = paying(f.PaymentFellOverdue(), at=FEBRUARY).when(happened(MARCH, f.PaymentFellOverdue()))
    assert story.subscription.past_due_since is not None
    assert story.subscription.past_due_since.at == FEBRUARY
    assert story.when(happened(APRIL, activated())).subscription.past_due_since is None


def test_an_end_of_grace_that_is_not_the_last_moves_no_state() -> None:
    story = paying(f.PaymentFellOverdue(), at=FEBRUARY).when(
        happened(MARCH, f.GraceEnded(since=FEBRUARY, days=7, last=False), named="over")
    )
    assert story.subscription.state is State.PAST_DUE
    assert story.subscription.grace is not None
    assert story.subscription.grace.since.event_id == "over"


def test_an_end_of_grace_of_another_spell_is_an_anomaly() -> None:
    for fact in (f.PaymentFellOverdue(), activated()):
        story = paying(fact).when(happened(FEBRUARY, f.GraceEnded(since=JANUARY, days=7)))
        assert story.anomalies == ["grace ended makes no sense: it was not past due since then"]
        assert story.subscription.grace is None
