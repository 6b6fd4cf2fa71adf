"""What was believed of licenses at an instant, against what really was so by all that is known since. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from domain.events import Event, Origin, Stream
from domain.licensing.standing import works_at, works_until
from domain.past import Past
from projections.past import Then, stand
from projections.queries import LicenseView
from projections.sources import Source

_MOST_FOLDS = 50
"""Late events of one stream that are tried one by one."""

UNCLEAR = frozenset({"waiting", "stopped"})
"""Statuses of streams of which nobody knows what they license."""


class Side(msgspec.Struct, frozen=True):
    """One answer about a license: does it work, until when, in which state, and by which rule and event."""

    active: bool
    until: datetime | None
    state: str
    rule: str
    event_id: str


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """The event that came late: it had happened by the instant, and was recorded after it."""

    event_id: str
    type: str
    origin: Origin
    occurred_at: datetime
    recorded_at: datetime
    lag: float
    partition: int
    position: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A license that was active by one answer and not by the other.

    A side is null where the license was not known at all. `held` says whether the license server held it enabled at
    the instant, null where it did not have it. `arrived` is the event with which the answer changed for good;
    `late_events` counts all that came late to its stream.
    """

    license: str
    stream: Stream
    target: str
    product_code: str
    believed: Side | None
    really: Side | None
    held: bool | None
    arrived: Arrived
    late_events: int


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One stream: how many licenses were believed active, how many really were, and where that differs."""

    believed: int
    really: int
    differences: Sequence[Difference] = ()
    unclear: bool = False
    """Even now it is not known what it licensed then."""


def compare(
    stream: Stream, events: Sequence[Event], source: Source, at: datetime, known_at: datetime | None
) -> Compared:
    """Both answers of a stream: by what was known at the instant, and by what was known at `known_at` (None: now)."""
    real = Past(as_of=at, known_at=known_at)
    late = sorted((each for each in real.of(events) if each.recorded_at > at), key=lambda event: event.position)
    really = stand(stream, events, source, real)
    believed = stand(stream, events, source, Past(as_of=at, known_at=at)) if late else really
    ours, true = _by_key(believed), _by_key(really)
    count = Compared(
        believed=sum(_active(each, at) for each in ours.values()),
        really=sum(_active(each, at) for each in true.values()),
        unclear=really is not None and really.view.status in UNCLEAR,
    )
    differing = [
        key for key in sorted(ours.keys() | true.keys()) if _active(ours.get(key), at) != _active(true.get(key), at)
    ]
    if not differing:
        return count
    brought = _brought(stream, events, source, at, late, {key: _active(true.get(key), at) for key in differing})
    return msgspec.structs.replace(
        count,
        differences=[
            Difference(
                license=key[0],
                stream=stream,
                target=key[1],
                product_code=(true.get(key) or ours[key]).desired.product_code,
                believed=_side(ours.get(key), believed, at),
                really=_side(true.get(key), really, at),
                held=_held(ours.get(key)),
                arrived=_arrived(brought[key]),
                late_events=len(late),
            )
            for key in differing
        ],
    )


Key = tuple[str, str]
"""A license's id, and its target."""


def _by_key(then: Then | None) -> dict[Key, LicenseView]:
    return {(view.id, view.target): view for view in then.licenses} if then else {}


def _active(view: LicenseView | None, at: datetime) -> bool:
    return view is not None and not view.withheld and works_at(view.desired, at)


def _side(view: LicenseView | None, then: Then | None, at: datetime) -> Side | None:
    if view is None or then is None:
        return None
    why = view.desired.because.get("enabled")
    return Side(
        active=_active(view, at),
        until=works_until(view.desired),
        state=then.view.state,
        rule=why.rule if why else "",
        event_id=why.event.event_id if why and why.event else "",
    )


def _held(view: LicenseView | None) -> bool | None:
    if view is None or view.applied is None or not view.applied.remote:
        return None
    return view.applied.fields.get("enabled") is not False


def _brought(
    stream: Stream,
    events: Sequence[Event],
    source: Source,
    at: datetime,
    late: Sequence[Event],
    answers: Mapping[Key, bool],
) -> dict[Key, Event]:
    """By license the late event after which the answer was what it is now, and stayed so."""
    found: dict[Key, Event] = {}
    for known_by, event in _one_by_one(late):
        known = _by_key(stand(stream, events, source, Past(as_of=at, known_at=known_by)))
        for key, answer in answers.items():
            if _active(known.get(key), at) != answer:
                found.pop(key, None)
            else:
                found.setdefault(key, event)
    return {key: found.get(key, late[-1]) for key in answers}


def _one_by_one(late: Sequence[Event]) -> Iterator[tuple[datetime, Event]]:
    return ((event.recorded_at, event) for event in islice(late, max(0, len(late) - _MOST_FOLDS), None))


def _arrived(event: Event) -> Arrived:
    return Arrived(
        event_id=event.event_id,
        type=event.type,
        origin=event.origin,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        lag=(event.recorded_at - event.occurred_at).total_seconds(),
        partition=event.partition,
        position=event.position,
    )
