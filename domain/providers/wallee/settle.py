"""The order of events that carry the same second.

Answers come after the webhooks because of which they were asked, in the order in which they were asked; Tenure's own
events come last. Among the rest the id decides, which is enough: webhooks say nothing that an order could change.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.events import Event
from domain.facts import VersionShown
from domain.providers import Untranslatable
from domain.providers.wallee.translate import translate
from domain.readback import TYPE


def settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:  # noqa: ARG001
    """Orders events of one stream and one instant; the result depends on the set of events alone."""
    return sorted(tied, key=lambda event: (_rank(event), *_asked(event), event.event_id))


def _rank(event: Event) -> int:
    if event.origin in {"operator", "timer"}:
        return 2
    return 1 if event.type.startswith(TYPE) else 0


def _asked(event: Event) -> tuple[datetime, list[tuple[int, int]]]:
    """When an answer was asked, finer than the second of which it is, and what it shows; webhooks come at any time."""
    if not event.type.startswith(TYPE):
        return event.occurred_at, []
    return event.received_at, _versions(event)


def _versions(event: Event) -> list[tuple[int, int]]:
    """The versions that an answer shows, in the order in which they are told."""
    try:
        facts = translate(event)
    except Untranslatable:
        return []
    return [(fact.number, fact.version) for fact in facts if isinstance(fact, VersionShown)]
