"""Which events count for nothing because they show what is old, and what is still to be read back."""

from collections.abc import Sequence
from hashlib import sha256

from domain import facts as f
from domain.subscription import EventRef, Subscription

ALWAYS = (f.AnswerRead, f.StreamsLinked)
"""What counts whatever version it came with."""


def is_stale(s: Subscription, facts: Sequence[f.Fact]) -> bool:
    """Whether an event shows something that was shown before, or is older than what was: the first difference decides.

    So what is told first, as the version of the whole, weighs most.
    """
    if any(isinstance(fact, f.Shown) and fact.key in s.shown for fact in facts):
        return True
    versions = (fact for fact in facts if isinstance(fact, f.VersionShown))
    told = (((fact.number, fact.version), s.versions.get(fact.of)) for fact in versions)
    now, before = next((pair for pair in told if pair[0] != pair[1]), ((0, 0), None))
    return before is not None and now < before


def shown(s: Subscription, fact: f.Shown, _: EventRef) -> None:
    s.shown = [*s.shown, fact.key]


def version_shown(s: Subscription, fact: f.VersionShown, _: EventRef) -> None:
    told = (fact.number, fact.version)
    s.versions = {**s.versions, fact.of: max(told, s.versions.get(fact.of, told))}


def announced(s: Subscription, fact: f.ChangeAnnounced, ref: EventRef) -> None:
    """Each announcement gives all of them another name, so whoever answers to that name was asked after them all."""
    s.announced = sha256(f"{s.announced}\n{ref.event_id}".encode()).hexdigest()[:16]
    s.identified = s.identified or fact.identified


def answered(s: Subscription, fact: f.AnswerRead, _: EventRef) -> None:
    if fact.about not in s.answered:
        s.answered = [*s.answered, fact.about]
