"""Why a license is as it is, or why a subscription has none: for the API and the command line alike."""

from collections.abc import Sequence

import msgspec

from domain.acts import Merged
from domain.events import Event, Stream
from domain.licensing.absence import Reason, why_no_license
from domain.licensing.overrides import overrides_of
from domain.policy import Policy
from domain.receipts import is_receipt
from domain.subscription import Subscription
from projections.explaining import (
    ActTold,
    LicenseExplained,
    RetryTold,
    Standing,
    acts_told,
    explain_license,
    retries_told,
)
from projections.queries import LicenseView, StreamView
from projections.sources import WRONG_MODE, Source, source_for
from service.attention import NeedyStream, set_aside, what_it_needs
from service.lookup import NotFound, Reader, find, find_subscription, licenses_of
from service.telling import read_whole


class LicenseTold(msgspec.Struct, frozen=True, kw_only=True):
    """One license of a subscription at one target, in short: whether it works, why, and whether it is held there."""

    license: str
    product: str
    target: str
    enabled: bool
    rule: str
    act: str | None
    """The operator's act that decides whether it works."""
    extendable: bool
    """Whether an operator may extend it."""
    standing: Standing
    says: str
    remedy: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription or purchase: its licenses, or the reasons why it has none that works, with what to do."""

    stream: Stream
    through: Stream | None
    status: str
    state: str
    licenses: tuple[LicenseTold, ...]
    reasons: tuple[Reason, ...]
    acts: tuple[ActTold, ...]
    retries: tuple[RetryTold, ...]
    """What was tried again by hand, the latest last; it decides nothing."""


async def explain_one(
    reader: Reader, text: str, *, field: str | None = None, by_key: bool = False
) -> list[LicenseExplained]:
    """A license at each of its targets, by its id (or key). Raises NotFound, TooLong."""
    views = await reader.queries.licenses_named(text, by_key=by_key)
    if not views:
        raise NotFound(f"There is no license {text}. For a subscription without one: tenure explain SUBSCRIPTION.")
    return await explain_views(reader, views, field)


async def explain_views(reader: Reader, views: Sequence[LicenseView], field: str | None) -> list[LicenseExplained]:
    """Those licenses, all of one stream, with all fields or that one. Raises NotFound, TooLong."""
    stream = views[0].stream
    _, fold = await find_subscription(reader, stream)
    source = source_for(reader.sources, stream)
    pushes = {push.target: push for push in await reader.queries.pushes(stream)}
    receipts = await _receipts(reader, stream)
    told = [
        explain_license(
            view,
            fold.subscription,
            source.targets.get(view.target, Policy()),
            source.decided.get(view.target, {}),
            pushes.get(view.target),
            receipts,
        )
        for view in views
    ]
    return [_only(each, field) for each in told] if field else told


def _only(told: LicenseExplained, field: str) -> LicenseExplained:
    meant = tuple(each for each in told.fields if each.field == field)
    if not meant:
        raise NotFound(f"A license has no field {field}; it has: {', '.join(each.field for each in told.fields)}.")
    return msgspec.structs.replace(told, fields=meant)


async def _receipts(reader: Reader, stream: Stream) -> list[Event]:
    return [event for event in await read_whole(reader.log, stream) if is_receipt(event)]


async def explain_subscription(reader: Reader, text: str, *, by_key: bool = False) -> Explained:
    """A subscription or purchase, or whatever else is of that name. Raises NotFound, Ambiguous, TooLong."""
    found = await find(reader, text, by_key=by_key)
    view, fold = await find_subscription(reader, found.stream)
    rows = await licenses_of(reader, view.stream)
    licenses = tuple(_in_short(each) for each in (await explain_views(reader, rows, None) if rows else []))
    works = any(each.enabled and each.standing == "held" for each in licenses)
    reasons = [] if works else await _reasons(reader, view, fold.subscription, licenses)
    return Explained(
        stream=view.stream,
        through=found.through,
        status=view.status,
        state=fold.subscription.state.value,
        licenses=licenses,
        reasons=tuple(reasons),
        acts=acts_told(fold.subscription, list(fold.subscription.acts.values())),
        retries=retries_told(await _receipts(reader, view.stream)),
    )


def _in_short(told: LicenseExplained) -> LicenseTold:
    values = {each.field: each for each in told.fields}
    return LicenseTold(
        license=told.license,
        product=values["product_code"].value,
        target=told.target,
        enabled=values["enabled"].value,
        rule=values["enabled"].rule,
        act=values["enabled"].act,
        extendable=told.extendable,
        standing=told.holding.standing,
        says=told.holding.says,
        remedy=told.holding.remedy,
    )


async def _reasons(reader: Reader, view: StreamView, s: Subscription, licenses: Sequence[LicenseTold]) -> list[Reason]:
    """Why nothing works; the first is the one to begin with."""
    source = source_for(reader.sources, view.stream)
    if view.kind == WRONG_MODE:
        return [_first(await set_aside(reader, view))]
    if view.status == "stopped":
        again = f"tenure streams retry {view.stream} --reason WHY"
        remedy = f"mend what it names, or take the version of Tenure that knows it; then: {again}"
        return [Reason(f"an event could not be understood, and no later one counts: {view.problem}", remedy)]
    if view.status == "unrouted":
        told = what_it_needs(view, await reader.queries.wants([view.stream]), reader)
        remedy = "it counts once an event links it; tenure streams --status unrouted lists such"
        return [Reason(told, remedy)]
    if view.status == "waiting":
        return [await _waiting(reader, view, source)]
    if not s.identified:
        return [
            Reason("no event says that it is a subscription or a purchase", "nothing: it belongs to another, if any")
        ]
    merged = _merged(view.stream, s)
    extend = next((each.license for each in licenses if each.extendable), "")
    return [*merged, *_of_licenses(licenses), *why_no_license(s, extend)]


def _first(needy: NeedyStream) -> Reason:
    what, _, todo = needy.problem.partition(": ")
    return Reason(f"set aside: {what}", todo)


async def _waiting(reader: Reader, view: StreamView, source: Source) -> Reason:
    told = what_it_needs(view, await reader.queries.wants([view.stream]), reader)
    remedy = source.unasked or f"it is asked again by itself; at once: tenure streams retry {view.stream} --reason WHY"
    return Reason(f"something has to be fetched first: {told}", remedy)


def _merged(stream: Stream, s: Subscription) -> list[Reason]:
    overrides = overrides_of(stream, s)
    act = overrides.merged if overrides is not None else None
    if act is None or not isinstance(act.deed, Merged):
        return []
    told = f"it was merged into {act.deed.kept} by {act.author}: {act.reason}"
    return [Reason(told, f"look at that one; if they are two purchases: tenure license undo {act.id} --reason ...")]


def _of_licenses(licenses: Sequence[LicenseTold]) -> list[Reason]:
    """What stands between a license that should work and its server; or the act that stops one."""
    stuck = [Reason(f"{each.license}: {each.says}", each.remedy) for each in licenses if each.enabled and each.remedy]
    by_hand = [
        Reason(f"{each.license}: {each.rule}", f"tenure license undo {each.act} --reason ...")
        for each in licenses
        if not each.enabled and each.rule.startswith("operator act: disabled")
    ]
    return [*stuck, *by_hand]
