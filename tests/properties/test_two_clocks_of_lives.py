"""The two clocks over whole lives of all providers, whose deliveries come late, and over what Tenure adds.

What the promise means for each way in which an event comes is told below, by example: see
`projections/decisions/0010-the-past-is-folded-when-asked.md`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.events import Event, Stream, partition_of
from domain.past import Past
from domain.policy import Policy
from domain.providers import Provider
from domain.providers.fastspring import PROVIDER as FASTSPRING
from domain.providers.stripe import PROVIDER as STRIPE
from domain.providers.wallee import PROVIDER as WALLEE
from domain.timers import due_timers
from projections.comparing import compare
from projections.past import stand
from projections.sources import Source
from tests.deliveries import Delivery, events_of
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_JANUARY,
    STREAM,
    SUBSCRIBED,
    TELLER,
    happened,
    linked,
    rang,
    recorded,
    refunded,
)
from tests.strategies.fastspring import stores
from tests.strategies.fastspring import told as fastspring_told
from tests.strategies.stripe import lifecycles
from tests.strategies.wallee import answer, lives, readings

DELAYS = (0, 0, 0, 2, 50, 400)
"""Hours until an event is recorded; most are at once."""


@st.composite
def histories(draw: st.DrawFn, deliveries: Sequence[Delivery], provider: Provider) -> dict[Stream, list[Event]]:
    """The events of each stream, in the order in which they were recorded."""
    streams: dict[Stream, list[Event]] = {}
    for each in events_of(deliveries, provider=provider):
        at = each.occurred_at + timedelta(hours=draw(st.sampled_from(DELAYS)))
        known = {name: getattr(each, name) for name in each.__struct_fields__}
        place: dict[str, Any] = {"partition": partition_of(each.stream), "position": 0, "digest": b""}
        streams.setdefault(each.stream, []).append(Event(**known, **place, recorded_at=at))
    return {stream: recorded(sorted(some, key=lambda it: it.recorded_at)) for stream, some in streams.items()}


def holds(streams: dict[Stream, list[Event]], provider: Provider, at: datetime) -> None:
    """Both answers about that instant are those of stores that only ever held what counts; the late ones differ."""
    source = Source(name="acme", provider=provider, targets={"ls": Policy()})
    for stream, events in streams.items():
        for past in (Past(as_of=at), Past(as_of=at, known_at=at), Past(known_at=at)):
            then, alone = (
                stand(stream, some, source, asked)
                for some, asked in ((events, past), (recorded(past.of(events)), Past()))
            )
            assert (then is None) == (alone is None)
            if then and alone:
                assert msgspec.structs.replace(then.view, position=0) == msgspec.structs.replace(alone.view, position=0)
                assert list(then.licenses) == list(alone.licenses)
        compared = compare(stream, events, source, at, None)
        assert not compared.differences or any(it.occurred_at <= at < it.recorded_at for it in events)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), after=st.integers(0, 200))
def test_lives_of_stripe_are_told_of_the_past_as_if_it_were_all_there_is(data: st.DataObject, after: int) -> None:
    streams = data.draw(histories(data.draw(lifecycles(most_acts=5)), STRIPE))
    holds(streams, STRIPE, _first(streams) + timedelta(days=after))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), after=st.integers(0, 200))
def test_lives_of_fastspring_are_told_of_the_past_as_if_it_were_all_there_is(data: st.DataObject, after: int) -> None:
    streams = data.draw(histories(data.draw(fastspring_told(data.draw(stores(most_acts=5)))), FASTSPRING))
    holds(streams, FASTSPRING, _first(streams) + timedelta(days=after))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), after=st.integers(0, 200))
def test_lives_of_wallee_are_told_of_the_past_as_if_it_were_all_there_is(data: st.DataObject, after: int) -> None:
    life = data.draw(lives())
    events = [*life.webhooks, *(answer(life, each) for each in data.draw(readings(life)))]
    late = [
        msgspec.structs.replace(
            each, recorded_at=each.occurred_at + timedelta(hours=data.draw(st.sampled_from(DELAYS)))
        )
        for each in {each.event_id: each for each in events}.values()
    ]
    streams = {life.stream: recorded(sorted(late, key=lambda each: each.recorded_at))}
    holds(streams, WALLEE, _first(streams) + timedelta(days=after))


def _first(streams: dict[Stream, list[Event]]) -> datetime:
    return min((event.occurred_at for events in streams.values() for event in events), default=JANUARY)


# --- each way in which an event comes -----------------------------------------------------------------------


def enabled(events: Sequence[Event], past: Past, policy: Policy = Policy()) -> list[bool]:  # noqa: B008 - frozen
    then = stand(STREAM, events, Source(name="acme", provider=TELLER, targets={"ls": policy}), past)
    return [view.enabled for view in then.licenses] if then else []


def known(event: Event, at: datetime) -> Event:
    return msgspec.structs.replace(event, recorded_at=at)


def test_a_timer_counts_from_its_day_and_is_known_when_it_was_appended() -> None:
    overdue = happened(MID_JANUARY, f.PaymentFellOverdue(), named="overdue")
    policy = Policy(past_due_days=3)
    then = stand(
        STREAM, recorded([SUBSCRIBED, overdue]), Source(name="acme", provider=TELLER, targets={"ls": policy}), Past()
    )
    assert then is not None
    [timer] = due_timers(STREAM, then.fold.subscription, [policy])
    # No process ran for a month.
    events = recorded([SUBSCRIBED, overdue, known(rang(timer), FEBRUARY)])
    assert enabled(events, Past(as_of=LATE_JANUARY), policy) == [False]
    assert enabled(events, Past(as_of=LATE_JANUARY, known_at=LATE_JANUARY), policy) == [True]
    # What is due and not appended is not made up.
    assert enabled(events, Past(as_of=MARCH, known_at=LATE_JANUARY), policy) == [True]


def test_a_relayed_refund_is_known_when_it_was_found_out_whose_it_is() -> None:
    back = happened(MID_JANUARY, linked("pi_1", "in_1"), refunded("pi_1", 1000), named="refund")
    copy = known(msgspec.structs.replace(back, origin="relay", cause="acme/payment/pi_1#refund"), FEBRUARY)
    events = recorded([SUBSCRIBED, PAID_JANUARY, copy])
    assert enabled(events, Past(as_of=LATE_JANUARY)) == [False]
    assert enabled(events, Past(as_of=LATE_JANUARY, known_at=LATE_JANUARY)) == [True]
    compared = compare(
        STREAM, events, Source(name="acme", provider=TELLER, targets={"ls": Policy()}), LATE_JANUARY, None
    )
    [difference] = compared.differences
    assert (difference.arrived.event_id, difference.arrived.origin) == ("refund", "relay")


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_counts_from_the_second_in_which_it_was_asked_in_either_answer(*, late: bool) -> None:
    asked = MARCH if late else JANUARY
    answer = msgspec.structs.replace(happened(asked, f.SubscriptionTerminated(), named="answer"), origin="readback")
    events = recorded([SUBSCRIBED, known(answer, asked + timedelta(seconds=1))])
    for past in (Past(as_of=FEBRUARY), Past(as_of=FEBRUARY, known_at=FEBRUARY)):
        assert enabled(events, past) == [late]
