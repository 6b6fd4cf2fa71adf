"""The promise of the two clocks: an answer of the past is that of a store which only ever held these events.

For any life, made up as in the tests of convergence, and any two instants. What comes late changes what really was so,
and never what was believed.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Event
from domain.history import Fold, encode_fold, extend, extends, refold
from domain.licensing.standing import works_at
from domain.past import Past, fold_then
from domain.policy import Policy
from domain.subscription import Subscription
from projections.comparing import compare
from projections.past import stand
from projections.sources import Source
from projections.timeline import timeline
from tests.properties.test_convergence_domain import histories, instants, receipts
from tests.stories import JANUARY, STREAM, TELLER, recorded

SOURCE = Source(name="acme", provider=TELLER, targets={"ls": Policy(), "nl": Policy(past_due_days=3)})
moments = st.integers(-1, 12).map(lambda days: JANUARY + timedelta(days=days))
pasts = st.builds(Past, as_of=st.none() | moments, known_at=st.none() | moments)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Events with positions in the order in which they were recorded, each some days after it happened, or at once."""
    told = [*draw(histories), *draw(receipts)]
    known = [(event.occurred_at + timedelta(hours=draw(st.sampled_from([0, 0, 1, 30, 100]))), event) for event in told]
    in_order = sorted(known, key=lambda each: each[0])
    return recorded(
        msgspec.structs.replace(event, recorded_at=at, body=_LINKS.sub(b'"streams":["payment/pi_1"]', event.body))
        for at, event in in_order
    )


_LINKS = re.compile(rb'"streams":\[[^\]]*\]')
"""Rows are made here too, and those of links need the names of streams."""


def lived(events: Sequence[Event]) -> Fold | None:
    """What a store shows that was given these events one by one, live."""
    held: list[Event] = []
    fold: Fold | None = None
    for event in recorded(events):
        held.append(event)
        fold = extend(fold, [event], TELLER) if fold and extends(fold, [event], TELLER) else refold(held, TELLER)
    return fold


def shown(events: Sequence[Event], past: Past) -> object:
    """Everything that is shown of a stream, but where its events stand in the store."""
    then = stand(STREAM, events, SOURCE, past)
    if then is None:
        return None
    return msgspec.structs.replace(then.view, position=0), then.licenses, encode_fold(then.fold)


@given(lives(), pasts)
def test_the_past_is_what_a_store_showed_that_only_ever_held_these_events(events: list[Event], past: Past) -> None:
    held = [event for event in events if past.holds(event)]
    alone = recorded(held)
    assert shown(events, past) == shown(alone, Past())
    folded, live = fold_then(events, TELLER, past), lived(held)
    assert (folded and encode_fold(folded)) == (live and encode_fold(live))
    told = timeline(events, TELLER, as_of=past.as_of, known_at=past.known_at)
    only = timeline(alone, TELLER)
    assert [_unplaced(entry) for entry in told] == [_unplaced(entry) for entry in only]


def _unplaced(entry: msgspec.Struct) -> object:
    return msgspec.structs.replace(entry, position=0)


@given(lives(), instants, st.lists(st.integers(0, 100), max_size=3))
def test_what_comes_late_changes_what_was_so_and_never_what_was_believed(
    events: list[Event], at: datetime, late: list[int]
) -> None:
    believed, everything = Past(as_of=at, known_at=at), Past(as_of=at)
    known = [event for event in events if event.recorded_at <= at]
    assert shown(events, believed) == shown(known, believed)
    # Whatever else is recorded later, be it of long ago.
    more = [
        msgspec.structs.replace(
            each, event_id=f"late-{number}", position=len(events) + number, recorded_at=at + timedelta(days=20)
        )
        for number, place in enumerate(late, 1)
        for each in events[place : place + 1]
    ]
    assert shown([*events, *more], believed) == shown(events, believed)
    assert shown([*events, *more], everything) == shown(recorded([*events, *more]), everything)
    if all(event.recorded_at <= at for event in events if event.occurred_at <= at):
        assert shown(events, believed) == shown(events, everything)


@given(lives(), instants)
def test_a_comparison_is_of_both_answers_and_names_what_came_late(events: list[Event], at: datetime) -> None:
    compared = compare(STREAM, events, SOURCE, at, None)
    believed, really = (_active(events, past, at) for past in (Past(as_of=at, known_at=at), Past(as_of=at)))
    assert (compared.believed, compared.really) == (len(believed), len(really))
    assert {(each.license, each.target) for each in compared.differences} == believed ^ really
    for each in compared.differences:
        assert ((each.license, each.target) in believed) == bool(each.believed and each.believed.active)
        assert ((each.license, each.target) in really) == bool(each.really and each.really.active)
        assert each.arrived.occurred_at <= at < each.arrived.recorded_at
        before = Past(as_of=at, known_at=each.arrived.recorded_at)
        assert ((each.license, each.target) in _active(events, before, at)) == (each.really and each.really.active)


def _active(events: Sequence[Event], past: Past, at: datetime) -> set[tuple[str, str]]:
    then = stand(STREAM, events, SOURCE, past)
    views = then.licenses if then else ()
    return {(view.id, view.target) for view in views if not view.withheld and works_at(view.desired, at)}


def test_before_anything_was_known_there_is_nothing() -> None:
    assert fold_then([], TELLER, Past()) is None
    assert refold([], TELLER) == Fold(subscription=Subscription())
