"""The order of events that carry the same millisecond.

What was read back comes first, for it was read before whatever happened then; Tenure's own events come after
FastSpring's. Among these the kind of event decides, then the id.
"""

from collections.abc import Sequence

from domain.events import Event
from domain.readback import TYPE

_ANSWER, _BESIDE, _OWN = 0, 2, 99

RANKS: tuple[tuple[str, int], ...] = (
    (TYPE, _ANSWER),
    ("tenure.", _OWN),
    ("subscription.activated", 1),
    ("subscription.updated", 3),
    ("subscription.canceled", 4),
    ("subscription.uncanceled", 5),
    ("subscription.charge.failed", 6),
    ("subscription.payment.overdue", 7),
    ("subscription.paused", 8),
    ("subscription.resumed", 9),
    ("subscription.deactivated", 10),
)
"""Causal rank by the first prefix that fits; orders, charges, returns and all else stand beside one another."""


def settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:  # noqa: ARG001
    """Orders events of one stream and one instant; the result depends on the set of events alone."""
    return sorted(tied, key=lambda event: (_rank(event), event.event_id))


def _rank(event: Event) -> int:
    if event.origin in {"operator", "timer"}:
        return _OWN
    return next((rank for prefix, rank in RANKS if event.type.startswith(prefix)), _BESIDE)
