"""The timeline of one stream, told from its events alone, as of any instant and as known at any other. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Literal

import msgspec

from domain.arrangement import arrange
from domain.events import Event
from domain.history import Told, tell
from domain.licensing import warnings_of
from domain.past import Past
from domain.providers import Provider
from domain.receipts import is_receipt, read_receipt
from domain.retries import STREAM_RETRIED, read_retry, say_retry
from domain.subscription import HeldLine, Subscription
from domain.words import Teller, say_receipt

Kind = Literal["delivery", "relay", "readback", "backfill", "operator", "timer", "receipt"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a timeline.

    `occurred_at` is the provider's clock, `recorded_at` ours; `lag` seconds lie between. `received_at` is when the
    request came that carried it, also for a copy that was recorded later. `late` means that an event which happened
    later had been recorded before. `same_as` names the event, recorded before, whose content is exactly the same; an
    event that is sent again under its own id is dropped by the store and leaves no trace in it. `facts` name what it
    says; `summary` says what is new in it, and may be empty; `before` and `after` are states; `warnings` say what is
    ignored of the license attributes, at the event that told them first; `error` says why the event could not be
    understood, and `folded` is false for it and for all that come after it.
    """

    kind: Kind
    occurred_at: datetime
    received_at: datetime
    recorded_at: datetime
    lag: float
    late: bool
    same_as: str = ""
    type: str
    event_id: str
    partition: int
    position: int
    cause: str
    facts: tuple[str, ...] = ()
    summary: tuple[str, ...]
    before: str
    after: str
    anomalies: tuple[str, ...]
    warnings: tuple[str, ...]
    error: str
    folded: bool


def timeline(
    events: Iterable[Event],
    provider: Provider,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Entry]:
    """Tells a stream's events in the provider's order, receipts among them by their own clock.

    `as_of` leaves out what happened later, `known_at` what was recorded later.
    """
    chosen = Past(as_of=as_of, known_at=known_at).of(events)
    same = _same(chosen)
    history = arrange((event for event in chosen if not is_receipt(event)), provider.settle)
    late = _late(history)
    teller, warner, subscription = Teller(), _Warner(), Subscription()
    # Warned of while it is told: the subscription is then as that event left it.
    told = [
        _told(each, each.event.position in late, teller, warner.news(subscription))
        for each in tell(history, provider, subscription)
    ]
    receipts = [_receipt(event) for event in chosen if is_receipt(event)]
    receipts.sort(key=lambda entry: (entry.occurred_at, entry.position))
    entries = merge(told, receipts, key=lambda entry: entry.occurred_at)
    return [
        msgspec.structs.replace(entry, same_as=same[entry.position]) if entry.position in same else entry
        for entry in entries
    ]


def _same(events: Iterable[Event]) -> dict[int, str]:
    """By position the id of an event that was recorded before, whose content is the same to the byte."""
    first: dict[tuple[str, bytes, str], str] = {}
    same: dict[int, str] = {}
    # What Tenure itself does twice is two acts, whatever its words.
    sent = (event for event in events if event.origin in {"webhook", "backfill"})
    for event in sorted(sent, key=lambda each: each.position):
        known = first.setdefault((event.type, event.digest, event.item), event.event_id)
        if known != event.event_id:
            same[event.position] = known
    return same


def _late(history: Sequence[Event]) -> set[int]:
    """Positions of events that were recorded after something that happened later; a tie is not later."""
    late: set[int] = set()
    earliest: int | None = None
    for _, tied in groupby(reversed(history), key=lambda event: event.occurred_at):
        positions = [event.position for event in tied]
        if earliest is not None:
            late.update(position for position in positions if position > earliest)
        earliest = min(positions) if earliest is None else min(earliest, *positions)
    return late


class _Warner:
    """Says of each warning only once, at the event that brought it."""

    def __init__(self) -> None:
        self._lines: dict[str, HeldLine] | None = None
        self._said: set[str] = set()

    def news(self, subscription: Subscription) -> tuple[str, ...]:
        # What changes lines makes others of them; the attributes of the same need not be read again.
        if subscription.lines is self._lines:
            return ()
        self._lines = subscription.lines
        news = tuple(each for each in warnings_of(subscription) if each not in self._said)
        self._said.update(news)
        return news


def _told(told: Told, late: bool, teller: Teller, warnings: tuple[str, ...]) -> Entry:
    step = told.step
    kind: Kind = "delivery" if told.event.origin == "webhook" else told.event.origin
    return _entry(
        told.event,
        kind=kind,
        late=late,
        facts=tuple(type(fact).__name__ for fact in told.facts),
        summary=tuple(teller.news(told.facts)),
        before=step.before.value if step else "",
        after=step.after.value if step else "",
        anomalies=step.anomalies if step else (),
        warnings=warnings,
        error=told.error,
        folded=step is not None,
    )


def _receipt(event: Event) -> Entry:
    kind: Kind = "operator" if event.origin == "operator" else "receipt"
    try:
        retried = event.type == STREAM_RETRIED
        summary = say_retry(read_retry(event)) if retried else say_receipt(read_receipt(event))
    except ValueError as problem:
        return _entry(event, kind=kind, summary=(), error=f"not a known receipt ({problem})", folded=False)
    return _entry(event, kind=kind, summary=(summary,), error="", folded=True)


def _entry(
    event: Event,
    *,
    kind: Kind,
    summary: tuple[str, ...],
    error: str,
    folded: bool,
    late: bool = False,
    facts: tuple[str, ...] = (),
    before: str = "",
    after: str = "",
    anomalies: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Entry:
    return Entry(
        kind=kind,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        recorded_at=event.recorded_at,
        lag=(event.recorded_at - event.occurred_at).total_seconds(),
        late=late,
        type=event.type,
        event_id=event.event_id,
        partition=event.partition,
        position=event.position,
        cause=event.cause,
        facts=facts,
        summary=summary,
        before=before,
        after=after,
        anomalies=anomalies,
        warnings=warnings,
        error=error,
        folded=folded,
    )
