"""Operators' acts: judged by what is projected, then appended; licenses follow as from any other event.

What an act would change is found out before it is recorded, by the fold that will do it. So one that would change
nothing, or would lock somebody out who pays, or give a second license, is refused with what to do instead.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import msgspec

from domain.acts import (
    Act,
    AnyDeed,
    FieldSet,
    LicenseDisabled,
    LicenseEnabled,
    LicenseExtended,
    Merged,
    OperatorActed,
    Set,
    Undone,
    in_force,
    type_of,
    words,
    write_body,
)
from domain.durations import after, is_duration, later
from domain.events import PARTITIONS, NewEvent, Stream, partition_of
from domain.licensing.overrides import overrides_of
from domain.licensing.settable import NotSettable, read_value
from service.lookup import Reader
from service.previewing import ActRefused, Change, Standing, changes, standing_of, with_act

LONGEST_AUTHOR, LONGEST_REASON = 200, 1_000
_NEXT = timedelta(microseconds=1)


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


async def disable(reader: Reader, text: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has a license stop working, whatever is paid. Raises NotFound, Ambiguous, TooLong, ActRefused."""
    standing = await standing_of(reader, text, by_key=by_key)
    return await _act(reader, standing, LicenseDisabled(license=standing.license), said)


async def enable(reader: Reader, text: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has a license work, whatever the provider says. Raises NotFound, Ambiguous, TooLong, ActRefused."""
    standing = await standing_of(reader, text, by_key=by_key)
    _refuse_of_duplicate(standing)
    return await _act(reader, standing, LicenseEnabled(license=standing.license), said)


async def extend(
    reader: Reader, text: str, said: Said, *, until: datetime | None = None, by: str = "", by_key: bool = False
) -> Acted:
    """Has a license work until an instant, or `by` a duration beyond its end or now, whichever is later.

    Raises NotFound, Ambiguous, TooLong, ActRefused.
    """
    if said.expires is not None:
        raise ActRefused("An extension ends by itself when it is reached: leave out when it expires.")
    if (until is None) == (not by) or (by and not is_duration(by)):
        raise ActRefused("Say until when, or by how much: a number and one of d, w, m, y, such as 7d.")
    standing = await standing_of(reader, text, by_key=by_key)
    _refuse_of_duplicate(standing)
    expiry = standing.expiry
    if expiry is None:
        raise ActRefused(f"{standing.license} does not expire by itself: there is nothing to extend.")
    now = await reader.queries.now()
    end = until or after(max(expiry, now.replace(microsecond=0)), by)
    if end <= expiry:
        raise ActRefused(f"{standing.license} runs until {expiry:%Y-%m-%d %H:%M} UTC already: nothing is shortened.")
    if end <= now:
        raise ActRefused(f"{end:%Y-%m-%d %H:%M} UTC is past: give an instant to come.")
    act = overrides_of(standing.stream, standing.subscription)
    stopping = act.of(standing.license).get("enabled") if act else None
    if stopping is not None and isinstance(stopping.deed, LicenseDisabled):
        raise ActRefused(
            f"{standing.license} was disabled by {stopping.author} ({stopping.reason}): undo that first, "
            f"tenure license undo {stopping.id}"
        )
    return await _act(reader, standing, LicenseExtended(license=standing.license, until=end), said)


async def set_field(reader: Reader, text: str, field: str, value: Set, said: Said, *, by_key: bool = False) -> Acted:
    """Gives a field of a license a value. Raises NotFound, Ambiguous, TooLong, ActRefused."""
    standing = await standing_of(reader, text, by_key=by_key)
    try:
        meant = read_value(field, value, standing.desired[0].license_type)
    except NotSettable as wrong:
        raise ActRefused(f"{wrong}.") from None
    return await _act(reader, standing, FieldSet(license=standing.license, field=field, value=meant), said)


async def merge(reader: Reader, duplicate: str, into: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has the licenses of a duplicate disabled, since those of another subscription stand for them.

    The other one has to hold a working license for each. Raises NotFound, Ambiguous, TooLong, ActRefused.
    """
    away = await standing_of(reader, duplicate, by_key=by_key, whole=True)
    kept = await standing_of(reader, into, by_key=by_key, whole=True)
    if away.stream == kept.stream:
        raise ActRefused(f"{away.stream} cannot be merged into itself: name the duplicate and the one that is kept.")
    _refuse_of_duplicate(away)
    _refuse_of_duplicate(kept)
    _refuse_of_kept(away)
    wanted, there = away.working(), kept.held()
    for product, count in wanted.items():
        if there.get(product, 0) < count:
            raise ActRefused(
                f"{away.stream} has {count} working licenses of {product!r}, and at the license server "
                f"{kept.stream} has {there.get(product, 0)}: somebody would be locked out. Merge the other way round, "
                f"or wait until it has them (tenure explain {kept.stream})."
            )
    notes = []
    if away.subscription.customer.email.casefold() != kept.subscription.customer.email.casefold():
        notes.append("the two have customers of different addresses: make sure that they are one")
    if away.subscription.cancel_at is None and not away.subscription.purchase:
        notes.append("the duplicate goes on being billed: end it at the provider, too")
    deed = Merged(duplicate=away.stream, kept=kept.stream)
    return await _act(reader, away, deed, said, others=[kept], notes=notes)


async def undo(reader: Reader, act_id: str, said: Said) -> Acted:
    """Has an act count no more. Raises NotFound, TooLong, ActRefused."""
    found = await _streams_of(reader, act_id)
    if not found:
        raise ActRefused(f"There is no act {act_id}: tenure explain tells the acts of a license or a subscription.")
    standing = await standing_of(reader, found[0], whole=True)
    act = standing.subscription.acts.get(act_id)
    if act is None:
        raise ActRefused(f"{act_id} is recorded and not projected yet: try again in a moment.")
    if isinstance(act.deed, Merged):
        found = [Stream(act.deed.duplicate), Stream(act.deed.kept)]
        standing = await standing_of(reader, found[0], whole=True)
    if act_id in standing.subscription.lapsed:
        raise ActRefused(f"{act_id} has lapsed: it counts no more.")
    if act_id not in {each.id for each in in_force(standing.subscription.acts, standing.subscription.lapsed)}:
        raise ActRefused(f"{act_id} was undone before.")
    others = [await standing_of(reader, stream, whole=True) for stream in found[1:]]
    if said.expires is not None:
        raise ActRefused("An undoing does not expire: record the act anew when it is wanted again.")
    notes = _left(standing, act)
    deed = Undone(undoes=act_id, what=words(act.deed))
    return await _act(reader, standing, deed, said, others=others, notes=notes)


async def _streams_of(reader: Reader, act_id: str) -> list[Stream]:
    number = act_id.removeprefix("act_")[:2]
    try:
        partition = int(number, 16)
    except ValueError:
        return []
    if not act_id.startswith("act_") or not 0 <= partition < PARTITIONS:
        return []
    events = await reader.log.find_named(partition, act_id)
    return [event.stream for event in events if event.origin == "operator"]


def _left(standing: Standing, act: Act) -> list[str]:
    """What a license server keeps of a value that nothing else sets."""
    if not isinstance(act.deed, FieldSet):
        return []
    before = changes(standing, with_act(standing.subscription, _undoing(act, standing)))
    return [
        f"nothing else sets {change.field}: the license server keeps {change.before} until something does"
        for change in before
        if change.after is None and change.field not in {"floating_users", "note"}
    ]


def _undoing(act: Act, standing: Standing) -> Act:
    return Act(id="~", at=_next(act.at, [standing]), author="", reason="", deed=Undone(undoes=act.id))


async def _act(
    reader: Reader,
    standing: Standing,
    deed: AnyDeed,
    said: Said,
    *,
    others: Sequence[Standing] = (),
    notes: Sequence[str] = (),
) -> Acted:
    at = _next(await reader.queries.now(), [standing, *others])
    if said.expires is not None and said.expires <= at:
        raise ActRefused(f"{said.expires:%Y-%m-%d %H:%M} UTC is past: leave it out, or give an instant to come.")
    streams = (standing.stream, *(each.stream for each in others))
    name = _name(standing.stream, said.key)
    fact = OperatorActed(author=said.author.strip(), reason=said.reason.strip(), deed=deed, expires=said.expires)
    act = Act(id=name, at=at, author=fact.author, reason=fact.reason, deed=deed, expires=said.expires)
    known = standing.subscription.acts.get(name)
    if known is not None and known.deed != deed:
        raise ActRefused(f"The key was used for another act ({words(known.deed)}): choose another.")
    found = () if known is not None else changes(standing, with_act(standing.subscription, act))
    told = [*notes, *_remarks(standing, act, found, repeated=known is not None)]
    if not said.dry_run and known is None:
        body = write_body(fact)
        await reader.log.append([_event(stream, act, body) for stream in streams])
    return Acted(
        act=name,
        type=type_of(deed),
        streams=streams,
        license=getattr(deed, "license", None),
        at=known.at if known is not None else at,
        author=act.author,
        reason=act.reason,
        expires=act.expires,
        what=words(deed),
        changes=found,
        notes=tuple(told),
        recorded=not said.dry_run,
    )


def _next(now: datetime, standings: Sequence[Standing]) -> datetime:
    """Now, and after every earlier act: two of one instant would be settled by their ids."""
    earlier = [act.at for each in standings for act in each.subscription.acts.values()]
    return max([now, *(later(at, _NEXT) for at in earlier)])


def _name(stream: Stream, key: str) -> str:
    """An id that also names its partition, so that an act is found without asking all of them."""
    digest = sha256(f"{stream}\n{key}".encode()).hexdigest() if key else uuid4().hex
    return f"act_{partition_of(stream):02x}{digest[:18]}"


def _event(stream: Stream, act: Act, body: bytes) -> NewEvent:
    return NewEvent(
        stream=stream,
        event_id=act.id,
        type=act.type,
        origin="operator",
        occurred_at=act.at,
        received_at=act.at,
        body=body,
    )


def _refuse_of_duplicate(standing: Standing) -> None:
    overrides = overrides_of(standing.stream, standing.subscription)
    merged = overrides.merged if overrides is not None else None
    if merged is not None and isinstance(merged.deed, Merged):
        raise ActRefused(
            f"{standing.stream} was merged into {merged.deed.kept} as a duplicate: act on that one, or undo the merge, "
            f"tenure license undo {merged.id}"
        )


def _refuse_of_kept(standing: Standing) -> None:
    overrides = overrides_of(standing.stream, standing.subscription)
    for merge in overrides.kept if overrides is not None else ():
        if isinstance(merge.deed, Merged):
            raise ActRefused(
                f"{standing.stream} is kept for its duplicate {merge.deed.duplicate}: undo that merge, tenure license "
                f"undo {merge.id}, and merge both into the third"
            )


def _remarks(standing: Standing, act: Act, found: Sequence[Change], *, repeated: bool) -> list[str]:
    """What whoever acts should know. Raises ActRefused for an act that would not do what it says."""
    if repeated:
        return ["this act was recorded before, under the same key"]
    after_it = standing.licenses_after(with_act(standing.subscription, act))
    name = getattr(act.deed, "license", None)
    each = next((license_ for license_ in after_it if license_.id == name), None)
    told: list[str] = []
    if isinstance(act.deed, LicenseEnabled | LicenseExtended) and each is not None and not each.enabled:
        rule = each.because["enabled"].rule
        raise ActRefused(f"{name} would not work for that: {rule}. What is no longer sold or paid for stays so.")
    if isinstance(act.deed, LicenseEnabled) and each is not None and each.expiry is not None and each.expiry < act.at:
        told.append(f"its date is past ({each.expiry:%Y-%m-%d}): extend it, too (tenure license extend {name} --by 7d)")
    if isinstance(act.deed, LicenseDisabled) and standing.paid_beyond(act.at):
        told.append("it is paid for: the customer is locked out by this act alone, until it is undone")
    if isinstance(act.deed, LicenseExtended) and not standing.working():
        told.append("it works again until then; what stopped it counts again after that")
    if not found and not isinstance(act.deed, Undone):
        told.append("nothing changes now; it counts when something else would decide otherwise")
    return told
