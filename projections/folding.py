"""From a stream's fold to the rows that are read and pushed; values in, values out."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice

import msgspec

from domain.events import LONGEST_STREAM, Stream, identifier_of, kind_of, partition_of, source_of, stream_of
from domain.generated import problems
from domain.history import Fold, encode_fold
from domain.licensing import NOTHING, entitle
from domain.providers import unanswered
from domain.readback import Want
from domain.receipts import Applied
from domain.subscription import Subscription
from domain.timers import due_timers
from domain.version import CODE
from projections.placing import Placed, place
from projections.rows import LicenseRow, LinkRow, PushRow, Rows, StreamRow, TimerRow, WantRow
from projections.sources import Source
from projections.targets import Call, Target

ENCODER = msgspec.json.Encoder(order="deterministic")
LONGEST_ABOUT = 900
"""Bytes of UTF-8 in what is asked."""


class _There(msgspec.Struct, frozen=True):
    """What concerns one target: what is desired there, what it holds, and what it has still to be told."""

    target: str
    placed: Sequence[Placed]
    applied: Applied
    calls: Sequence[Call]


class _Followed(msgspec.Struct, frozen=True):
    """What follows from a fold for all its targets, and what a person should know of it."""

    there: Sequence[_There] = ()
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()


def rows_of(
    stream: Stream, fold: Fold, position: int, source: Source, targets: Mapping[str, Target], linked: int = 0
) -> Rows:
    """Derives every row of a stream whose events up to `position` of its partition are folded.

    But for its first `linked` links, which are only ever added to: their rows are there.
    """
    missing: Sequence[Want] = ()
    wants: tuple[WantRow, ...] = ()
    timers: tuple[TimerRow, ...] = ()
    try:
        followed = _follow(stream, fold, source, targets)
        if not fold.stopped:
            missing = source.provider.wants(stream, fold.subscription)
            wants = _want_rows(stream, missing, fold, source)
            timers = _timer_rows(stream, fold, source)
    except Exception as error:  # noqa: BLE001 - a fault of ours must stop this stream, not the others
        fold.stopped = f"{type(error).__name__} while deriving licenses: a fault in Tenure, please report it"
        followed, wants, timers = _Followed(), (), ()
    return Rows(
        stream=_stream_row(stream, fold, followed, missing, position),
        licenses=tuple(_license_row(stream, each, there) for there in followed.there for each in there.placed),
        pushes=tuple(
            _push_row(stream, there, position)
            for there in followed.there
            if there.target in source.targets and (there.placed or there.applied.licenses)
        ),
        links=tuple(
            LinkRow(partition=partition_of(other), from_stream=other, to_stream=stream)
            for other in (_linked(stream, link) for link in islice(fold.subscription.links, linked, None))
            # Of a longer name there can be no stream.
            if len(other.encode()) <= LONGEST_STREAM
        ),
        wants=wants,
        vain=tuple(want.about for want in missing if want.about in fold.subscription.answered),
        timers=timers,
    )


def refused_rows(rows: Rows, error: str, source: Source, targets: Mapping[str, Target]) -> Rows:
    """The rows of a stopped stream, in place of those that the database refuses."""
    reason = f"its rows cannot be written ({error}): a fault in Tenure, please report it"
    stopped = Fold(subscription=Subscription(), stopped=reason)
    return rows_of(rows.stream.stream, stopped, rows.stream.position, source, targets)


def _follow(stream: Stream, fold: Fold, source: Source, targets: Mapping[str, Target]) -> _Followed:
    """The licenses desired, and what their targets have still to be told; nothing while the stream is stopped."""
    entitled = {name: entitle(stream, fold.subscription, policy) for name, policy in source.targets.items()}
    if not fold.applied and all(each == NOTHING for each in entitled.values()):
        return _Followed()
    placement = place(entitled, fold.applied, source.other_mode(fold.subscription.test))
    there: list[_There] = []
    found = [problem for each in entitled.values() for problem in each.problems] + list(placement.problems)
    for name, placed in placement.at.items():
        applied, desired = fold.applied.get(name) or Applied(), placement.desired(name)
        found += problems(desired, applied)
        target = None if fold.stopped or name not in entitled else targets.get(name)
        found += target.problems(desired, applied) if target else []
        there.append(_There(name, placed, applied, target.plan(desired, applied) if target else []))
    warnings = [warning for each in entitled.values() for warning in each.warnings]
    return _Followed(there, [*dict.fromkeys(found)], [*dict.fromkeys(warnings)])


def _linked(stream: Stream, link: str) -> Stream:
    kind, identifier = link.split("/", 1)
    return stream_of(source_of(stream), kind, identifier)


def _status(fold: Fold, wants: Sequence[Want]) -> str:
    subscription = fold.subscription
    if fold.stopped:
        return "stopped"
    if subscription.identified:
        return "waiting" if any(want.essential for want in wants) else "folded"
    # What concerns money but does not say whose it is waits for a link to a subscription.
    money = subscription.refunds or subscription.disputes or subscription.payments
    return "unrouted" if money else "other"


def _stream_row(stream: Stream, fold: Fold, followed: _Followed, wants: Sequence[Want], position: int) -> StreamRow:
    subscription = fold.subscription
    problems = [
        fold.stopped,
        *(_needs(want, stream, subscription) for want in wants if want.essential),
        *followed.problems,
    ]
    there = {each.target: {placed.license.id for placed in each.placed} for each in followed.there}
    for target, applied in fold.applied.items():
        known = there.get(target, set())
        for subject, refusal in applied.refusals.items():
            if subject not in known:
                refused = "cannot" if refusal.status is None else "refused to"
                problems.append(f"{target} {refused} {refusal.call} {subject}: {refusal.text}")
        if count := len(known & applied.refusals.keys()):
            problems.append(f"{target} refused {count} of {len(known)} licenses")
    return StreamRow(
        partition=partition_of(stream),
        stream=stream,
        source=source_of(stream),
        kind=kind_of(stream),
        identifier=identifier_of(stream),
        status=_status(fold, wants),
        state=subscription.state.value,
        problem="; ".join(filter(None, problems)),
        warnings=ENCODER.encode(followed.warnings).decode(),
        customer=subscription.customer.reference,
        email=subscription.customer.email,
        events=fold.events,
        anomalies=subscription.anomalies,
        first_at=fold.first,
        latest_at=fold.latest,
        position=position,
        code=CODE,
        fold=encode_fold(fold),
    )


def _needs(want: Want, stream: Stream, subscription: Subscription) -> str:
    again = f"tenure streams retry {stream} --reason WHY"
    in_vain = f", and the provider's API was asked in vain (have it asked again: {again})"
    return f"needs {want.why}{in_vain if want.about in subscription.answered else ''}"


def _license_row(stream: Stream, placed: Placed, there: _There) -> LicenseRow:
    license_, applied = placed.license, there.applied
    held = applied.licenses.get(license_.id)
    refusal = applied.refusals.get(license_.id)
    return LicenseRow(
        partition=partition_of(stream),
        id=license_.id,
        stream=stream,
        target=there.target,
        due=any(license_.id in call.subjects for call in there.calls),
        enabled=license_.enabled,
        withheld=placed.withheld,
        key=held.key or None if held else None,
        desired=ENCODER.encode(license_).decode(),
        applied=ENCODER.encode(held).decode() if held else None,
        refusal=ENCODER.encode(refusal).decode() if refusal else None,
    )


def _want_rows(stream: Stream, missing: Sequence[Want], fold: Fold, source: Source) -> tuple[WantRow, ...]:
    """What is to be asked from the provider's API."""
    return tuple(
        WantRow(
            partition=partition_of(stream),
            stream=stream,
            about=want.about,
            source=source_of(stream),
            why=want.why,
            essential=want.essential,
            delay=source.patience if want.patient else timedelta(),
        )
        for want in unanswered(missing, fold.subscription)
        # A longer one could not stand in an event's id.
        if len(want.about.encode()) <= LONGEST_ABOUT
    )


def _timer_rows(stream: Stream, fold: Fold, source: Source) -> tuple[TimerRow, ...]:
    """What is to happen when so much time has passed."""
    return tuple(
        TimerRow(
            partition=partition_of(stream),
            stream=stream,
            event_id=timer.event_id,
            at=timer.at,
            type=timer.type,
            body=timer.body,
        )
        for timer in due_timers(stream, fold.subscription, source.policies)
    )


def _push_row(stream: Stream, there: _There, position: int) -> PushRow:
    return PushRow(
        partition=partition_of(stream),
        stream=stream,
        target=there.target,
        due=bool(there.calls),
        digest=digest_of(there.calls),
        folded=position,
    )


def digest_of(calls: Sequence[Call]) -> str:
    """What there is to do, in short: other work need not wait for the backoff of this."""
    return hashlib.sha256(ENCODER.encode([call.digest for call in calls])).hexdigest()[:16]
