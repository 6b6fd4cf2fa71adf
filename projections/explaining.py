"""Why a license is as it is, field by field: the event, the rule, the policy, and what would change it. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from domain.acts import Act, LicenseExtended, Merged, in_force, say
from domain.events import Event, Stream
from domain.licensing import License, entitle
from domain.licensing.changing import Possible, would_change
from domain.licensing.objections import possible_acts
from domain.policy import Policy
from domain.receipts import KeysMinted, LicenseChanged, OrderCreated, PushRetried, read_receipt
from domain.retries import STREAM_RETRIED, StreamRetried, read_retry
from domain.subscription import EventRef, Subscription
from projections.queries import LicenseView, PushView

UNTOLD = ("because",)
DEFAULT = "Tenure's default"
_NAMES_POLICY = re.compile(r"policy (\w+)")

Standing = Literal["held", "waiting", "refused", "withheld", "not made"]


class PolicySaid(msgspec.Struct, frozen=True, kw_only=True):
    """The policy that a rule went by, its value, and where that is set."""

    name: str
    value: Any
    set_by: str


class Beneath(msgspec.Struct, frozen=True, kw_only=True):
    """What the field would be without operators' acts, and why."""

    value: Any
    rule: str


class FieldWhy(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its value, the rule and the event that set it, and what would change it.

    `act` is the id of the operator's act that decides it, `without_act` what it would be otherwise.
    """

    field: str
    value: Any
    rule: str
    event: EventRef | None
    policy: PolicySaid | None
    act: str | None
    without_act: Beneath | None
    changes: tuple[str, ...]


class ActTold(msgspec.Struct, frozen=True, kw_only=True):
    """An act of the stream, and whether it counts."""

    act: str
    at: datetime
    what: str
    counts: bool
    until: datetime | None


class RetryTold(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator had tried again: the pushes to a target, or where that is null the stream itself."""

    at: datetime
    target: str | None
    author: str
    reason: str


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a license server holds what is desired. `since` is when it last answered about it, in which receipt."""

    target: str
    standing: Standing
    says: str
    remedy: str
    remote: str
    since: datetime | None
    receipt: str


class LicenseExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A license at one target."""

    license: str
    stream: Stream
    state: str
    target: str
    holding: Holding
    fields: tuple[FieldWhy, ...]
    acts: tuple[ActTold, ...]
    extendable: bool
    """Whether an operator may extend it as it is now."""


def explain_license(
    view: LicenseView,
    s: Subscription,
    policy: Policy,
    decided: Mapping[str, str],
    push: PushView | None,
    receipts: Iterable[Event],
) -> LicenseExplained:
    """Explains a license as its target's policy has it; `decided` says where each key of that policy is set."""
    desired = view.desired
    own, overruled = policy.of(desired.product_code), _without_acts(view, s, policy)
    set_by = _set_by(policy, desired.product_code, decided)
    counting = [act for act in in_force(s.acts, s.lapsed) if _concerns(act, view)]
    possible = possible_acts(desired, s, policy)
    return LicenseExplained(
        license=view.id,
        stream=view.stream,
        state=s.state.value,
        target=view.target,
        holding=_holding(view, push, receipts),
        fields=tuple(
            _field(field, desired, overruled, s, own, set_by, counting, possible)
            for field in desired.__struct_fields__
            if field not in UNTOLD
        ),
        acts=acts_told(s, [act for act in s.acts.values() if _concerns(act, view)]),
        extendable=LicenseExtended in possible,
    )


def acts_told(s: Subscription, acts: Sequence[Act]) -> tuple[ActTold, ...]:
    """Those acts in the order in which they were done."""
    counting = {act.id for act in in_force(s.acts, s.lapsed)}
    return tuple(
        ActTold(act=act.id, at=act.at, what=say(act), counts=act.id in counting, until=act.ends)
        for act in sorted(acts, key=lambda each: each.age)
    )


def retries_told(receipts: Iterable[Event]) -> tuple[RetryTold, ...]:
    """What was tried again by hand, in the order of the events."""
    told: list[RetryTold] = []
    for event in receipts:
        if event.origin != "operator":
            continue
        try:
            said = read_retry(event) if event.type == STREAM_RETRIED else read_receipt(event)
        except ValueError:  # of a newer version: the stream stops and says so
            continue
        if isinstance(said, StreamRetried | PushRetried):
            target = said.target if isinstance(said, PushRetried) else None
            told.append(RetryTold(at=event.occurred_at, target=target, author=said.author, reason=said.reason))
    return tuple(told)


def _concerns(act: Act, view: LicenseView) -> bool:
    return getattr(act.deed, "license", view.id) == view.id


def _without_acts(view: LicenseView, s: Subscription, policy: Policy) -> License | None:
    if not s.acts:
        return None
    bare = entitle(view.stream, msgspec.structs.replace(s, acts={}), policy).licenses
    return next((each for each in bare if each.id == view.id), None)


def _set_by(policy: Policy, product: str, decided: Mapping[str, str]) -> dict[str, str]:
    """Where each key of the policy is set, as it is for a product."""
    own = policy.products.get(product)
    named = {name for name in policy.__struct_fields__ if own is not None and _is_set(own, name)}
    return {**decided, **dict.fromkeys(named, f"the policy of product {product}")}


def _is_set(own: msgspec.Struct, name: str) -> bool:
    return getattr(own, name, msgspec.UNSET) is not msgspec.UNSET


def _field(
    field: str,
    desired: License,
    overruled: License | None,
    s: Subscription,
    policy: Policy,
    set_by: Mapping[str, str],
    acts: Sequence[Act],
    possible: Possible,
) -> FieldWhy:
    why = desired.because.get(field)
    named = _NAMES_POLICY.search(why.rule) if why else None
    act = next((each.id for each in acts if why and why.event and why.event.event_id == each.id), None)
    changes = would_change(field, desired, s, policy, possible)
    beneath = overruled.because.get(field) if act and overruled is not None else None
    return FieldWhy(
        field=field,
        value=msgspec.to_builtins(getattr(desired, field)),
        rule=why.rule if why else "it says which license this is",
        event=why.event if why else None,
        policy=_policy(named.group(1), policy, set_by) if named else None,
        act=act,
        without_act=Beneath(value=msgspec.to_builtins(getattr(overruled, field)), rule=beneath.rule)
        if beneath
        else None,
        changes=(*_of_act(act, acts), *(() if act else changes)),
    )


def _of_act(act: str | None, acts: Sequence[Act]) -> tuple[str, ...]:
    """What ends an act; what would change the field otherwise counts only then."""
    if act is None:
        return ()
    deciding = next(each for each in acts if each.id == act)
    lapses = () if deciding.ends is None else (f"it lapses on {deciding.ends:%Y-%m-%d %H:%M} UTC",)
    # Over a merge no act counts.
    later = () if isinstance(deciding.deed, Merged) else ("a later act on the same field",)
    return (f"tenure license undo {act}", *lapses, *later)


def _policy(name: str, policy: Policy, set_by: Mapping[str, str]) -> PolicySaid | None:
    if name not in policy.__struct_fields__:
        return None
    return PolicySaid(name=name, value=getattr(policy, name), set_by=set_by.get(name, DEFAULT))


# --- what the license server holds --------------------------------------------------------------------------


def _holding(view: LicenseView, push: PushView | None, receipts: Iterable[Event]) -> Holding:
    standing, says, remedy = _standing(view, push)
    last = _last_receipt(view, receipts)
    return Holding(
        target=view.target,
        standing=standing,
        says=says,
        remedy=remedy,
        remote=view.applied.remote if view.applied else "",
        since=last.occurred_at if last else None,
        receipt=last.event_id if last else "",
    )


def _standing(view: LicenseView, push: PushView | None) -> tuple[Standing, str, str]:
    there = view.applied is not None and bool(view.applied.remote)
    if view.refusal is not None:
        status = f" ({view.refusal.status})" if view.refusal.status else ""
        said = f"{view.target} refused to {view.refusal.call}{status}: {view.refusal.text}"
        return "refused", said, f"mend that, then: tenure dead-letters retry {view.id} --reason ..."
    if view.withheld:
        return "withheld", view.withheld, "as it says"
    if view.due:
        return _waiting(view, push)
    if not there:
        told = "it does not work, and was never made there" if not view.enabled else "it was not made there"
        return "not made", told, "nothing has to be done" if not view.enabled else "see tenure timeline"
    if not view.enabled:
        return "held", "disabled there; its other fields stay as they were", ""
    return "held", "as desired", ""


def _waiting(view: LicenseView, push: PushView | None) -> tuple[Standing, str, str]:
    if push is None or not (push.attempts or push.doubt):
        return "waiting", f"{view.target} is to be told next", "tenure serve has to run, with its part pusher"
    again = f"tried {push.attempts} times, again at {push.next_at:%Y-%m-%d %H:%M:%S} UTC"
    if push.doubt and not push.error:
        return "waiting", "the answer to a call was lost; it is looked up before anything else", "nothing"
    return "waiting", f"{push.error or 'no answer yet'} ({again})", "it is tried again by itself: tenure pushes"


def _last_receipt(view: LicenseView, receipts: Iterable[Event]) -> Event | None:
    """The last answer of the target that was about this license."""
    last: Event | None = None
    for event in receipts:
        if event.origin == "operator":
            continue
        try:
            receipt = read_receipt(event)
        except msgspec.MsgspecError:
            continue
        if receipt.target != view.target:
            continue
        match receipt:
            case LicenseChanged(license=name) if name == view.id:
                last = event
            case OrderCreated(licenses=names) if view.id in names:
                last = event
            case KeysMinted(keys=keys) if view.id in keys and last is None:
                last = event
            case _:
                pass
    return last
