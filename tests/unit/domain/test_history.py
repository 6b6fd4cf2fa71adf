"""From events to the fold: whole or onwards, repeated, stopped, with receipts beside."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from domain import facts as f
from domain.events import Event
from domain.history import Fold, Told, decode_fold, encode_fold, extend, extends, refold, tell
from domain.lifecycle import State
from domain.own import KEYS_REQUESTED
from domain.receipts import KeysGenerated, KeysMinted, LicenseChanged, OrderCreated
from domain.subscription import EventRef, Subscription
from tests.stories import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAID_FEBRUARY,
    PAID_JANUARY,
    SUBSCRIBED,
    TELLER,
    activated,
    answered,
    described,
    dispute_closed,
    disputed,
    given,
    happened,
    line,
    muttered,
    recorded,
    refunded,
)

DAY = timedelta(days=1)
MINTED = answered(JANUARY + DAY, KeysMinted(target="ls", order="o-1", keys={"lic_1": "AAAA"}))
CREATED = answered(
    JANUARY + 2 * DAY,
    OrderCreated(target="ls", order="o-1", licenses={"lic_1": "101"}, fields={"lic_1": {"enabled": True}}),
)
CHANGED = answered(MARCH + DAY, LicenseChanged(target="ls", license="lic_1", fields={"enabled": False}))
YEAR = [
    SUBSCRIBED,
    PAID_JANUARY,
    MINTED,
    CREATED,
    happened(JANUARY + DAY, f.CustomerDescribed(reference="cus_1", email="a@example.com")),
    happened(JANUARY + 3 * DAY, described(line(quantity=3), line("si_2"))),
    PAID_FEBRUARY,
    happened(FEBRUARY + DAY, described(line(quantity=2)), f.PaymentFellOverdue()),
    happened(FEBRUARY + 2 * DAY, disputed("dp_1", "pi_2"), f.CancellationScheduled(at=APRIL)),
    happened(FEBRUARY + 3 * DAY, dispute_closed("dp_1", "pi_2", f.DisputeOutcome.WON), activated()),
    happened(MARCH, refunded("pi_2", 500), f.CancellationWithdrawn()),
    happened(MARCH + DAY, f.SubscriptionTerminated(reason="asked")),
    CHANGED,
    happened(MARCH + 2 * DAY, activated()),
]


def stored(fold: Fold) -> Fold:
    """The fold as the projection reads it back."""
    return decode_fold(encode_fold(fold))


def onwards(*batches: Sequence[Event]) -> Fold:
    """Folds batch after batch as the projection does, storing the fold between them."""
    fold, known = refold([], TELLER), list[Event]()
    for batch in batches:
        known += batch
        fold = extend(stored(fold), batch, TELLER) if extends(fold, batch, TELLER) else refold(known, TELLER)
    return fold


@pytest.mark.parametrize("split", range(len(YEAR) + 1))
def test_a_fold_extended_at_any_point_equals_the_whole_byte_for_byte(split: int) -> None:
    events = recorded(YEAR)
    first = stored(refold(events[:split], TELLER))
    assert extends(first, events[split:], TELLER) or events[split - 1].occurred_at == events[split].occurred_at
    assert encode_fold(onwards(events[:split], events[split:])) == encode_fold(refold(events, TELLER))


def test_a_fold_extended_event_by_event_equals_the_whole_byte_for_byte() -> None:
    events = recorded(YEAR)
    assert encode_fold(onwards(*([event] for event in events))) == encode_fold(refold(events, TELLER))


@pytest.mark.parametrize("late", [index for index, event in enumerate(YEAR) if event.origin != "receipt"])
def test_an_event_that_comes_last_folds_as_if_it_had_come_in_time(late: int) -> None:
    in_time = recorded(YEAR)
    arrived = [*in_time[:late], *in_time[late + 1 :], msgspec.structs.replace(in_time[late], position=99)]
    assert encode_fold(onwards(arrived[:-1], arrived[-1:])) == encode_fold(refold(in_time, TELLER))


def test_a_fold_reads_back_as_it_was() -> None:
    fold = refold(recorded(YEAR), TELLER)
    assert stored(fold) == fold
    assert encode_fold(stored(fold)) == encode_fold(fold)


def test_an_empty_fold_starts_pending_and_shares_nothing_with_the_next() -> None:
    one, other = refold([], TELLER), refold([], TELLER)
    assert one == Fold(subscription=Subscription())
    assert one.subscription is not other.subscription
    extend(one, recorded([SUBSCRIBED, PAID_JANUARY, MINTED]), TELLER)
    assert other == Fold(subscription=Subscription())
    assert (Subscription().lines, Subscription().invoices) == ({}, {})


def test_a_fold_says_how_many_events_it_holds_and_from_when_to_when() -> None:
    fold = refold(recorded([PAID_FEBRUARY, SUBSCRIBED, MINTED]), TELLER)
    assert (fold.events, fold.first, fold.latest) == (2, JANUARY, FEBRUARY)


# --- what extends and what does not -------------------------------------------------------------------------


def test_only_what_is_later_than_all_before_extends() -> None:
    fold = refold(recorded([SUBSCRIBED, PAID_FEBRUARY]), TELLER)
    assert extends(fold, [happened(FEBRUARY + DAY, activated())], TELLER)
    assert not extends(fold, [happened(FEBRUARY, activated())], TELLER)
    assert not extends(fold, [happened(JANUARY + DAY, activated())], TELLER)
    assert not extends(fold, [happened(MARCH, activated()), happened(JANUARY + DAY, activated())], TELLER)


def test_a_receipt_always_extends_because_it_is_folded_by_its_place_and_not_its_time() -> None:
    assert extends(refold(recorded([PAID_FEBRUARY]), TELLER), [MINTED], TELLER)


# --- repetition ---------------------------------------------------------------------------------------------


def test_an_event_that_came_twice_counts_once_and_the_first_copy_stays() -> None:
    relayed = msgspec.structs.replace(PAID_JANUARY, origin="relay")
    story = given(SUBSCRIBED, PAID_JANUARY, relayed)
    assert [told.event.origin for told in story.told] == ["webhook", "webhook"]
    assert encode_fold(story.fold) == encode_fold(given(SUBSCRIBED, PAID_JANUARY).fold)


def test_an_anomaly_that_came_twice_is_one_anomaly() -> None:
    late = happened(FEBRUARY, activated())
    assert (
        given(SUBSCRIBED, happened(JANUARY + DAY, f.SubscriptionTerminated()), late, late).subscription.anomalies == 1
    )


# --- a stream that stops ------------------------------------------------------------------------------------


def test_a_stream_stops_at_the_first_event_in_the_providers_order_that_is_not_understood() -> None:
    story = given(SUBSCRIBED, PAID_FEBRUARY, happened(MARCH, f.SubscriptionTerminated()), muttered(JANUARY + DAY))
    assert [told.step is not None for told in story.told] == [True, False, False, False]
    assert story.fold.stopped.startswith("muttered 260102-0000-")
    assert "Expected `array`, got `str`" in story.fold.stopped
    assert (story.subscription.state, story.subscription.invoices) == (State.ACTIVE, {})


def test_what_comes_after_a_stop_is_shown_and_counted_but_not_folded() -> None:
    story = given(muttered(JANUARY), SUBSCRIBED)
    assert [(told.event.type, told.facts, told.step) for told in story.told] == [
        ("muttered", (), None),
        ("told", (), None),
    ]
    assert (story.fold.events, story.fold.latest) == (2, JANUARY)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_where_a_stream_stops_depends_on_no_order_of_arrival(order: Sequence[int]) -> None:
    events = [SUBSCRIBED, muttered(FEBRUARY, named="a"), muttered(MARCH, named="b"), happened(APRIL, activated())]
    arrived = recorded(events[index] for index in order)
    assert encode_fold(onwards(*([event] for event in arrived))) == encode_fold(refold(recorded(events), TELLER))


def test_nothing_extends_a_stream_that_stopped_so_that_it_is_folded_anew() -> None:
    assert not extends(given(SUBSCRIBED, muttered(FEBRUARY)).fold, [happened(MARCH, activated())], TELLER)


def test_a_stopped_stream_goes_on_once_its_events_are_understood() -> None:
    events = recorded([SUBSCRIBED, muttered(FEBRUARY), happened(MARCH, f.SubscriptionTerminated())])
    assert refold(events, TELLER).stopped
    mended = msgspec.structs.replace(
        TELLER, translate=lambda event: [] if event.type == "muttered" else TELLER.translate(event)
    )
    assert (refold(events, mended).stopped, refold(events, mended).subscription.state) == ("", State.TERMINATED)


def test_a_fault_of_ours_stops_the_stream_and_tells_nothing_of_its_content() -> None:
    def fails(event: Event) -> Sequence[f.Fact]:
        raise KeyError("secret@example.com")

    stopped = refold(recorded([SUBSCRIBED]), msgspec.structs.replace(TELLER, translate=fails)).stopped
    assert stopped == "told created: KeyError while folding: a fault in Tenure, please report it"


# --- origins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "understood"),
    [("webhook", True), ("backfill", True), ("readback", True), ("relay", True), ("timer", False), ("operator", False)],
)
def test_the_provider_translates_its_own_events_and_no_others(origin: str, understood: bool) -> None:
    event = msgspec.convert({**msgspec.structs.asdict(SUBSCRIBED), "origin": origin}, Event)
    assert given(event).subscription.identified is understood


def test_what_told_says_of_an_event_is_its_facts_and_its_step() -> None:
    (told,) = given(SUBSCRIBED).told
    assert isinstance(told, Told)
    assert [type(fact) for fact in told.facts] == [f.SubscriptionBegan, f.LinesDescribed, f.SubscriptionActivated]
    assert given(SUBSCRIBED).subscription.state_since == EventRef("created", "told", JANUARY)


# --- receipts -----------------------------------------------------------------------------------------------


def test_receipts_are_folded_by_their_place_whatever_their_time() -> None:
    off = answered(MARCH, LicenseChanged(target="ls", license="lic_1", fields={"enabled": False}))
    on = answered(FEBRUARY, LicenseChanged(target="ls", license="lic_1", fields={"enabled": True}))
    assert given(SUBSCRIBED, off, on).fold.applied["ls"].license("lic_1").fields == {"enabled": True}


def test_receipts_do_not_disturb_the_subscription() -> None:
    receipts = [event for event in YEAR if event.origin == "receipt"]
    others = [event for event in YEAR if event.origin != "receipt"]
    assert given(*YEAR).subscription == given(*others).subscription
    assert given(*YEAR).fold.applied == given(*receipts).fold.applied


def test_a_receipt_that_cannot_be_read_stops_the_stream() -> None:
    story = given(SUBSCRIBED, msgspec.structs.replace(MINTED, body=b'{"receipt": "torn_up"}'), CREATED)
    assert "not a receipt this version knows" in story.fold.stopped
    assert story.subscription.state is State.ACTIVE


def test_receipts_are_still_applied_to_a_stream_that_stopped() -> None:
    assert given(muttered(JANUARY), MINTED, CREATED).fold.applied["ls"].license("lic_1").remote == "101"


def relayed(event: Event) -> Event:
    return msgspec.structs.replace(event, origin="relay")


GENERATED = relayed(answered(JANUARY, KeysGenerated(target="ls", product="pro", keys=("A", "B"))))
MORE = relayed(answered(JANUARY - DAY, KeysGenerated(target="ls", product="pro", keys=("C",), after=2)))


def test_generated_keys_that_were_relayed_are_receipts_and_extend_whatever_their_time() -> None:
    fold = refold(recorded(YEAR), TELLER)
    assert extends(fold, [GENERATED, MORE], TELLER)
    before = msgspec.structs.asdict(stored(fold))
    extended = extend(stored(fold), recorded([*YEAR, GENERATED, MORE])[-2:], TELLER)
    assert extended.applied["ls"].generated == {"pro": ("A", "B", "C")}
    assert extended.subscription == before["subscription"]
    assert (extended.events, extended.latest) == (before["events"], before["latest"])


@pytest.mark.parametrize("place", range(len(YEAR) + 1))
def test_generated_keys_fold_to_the_same_wherever_they_come_in_a_stream(place: int) -> None:
    events = [*YEAR[:place], GENERATED, MORE, *YEAR[place:]]
    assert refold(recorded(events), TELLER).applied == refold(recorded([*YEAR, GENERATED, MORE]), TELLER).applied
    batches = [[event] for event in recorded(events)]
    assert encode_fold(onwards(*batches)) == encode_fold(refold(recorded(events), TELLER))


def test_a_request_for_keys_is_noted_whoever_the_provider_is_and_changes_nothing() -> None:
    asked = msgspec.structs.replace(muttered(JANUARY), type=KEYS_REQUESTED, body=b"quantity=1")
    [told] = tell(recorded([asked]), TELLER, Subscription())
    assert (told.error, told.facts) == ("", (f.Noted(about="the license generator asked for keys"),))
    assert refold(recorded([asked]), TELLER).subscription == Subscription()


def _by_what_was_before(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:
    return [*tied] if any(event.event_id > "b" for event in earlier) else [*reversed(tied)]


def test_new_events_of_one_instant_extend_a_fold_unless_what_was_folded_before_settles_their_order() -> None:
    fold = refold(recorded(YEAR[:1]), TELLER)
    later = YEAR[-1].occurred_at + timedelta(days=1)
    tied = [happened(later, activated()), happened(later, activated(), named="another")]
    looking_back = msgspec.structs.replace(TELLER, settle=_by_what_was_before)
    assert extends(fold, tied, TELLER)
    assert extends(fold, tied[:1], looking_back)
    assert not extends(fold, tied, looking_back)
    assert not extends(fold, [*tied, happened(YEAR[0].occurred_at, activated())], TELLER)
