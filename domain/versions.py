"""Which events count for nothing because they show what is old, and what is still to be read back."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from domain import facts as f
from domain.subscription import EventRef, Subscription

ALWAYS = (f.AnswerRead, f.StreamsLinked)
"""What counts whatever version it came with."""


def is_stale(s: Subscription, facts: Sequence[f.Fact]) -> bool:
    """Whether an event shows something that was shown before, or anything older than what was."""
    if not s.shown and not s.versions:
        return False
    return any(isinstance(fact, f.Shown) and fact.key in s.shown for fact in facts) or _is_older(s, facts)


def doubted(s: Subscription, facts: Sequence[f.Fact]) -> Sequence[f.Fact]:
    """The facts; an answer that shows anything older than what was shown answers nothing."""
    if not _is_older(s, facts):
        return facts
    return [msgspec.structs.replace(fact, found=False) if isinstance(fact, f.AnswerRead) else fact for fact in facts]


def _is_older(s: Subscription, facts: Sequence[f.Fact]) -> bool:
    if not s.versions:
        return False
    versions = (fact for fact in facts if isinstance(fact, f.VersionShown))
    return any((fact.number, fact.version) < s.versions.get(fact.of, (0, 0)) for fact in versions)


def shown(s: Subscription, fact: f.Shown, _: EventRef) -> None:
    s.shown[fact.key] = None


def version_shown(s: Subscription, fact: f.VersionShown, _: EventRef) -> None:
    told = (fact.number, fact.version)
    s.versions = {**s.versions, fact.of: max(told, s.versions.get(fact.of, told))}


def announced(s: Subscription, fact: f.ChangeAnnounced, ref: EventRef) -> None:
    """Each announcement gives all of them another name, so whoever answers to that name was asked after them all."""
    s.announced = sha256(f"{s.announced}\n{ref.event_id}".encode()).hexdigest()[:16]
    s.identified = s.identified or fact.identified


def answered(s: Subscription, fact: f.AnswerRead, _: EventRef) -> None:
    """What versions were shown of is there: who knows nothing of it, or something older, has to be asked again."""
    if not fact.found and s.versions:
        s.doubtful = fact.about
        return
    s.doubtful = "" if s.doubtful == fact.about else s.doubtful
    s.answered[fact.about] = None
