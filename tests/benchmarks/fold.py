"""`fold`: what it costs to understand a stream again, without a database."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any
from unittest.mock import patch

from msgspec.json import Decoder
from transitions import Machine

from domain import fold as folding
from domain.events import Event
from domain.history import refold
from domain.lifecycle import State, build_machine, next_state
from domain.providers.stripe import PROVIDER, customers, payments, subscriptions
from domain.providers.stripe.invoice_shapes import Invoice, InvoicePayment
from domain.providers.stripe.shapes import Notification
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.workload import named_lives

UNIT = "events/s"
DECODE = "decode only"
TRIGGERS = "its triggers alone, by transitions"


# What the translator reads of each object.
_DECODERS: dict[str, Decoder[Any]] = {
    "checkout.session.": Decoder(Notification[customers.Session]),
    "customer.subscription.": Decoder(Notification[subscriptions.Subscription]),
    "customer.": Decoder(Notification[customers.Customer]),
    "invoice.": Decoder(Notification[Invoice]),
    "invoice_payment.": Decoder(Notification[InvoicePayment]),
    "charge.refunded": Decoder(Notification[payments.Charge]),
    "charge.dispute.": Decoder(Notification[payments.Dispute]),
}


class _Model:
    """What `transitions` moves; it adds `state` and `trigger` by itself."""

    state: State
    trigger: Callable[[str], bool]


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    streams = named_lives(place.size.lives)
    events = sum(map(len, streams))
    triggers = [_triggers(stream) for stream in streams]
    bodies = [(_decoder(event.type), event.body) for stream in streams for event in stream]

    def case(name: str, work: Callable[[], None], *against: str) -> Case:
        async def measure() -> float:
            started = perf_counter()
            work()
            return events / (perf_counter() - started)

        return Case(name=name, unit=UNIT, measure=measure, against=against)

    yield [
        case(DECODE, lambda: _decode(bodies)),
        case(TRIGGERS, lambda: _trigger(triggers)),
        case("its triggers alone, by the compiled lookup", lambda: _look_up(triggers), TRIGGERS),
        case("refold", lambda: _refold(streams), DECODE, TRIGGERS),
    ]


def _decoder(type_: str) -> Decoder[Any]:
    return next(decoder for prefix, decoder in _DECODERS.items() if type_.startswith(prefix))


def _triggers(stream: Sequence[Event]) -> list[str]:
    """What the fold asks of the state machine for that stream, in its order."""
    asked: list[str] = []

    def noting(state: State, trigger: str) -> State | None:
        asked.append(trigger)
        return next_state(state, trigger)

    with patch.object(folding, "next_state", noting):
        fold = refold(stream, PROVIDER)
    if fold.stopped:
        raise AssertionError(fold.stopped)
    return asked


def _refold(streams: Sequence[Sequence[Event]]) -> None:
    for stream in streams:
        refold(stream, PROVIDER)


def _decode(bodies: Sequence[tuple[Decoder[Any], bytes]]) -> None:
    for decoder, body in bodies:
        decoder.decode(body)


def _trigger(triggers: Sequence[Sequence[str]]) -> None:
    model = _Model()
    machine: Machine = build_machine(model=model, ignore_invalid_triggers=True)
    for stream in triggers:
        machine.set_state(State.PENDING, model)
        for trigger in stream:
            model.trigger(trigger)


def _look_up(triggers: Sequence[Sequence[str]]) -> None:
    for stream in triggers:
        state = State.PENDING
        for trigger in stream:
            state = next_state(state, trigger) or state


BENCH = Bench(name="fold", about="lives of Stripe subscriptions folded from the start, in memory", open=_open)
