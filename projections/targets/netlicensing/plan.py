"""What NetLicensing has to be told: desired licenses against what it is known to hold. Pure.

What gives access comes first, and what takes it away last. All that changes in one license there is one call; should
that be refused, its groups of fields are told apart, so that a detail holds up neither access nor dates.
"""

from collections.abc import Iterator, Sequence

from domain.licensing import License, in_order
from domain.receipts import Applied, Fields
from projections.targets import Call
from projections.targets.digests import hashed, is_refused
from projections.targets.netlicensing.calls import (
    ChangeLicense,
    ChangeLicensee,
    DisableLicense,
    RefuseProperty,
    doubt_of,
)
from projections.targets.netlicensing.creations import catalogs, creations, finds, names
from projections.targets.netlicensing.express import CUSTOM_FIELD, REPLACED, express_licensee, group_of
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.parts import Part, Wish, is_enabled, wish_of
from projections.targets.netlicensing.wire import is_reserved


def plan(desired: Sequence[License], applied: Applied, options: Options) -> list[Call]:
    """The calls still to be made, in order; what was refused is left out until something else is desired."""
    wishes = [wish_of(each, applied, options) for each in in_order(desired)]
    steps = (
        catalogs(wishes),
        names(wishes, applied, options),
        creations(wishes, applied, options),
        _changes(wishes, applied),
        _properties(wishes),
        catalogs(wishes, of_features=True),
        finds(wishes),
        _endings(wishes),
        _leftovers(wishes, applied),
        _licensees(wishes, applied, options),
    )
    return [call for step in steps for call in step if not is_refused(call, applied)]


def _changes(wishes: Sequence[Wish], applied: Applied) -> Iterator[Call]:
    for wish in wishes:
        for part in wish.parts if wish.desired.enabled else ():
            if part.there:
                yield from _changes_of(wish, part, applied)


def _changes_of(wish: Wish, part: Part, applied: Applied) -> Iterator[Call]:
    wanted = _sendable({**part.wanted, **_taken_back(part)})
    changed = {name: value for name, value in wanted.items() if part.held.get(name) != value}
    if not changed:
        return
    groups: dict[str, Fields] = {}
    for name in sorted(changed, key=_place):
        groups.setdefault(group_of(name), {})[name] = changed[name]
    whole = _change(wish, part, "change" if len(groups) > 1 else next(iter(groups)), changed, wanted)
    if len(groups) == 1 or not is_refused(whole, applied):
        yield whole
        return
    for group, fields in groups.items():
        yield _change(wish, part, group, fields, wanted)


def _change(wish: Wish, part: Part, what: str, fields: Fields, wanted: Fields) -> ChangeLicense:
    meant = {name: value for name, value in wanted.items() if what == "change" or group_of(name) == what}
    return ChangeLicense(
        subjects=(wish.desired.id,),
        digest=f"{what} {part.number}:{hashed(meant)}",
        sets=doubt_of(part.number, *fields),
        license=wish.desired.id,
        number=part.number,
        remote=wish.held.remote,
        fields=fields,
    )


def _sendable(fields: Fields) -> Fields:
    """Without properties whose names are NetLicensing's own."""
    return {name: value for name, value in fields.items() if not _is_reserved_property(name)}


def _taken_back(part: Part) -> Fields:
    """Properties that were set, or may have been, and are no longer desired."""
    return {
        name: ""
        for name, value in part.held.items()
        if name.startswith(CUSTOM_FIELD) and name not in part.wanted and value != ""
    }


def _is_reserved_property(name: str) -> bool:
    return name.startswith(CUSTOM_FIELD) and is_reserved(name.removeprefix(CUSTOM_FIELD))


def _place(name: str) -> tuple[int, str]:
    return ("access", "dates", "amounts", "properties").index(group_of(name)), name


def _properties(wishes: Sequence[Wish]) -> Iterator[Call]:
    """What cannot be set, in plain words."""
    for wish in wishes:
        for name in wish.desired.custom_fields if wish.desired.enabled else ():
            if is_reserved(name):
                yield RefuseProperty(
                    subjects=(wish.desired.id,), digest=f"property {hashed(name)}:{hashed(name)}", of=name
                )


def _endings(wishes: Sequence[Wish]) -> Iterator[Call]:
    # While what replaces it cannot be created, what a customer has stays; but for what a person disabled.
    awaited: dict[tuple[str, int], set[tuple[str, str]]] = {}
    for wish in wishes:
        if wish.desired.enabled and not wish.complete:
            awaited.setdefault(_unit(wish.desired), set()).add(_form(wish.desired))
    for wish in wishes:
        desired, kept = wish.desired, {part.number for part in wish.parts} if wish.desired.enabled else set()
        forms = awaited.get(_unit(desired), set())
        if not desired.disabled_by_act and (forms - {_form(desired)} or (desired.enabled and forms)):
            continue
        # A suspension that follows another is another occasion, though nothing was done of the first.
        occasion = hashed([desired.enabled, desired.begins, desired.because.get("enabled")])
        for number, fields in wish.held.parts.items():
            if number not in kept and is_enabled(fields):
                yield _disable(desired.id, number, wish.held.remote, occasion, replaced=desired.enabled)


def _unit(desired: License) -> tuple[str, int]:
    return desired.line, desired.unit


def _form(desired: License) -> tuple[str, str]:
    """As what a unit is sold: another form of the same unit takes its place, another unit does not."""
    return desired.product_code, desired.license_type


def _leftovers(wishes: Sequence[Wish], applied: Applied) -> Iterator[Call]:
    """Licenses that exist there and are no longer derived from anything."""
    known = {wish.desired.id for wish in wishes}
    for identifier, held in applied.licenses.items():
        for number, fields in held.parts.items() if identifier not in known else ():
            if is_enabled(fields):
                yield _disable(identifier, number, held.remote, "gone")


def _disable(license_: str, number: str, remote: str, why: str, *, replaced: bool = False) -> DisableLicense:
    return DisableLicense(
        subjects=(license_,),
        digest=f"disable {number}:{why}",
        sets=doubt_of(number, "enabled", *([REPLACED] if replaced else [])),
        license=license_,
        number=number,
        remote=remote,
        replaced=replaced,
    )


def _licensees(wishes: Sequence[Wish], applied: Applied, options: Options) -> Iterator[Call]:
    """What has become known of customers; a subscription that is over says nothing of them any more."""
    wanted: dict[str, Fields] = {}
    for wish in wishes:
        if wish.desired.enabled and wish.holds:
            wanted.setdefault(wish.held.holder, express_licensee(wish.desired.customer, options))
    for holder, fields in wanted.items():
        known = applied.customers[holder]
        gone = ("customerEmail", "customerCompany") if not options.save_buyer else ()
        meant = {**fields, **{name: "" for name in gone if known.get(name)}}
        changed = {name: value for name, value in meant.items() if known.get(name) != value}
        if changed:
            yield ChangeLicensee(
                subjects=(holder,),
                digest=f"licensee:{hashed(meant)}",
                sets=tuple(changed),
                holder=holder,
                fields=changed,
            )
