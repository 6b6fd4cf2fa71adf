"""However a wallee subscription was heard of, and however often it was read: the last answer gives the same licenses.

Pure: lives of the simulated space, the provider's own functions and the fold; no database, no HTTP. Three promises: the
same events give the same fold in any order; with a last answer nothing depends on what was read, lost, late, stale or
torn before; and whoever answers all that is wanted has read what was announced last.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.acts import TYPES
from domain.events import Event, NewEvent, partition_of
from domain.facts import Fact
from domain.history import Fold, encode_fold, extend, extends, refold
from domain.licensing import License, entitle
from domain.policy import Policy
from domain.providers import open_wants
from domain.providers.wallee import PROVIDER
from domain.subscription import Subscription
from domain.timers import due_timers
from tests.stories import rang, recorded
from tests.strategies.acts import decided
from tests.strategies.wallee import DAY, PARTS, Life, Reading, answer, lives, reading, readings

policies = st.sampled_from(
    [
        Policy(),
        Policy(past_due_days=0),
        Policy(past_due_days=7, on_pause="keep"),
        Policy(past_due_days=3, renewal_margin_hours=0, on_partial_refund="disable"),
    ]
)


@lru_cache(maxsize=20_000)
def _translate(event_id: str, type_: str, stream: str, event: "_Same") -> Sequence[Fact]:
    return PROVIDER.translate(event.event)


class _Same:
    """An event that is told from others by its digest alone: positions change, what it says does not."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def __hash__(self) -> int:
        return hash(self.event.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.event.digest == self.event.digest


REMEMBERING = msgspec.structs.replace(
    PROVIDER, translate=lambda event: _translate(event.event_id, event.type, event.stream, _Same(event))
)
"""The provider, translating each event once: these tests fold the same ones a thousand times."""


def folded(events: Sequence[Event]) -> Fold:
    fold = refold(recorded(events), REMEMBERING)
    assert not fold.stopped, fold.stopped
    return fold


def when_all_has_rung(life: Life, events: Sequence[Event], policy: Policy, until: datetime) -> list[Event]:
    """The events with those that time made by then, in the order in which Tenure would have appended them."""
    lived: list[Event] = []
    fold = Fold(subscription=Subscription())
    for at, tied in groupby(sorted(events, key=lambda each: each.occurred_at), key=lambda each: each.occurred_at):
        fold = _ring(life, lived, fold, policy, at)
        fold = _on(lived, fold, list(tied))
    _ring(life, lived, fold, policy, until)
    return lived


def _on(lived: list[Event], fold: Fold, more: list[Event]) -> Fold:
    lived += more
    return extend(fold, more, REMEMBERING) if extends(fold, more, REMEMBERING) else folded(lived)


def _ring(life: Life, lived: list[Event], fold: Fold, policy: Policy, until: datetime) -> Fold:
    known = {each.event_id for each in lived}
    while True:
        timers = due_timers(life.stream, fold.subscription, [policy])
        due = [timer for timer in timers if timer.at <= until and timer.event_id not in known]
        if not due:
            return fold
        known.add(due[0].event_id)
        fold = _on(lived, fold, [rang(due[0], stream=life.stream)])


def enabled(life: Life, subscription: Subscription, policy: Policy) -> dict[str, dict[str, Any]]:
    """What a license server is to hold of the licenses that work."""
    licenses = entitle(life.stream, subscription, policy).licenses
    return {each.id: _held(each) for each in licenses if each.enabled}


def _held(it: License) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(it).items() if name != "because"}


@st.composite
def acts_on(draw: st.DrawFn, life: Life, policy: Policy) -> list[Event]:
    """What operators decide about the licenses that it ends with."""
    whole = folded([answer(life, reading(life, life.space.now))]).subscription
    licenses = [(each.id, str(life.stream)) for each in entitle(life.stream, whole, policy).licenses]
    if not draw(st.booleans()):
        return []
    made = draw(decided(licenses, sorted({it.occurred_at for it in life.webhooks})))
    return [as_recorded(each) for each in made if each.origin == "operator" and each.type in TYPES]


def as_recorded(event: NewEvent) -> Event:
    known = {name: getattr(event, name) for name in event.__struct_fields__}
    place: dict[str, Any] = {"partition": partition_of(event.stream), "position": 0}
    return Event(**known, **place, digest=sha256(event.body).digest(), recorded_at=event.occurred_at)


@st.composite
def told(draw: st.DrawFn) -> tuple[Life, list[Event], Policy]:
    """A life, with whatever was heard of it: some webhooks, some readings, acts by hand, what time made of them."""
    life, policy = draw(lives()), draw(policies)
    by_hand = draw(acts_on(life, policy))
    webhooks = draw(st.lists(st.sampled_from(life.webhooks), max_size=12))
    answers = [answer(life, each) for each in draw(readings(life))]
    return life, when_all_has_rung(life, [*webhooks, *answers, *by_hand], policy, life.space.now + 9 * DAY), policy


@settings(max_examples=60, deadline=None)
@given(told(), st.data())
def test_the_same_events_give_the_same_fold_in_any_order(
    heard: tuple[Life, list[Event], Policy], data: st.DataObject
) -> None:
    _, events, _ = heard
    expected = encode_fold(_without_repeats(events))
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    arriving = recorded(data.draw(st.permutations([*events, *repeats])))
    fold = Fold(subscription=Subscription())
    start = 0
    for cut in [*sorted(data.draw(st.lists(st.integers(0, len(arriving)), max_size=3))), len(arriving)]:
        seen = {each.event_id for each in arriving[:start]}
        batch = [each for each in _distinct(arriving[start:cut]) if each.event_id not in seen]
        fold = (
            extend(fold, batch, REMEMBERING) if extends(fold, batch, REMEMBERING) else _without_repeats(arriving[:cut])
        )
        start = cut
    assert encode_fold(fold) == expected


def _distinct(events: Iterable[Event]) -> list[Event]:
    return list({each.event_id: each for each in events}.values())


def _without_repeats(events: Iterable[Event]) -> Fold:
    return folded(_distinct(events))


@settings(max_examples=150, deadline=None)
@given(lives(), policies, st.data())
def test_the_last_answer_gives_the_same_licenses_however_often_it_was_read_before(
    life: Life, policy: Policy, data: st.DataObject
) -> None:
    """One world read after every change, the other hardly, and some of that was old or torn; both read once more."""
    last = life.space.now + timedelta(seconds=data.draw(st.integers(1, 9 * 86_400)))
    # What is told late ended before: it rings right after that.
    until = last + timedelta(days=data.draw(st.integers(0, 20)), seconds=1)
    final = answer(life, reading(life, last))
    acts = {it.act: Reading(datetime.fromtimestamp(it.created, UTC), (it.place,) * 5) for it in life.space.happenings}
    always = [*life.webhooks, *(answer(life, each) for each in acts.values()), final]
    seldom = [answer(life, each) for each in data.draw(readings(life)) if each.at < last]
    seldom += [*data.draw(st.lists(st.sampled_from(life.webhooks), max_size=5)), final]
    # Asked later still, and yet not as things stand.
    now = len(life.space.happenings)
    lacking = st.sampled_from(["", *(name for name, *_ in PARTS)])
    lagging = Reading(last, (now,) * 5, data.draw(lacking), data.draw(st.integers(0, now)))
    old = [each for each in (*data.draw(readings(life, most=3)), lagging) if not each.shows(now)]
    late = last + timedelta(seconds=data.draw(st.integers(0, 1)))
    seldom += [answer(life, each._replace(at=late)) for each in old]
    held = [
        enabled(life, folded(when_all_has_rung(life, events, policy, until)).subscription, policy)
        for events in (always, seldom, [final])
    ]
    assert held[0] == held[1] == held[2]


@settings(max_examples=40, deadline=None)
@given(lives(), st.data())
def test_whoever_answers_what_is_wanted_has_read_what_was_announced_last(life: Life, data: st.DataObject) -> None:
    """Webhooks arrive when they like, each after it happened; between them some wants are answered as things stand."""
    webhooks = life.webhooks
    # Several happen in one second: an answer may show the first of them and not yet the next.
    order = sorted(enumerate(webhooks, 1), key=lambda each: each[1].occurred_at + data.draw(st.sampled_from(DELAYS)))
    arrived: list[Event] = []
    happened = 0
    for place, event in order:
        arrived.append(event)
        happened = max(happened, place)
        if data.draw(st.booleans()):
            arrived += _answers(life, arrived, event.occurred_at, happened)
    arrived += _answers(life, arrived, life.space.now, len(webhooks))
    fold = folded(arrived)
    assert not open_wants(PROVIDER, life.stream, fold.subscription)
    expected = folded([answer(life, reading(life, life.space.now))]).subscription
    assert enabled(life, fold.subscription, Policy()) == enabled(life, expected, Policy())
    assert fold.subscription.state is expected.state


DELAYS = [timedelta(), timedelta(seconds=1), timedelta(seconds=40), timedelta(hours=30)]


def _answers(life: Life, arrived: Sequence[Event], asked: datetime, happened: int) -> list[Event]:
    """What is wanted, as things stand when so much has happened."""
    wants = open_wants(PROVIDER, life.stream, folded(arrived).subscription)
    assert len(wants) <= 1
    at = max([asked, *(each.occurred_at for each in arrived)])
    return [answer(life, Reading(at, (happened,) * 5), want.about) for want in wants]
