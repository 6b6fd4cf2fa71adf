"""The order of events that carry the same second.

Stripe's clock has whole seconds and one request of its API makes several events, so ties are common
(github.com/stripe/sync-engine issue 268). What decides, in this order: what was read back comes first, for it was read
while that second went on; Tenure's own events come after Stripe's; a final status comes last; the kind of event
(RANKS); among updates what each says the values were before it; the id.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

from msgspec import Raw, Struct
from msgspec.json import Decoder

from domain.events import Event
from domain.providers.item import part_of
from domain.providers.stripe.subscriptions import FINAL_STATUSES
from domain.readback import TYPE

_SUBSCRIPTION = "customer.subscription."
_ANSWER, _BESIDE, _UNKNOWN = -1, 1, 9

RANKS: tuple[tuple[str, int], ...] = (
    (TYPE, _ANSWER),
    (_SUBSCRIPTION + "created", 0),
    (_SUBSCRIPTION + "trial_will_end", 2),
    (_SUBSCRIPTION + "updated", 3),
    (_SUBSCRIPTION + "paused", 4),
    (_SUBSCRIPTION + "resumed", 4),
    (_SUBSCRIPTION + "deleted", 5),
    ("checkout.", _BESIDE),
    ("invoice", _BESIDE),
    ("charge.", _BESIDE),
    ("customer.", _BESIDE),
)
"""Causal rank by the first prefix that fits. What fits none is not Stripe's, or tells nothing of a subscription."""

_CHAINED = frozenset({3, 4})
_NO_SUBSCRIPTION = frozenset({_ANSWER, _BESIDE, _UNKNOWN})


def settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:
    """Orders events of one stream and one instant; the result depends on the set of events alone."""
    if len(tied) < 2:
        return tied
    marked = sorted((_mark(event) for event in tied), key=lambda mark: (mark.group, mark.event.event_id))
    settled: list[Event] = []
    for (_, _, rank), members in groupby(marked, key=lambda mark: mark.group):
        group = [mark.event for mark in members]
        # What stands there is decoded only where several updates are to be told apart.
        settled += _chain(group, [*earlier, *settled]) if rank in _CHAINED and len(group) > 1 else group
    return settled


class _Mark(Struct, frozen=True, eq=False):
    """What decides an event's place among those of other kinds."""

    event: Event
    group: tuple[bool, bool, int]
    """Not Stripe's; final; rank."""


class _Standing(Struct, frozen=True):
    status: Any = None


class _Marked(Struct, frozen=True):
    object: _Standing
    previous_attributes: dict[str, Raw] | None = None


class _Change(Struct, frozen=True, eq=False):
    """A subscription after an event and, of what that changed, before it; empty where it shows none."""

    event: Event
    current: dict[str, Any] = {}
    previous: dict[str, Any] = {}

    def follows(self, other: "_Change | None") -> bool:
        """Whether the values this event says there were before it are those that the other one left."""
        try:
            return other is not None and bool(self.previous) and _held(self.previous, other.current)
        except RecursionError:
            return False


class _Shown(Struct, frozen=True):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None


T = TypeVar("T")


class _Body(Struct, Generic[T], frozen=True):
    data: T


_MARKED, _SHOWN = Decoder(_Body[_Marked]), Decoder(_Body[_Shown])


def _data(decoder: Decoder[_Body[T]], event: Event) -> T | None:
    """None where it is of another shape."""
    try:
        return decoder.decode(part_of(event.body, event.item)).data
    except (ValueError, RecursionError):
        return None


def _rank(event: Event) -> int:
    return next((rank for prefix, rank in RANKS if event.type.startswith(prefix)), _UNKNOWN)


def _mark(event: Event) -> _Mark:
    rank = _rank(event)
    if rank in _NO_SUBSCRIPTION:
        return _Mark(event, (rank == _UNKNOWN, False, rank))
    shown = _data(_MARKED, event)
    status = None if shown is None else shown.object.status
    final = isinstance(status, str) and status in FINAL_STATUSES
    return _Mark(event, (False, final or event.type == _SUBSCRIPTION + "deleted", rank))


def _change(event: Event) -> _Change:
    shown = _data(_SHOWN, event)
    return _Change(event) if shown is None else _Change(event, shown.object, shown.previous_attributes or {})


def _chain(events: list[Event], earlier: Sequence[Event]) -> list[Event]:
    """Puts each update after those whose values it found.

    A value that was changed and changed back within the second closes a circle; it is opened at the event with the
    fewest predecessors, at best one that continues what stands already, else the one with the smallest id.
    """
    group = [_change(event) for event in events]
    before = {each: {other for other in group if other is not each and each.follows(other)} for each in group}
    latest = _latest(earlier)
    chain: list[_Change] = []
    while before:
        last = chain[-1] if chain else latest
        chosen = min(before, key=lambda each: (len(before[each]), not each.follows(last), each.event.event_id))
        del before[chosen]
        for others in before.values():
            others.discard(chosen)
        chain.append(chosen)
    return [each.event for each in chain]


def _latest(earlier: Sequence[Event]) -> _Change | None:
    """How the subscription stood before."""
    shown = (_change(event) for event in reversed(earlier) if _rank(event) not in _NO_SUBSCRIPTION)
    return next((each for each in shown if each.current), None)


def _held(previous: Any, current: Any) -> bool:
    """Whether `current` shows all that `previous` does; null says that there was nothing.

    Lists of objects hold the changed ones only, so these are compared by their ids.
    """
    if isinstance(previous, dict):
        return isinstance(current, dict) and all(_held(value, current.get(key)) for key, value in previous.items())
    if isinstance(previous, list) and isinstance(current, list) and previous and all(map(_identity, previous)):
        by_id = {_identity(entry): entry for entry in current}
        return all(_held(entry, by_id.get(_identity(entry))) for entry in previous)
    return bool(previous == current)


def _identity(entry: Any) -> str:
    identity = entry.get("id") if isinstance(entry, dict) else None
    return identity if isinstance(identity, str) else ""
