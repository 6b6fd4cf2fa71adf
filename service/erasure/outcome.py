"""What follows from the events of a stream, whoever the customer is: the same before an erasure and after it."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domain.events import Event, Stream
from domain.history import Fold, refold
from domain.licensing import License, entitle
from domain.policy import Policy
from projections.sources import Source

_WHOSE = {"customer", "users", "because"}
"""Fields of a license that say who somebody is."""
_REPORT = "Please report it: some value of the person is one that licenses depend on, too."


def other_outcome(source: Source, stream: Stream, before: Sequence[Event], after: Sequence[Event]) -> str:
    """In words what else would follow, with what to do about it; empty where nothing would."""
    one, other = (refold(events, source.provider) for events in (before, after))
    if _standing(one) != _standing(other):
        return f"the subscription itself would be another. {_REPORT}"
    for policy in source.policies:
        fields = sorted({*_fields(stream, one, policy, other)})
        if fields:
            return (
                f"licenses would change: {'; '.join(f'{field} of {name}' for name, field in fields)}. Where an operator"
                f" set that field, set it otherwise first (tenure license set {fields[0][0]} ...). {_REPORT}"
            )
    return ""


def _standing(fold: Fold) -> object:
    applied = [
        [(name, each.order, each.key, each.remote) for name, each in sorted(known.licenses.items())]
        for _, known in sorted(fold.applied.items())
    ]
    return fold.subscription.state, bool(fold.stopped), fold.events, fold.latest, applied


def _fields(stream: Stream, one: Fold, policy: Policy, other: Fold) -> Iterator[tuple[str, str]]:
    """The fields in which licenses differ, each with the license."""
    before, after = (
        {each.id: _told(each) for each in entitle(stream, fold.subscription, policy).licenses} for fold in (one, other)
    )
    for name in sorted({*before, *after}):
        then, now = before.get(name, {}), after.get(name, {})
        for field in sorted({*then, *now}):
            if then.get(field) != now.get(field):
                yield name, field


def _told(license_: License) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(license_)
    return {name: value for name, value in told.items() if name not in _WHOSE}
