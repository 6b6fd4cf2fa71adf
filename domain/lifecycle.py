"""The state machine of a subscription: one table, kept by `transitions`, compiled once for replays.

Triggers are named for what happened, not for the state they lead to. A trigger that has no row for the current
state makes no sense there: it changes nothing and is shown as an anomaly.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from transitions import Machine


class State(StrEnum):
    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


LICENSED = frozenset({State.TRIALING, State.ACTIVE, State.PAST_DUE})
"""States in which a license works. What past due means beyond that is the vendor's policy."""

_LIVE = (State.PENDING, State.TRIALING, State.ACTIVE, State.PAST_DUE, State.SUSPENDED)
_SAME = "="

TABLE: tuple[tuple[str, tuple[State, ...], str], ...] = (
    # what happened                 in which states                       where it leads
    ("subscription_opened", (State.PENDING,), _SAME),
    ("trial_started", _LIVE, State.TRIALING),
    ("subscription_activated", _LIVE, State.ACTIVE),
    ("period_paid", (State.PENDING,), State.ACTIVE),
    ("period_paid", (State.TRIALING, State.ACTIVE, State.PAST_DUE, State.SUSPENDED), _SAME),
    ("payment_fell_overdue", _LIVE, State.PAST_DUE),
    ("grace_ended", (State.PAST_DUE,), State.SUSPENDED),
    ("overdue_paid", (State.SUSPENDED,), State.ACTIVE),
    ("subscription_suspended", _LIVE, State.SUSPENDED),
    ("subscription_terminated", (*_LIVE, State.TERMINATED), State.TERMINATED),
    ("subscription_reactivated", (State.TERMINATED,), State.ACTIVE),
    ("trial_reopened", (State.TERMINATED,), State.TRIALING),
    ("purchase_completed", (State.PENDING, State.ACTIVE), State.ACTIVE),
    ("purchase_failed", (State.PENDING, State.TERMINATED), State.TERMINATED),
    ("failed_purchase_completed", (State.TERMINATED,), State.ACTIVE),
    ("purchase_refunded", (State.PENDING, State.ACTIVE, State.TERMINATED), State.TERMINATED),
)


def build_machine(machine: type[Machine] = Machine, **options: Any) -> Machine:
    """The table as a `transitions` machine; without a model unless `options` name one."""
    options = {"model": None, "auto_transitions": False, **options}
    built = machine(states=list(State), initial=State.PENDING, **options)
    for trigger, sources, target in TABLE:
        built.add_transition(trigger, list(sources), target)
    return built


def _compile(machine: Machine) -> Mapping[str, Mapping[State, State]]:
    """Reads the machine's own events into a lookup; folding must not pay for callbacks (300 times slower)."""
    compiled: dict[str, Mapping[State, State]] = {}
    for name, event in machine.events.items():
        row: dict[State, State] = {}
        for source, choices in event.transitions.items():
            (only,) = choices
            if only.conditions or only.prepare or only.before or only.after:
                raise TypeError(f"{name} from {source} has conditions or callbacks: it cannot be compiled")
            row[State(_value(source))] = State(_value(source if only.dest is None else only.dest))
        compiled[name] = MappingProxyType(row)
    return MappingProxyType(compiled)


def _value(name: str) -> str:
    """`transitions` knows Enum states by member name, we by value."""
    return State[name].value if name in State.__members__ else name


LOOKUP = _compile(build_machine())


def next_state(state: State, trigger: str) -> State | None:
    """Where a trigger leads from a state, or None where it makes no sense."""
    return LOOKUP[trigger].get(state)
