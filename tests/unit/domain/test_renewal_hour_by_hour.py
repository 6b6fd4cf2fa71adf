"""Renewals, walked hour by hour against a license server that takes dates only.

The promise: whoever pays is never without a valid license, however late the webhooks are (up to a day) and in
whatever order they come; and whoever stopped paying does lose it. Stripe's own times are assumed: the next period is
told when it begins, its invoice is paid an hour later or more.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain import facts as f
from domain.events import Event
from domain.history import Fold, decode_fold, encode_fold, extend, extends, refold
from domain.licensing import License, entitle
from domain.policy import Policy
from tests.stories import STREAM, TELLER, activated, described, happened, line, paid, period, recorded, utc

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARGIN = 48 * HOUR
NEVER, FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Heard = tuple[datetime, Event]
"""When we heard of an event, and the event."""


def midnight_not_before(instant: datetime) -> datetime:
    """An expiry as a date, which is midnight at its start; so it is rounded up."""
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == instant else midnight + DAY


def works_until(granted: License) -> datetime:
    """Until when LicenseSpring says that a license is valid: enabled, and before its date and the grace hours."""
    if not granted.enabled:
        return NEVER
    return FOREVER if granted.expiry is None else midnight_not_before(granted.expiry) + granted.margin_hours * HOUR


def walk(deliveries: Iterable[Heard], end: datetime) -> Iterator[tuple[datetime, bool]]:
    """Every hour from the first delivery, and whether a license worked, from what had been heard by then."""
    waiting = sorted(deliveries, key=lambda each: each[0])
    events = recorded(event for _, event in waiting)
    fold, until, heard = refold([], TELLER), NEVER, 0
    now = waiting[0][0]
    while now < end:
        before = heard
        while heard < len(waiting) and waiting[heard][0] <= now:
            heard += 1
        if heard > before:
            fold = _onwards(fold, events[:heard], events[before:heard])
            licenses = entitle(STREAM, fold.subscription, Policy()).licenses
            until = max(map(works_until, licenses), default=NEVER)
        yield now, now < until
        now += HOUR


def _onwards(fold: Fold, events: Sequence[Event], new: Sequence[Event]) -> Fold:
    """As the projection does it: extends the stored fold where the new events allow that."""
    return extend(decode_fold(encode_fold(fold)), new, TELLER) if extends(fold, new, TELLER) else refold(events, TELLER)


def hours_without(deliveries: Iterable[Heard], start: datetime, end: datetime) -> list[datetime]:
    return [hour for hour, worked in walk(deliveries, end) if hour >= start and not worked]


def last_hour(deliveries: Iterable[Heard], end: datetime) -> datetime:
    """The last hour in which the license worked."""
    return max(hour for hour, worked in walk(deliveries, end) if worked)


# --- the provider's calendar --------------------------------------------------------------------------------


def months_after(anchor: datetime, months: int) -> datetime:
    """The anchor's day in a later month, or that month's last day: how providers count."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    for day in range(anchor.day, 0, -1):
        try:
            return anchor.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def periods(anchor: datetime, months: int, count: int) -> list[tuple[datetime, datetime]]:
    return [(months_after(anchor, n * months), months_after(anchor, (n + 1) * months)) for n in range(count)]


CALENDARS = [
    pytest.param(periods(utc(2026, 1, 31), 1, 14), id="monthly from 31 January"),
    pytest.param(periods(utc(2026, 1, 31, 13), 1, 4), id="monthly from 31 January at one"),
    pytest.param(periods(utc(2026, 3, 1, 23), 1, 4), id="monthly from 1 March at eleven"),
    pytest.param(periods(utc(2024, 2, 29), 12, 3), id="yearly from 29 February"),
    pytest.param(periods(utc(2026, 6, 15, 9), 12, 3), id="yearly from 15 June at nine"),
]
DELAYS = [pytest.param(*delays, id="{} and {} hours late".format(*delays)) for delays in product((0, 5, 24), repeat=2)]
Periods = list[tuple[datetime, datetime]]


def updated(start: datetime, end: datetime, *standing: f.Fact, at: datetime | None = None) -> Event:
    """A snapshot of the subscription in that period."""
    return happened(at or start, described(line(start=start, end=end)), *standing)


def invoice(start: datetime, end: datetime, at: datetime, amount: int = 1000) -> Event:
    return happened(at, paid(f"in_{start:%y%m%d}", period(start, end), amount=amount))


def late(event: Event, hours: int) -> Heard:
    return event.occurred_at + hours * HOUR, event


def renewals(calendar: Periods, first: int, second: int, lag: timedelta = HOUR) -> list[Heard]:
    """Snapshots that come `first` hours late, and paid invoices that come `second` hours late."""
    return [
        heard
        for start, end in calendar
        for heard in (
            late(updated(start, end, activated()), first),
            late(invoice(start, end, start + lag), second),
        )
    ]


# --- whoever pays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 3], ids="invoices after {}".format)
@pytest.mark.parametrize(("first", "second"), DELAYS)
@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_paying_customer_is_never_without_a_valid_license(
    calendar: Periods, first: int, second: int, lag: int
) -> None:
    story = renewals(calendar, first, second, lag * HOUR)
    known = calendar[0][0] + (lag + max(first, second)) * HOUR
    assert hours_without(story, known, calendar[-1][1]) == []


@pytest.mark.parametrize(("first", "second"), DELAYS)
@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_customer_whose_card_is_mended_after_three_weeks_is_never_without_a_valid_license(
    calendar: Periods, first: int, second: int
) -> None:
    story = renewals(calendar[:1], 0, 0)
    for start, end in calendar[1:]:
        failed, mended = start + HOUR, start + 21 * DAY
        story += [
            late(updated(start, end, activated()), second),
            late(updated(start, end, f.PaymentFellOverdue(), at=failed), first),
            late(happened(failed, f.PaymentFailed(invoice=f"in_{start:%y%m%d}", attempt=1)), first),
            late(updated(start, end, activated(), at=mended), first),
            late(invoice(start, end, mended), second),
        ]
    assert hours_without(story, calendar[0][0] + HOUR, calendar[-1][1]) == []


@pytest.mark.parametrize("billed", [True, False], ids=["with an invoice of nothing", "without one"])
@pytest.mark.parametrize(("first", "second"), DELAYS)
@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_trial_that_is_paid_for_in_the_end_never_stops(
    calendar: Periods, first: int, second: int, billed: bool
) -> None:
    begin, end = calendar[0][0] - 14 * DAY, calendar[0][0]
    story = [late(updated(begin, end, f.TrialStarted(until=end)), 0), *renewals(calendar, first, second)]
    story += [late(invoice(begin, end, begin, amount=0), 0)] if billed else []
    assert hours_without(story, begin, calendar[-1][1]) == []


@pytest.mark.parametrize(("first", "second"), DELAYS)
@pytest.mark.parametrize("calendar", CALENDARS)
def test_who_pays_each_invoice_on_its_last_day_is_never_without_a_valid_license(
    calendar: Periods, first: int, second: int
) -> None:
    terms = happened(calendar[0][0], f.CollectionTermsDescribed(days_until_due=30))
    story = [late(terms, first), *renewals(calendar, first, second, HOUR + 30 * DAY)]
    assert hours_without(story, calendar[0][0] + first * HOUR, calendar[-1][1]) == []


# --- whoever stopped paying ---------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 24])
@pytest.mark.parametrize(
    "ending",
    [f.SubscriptionTerminated(), f.SubscriptionSuspended(reason="unpaid"), f.SubscriptionSuspended(reason="paused")],
    ids=["deleted", "unpaid", "paused"],
)
@pytest.mark.parametrize("calendar", CALENDARS)
def test_access_ends_with_the_word_that_it_is_over(calendar: Periods, ending: f.Fact, hours: int) -> None:
    start, end = calendar[1]
    over = start + 21 * DAY
    story = [
        *renewals(calendar[:1], 0, 0),
        late(updated(start, end, f.PaymentFellOverdue(), at=start + HOUR), 0),
        late(updated(start, end, ending, at=over), hours),
    ]
    assert last_hour(story, calendar[2][1]) == over + (hours - 1) * HOUR


@pytest.mark.parametrize("calendar", CALENDARS)
def test_access_ends_with_the_period_when_the_customer_cancelled(calendar: Periods) -> None:
    end = calendar[0][1]
    story = [*renewals(calendar[:1], 0, 0), late(happened(end, f.SubscriptionTerminated()), 0)]
    assert last_hour(story, calendar[1][1]) == end - HOUR


@pytest.mark.parametrize("calendar", CALENDARS)
def test_without_any_word_access_ends_with_the_margin(calendar: Periods) -> None:
    end = midnight_not_before(calendar[0][1]) + MARGIN
    assert last_hour(renewals(calendar[:1], 0, 0), calendar[2][1]) == _hour_before(end, calendar)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_period_that_began_and_was_never_paid_gives_no_more_than_the_margin(calendar: Periods) -> None:
    story = [*renewals(calendar[:1], 0, 0), late(updated(*calendar[1], activated()), 0)]
    end = midnight_not_before(calendar[0][1]) + MARGIN
    assert last_hour(story, calendar[2][1]) == _hour_before(end, calendar)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_past_due_without_another_word_ends_with_the_unpaid_period_and_the_margin(calendar: Periods) -> None:
    start, end = calendar[1]
    story = [*renewals(calendar[:1], 0, 0), late(updated(start, end, f.PaymentFellOverdue(), at=start + HOUR), 0)]
    lost = midnight_not_before(start) + (end - start) + MARGIN
    assert last_hour(story, calendar[2][1]) == _hour_before(lost, calendar)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_an_invoice_that_is_never_paid_ends_access_with_the_days_it_was_due_in_and_the_margin(
    calendar: Periods,
) -> None:
    terms = happened(calendar[0][0], f.CollectionTermsDescribed(days_until_due=30))
    story = [late(terms, 0), *renewals(calendar[:1], 0, 0), late(updated(*calendar[1], activated()), 0)]
    lost = midnight_not_before(calendar[0][1]) + 30 * DAY + MARGIN
    assert last_hour(story, calendar[2][1] + 30 * DAY) == _hour_before(lost, calendar)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_trial_without_another_word_ends_with_the_margin(calendar: Periods) -> None:
    begin, end = calendar[0]
    story = [late(updated(begin, end, f.TrialStarted(until=end)), 0)]
    assert last_hour(story, calendar[1][1]) == _hour_before(midnight_not_before(end) + MARGIN, calendar)


def _hour_before(lost: datetime, calendar: Periods) -> datetime:
    """The last hour of the walk before that instant; the walk keeps the minutes of its beginning."""
    begin = calendar[0][0]
    return begin + (-(-(lost - begin) // HOUR) - 1) * HOUR
