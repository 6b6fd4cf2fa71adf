"""Days past due: what the policy grants, when a timer ends it, and what brings the licenses back."""

from datetime import timedelta

import msgspec
import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.policy import PastDueDays, Policy, ProductPolicy
from domain.timers import due_timers
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    Story,
    activated,
    because,
    described,
    happened,
    line,
    paying,
    utc,
)

PRO = {"product_short_code": "PRO"}
OVERDUE = (described(line(start=FEBRUARY, end=MARCH)), f.PaymentFellOverdue())
BOTH = described(line(start=FEBRUARY, end=MARCH), line("si_2", start=FEBRUARY, end=MARCH, attributes=PRO))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def overdue(days: PastDueDays = 7, *more: f.Fact, pro: PastDueDays | None = None) -> Story:
    """Past due since the first of February, with that many days granted (to PRO: others)."""
    products = {} if pro is None else {"PRO": ProductPolicy(past_due_days=pro)}
    return paying(*OVERDUE, *more, at=FEBRUARY, past_due_days=days, products=products)


def grace(story: Story) -> list[tuple[timedelta, f.GraceEnded]]:
    """How long after the first of February each timer rings, and what it says."""
    return [
        (timer.at - FEBRUARY, msgspec.json.decode(timer.body, type=f.GraceEnded, strict=True)) for timer in story.timers
    ]


def graces(story: Story, *policies: Policy) -> list[tuple[timedelta, PastDueDays | None, bool]]:
    """After how long each timer rings with a policy for each target, which days it ends, and whether as the last."""
    timers = due_timers(story.events[0].stream, story.subscription, policies)
    facts = [(timer.at - FEBRUARY, msgspec.json.decode(timer.body, type=f.GraceEnded)) for timer in timers]
    return [(after, fact.days, fact.last) for after, fact in facts]


# --- when timers ring ---------------------------------------------------------------------------------------


def test_the_days_that_are_granted_end_with_a_timer() -> None:
    (timer,) = overdue(7).timers
    assert (timer.at, timer.type) == (FEBRUARY + 7 * DAY, "tenure.grace_ended")
    assert timer.event_id == "tenure.grace_ended:2026-02-01T00:00:00+00:00:7"
    assert grace(overdue(7)) == [(7 * DAY, f.GraceEnded(since=FEBRUARY, days=7, last=True))]


def test_no_days_at_all_end_right_after_the_event_and_not_at_its_instant() -> None:
    (timer,) = overdue(0).timers
    assert timer.event_id.endswith(":0")
    assert timer.at == FEBRUARY + timedelta(microseconds=1)
    assert not overdue(0).at(timer.at).license().enabled


def test_as_long_as_the_provider_tries_there_is_no_timer_and_when_it_gave_up_there_is() -> None:
    assert overdue("provider").timers == ()
    gave_up = overdue("provider").when(
        happened(MARCH, f.PaymentFailed(invoice="in_2", attempt=4, final=True), named="gave-up")
    )
    (timer,) = gave_up.timers
    assert (timer.at, timer.event_id) == (
        MARCH + 48 * HOUR,
        "tenure.grace_ended:2026-02-01T00:00:00+00:00:provider",
    )
    over = gave_up.at(timer.at)
    assert (over.subscription.state, over.license().enabled) == (State.SUSPENDED, False)
    assert because(over.license(), "enabled")[0] == "policy past_due_days: past due for as long as the provider tried"


def test_a_provider_that_tries_again_has_not_given_up() -> None:
    failed = f.PaymentFailed(invoice="in_2", attempt=4, final=True)
    again = f.PaymentFailed(invoice="in_2", attempt=5)
    assert overdue("provider", failed, again).timers == ()


def test_products_of_different_policies_end_one_after_the_other() -> None:
    story = overdue(7, BOTH, pro=14)
    assert grace(story) == [
        (7 * DAY, f.GraceEnded(since=FEBRUARY, days=7, last=False)),
        (14 * DAY, f.GraceEnded(since=FEBRUARY, days=14, last=True)),
    ]
    first = story.at(FEBRUARY + 7 * DAY)
    assert first.subscription.state is State.PAST_DUE
    assert {each.product_code: each.enabled for each in first.licenses} == {"APP": False, "PRO": True}
    assert grace(first) == [(14 * DAY, f.GraceEnded(since=FEBRUARY, days=14, last=True))]
    second = first.at(FEBRUARY + 14 * DAY)
    assert (second.subscription.state, second.enabled, second.timers) == (State.SUSPENDED, [], ())


def test_no_end_is_the_last_while_a_line_is_licensed_as_long_as_the_provider_tries() -> None:
    story = overdue(7, BOTH, pro="provider")
    assert grace(story) == [(7 * DAY, f.GraceEnded(since=FEBRUARY, days=7, last=False))]
    gave_up = story.when(happened(FEBRUARY + DAY, f.PaymentFailed(invoice="in_2", attempt=4, final=True)))
    assert grace(gave_up) == [
        (3 * DAY, f.GraceEnded(since=FEBRUARY, last=False)),
        (7 * DAY, f.GraceEnded(since=FEBRUARY, days=7, last=True)),
    ]
    tried = gave_up.at(FEBRUARY + 3 * DAY)
    assert {each.product_code: each.enabled for each in tried.licenses} == {"APP": True, "PRO": False}


def test_units_that_nobody_has_wait_for_no_timer() -> None:
    gone = described(line(start=FEBRUARY, end=MARCH), line("si_2", quantity=0, attributes=PRO))
    assert [each.days for _, each in grace(overdue(7, gone, pro=14))] == [7]


@pytest.mark.parametrize(
    "fact",
    [activated(), f.TrialStarted(), f.SubscriptionSuspended(reason="unpaid"), f.SubscriptionTerminated()],
    ids=lambda fact: type(fact).__name__,
)
def test_what_is_not_past_due_waits_for_no_timer(fact: f.Fact) -> None:
    assert overdue(7, fact).timers == ()


# --- what they do -------------------------------------------------------------------------------------------


def test_until_the_days_are_over_the_license_works_by_itself_and_no_longer() -> None:
    granted = overdue(30).license()
    assert granted.expiry is not None
    assert granted.expiry + granted.margin_hours * HOUR == FEBRUARY + 30 * DAY
    assert because(granted, "margin_hours") == ("policy past_due_days: licensed for 30 days past due", "later")


def test_when_the_days_are_over_the_licenses_are_disabled_and_say_why() -> None:
    over = overdue(7).at(FEBRUARY + 7 * DAY)
    assert over.subscription.state is State.SUSPENDED
    assert because(over.license(), "enabled") == (
        "policy past_due_days: past due for 7 days",
        "tenure.grace_ended:2026-02-01T00:00:00+00:00:7",
    )
    assert over.anomalies == []


def test_a_payment_restores_at_once() -> None:
    over = overdue(7).at(FEBRUARY + 7 * DAY)
    recovered = over.when(happened(FEBRUARY + 9 * DAY, activated()), PAID_FEBRUARY)
    assert (recovered.subscription.state, recovered.license().enabled, recovered.timers) == (State.ACTIVE, True, ())
    assert recovered.subscription.grace is None


def test_a_payment_that_is_told_late_takes_the_end_of_grace_back() -> None:
    paid_in_time = happened(FEBRUARY + 2 * DAY, activated(), named="paid-in-time")
    story = overdue(7).at(FEBRUARY + 7 * DAY).when(paid_in_time)
    assert (story.subscription.state, story.license().enabled) == (State.ACTIVE, True)
    assert story.anomalies == ["grace ended makes no sense: it was not past due since then"]


def test_a_reminder_does_not_bring_back_what_is_over() -> None:
    over = overdue(7).at(FEBRUARY + 7 * DAY)
    reminded = over.when(happened(FEBRUARY + 8 * DAY, f.PaymentFellOverdue()))
    assert (reminded.subscription.state, reminded.license().enabled) == (State.SUSPENDED, False)
    assert reminded.anomalies == []


def test_a_new_failure_after_a_recovery_has_its_own_days() -> None:
    again = (
        overdue(7)
        .at(FEBRUARY + 7 * DAY)
        .when(happened(FEBRUARY + 8 * DAY, activated()), happened(MARCH, f.PaymentFellOverdue()))
    )
    assert again.license().enabled
    assert [timer.at for timer in again.timers] == [MARCH + 7 * DAY]


def test_a_longer_policy_licenses_again_and_has_a_timer_of_its_own() -> None:
    longer = overdue(7).at(FEBRUARY + 7 * DAY).under(Policy(past_due_days=14))
    assert longer.license().enabled
    assert grace(longer) == [(14 * DAY, f.GraceEnded(since=FEBRUARY, days=14, last=True))]
    over = longer.at(FEBRUARY + 14 * DAY)
    assert (over.license().enabled, over.anomalies, over.timers) == (False, [], ())
    assert over.under(Policy(past_due_days="provider")).license().enabled


def test_a_shorter_policy_counts_what_rang_already() -> None:
    shorter = overdue(14).at(FEBRUARY + 14 * DAY).under(Policy(past_due_days=7))
    assert (shorter.license().enabled, shorter.timers) == (False, ())


def test_what_the_provider_suspends_itself_is_its_own_affair_from_then_on() -> None:
    unpaid = (
        overdue(7)
        .at(FEBRUARY + 7 * DAY)
        .when(happened(FEBRUARY + 9 * DAY, f.SubscriptionSuspended(reason="unpaid"), named="unpaid"))
    )
    assert because(unpaid.under(Policy(past_due_days=30)).license(), "enabled") == (
        "the subscription is suspended",
        "unpaid",
    )


def test_however_late_a_timer_is_appended_the_story_is_the_same() -> None:
    later = [
        happened(FEBRUARY + 8 * DAY, f.PaymentFellOverdue(), named="reminder"),
        happened(FEBRUARY + 9 * DAY, f.CustomerDescribed(name="Ada"), named="renamed"),
    ]
    in_time = overdue(7).at(FEBRUARY + 7 * DAY).when(*later)
    too_late = overdue(7).when(*later).at(MARCH)
    assert in_time.subscription == too_late.subscription
    assert in_time.licenses == too_late.licenses


def test_two_ends_at_one_instant_count_in_either_order() -> None:
    ends = [
        happened(FEBRUARY + 7 * DAY, f.GraceEnded(since=FEBRUARY, days=7, last=False)),
        happened(FEBRUARY + 7 * DAY, f.GraceEnded(since=FEBRUARY, last=True)),
    ]
    for names in ("ab", "ba"):
        named = [msgspec.structs.replace(end, event_id=name) for end, name in zip(ends, names, strict=True)]
        tried = f.PaymentFailed(invoice="in_2", attempt=4, final=True)
        known = overdue(7, BOTH, tried, pro="provider").when(*named).subscription.grace
        assert known is not None
        assert (known.days, known.tried, known.last) == (7, True, True)


# --- pauses -------------------------------------------------------------------------------------------------


def test_what_a_pause_does_is_policy() -> None:
    pause = (described(line(start=JANUARY, end=MARCH)), f.SubscriptionSuspended(reason="paused"))
    assert because(paying(*pause).license(), "enabled") == ("the subscription is suspended", "later")
    kept = paying(*pause, on_pause="keep").license()
    assert because(kept, "enabled") == ("policy on_pause: a pause keeps the licenses", "later")
    assert kept.expiry is not None
    assert kept.expiry + kept.margin_hours * HOUR == MID_JANUARY + 366 * DAY


def test_a_pause_that_is_kept_needs_no_current_period() -> None:
    for ends in (None, JANUARY):
        pause = (described(line(start=JANUARY, end=ends)), f.SubscriptionSuspended(reason="paused"))
        kept = paying(*pause, on_pause="keep").license()
        assert because(kept, "margin_hours")[0] == "policy on_pause: licensed while it is paused, for a year at most"
        assert kept.expiry is not None
        assert kept.expiry + kept.margin_hours * HOUR == MID_JANUARY + 366 * DAY


def test_a_pause_that_turns_into_a_debt_is_a_debt() -> None:
    story = paying(f.SubscriptionSuspended(reason="paused"), on_pause="keep").when(
        happened(LATE_JANUARY, f.SubscriptionSuspended(reason="unpaid"), named="unpaid")
    )
    assert because(story.license(), "enabled") == ("the subscription is suspended", "unpaid")
    assert story.subscription.state_reason == "unpaid"


def test_a_pause_that_is_told_twice_is_since_the_first() -> None:
    pause = f.SubscriptionSuspended(reason="paused")
    story = paying(pause).when(happened(LATE_JANUARY, pause, named="again"))
    assert story.subscription.state_since is not None
    assert story.subscription.state_since.at == MID_JANUARY


def test_policy_is_that_of_the_product() -> None:
    policy = Policy(past_due_days=7, products={"PRO": ProductPolicy(on_pause="keep", renewal_margin_hours=1)})
    paused = paying(BOTH, f.SubscriptionSuspended(reason="paused")).under(policy)
    assert {each.product_code: each.enabled for each in paused.licenses} == {"APP": False, "PRO": True}
    running = paying(described(line(), line("si_2", attributes=PRO)), at=utc(2026, 1, 2)).under(policy)
    assert {each.product_code: each.margin_hours for each in running.licenses} == {"APP": 48, "PRO": 1}


# --- several targets, each with its policy -------------------------------------------------------------------


def test_each_targets_grace_ends_with_a_timer_of_its_own_and_the_longest_is_the_last() -> None:
    short, long = Policy(past_due_days=3), Policy(past_due_days=14)
    expected = [(3 * DAY, 3, False), (14 * DAY, 14, True)]
    assert graces(overdue(), short, long) == graces(overdue(), long, short) == expected


def test_the_same_days_at_two_targets_end_with_one_timer() -> None:
    assert graces(overdue(), Policy(past_due_days=7), Policy(past_due_days=7, on_refund="keep")) == [(7 * DAY, 7, True)]


def test_none_is_the_last_while_one_target_waits_for_the_providers_word() -> None:
    assert graces(overdue(), Policy(past_due_days=0), Policy()) == [(timedelta(microseconds=1), 0, False)]
