"""How an act is recorded: judged by all that is recorded so far, and stored only if that is still all.

So of two who decide at once the second is judged anew, by what the first one did; and a request that is sent again is
answered from what was stored, before anything else is asked about it.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

import msgspec

from domain.acts import Act, AnyDeed, OperatorActed, in_force, say, type_of, words, write_body
from domain.durations import LAST
from domain.events import NewEvent, Stream, partition_of
from domain.licensing.objections import next_instant, with_act
from service.lookup import Reader
from service.previewing import ActRefused, Change, Standing, changes

LONGEST_AUTHOR, LONGEST_REASON, LONGEST_KEY = 200, 1_000, 200
TRIES = 10
"""How often an act is judged anew before whoever decides is told that there is no end of changes."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with every act. `key` makes of a request that is sent twice one act; `dry_run` records nothing."""

    author: str
    reason: str
    expires: datetime | None = None
    key: str = ""
    dry_run: bool = False

    def __post_init__(self) -> None:
        for name, text, longest in (("author", self.author, LONGEST_AUTHOR), ("reason", self.reason, LONGEST_REASON)):
            if not text.strip() or not text.isprintable() or len(text) > longest:
                raise ActRefused(f"Say who and why: the {name} is one line of 1 to {longest} characters.")
        if not self.key.isprintable() or len(self.key) > LONGEST_KEY:
            raise ActRefused(f"A key is one line of at most {LONGEST_KEY} characters.")


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it was recorded, or would be: `act` is its id, by which it is undone; times are UTC."""

    act: str
    type: str
    streams: tuple[Stream, ...]
    license: str | None
    at: datetime
    author: str
    reason: str
    expires: datetime | None
    what: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    recorded: bool


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided, and what whoever decides should know; `by` are streams that were looked at besides."""

    deed: AnyDeed
    notes: tuple[str, ...] = ()
    by: tuple[Standing, ...] = ()


Look = Callable[[], Awaitable[Sequence[Standing]]]
"""Finds the streams in which the act is to stand, as they are now; the license that is meant is of the first."""
Judge = Callable[[Sequence[Standing], datetime], Awaitable[Judged]]
"""Decides by them, for that instant. Raises ActRefused."""
IsThat = Callable[[Sequence[Standing], AnyDeed], bool]
"""Whether a deed is the one that is asked for."""


async def record(reader: Reader, said: Said, look: Look, judge: Judge, is_that: IsThat) -> Acted:
    """Judges and records an act, or tells the one that was recorded under the same key. Raises ActRefused."""
    chance = uuid4().hex
    for _ in range(TRIES):
        standings = await look()
        first = standings[0]
        name = _name(first.stream, said.key, chance)
        known = first.subscription.acts.get(name)
        if known is not None:
            return _recorded_before(known, said, standings, is_that)
        now = await reader.queries.now()
        at = max(next_instant(each.subscription, now) for each in standings)
        _check_expiry(said, at)
        judged = await judge(standings, at)
        fact = OperatorActed(
            author=said.author.strip(), reason=said.reason.strip(), deed=judged.deed, expires=said.expires
        )
        act = Act(id=name, at=at, author=fact.author, reason=fact.reason, deed=fact.deed, expires=fact.expires)
        acted = _acted(act, standings, judged.notes, recorded=not said.dry_run)
        if said.dry_run:
            return acted
        body = write_body(fact)
        events = [_event(each.stream, act, body) for each in standings]
        upto = {each.stream: each.position for each in (*standings, *judged.by)}
        if await reader.log.append_if_unmoved(events, upto) is not None:
            return acted
    raise ActRefused("Something happens to it all the time: nothing is recorded. Try again in a moment.")


def _recorded_before(known: Act, said: Said, standings: Sequence[Standing], is_that: IsThat) -> Acted:
    """The act that is stored under that key, if it is the one that is asked for."""
    asked = (said.author.strip(), said.reason.strip(), said.expires)
    if asked != (known.author, known.reason, known.expires) or not is_that(standings, known.deed):
        raise ActRefused(f"The key was used for another act ({say(known)}): choose another.")
    if not said.key:
        # Stored by the last try, whose answer was lost.
        return _acted(known, standings, (), recorded=True)
    notes = ["this act was recorded before, under the same key"]
    s = standings[0].subscription
    if known.id in s.lapsed:
        notes.append("it has lapsed since, and counts no more: to have it again, send it with another key")
    elif known.id not in {each.id for each in in_force(s.acts, s.lapsed)}:
        notes.append("it was undone since, and counts no more: to have it again, send it with another key")
    return _acted(known, standings, tuple(notes), recorded=True)


def _acted(act: Act, standings: Sequence[Standing], notes: tuple[str, ...], *, recorded: bool) -> Acted:
    first = standings[0]
    known = act.id in first.subscription.acts
    return Acted(
        act=act.id,
        type=act.type,
        streams=tuple(each.stream for each in standings),
        license=getattr(act.deed, "license", None),
        at=act.at,
        author=act.author,
        reason=act.reason,
        expires=act.expires,
        what=words(act.deed),
        changes=() if known else changes(first, with_act(first.subscription, act)),
        notes=notes,
        recorded=recorded,
    )


def _check_expiry(said: Said, at: datetime) -> None:
    if said.expires is None:
        return
    if said.expires <= at:
        raise ActRefused(f"{said.expires:%Y-%m-%d %H:%M} UTC is past: leave it out, or give an instant to come.")
    if said.expires > LAST:
        raise ActRefused(f"No act expires after {LAST:%Y-%m-%d}: leave it out, and it counts until it is undone.")


def _name(stream: Stream, key: str, chance: str) -> str:
    """An id that also names its partition, so that an act is found without asking all of them."""
    digest = sha256(f"{stream}\n{key}".encode()).hexdigest() if key else chance
    return f"act_{partition_of(stream):02x}{digest[:18]}"


def _event(stream: Stream, act: Act, body: bytes) -> NewEvent:
    return NewEvent(
        stream=stream,
        event_id=act.id,
        type=type_of(act.deed),
        origin="operator",
        occurred_at=act.at,
        received_at=act.at,
        body=body,
    )
