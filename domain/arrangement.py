"""The order in which a stream's events are folded: the provider's, whatever the order of arrival."""

from collections.abc import Iterable
from itertools import groupby

from domain.events import Event
from domain.providers import Settle


def arrange(events: Iterable[Event], settle: Settle) -> list[Event]:
    """Sorts by `occurred_at` and lets the provider order what carries the same instant.

    The result depends on the set of events alone. An event that came twice under one id (a webhook and its relayed
    or backfilled copy) counts once: the copy recorded first stays.
    """
    distinct: dict[str, Event] = {}
    for event in sorted(events, key=lambda each: each.position):
        distinct.setdefault(event.event_id, event)
    ordered = sorted(distinct.values(), key=lambda each: each.occurred_at)
    arranged: list[Event] = []
    for _, group in groupby(ordered, key=lambda each: each.occurred_at):
        tied = list(group)
        if len(tied) > 1:
            tied = list(settle(sorted(tied, key=lambda each: each.event_id), arranged))
        arranged += tied
    return arranged
