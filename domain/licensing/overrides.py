"""What operators' acts make of a license, after everything else: nothing that a provider says wipes them.

Two acts on one thing: the later counts. An extension never shortens, and neither an extension nor an enabling brings
back what is no longer sold, so that nobody has two licenses for one purchase. Above all others stands a merge: the
licenses of a duplicate are disabled, whatever else was decided about them; but never those of one that is itself
kept for another. So what a duplicate was merged into is never off by a merge, and merges in a circle switch nobody off.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.acts import (
    Act,
    FieldSet,
    LicenseDisabled,
    LicenseEnabled,
    LicenseExtended,
    Merged,
    in_force,
)
from domain.durations import LAST
from domain.events import Stream
from domain.licensing.access import money_taken_back
from domain.licensing.claims import Claim
from domain.licensing.license import Because, License
from domain.licensing.settable import CUSTOM, fits
from domain.lifecycle import LICENSED, State
from domain.policy import Policy
from domain.subscription import EventRef, Subscription

ENABLED, EXPIRY = "enabled", "expiry"


class Overrides(msgspec.Struct, frozen=True):
    """The acts that count in a stream: by license and field the latest; and the merge that makes it a duplicate."""

    acts: Mapping[str, Mapping[str, Act]]
    merged: Act | None = None
    kept: tuple[Act, ...] = ()
    """The merges by which its licenses stand for those of others."""
    chained: Act | None = None
    """A merge of it into another one that does not count, since it is kept for others."""

    def of(self, license_: str) -> Mapping[str, Act]:
        return self.acts.get(license_, {})


def overrides_of(stream: Stream, s: Subscription) -> Overrides | None:
    """What operators decided about a stream's licenses; None where that is nothing."""
    if not s.acts:
        return None
    acts: dict[str, dict[str, Act]] = {}
    merges: dict[str, Act] = {}
    for act in in_force(s.acts, s.lapsed):
        match act.deed:
            case LicenseDisabled(license=name) | LicenseEnabled(license=name):
                acts.setdefault(name, {})[ENABLED] = act
            case LicenseExtended(license=name):
                acts.setdefault(name, {})[EXPIRY] = act
            case FieldSet(license=name, field=field):
                acts.setdefault(name, {})[field] = act
            case Merged(duplicate=duplicate, kept=kept) if stream in {duplicate, kept} and duplicate != kept:
                # Of two that were merged into each other, the later merge says which is kept, in both streams alike.
                merges[kept if stream == duplicate else duplicate] = act
    away = [act for act in merges.values() if _duplicate(act) == stream]
    stays = tuple(act for act in merges.values() if _duplicate(act) != stream)
    last = max(away, key=lambda act: act.age, default=None)
    # A fold sees no other stream. This rule needs none: both streams of a merge hold it, so each knows its own part.
    return Overrides(acts, None, stays, last) if stays else Overrides(acts, last)


def _duplicate(act: Act) -> str:
    return act.deed.duplicate if isinstance(act.deed, Merged) else ""


def override(license_: License, overrides: Overrides, s: Subscription, policy: Policy, claim: Claim) -> License:
    """The license as operators want it; each field that an act decides says so."""
    acts = overrides.of(license_.id)
    decided: dict[str, tuple[Any, Because]] = {}
    for act in acts.values():
        if isinstance(act.deed, FieldSet):
            _set(decided, license_, act, act.deed)
    if EXPIRY in acts and claim.current:
        _extend(decided, license_, acts[EXPIRY], s, policy, claim)
    if ENABLED in acts:
        _switch(decided, acts[ENABLED], claim)
    if overrides.merged is not None:
        decided["enabled"] = False, because(overrides.merged)
    enabled, why = decided.get("enabled", (license_.enabled, None))
    if why is not None and enabled and license_.free_devices:
        decided["free_devices"] = False, why
    if not decided:
        return license_
    reasons = {**license_.because, **{field: reason for field, (_, reason) in decided.items()}}
    return msgspec.structs.replace(license_, because=reasons, **{field: value for field, (value, _) in decided.items()})


def because(act: Act) -> Because:
    """Who decided it and why, and which event that is."""
    match act.deed:
        case LicenseDisabled():
            what = "disabled"
        case LicenseEnabled():
            what = "enabled"
        case LicenseExtended(until=until):
            what = f"extended to {until:%Y-%m-%d %H:%M} UTC"
        case Merged(kept=kept):
            what = f"merged into {kept}"
        case _:
            what = "set"
    ends = "" if act.expires is None else f", until {act.expires:%Y-%m-%d %H:%M} UTC"
    return Because(f"operator act: {what} by {act.author}{ends}: {act.reason}", EventRef(act.id, act.type, act.at))


def problems(overrides: Overrides, s: Subscription) -> list[str]:
    """What a person should know of acts whose ground has gone."""
    told = []
    if overrides.merged is not None and isinstance(overrides.merged.deed, Merged):
        again = [paid for paid in s.invoices.values() if paid.amount and paid.paid.at > overrides.merged.at]
        if again and s.state in LICENSED:
            told.append(
                f"was merged into {overrides.merged.deed.kept} as a duplicate and is paid for again since: end it at "
                f"the provider, or have it licensed again (tenure license undo {overrides.merged.id})"
            )
    if overrides.chained is not None and isinstance(overrides.chained.deed, Merged):
        kept = overrides.kept[-1]
        told.append(
            f"was merged into {overrides.chained.deed.kept}, which does not count while it is kept for "
            f"{_duplicate(kept)}: undo one of the two (tenure license undo {overrides.chained.id}, or {kept.id})"
        )
    if s.state in {State.SUSPENDED, State.TERMINATED}:
        told += [
            f"is {s.state}, and was kept for its duplicate {_duplicate(act)}: if that is paid for, have it licensed "
            f"again (tenure license undo {act.id})"
            for act in overrides.kept
        ]
    return told


def _switch(decided: dict[str, tuple[Any, Because]], act: Act, claim: Claim) -> None:
    if isinstance(act.deed, LicenseDisabled):
        decided["enabled"] = False, because(act)
    elif claim.current:
        decided["enabled"] = True, because(act)


def _extend(
    decided: dict[str, tuple[Any, Because]],
    license_: License,
    act: Act,
    s: Subscription,
    policy: Policy,
    claim: Claim,
) -> None:
    """Later than what is paid for, never earlier; and it works until then, unless its money was given back."""
    if not isinstance(act.deed, LicenseExtended) or license_.expiry is None:
        return
    until = min(act.deed.until, LAST)
    if until > license_.expiry:
        decided["expiry"] = until, because(act)
    if not license_.enabled and money_taken_back(s, policy, claim.line) is None:
        decided["enabled"] = True, because(act)


def _set(decided: dict[str, tuple[Any, Because]], license_: License, act: Act, deed: FieldSet) -> None:
    if not fits(deed.field, deed.value):
        return
    why = because(act)
    if deed.field.startswith(CUSTOM):
        known, _ = decided.get("custom_fields", (license_.custom_fields, why))
        decided["custom_fields"] = {**known, deed.field.removeprefix(CUSTOM): deed.value}, why
        return
    # 0 at the same time: it does not float.
    decided[deed.field] = (None if deed.field == "floating_users" and deed.value == 0 else deed.value), why
    floating, _ = decided.get("floating_users", (license_.floating_users, why))
    activations, _ = decided.get("max_activations", (license_.max_activations, why))
    if floating is not None and (activations or 0) < floating:
        # Fewer may not activate it than may use it at once.
        decided["max_activations"] = floating, why
