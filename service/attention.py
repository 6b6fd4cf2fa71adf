"""What needs a person: streams that do not go on and licenses that were refused; and how to have them tried again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain.events import Event, Stream, kind_of
from domain.history import Fold
from domain.readback import Want
from projections import retrying
from projections.queries import LastListed, StreamView, WantView
from projections.retrying import retry_fold
from projections.sources import WRONG_MODE, Source, source_for
from service.lookup import Reader, find_stream, find_subscription

Need = Literal["stopped", "unrouted", "waiting", "wrong-mode"]
MOST_WANTS = 1_000
"""Of the streams of one page."""


class NeedyStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with what is wrong with it; `latest_at` is the provider's time of its latest event."""

    stream: Stream
    status: Need
    problem: str
    latest_at: datetime | None


class NothingToRetry(Exception):
    """What was to be tried again does not stand still."""


async def needy_streams(
    reader: Reader, need: Need, *, before: LastListed | None = None, limit: int
) -> list[NeedyStream]:
    """The streams with that need, the one with the latest event first."""
    views = await _views(reader, need, before, limit)
    if need == WRONG_MODE:
        return [await set_aside(reader, view) for view in views]
    wants = await reader.queries.wants([view.stream for view in views], limit=MOST_WANTS)
    return [
        NeedyStream(
            stream=view.stream,
            status=need,
            problem=what_it_needs(view, [want for want in wants if want.stream == view.stream], reader),
            latest_at=view.latest_at,
        )
        for view in views
    ]


async def set_aside(reader: Reader, view: StreamView) -> NeedyStream:
    """A delivery of the other mode than its source's, with what to do."""
    source = source_for(reader.sources, view.stream)
    events = await reader.log.read_stream(view.stream, limit=1)
    delivery = next((_mode(source, event) for event in events), "")
    mode = "live" if source.live else "test"
    if delivery == mode:
        problem = f"the delivery is {delivery}, as the source is by now: have the provider send it again"
    else:
        remedy = f'set mode = "{delivery}" in [sources.{view.source}] and have it sent again, or send it elsewhere'
        problem = f"the source is set to {mode}, the delivery is {delivery}: {remedy}"
    return NeedyStream(stream=view.stream, status=WRONG_MODE, problem=problem, latest_at=view.latest_at)


def _mode(source: Source, event: Event) -> Literal["live", "test"]:
    """In which mode a delivery was sent: that of a source which does not set it aside."""
    unpacked = source.provider.unpack(source.name, event.body, True, event.received_at)
    taken = any(one.event_id == event.event_id and kind_of(one.stream) != WRONG_MODE for one in unpacked)
    return "live" if taken else "test"


def what_it_needs(view: StreamView, wants: Sequence[WantView], reader: Reader) -> str:
    """What is wrong with a stream, and what became of the questions whose answers would help."""
    told = [view.problem or ("no subscription is known for it yet" if view.status == "unrouted" else "")]
    for want in wants:
        reason = want.error or _unasked_here(reader.sources.get(want.source), want)
        tried = f" (asked {want.attempts} times)" if want.attempts > 1 else ""
        # The problem names what is essential already.
        told += ["" if want.essential else f"lacks {want.why}", reason and f"{reason}{tried}"]
    return "; ".join(dict.fromkeys(filter(None, told)))


def _unasked_here(source: Source | None, want: WantView) -> str:
    """Why nobody may have asked yet, as far as this process knows: another one may have other secrets."""
    if source is None or not source.unasked or want.attempts:
        return ""
    return f"not asked yet, and by this process it is not: {source.unasked}"


async def _views(reader: Reader, need: Need, before: LastListed | None, limit: int) -> list[StreamView]:
    match need:
        case "stopped":
            return await reader.queries.streams(statuses=(need,), before=before, limit=limit)
        case "waiting":
            return await reader.queries.waiting(before=before, limit=limit)
        case "unrouted":
            return await reader.queries.unrouted(before=before, limit=limit)
        case "wrong-mode":
            return await reader.queries.wrong_mode(before=before, limit=limit)
    assert_never(need)


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried again, as the history tells from now on; `notes` say what still stands in its way."""

    accepted: str
    notes: tuple[str, ...] = ()


async def retry_stream(reader: Reader, text: str, author: str, reason: str, *, by_key: bool = False) -> Retried:
    """Has a stopped stream folded again, or what another lacks fetched at once, and records who wanted it.

    What was asked in vain is asked once more. Raises NotFound, Ambiguous, TooLong, NothingToRetry.
    """
    stream = await find_stream(reader, text, by_key=by_key)
    view, fold = await find_subscription(reader, stream)
    at = await reader.queries.now()
    if view.status == "stopped":
        await retry_fold(reader.log, stream, author, reason, at)
        return Retried(accepted=stream)
    vain = _asked_in_vain(reader, stream, fold)
    if not vain and not await reader.queries.wants([stream], limit=1):
        raise NothingToRetry(f"{stream} is not stopped and waits for nothing, there is nothing to retry.")
    await retry_fold(reader.log, stream, author, reason, at)
    await reader.queries.ask_in_vain(stream, vain)
    await reader.queries.ask_now(stream)
    unasked = source_for(reader.sources, stream).unasked
    notes = (f"it cannot succeed by the settings that this process has: {unasked}",) if unasked else ()
    return Retried(accepted=stream, notes=notes)


def _asked_in_vain(reader: Reader, stream: Stream, fold: Fold) -> list[Want]:
    """What a stream lacks although its provider's API was asked for it."""
    provider = source_for(reader.sources, stream).provider
    return [want for want in provider.wants(stream, fold.subscription) if want.about in fold.subscription.answered]


async def retry_refused(reader: Reader, text: str, author: str, reason: str, *, by_key: bool = False) -> Retried:
    """Has what was refused of a license, or of a whole subscription, pushed again wherever it was, and says of which.

    Of a subscription that includes what is no license any more, and its customer. Raises NotFound, Ambiguous, TooLong,
    NothingToRetry.
    """
    letters = await reader.queries.licenses_named(text, by_key=by_key)
    refused: dict[str, tuple[str, ...]]
    if letters:
        name, stream = letters[0].id, letters[0].stream
        refused = {letter.target: (letter.id,) for letter in letters if letter.refusal}
    else:
        view, fold = await find_subscription(reader, text)
        name = stream = view.stream
        refused = {target: tuple(held.refusals) for target, held in fold.applied.items() if held.refusals}
    if not refused:
        raise NothingToRetry(f"Nothing of {name} is refused, there is nothing to retry.")
    at = await reader.queries.now()
    for target, subjects in refused.items():
        await retrying.retry_refused(reader.log, stream, target, subjects, author, reason, at)
    return Retried(accepted=name)
