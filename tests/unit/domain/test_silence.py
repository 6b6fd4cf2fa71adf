"""What has no date at the license server ends by the clock when nothing is heard any more, and never for who pays."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from domain import facts as f
from domain.acts import LicenseDisabled, LicenseEnabled, LicenseExtended
from domain.events import Event
from domain.policy import Policy, ProductPolicy
from domain.timers import due_timers
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PURCHASE,
    TERMS,
    Story,
    acted,
    activated,
    described,
    given,
    happened,
    line,
    paid,
    period,
    rang,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DISABLES = Policy(past_due_days=0, at_expiry="disable")
ASKED = FEBRUARY + 48 * HOUR
ENDS = ASKED + DAY

BOUGHT = happened(
    JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated(), paid("in_1", period(JANUARY, FEBRUARY))
)
RENEWED = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), named="renewed")


def silent(*events: Event, policy: Policy = DISABLES) -> Story:
    """Paid for January, and then nothing but these."""
    return given(BOUGHT, *events, policy=policy)


def rings(story: Story) -> list[datetime]:
    return [timer.at for timer in story.timers]


def test_the_clock_is_to_tell_when_the_provider_is_asked_and_a_day_later_when_it_ends() -> None:
    assert rings(silent()) == [ASKED, ENDS]
    first = silent().timers[0]
    assert (first.type, first.event_id) == ("tenure.time_passed", "tenure.time_passed:2026-02-03T00:00:00+00:00")


def test_it_works_until_a_day_after_its_margin_and_not_longer() -> None:
    assert silent().at(ENDS - timedelta(seconds=1)).license().enabled
    ended = silent().at(ENDS)
    assert not ended.license().enabled
    assert rings(ended) == []


def test_why_it_ended_is_said_with_the_event_that_told_the_time() -> None:
    because = silent().at(ENDS).license().because["enabled"]
    assert because.rule == "policy at_expiry: nothing was heard though it reached to 2026-02-03 00:00 UTC"
    assert because.event is not None
    assert (because.event.type, because.event.at) == ("tenure.time_passed", ENDS)


def test_where_the_license_server_holds_a_date_nothing_rings() -> None:
    assert rings(silent(policy=Policy())) == []
    assert silent(policy=Policy()).at(APRIL).license().enabled


def test_one_product_may_be_ended_by_the_clock_and_others_not() -> None:
    own = Policy(products={"APP": ProductPolicy(at_expiry="disable")})
    assert rings(silent(policy=own)) == [ASKED, ENDS]
    assert rings(silent(policy=Policy(products={"KIT": ProductPolicy(at_expiry="disable")}))) == []


def test_a_target_whose_licenses_have_dates_is_not_concerned_by_another_whose_have_none() -> None:
    story = silent().at(ENDS)
    assert not story.license().enabled
    assert story.under(Policy()).license().enabled
    assert len(due_timers(story.events[0].stream, silent().subscription, [Policy(), DISABLES])) == 2


def test_a_renewal_heard_of_after_the_end_brings_it_back_whenever_it_happened() -> None:
    late = happened(ENDS + 3 * DAY, paid("in_2", period(FEBRUARY, MARCH)), named="renewed-late")
    for renewal in (RENEWED, late):
        story = silent().at(ENDS).when(renewal)
        assert story.license().enabled
        assert rings(story) == [MARCH + 48 * HOUR, MARCH + 48 * HOUR + DAY]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_the_same_events_ends_alike(order: Sequence[int]) -> None:
    rung = [rang(timer) for timer in silent().timers]
    events = [BOUGHT, RENEWED, *rung]
    assert Story([events[place] for place in order], DISABLES).license() == silent(RENEWED, *rung).license()


def test_a_period_that_is_current_at_the_provider_keeps_it_though_its_payment_was_lost() -> None:
    moved = happened(FEBRUARY, described(line(start=FEBRUARY, end=MARCH)), activated(), named="moved")
    story = silent(moved)
    assert story.license().expiry == FEBRUARY
    assert rings(story) == [MARCH + 48 * HOUR, MARCH + 48 * HOUR + DAY]
    assert story.at(MARCH).license().enabled
    assert not story.at(APRIL).license().enabled


def test_what_is_over_anyway_or_bought_once_sets_no_timer() -> None:
    assert rings(silent(happened(FEBRUARY, f.SubscriptionTerminated()))) == []
    once = happened(JANUARY, f.PurchaseCompleted(paid=True), described(line(recurring=False)), stream=PURCHASE)
    assert rings(given(once, policy=DISABLES)) == []


def test_an_operators_word_stands() -> None:
    license_ = silent().license().id
    enabled = silent(acted(MARCH, LicenseEnabled(license=license_))).at(APRIL)
    assert enabled.license().enabled
    disabled = silent(acted(JANUARY + DAY, LicenseDisabled(license=license_)))
    assert rings(disabled) == []


def test_an_extension_moves_the_end_with_it() -> None:
    license_ = silent().license().id
    story = silent().at(ENDS).when(acted(ENDS + DAY, LicenseExtended(license=license_, until=MARCH)))
    assert story.license().enabled
    assert story.at(MARCH - HOUR).license().enabled
    assert not story.at(APRIL).license().enabled


def test_each_line_ends_by_itself() -> None:
    pro = line("si_2", start=JANUARY, end=APRIL, attributes={**TERMS, "product_short_code": "PRO"})
    periods = period(JANUARY, FEBRUARY), period(JANUARY, APRIL, "si_2")
    sold = described(line(start=JANUARY, end=FEBRUARY), pro)
    story = given(happened(JANUARY, sold, activated(), paid("in_1", *periods)), policy=DISABLES).at(MARCH)
    assert {each.product_code: each.enabled for each in story.licenses} == {"APP": False, "PRO": True}
