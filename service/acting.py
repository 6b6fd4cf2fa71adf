"""Operators' acts: each judged by what is recorded, then appended; licenses follow as from any other event.

What an act would change is found out before it is recorded, by the fold that will do it. So one that would change
nothing, or would lock somebody out who pays, or give a second license, is refused with what to do instead.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.acts import (
    Act,
    AnyDeed,
    FieldSet,
    LicenseDisabled,
    LicenseEnabled,
    LicenseExtended,
    Merged,
    Set,
    Undone,
    in_force,
    words,
)
from domain.durations import after, is_duration
from domain.events import PARTITIONS, Stream
from domain.licensing.objections import expiry_of, objection, objection_as_duplicate, with_act
from domain.licensing.settable import NotSettable, read_value
from service.lookup import Reader
from service.previewing import ActRefused, Standing, changes, standing_of
from service.recording import Acted, Judged, Said, record

__all__ = ["Acted", "Said", "disable", "enable", "extend", "merge", "set_field", "undo"]


async def disable(reader: Reader, text: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has a license stop working, whatever is paid. Raises NotFound, Ambiguous, TooLong, ActRefused."""

    async def judge(standings: Sequence[Standing], at: datetime) -> Judged:
        [standing] = standings
        deed = LicenseDisabled(license=standing.license)
        notes = _kept_for(standing)
        if standing.paid_beyond(at):
            until = "" if said.expires is None else f"{said.expires:%Y-%m-%d %H:%M} UTC, or until "
            notes.append(f"it is paid for: the customer is locked out by this act alone, until {until}it is undone")
        return Judged(deed=deed, notes=(*notes, *_idle(standing, deed, at)))

    return await record(
        reader,
        said,
        lambda: _license(reader, text, by_key),
        judge,
        lambda standings, deed: deed == LicenseDisabled(license=standings[0].license),
    )


async def enable(reader: Reader, text: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has a license work, whatever the provider says. Raises NotFound, Ambiguous, TooLong, ActRefused."""

    async def judge(standings: Sequence[Standing], at: datetime) -> Judged:
        [standing] = standings
        deed = LicenseEnabled(license=standing.license)
        _refuse_if(objection(standing.stream, standing.subscription, standing.policies.values(), deed, at))
        expiry = _expiry(standing)
        past = f"its date is past ({expiry:%Y-%m-%d}): extend it, too (tenure license extend {deed.license} --by 7d)"
        notes = [past] if expiry is not None and expiry < at else []
        return Judged(deed=deed, notes=(*notes, *_idle(standing, deed, at)))

    return await record(
        reader,
        said,
        lambda: _license(reader, text, by_key),
        judge,
        lambda standings, deed: deed == LicenseEnabled(license=standings[0].license),
    )


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

    async def judge(standings: Sequence[Standing], at: datetime) -> Judged:
        [standing] = standings
        # Without an end there is nothing to extend, as the objection says.
        end = until or after(max(_expiry(standing) or at, at.replace(microsecond=0)), by)
        deed = LicenseExtended(license=standing.license, until=end, by=by)
        _refuse_if(objection(standing.stream, standing.subscription, standing.policies.values(), deed, at))
        works = any(each.enabled for each in standing.desired)
        notes = [] if works else ["it works again until then; what stopped it counts again after that"]
        return Judged(deed=deed, notes=tuple(notes))

    def is_that(standings: Sequence[Standing], deed: AnyDeed) -> bool:
        if not isinstance(deed, LicenseExtended) or deed.license != standings[0].license:
            return False
        return deed.until == until if until is not None else deed.by == by

    return await record(reader, said, lambda: _license(reader, text, by_key), judge, is_that)


async def set_field(reader: Reader, text: str, field: str, value: Set, said: Said, *, by_key: bool = False) -> Acted:
    """Gives a field of a license a value. Raises NotFound, Ambiguous, TooLong, ActRefused."""

    def deed_of(standing: Standing) -> FieldSet:
        try:
            meant = read_value(field, value, standing.desired[0].license_type)
        except NotSettable as wrong:
            raise ActRefused(f"{wrong}.") from None
        return FieldSet(license=standing.license, field=field, value=meant)

    async def judge(standings: Sequence[Standing], at: datetime) -> Judged:
        [standing] = standings
        deed = deed_of(standing)
        return Judged(deed=deed, notes=_idle(standing, deed, at))

    return await record(
        reader,
        said,
        lambda: _license(reader, text, by_key),
        judge,
        lambda standings, deed: deed == deed_of(standings[0]),
    )


async def merge(reader: Reader, duplicate: str, into: str, said: Said, *, by_key: bool = False) -> Acted:
    """Has the licenses of a duplicate disabled, since those of another subscription stand for them.

    The other one has to hold a working license for each. Raises NotFound, Ambiguous, TooLong, ActRefused.
    """

    async def look() -> Sequence[Standing]:
        return [await standing_of(reader, each, by_key=by_key, whole=True) for each in (duplicate, into)]

    async def judge(standings: Sequence[Standing], _: datetime) -> Judged:
        away, kept = standings
        if away.stream == kept.stream:
            raise ActRefused(f"{away.stream} cannot be merged into itself: name the duplicate and what is kept.")
        _refuse_if(objection_as_duplicate(away.stream, away.subscription))
        _refuse_if(_objection_to_merge(away, kept))
        for earlier in away.overrides.kept:
            if isinstance(earlier.deed, Merged):
                raise ActRefused(
                    f"{away.stream} is kept for its duplicate {earlier.deed.duplicate}: undo that merge, tenure "
                    f"license undo {earlier.id}, and merge both into the third"
                )
        notes = []
        if away.subscription.customer.email.casefold() != kept.subscription.customer.email.casefold():
            notes.append("the two have customers of different addresses: make sure that they are one")
        if away.subscription.cancel_at is None and not away.subscription.purchase:
            notes.append("the duplicate goes on being billed: end it at the provider, too")
        return Judged(deed=Merged(duplicate=away.stream, kept=kept.stream), notes=tuple(notes))

    return await record(
        reader,
        said,
        look,
        judge,
        lambda standings, deed: deed == Merged(duplicate=standings[0].stream, kept=standings[1].stream),
    )


async def undo(reader: Reader, act_id: str, said: Said) -> Acted:
    """Has an act count no more. Raises NotFound, TooLong, ActRefused."""
    if said.expires is not None:
        raise ActRefused("An undoing does not expire: record the act anew when it is wanted again.")

    async def judge(standings: Sequence[Standing], at: datetime) -> Judged:
        s = standings[0].subscription
        if act_id in s.lapsed:
            raise ActRefused(f"{act_id} has lapsed: it counts no more.")
        if act_id not in {each.id for each in in_force(s.acts, s.lapsed)}:
            raise ActRefused(f"{act_id} was undone before.")
        deed = Undone(undoes=act_id, what=words(s.acts[act_id].deed))
        looked_at = [
            each for standing in standings for each in await _brought_back(reader, standing, standings, deed, at)
        ]
        return Judged(deed=deed, notes=_left(standings[0], act_id, deed, at), by=tuple(looked_at))

    return await record(
        reader,
        said,
        lambda: _concerned(reader, act_id),
        judge,
        lambda _, deed: isinstance(deed, Undone) and deed.undoes == act_id,
    )


async def _license(reader: Reader, text: str, by_key: bool) -> Sequence[Standing]:
    return [await standing_of(reader, text, by_key=by_key)]


async def _concerned(reader: Reader, act_id: str) -> Sequence[Standing]:
    """The streams in which an act stands; where it undoes others, those of what is undone in the end."""
    found = await _streams_of(reader, act_id)
    if not found:
        raise ActRefused(f"There is no act {act_id}: tenure explain tells the acts of a license or a subscription.")
    standing = await standing_of(reader, found[0], whole=True)
    acts = standing.subscription.acts
    act = acts.get(act_id)
    if act is None:
        raise ActRefused(f"{act_id} is no act on a license: it cannot be undone.")
    while isinstance(act.deed, Undone) and (older := acts.get(act.deed.undoes)) and older.age < act.age:
        act = older
    if not isinstance(act.deed, Merged):
        return [standing]
    return [await standing_of(reader, each, whole=True) for each in (act.deed.duplicate, act.deed.kept)]


async def _streams_of(reader: Reader, act_id: str) -> list[Stream]:
    try:
        partition = int(act_id[4:6], 16)
    except ValueError:
        return []
    if not act_id.startswith("act_") or not 0 <= partition < PARTITIONS:
        return []
    events = await reader.log.find_named(partition, act_id)
    return [event.stream for event in events if event.origin == "operator"]


async def _brought_back(
    reader: Reader, away: Standing, standings: Sequence[Standing], deed: Undone, at: datetime
) -> list[Standing]:
    """What was looked at to see whether a merge may count again that the undoing brings back. Raises ActRefused."""
    merged = away.overrides_after(with_act(away.subscription, _trial(deed, at))).merged
    before = away.overrides.merged
    if merged is None or not isinstance(merged.deed, Merged) or (before is not None and before.id == merged.id):
        return []
    into = merged.deed.kept
    kept = next((each for each in standings if each.stream == into), None) or await standing_of(
        reader, into, whole=True
    )
    if reason := _objection_to_merge(away, kept):
        raise ActRefused(f"Then {words(merged.deed)} would count again ({merged.id}). {reason}")
    return [kept]


def _objection_to_merge(away: Standing, kept: Standing) -> str:
    """Why one cannot stand for the other; empty where it can."""
    if reason := objection_as_duplicate(kept.stream, kept.subscription):
        return reason
    there = kept.held()
    for (target, product), count in away.working().items():
        if there[target, product] < count:
            many = f"{count} working license{'s' * (count != 1)}"
            return (
                f"{away.stream} has {many} of {product!r} at {target!r}, and {kept.stream} has "
                f"{there[target, product]} there: somebody would be locked out. Merge the other way round, "
                f"or wait until it has them (tenure explain {kept.stream})."
            )
    return ""


def _kept_for(standing: Standing) -> list[str]:
    """Whose licenses are off because this one's stand for them."""
    return [
        f"it stands for those of {merge.deed.duplicate}, too: have them licensed again (tenure license undo {merge.id})"
        for merge in standing.overrides.kept
        if isinstance(merge.deed, Merged)
    ]


def _idle(standing: Standing, deed: AnyDeed, at: datetime) -> tuple[str, ...]:
    if changes(standing, with_act(standing.subscription, _trial(deed, at))):
        return ()
    return ("nothing changes now; it counts when something else would decide otherwise",)


def _left(standing: Standing, act_id: str, deed: Undone, at: datetime) -> tuple[str, ...]:
    """What a license server keeps of a value that nothing else sets."""
    if not isinstance(standing.subscription.acts[act_id].deed, FieldSet):
        return ()
    return tuple(
        f"nothing else sets {change.field}: the license server keeps {change.before} until something does"
        for change in changes(standing, with_act(standing.subscription, _trial(deed, at)))
        if change.after is None and change.field not in {"floating_users", "note"}
    )


def _expiry(standing: Standing) -> datetime | None:
    policies = standing.policies.values()
    return expiry_of(standing.stream, standing.subscription, policies, standing.license)


def _trial(deed: AnyDeed, at: datetime) -> Act:
    return Act(id="~", at=at, author="", reason="", deed=deed)


def _refuse_if(reason: str) -> None:
    if reason:
        raise ActRefused(reason)
