"""From a stream's events to the subscription: translate, arrange, fold; whole, or onwards from a stored fold."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.arrangement import arrange
from domain.erasure import ERASED
from domain.events import Event
from domain.facts import Fact
from domain.fold import Step, fold_event
from domain.own import OWN
from domain.providers import UNREADABLE, Provider, Untranslatable
from domain.receipts import Applied, apply_receipt, is_receipt, read_receipt
from domain.retries import STREAM_RETRIED
from domain.subscription import EventRef, Subscription

TRANSLATED = frozenset({"webhook", "backfill", "readback", "relay"})
"""Origins whose meaning the provider's translator gives."""


class Told(msgspec.Struct, frozen=True):
    """One event with what it says and what it did; `error` when it could not be understood.

    `step` is None for an event that was not folded: the one in error and all that come after it.
    """

    event: Event
    facts: tuple[Fact, ...] = ()
    step: Step | None = None
    error: str = ""


class Fold(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything derived from one stream's events; what the projection stores and extends."""

    subscription: Subscription
    applied: dict[str, Applied] = {}
    events: int = 0
    first: datetime | None = None
    latest: datetime | None = None
    """The latest `occurred_at` folded; only what is later still may extend the fold."""
    stopped: str = ""
    """Why folding stopped, and at which event; empty when it did not."""


def tell(events: Iterable[Event], provider: Provider, subscription: Subscription) -> Iterator[Told]:
    """Folds arranged events into the subscription and tells of each what it did; stops folding at the first error."""
    stopped = False
    for event in events:
        if stopped:
            yield Told(event)
            continue
        try:
            facts = _facts(event, provider)
            step = fold_event(subscription, EventRef(event.event_id, event.type, event.occurred_at), facts)
        except Untranslatable as error:
            stopped = True
            yield Told(event, error=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must stop this stream, not the others
            stopped = True
            yield Told(event, error=f"{type(error).__name__} while folding: a fault in Tenure, please report it")
        else:
            yield Told(event, facts, step)


def _facts(event: Event, provider: Provider) -> tuple[Fact, ...]:
    if event.type == UNREADABLE:
        raise Untranslatable("the delivery could not be read: not of the provider's form, or without id, type or time")
    if own := OWN.get((event.origin, event.type)):
        return own(event)
    return tuple(provider.translate(event)) if event.origin in TRANSLATED else ()


def refold(events: Sequence[Event], provider: Provider) -> Fold:
    """Folds a stream's events from the start; their order does not matter."""
    return extend(Fold(subscription=Subscription()), events, provider)


class _LooksBack(Exception):
    """What settles a tie lies in the events folded before."""


class _Folded(Sequence[Event]):
    """Events of which only the fold is known: who looks at them is told so."""

    def __getitem__(self, index: Any) -> Any:
        raise _LooksBack

    def __len__(self) -> int:
        raise _LooksBack


def extends(fold: Fold, events: Sequence[Event], provider: Provider) -> bool:
    """Whether these later-recorded events may be folded on top, or change the order of what was folded before.

    An equal instant counts as an earlier one. Of new events of one instant it is the provider that says whether what
    settles their order may lie in the events folded before.
    """
    if fold.stopped or any(event.type == ERASED for event in events):
        # What was folded before held what is erased now.
        return False
    history = [event for event in events if not is_receipt(event)]
    latest = fold.latest
    if latest is None or not history:
        return True
    if any(event.occurred_at <= latest for event in history):
        return False

    def settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:  # noqa: ARG001
        return provider.settle(tied, _Folded())

    try:
        arrange(history, settle)
    except _LooksBack:
        return False
    return True


def extend(fold: Fold, events: Sequence[Event], provider: Provider) -> Fold:
    """Folds events on top of a fold that they extend; changes and returns it."""
    history = [event for event in events if not is_receipt(event)]
    for told in tell(arrange(history, provider.settle), provider, fold.subscription):
        at = told.event.occurred_at
        fold.events += 1
        fold.first = at if fold.first is None else fold.first
        fold.latest = at
        if told.error:
            fold.stopped = f"{told.event.type} {told.event.event_id}: {told.error.removeprefix(f'{told.event.type}: ')}"
    for event in sorted(events, key=lambda each: each.position):
        if is_receipt(event):
            _apply(fold, event)
    return fold


def _apply(fold: Fold, event: Event) -> None:
    if event.type == STREAM_RETRIED:
        # That it came has the stream folded anew; it says nothing of what is held.
        return
    try:
        receipt = read_receipt(event)
    except ValueError as error:
        fold.stopped = fold.stopped or f"{event.type} {event.event_id}: not a receipt this version knows ({error})"
    else:
        fold.applied = apply_receipt(fold.applied, receipt, event.occurred_at)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Fold)


def encode_fold(fold: Fold) -> bytes:
    return _encoder.encode(fold)


def decode_fold(data: bytes) -> Fold:
    return _decoder.decode(data)
