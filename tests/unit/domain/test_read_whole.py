"""Providers that only announce: what is read back whole, with dates, takes the place of what was told before."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.lifecycle import State
from domain.policy import Policy
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PURCHASE,
    Story,
    bought,
    described,
    given,
    happened,
    line,
    linked,
    paid,
    period,
    refunded,
)

DAY = timedelta(days=1)
LINES = described(line(start=JANUARY, end=FEBRUARY))
IN_JANUARY = paid("in_1", period(JANUARY, FEBRUARY))


def whole(*more: f.Fact, version: int = 1, payments: tuple[f.PeriodPaid, ...] = (IN_JANUARY,)) -> tuple[f.Fact, ...]:
    """An answer that says everything, before what it says of how the subscription stands."""
    shown = f.VersionShown(of="subscription", version=version)
    return shown, f.SubscriptionBegan(at=JANUARY), LINES, f.PaymentsDescribed(paid=payments), *more


def well(since: object = JANUARY) -> f.SubscriptionActivated:
    return f.SubscriptionActivated(since=since)  # type: ignore[arg-type]


def ending(story: Story, until: object) -> Story:
    return story.at(until)  # type: ignore[arg-type]


class TestAnnouncements:
    def test_each_that_is_added_gives_all_of_them_another_name(self) -> None:
        story = given(happened(MID_JANUARY, f.ChangeAnnounced(), named="b"))
        names = [story.subscription.announced]
        for at, named in ((LATE_JANUARY, "c"), (JANUARY, "a"), (MID_JANUARY, "b2")):
            story = story.when(happened(at, f.ChangeAnnounced(), named=named))
            names.append(story.subscription.announced)
        assert len(set(names)) == 4
        assert all(names)

    def test_the_name_follows_from_which_they_are_and_not_from_their_arrival(self) -> None:
        some = [happened(at, f.ChangeAnnounced()) for at in (JANUARY, MID_JANUARY, MID_JANUARY, LATE_JANUARY)]
        assert given(*some).subscription.announced == given(*some[::-1], some[0]).subscription.announced

    def test_one_of_a_subscription_says_what_the_stream_is_about_before_anything_was_read(self) -> None:
        assert not given(happened(JANUARY, f.ChangeAnnounced())).subscription.identified
        assert given(happened(JANUARY, f.ChangeAnnounced(identified=True))).subscription.identified


class TestVersions:
    def test_what_is_older_and_shown_later_counts_for_nothing(self) -> None:
        story = given(
            happened(MID_JANUARY, *whole(well(), version=3)),
            happened(LATE_JANUARY, *whole(f.SubscriptionTerminated(), version=2)),
        )
        assert (story.subscription.state, story.anomalies) == (State.ACTIVE, [])

    def test_but_where_it_leads_does(self) -> None:
        old = f.AnswerRead(about="it#2"), f.StreamsLinked(streams=("payment/1",))
        story = given(happened(MID_JANUARY, *whole(version=3)), happened(LATE_JANUARY, *old, *whole(version=2)))
        assert list(story.subscription.links) == ["payment/1"]

    @pytest.mark.parametrize(
        "told", [(f.AnswerRead(about="it"), *whole(version=2)), (f.AnswerRead(about="it", found=False),)]
    )
    def test_an_answer_that_is_older_or_knows_of_nothing_answers_nothing_until_another_does(
        self, told: tuple[f.Fact, ...]
    ) -> None:
        story = given(happened(MID_JANUARY, *whole(version=3)), happened(LATE_JANUARY, *told))
        assert (list(story.subscription.answered), story.subscription.doubtful) == ([], "it")
        story = story.when(happened(FEBRUARY, f.AnswerRead(about="it"), *whole(version=3)))
        assert (list(story.subscription.answered), story.subscription.doubtful) == (["it"], "")

    def test_of_what_was_never_there_it_is_believed_that_there_is_nothing(self) -> None:
        story = given(happened(MID_JANUARY, f.AnswerRead(about="it", found=False)))
        assert (list(story.subscription.answered), story.subscription.doubtful) == (["it"], "")

    def test_the_same_version_counts_again(self) -> None:
        again = happened(LATE_JANUARY, *whole(f.SubscriptionTerminated()))
        assert given(happened(MID_JANUARY, *whole(well())), again).subscription.state is State.TERMINATED

    def test_of_several_that_follow_one_another_an_earlier_one_is_older_whatever_its_version(self) -> None:
        shown = [f.VersionShown(of="charge", number=number, version=5 - number) for number in (1, 2)]
        story = given(happened(MID_JANUARY, shown[1], well()))
        assert story.when(happened(MARCH, shown[0], f.SubscriptionTerminated())).subscription.state is State.ACTIVE

    @pytest.mark.parametrize(("whole_version", "state"), [(1, State.ACTIVE), (2, State.ACTIVE), (3, State.ACTIVE)])
    def test_one_that_is_older_is_enough(self, whole_version: int, state: State) -> None:
        charge = [f.VersionShown(of="charge", number=1, version=version) for version in (1, 2)]
        told = whole(f.SubscriptionSuspended(reason="x"), version=whole_version)
        story = given(
            happened(JANUARY, *whole(well(), version=2), charge[1]),
            happened(MID_JANUARY, told[0], charge[0], *told[1:]),
        )
        assert story.subscription.state is state
        assert story.subscription.versions == {"subscription": (0, 2), "charge": (1, 2)}


class TestPayments:
    def test_what_is_missing_was_not_paid_after_all(self) -> None:
        story = given(happened(MID_JANUARY, *whole(well())))
        assert story.license().expiry == FEBRUARY
        assert story.when(happened(LATE_JANUARY, *whole(well(), payments=()))).license().expiry == JANUARY

    def test_a_period_that_ended_earlier_than_planned_is_as_it_is_told_last(self) -> None:
        shorter = paid("in_1", period(JANUARY, LATE_JANUARY))
        story = given(happened(MID_JANUARY, *whole(well())), happened(FEBRUARY, *whole(well(), payments=(shorter,))))
        assert story.license().expiry == LATE_JANUARY

    def test_what_is_said_again_keeps_the_event_that_said_it(self) -> None:
        story = given(
            happened(MID_JANUARY, *whole(well()), named="first"), happened(FEBRUARY, *whole(well()), named="second")
        )
        assert story.subscription.invoices["in_1"].paid.event_id == "first"

    def test_the_day_of_a_payment_is_the_one_it_names(self) -> None:
        dated = f.PeriodPaid(invoice="in_1", periods=IN_JANUARY.periods, amount=1, currency="eur", at=JANUARY + DAY)
        story = given(happened(FEBRUARY, *whole(well(), payments=(dated,))))
        assert story.subscription.invoices["in_1"].paid.at == JANUARY + DAY

    def test_money_that_went_back_finds_what_it_paid(self) -> None:
        money = f.PaymentsDescribed(paid=(IN_JANUARY,), links=(linked("pi_1", "in_1"),))
        story = given(happened(MID_JANUARY, LINES, money, well(), refunded("pi_1", 1000)))
        assert not story.license().enabled


class TestSince:
    def test_how_often_it_was_said_to_be_well_moves_nothing(self) -> None:
        once = given(happened(MARCH, *whole(well())))
        often = given(*(happened(at, *whole(well())) for at in (MID_JANUARY, LATE_JANUARY, FEBRUARY, MARCH)))
        assert once.license().margin_hours == often.license().margin_hours == 48
        for story in (once, often):
            assert story.subscription.state_since is not None
            assert story.subscription.state_since.at == JANUARY

    def test_a_suspension_that_nobody_heard_of_shows_in_the_day_since_when_it_is_well(self) -> None:
        unheard = given(happened(MID_JANUARY, *whole(well())), happened(MARCH, *whole(well(FEBRUARY))))
        heard = unheard.when(happened(LATE_JANUARY, *whole(f.SubscriptionSuspended(reason="x", since=LATE_JANUARY))))
        for story in (unheard, heard):
            assert story.subscription.state_since is not None
            assert story.subscription.state_since.at == FEBRUARY
            assert story.license().margin_hours == 48

    def test_a_pause_lasts_from_its_day_on_and_one_after_it_from_its_own(self) -> None:
        policy = Policy(on_pause="keep")
        first, second = (f.SubscriptionSuspended(reason="paused", since=at) for at in (MID_JANUARY, LATE_JANUARY))
        story = given(happened(LATE_JANUARY, *whole(first)), policy=policy)
        reach = story.license().margin_hours
        assert story.when(happened(MARCH, *whole(second))).license().margin_hours == reach + 5 * 24

    def test_what_is_licensed_unpaid_counts_from_when_it_was_made(self) -> None:
        terms = {"product_short_code": "APP", "unpaid_active_license_period": "5d"}
        opening = f.SubscriptionBegan(at=JANUARY), described(line(attributes=terms)), f.SubscriptionOpened()
        for first in (JANUARY, MID_JANUARY):
            assert given(happened(first, *opening)).license().expiry == JANUARY + 5 * DAY


def overdue(since: object = MID_JANUARY) -> f.PaymentFellOverdue:
    return f.PaymentFellOverdue(since=since)  # type: ignore[arg-type]


class TestDebtsToldLater:
    def told(self, at: object, *, days: int = 7) -> Story:
        answer = whole(overdue(), payments=())
        return given(happened(at, *answer), policy=Policy(past_due_days=days))  # type: ignore[arg-type]

    def test_days_count_from_the_day_it_fell_past_due(self) -> None:
        story = self.told(MID_JANUARY + DAY)
        assert story.subscription.past_due_since is not None
        assert story.subscription.past_due_since.at == MID_JANUARY
        (timer,) = story.timers
        assert timer.at == MID_JANUARY + 7 * DAY
        assert story.license().because["margin_hours"].rule == "policy past_due_days: licensed for 7 days past due"

    def test_what_ended_before_it_was_told_rings_right_after(self) -> None:
        story = self.told(FEBRUARY)
        (timer,) = story.timers
        assert timer.at == FEBRUARY + timedelta(microseconds=1)
        assert timer.event_id == "tenure.grace_ended:2026-01-15T00:00:00+00:00:7"
        assert not ending(story, FEBRUARY + DAY).license().enabled

    def test_told_again_it_rings_once(self) -> None:
        story = ending(self.told(MID_JANUARY), LATE_JANUARY + 2 * DAY)
        again = story.when(happened(FEBRUARY, *whole(overdue(), payments=())))
        assert (again.timers, again.license().enabled) == ((), False)
        assert again.subscription.state is State.SUSPENDED

    @pytest.mark.parametrize("days", [0, 3, 7])
    def test_whenever_it_is_first_heard_of_it_ends_the_same(self, days: int) -> None:
        ends = [ending(self.told(at, days=days), MARCH).license() for at in (MID_JANUARY, LATE_JANUARY, FEBRUARY + DAY)]
        assert len({(each.enabled, each.expiry, each.margin_hours) for each in ends}) == 1

    def test_since_another_day_it_is_another_debt_though_nobody_heard_that_the_first_was_paid(self) -> None:
        story = ending(self.told(MID_JANUARY), FEBRUARY)
        assert not story.license().enabled
        again = story.when(happened(FEBRUARY + DAY, *whole(overdue(FEBRUARY))))
        assert (again.subscription.state, again.license().enabled) == (State.PAST_DUE, True)
        (timer,) = again.timers
        assert timer.at == FEBRUARY + 7 * DAY

    def test_the_day_told_counts_also_where_our_clock_is_behind(self) -> None:
        late = given(happened(MID_JANUARY - timedelta(seconds=2), *whole(overdue(), payments=())))
        assert late.subscription.past_due_since is not None
        assert late.subscription.past_due_since.at == MID_JANUARY

    def test_told_without_a_day_it_is_so_from_the_event_on(self) -> None:
        story = given(happened(LATE_JANUARY, *whole(f.PaymentFellOverdue(), payments=())))
        assert story.subscription.past_due_since is not None
        assert story.subscription.past_due_since.at == LATE_JANUARY


def test_a_purchase_that_failed_may_be_said_to_have_failed_again() -> None:
    failed = [happened(at, f.PurchaseFailed(), stream=PURCHASE) for at in (MID_JANUARY, LATE_JANUARY)]
    story = given(happened(JANUARY, *bought(line(recurring=False), is_paid=False), stream=PURCHASE), *failed)
    assert (story.subscription.state, story.anomalies) == (State.TERMINATED, [])
