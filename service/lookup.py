"""Finds what a person or program asks for by name, for the API and the command line alike."""

from collections.abc import Mapping, Sequence

import msgspec

from domain.events import Stream
from domain.history import Fold, refold
from domain.past import PRESENT, Past
from projections.past import Then, stand
from projections.ports import SearchableLog
from projections.queries import KNOWN, LicenseView, OpenWork, Queries, StreamView
from projections.sources import Source, source_for
from projections.timeline import Entry, timeline
from service.telling import Tellings, read_whole

MOST_LICENSES = 1_000
"""Of one stream, where it is shown with its licenses."""


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What answers questions, over HTTP and on the command line alike."""

    log: SearchableLog
    queries: Queries
    sources: Mapping[str, Source]
    tellings: Tellings = msgspec.field(default_factory=Tellings)

    async def open_work(self) -> OpenWork:
        """How much is still to be done; what waits for an API that is not asked does not count."""
        asked = [name for name, source in self.sources.items() if not source.unasked]
        return await self.queries.open_work(self.log, asked)


class NotFound(Exception):
    """There is nothing of that name."""


class Ambiguous(Exception):
    """The name fits several streams, or one license several targets; `candidates` are their whole names."""

    def __init__(self, text: str, candidates: Sequence[str], remedy: str = "streams; name one of them whole") -> None:
        super().__init__(f"{text} may mean any of several {remedy}.")
        self.candidates = tuple(candidates)


class Found(msgspec.Struct, frozen=True):
    """The stream that is meant; `through` is what was named, where that only led there (an order, a payment)."""

    stream: Stream
    through: Stream | None = None


async def find(reader: Reader, text: str, *, by_key: bool = False) -> Found:
    """The one stream meant by a stream's name, a provider's id or a license's id.

    What is no subscription or purchase itself, but known to belong to one (an order, an invoice, a payment, the
    reference of an order), leads to that; by its whole name a stream that has events is always found itself. With
    `by_key` a license's key will do too; not where the text comes from a URL, which ends up in the logs of proxies.
    Raises NotFound and Ambiguous.
    """
    candidates = await reader.queries.find(text, by_key=by_key)
    if text in candidates:
        return Found(Stream(text))
    led = {} if set(candidates.values()) & set(KNOWN) else await reader.queries.led_to(text)
    meant = sorted(led or candidates)
    if len(meant) > 1:
        raise Ambiguous(text, meant)
    if not meant:
        raise NotFound(f"Nothing is known of {text}. Events show here once they are projected.")
    return Found(meant[0], led.get(meant[0]))


async def find_stream(reader: Reader, text: str, *, by_key: bool = False) -> Stream:
    """The stream that `find` finds. Raises NotFound and Ambiguous."""
    return (await find(reader, text, by_key=by_key)).stream


async def find_subscription(reader: Reader, text: str) -> tuple[StreamView, Fold]:
    """The stream meant, with everything derived from it. Raises NotFound, Ambiguous, TooLong."""
    stream = await find_stream(reader, text)
    found = await reader.queries.stream(stream)
    if found is None:
        raise NotFound(f"Nothing is known of {text}.")
    view, fold = found
    return view, fold or await _refold(reader, view)


async def _refold(reader: Reader, view: StreamView) -> Fold:
    """The fold of what is projected, by this code."""
    events = await read_whole(reader.log, view.stream)
    provider = source_for(reader.sources, view.stream).provider
    return refold([event for event in events if event.position <= view.position], provider)


async def find_license(reader: Reader, text: str, target: str | None = None) -> LicenseView:
    """A license by its id, as it is at that target, or at the only one. Raises NotFound and Ambiguous."""
    found = await reader.queries.licenses_named(text, by_key=False)
    meant = [view for view in found if target in {None, view.target}]
    if not meant:
        raise NotFound(f"There is no license {text}{f' at {target}' if target and found else ''}.")
    if len(meant) > 1:
        raise Ambiguous(text, [view.target for view in meant], "targets; add ?target= and one of them")
    return meant[0]


async def licenses_of(reader: Reader, stream: Stream) -> list[LicenseView]:
    """The licenses of a stream, by id and target, at most MOST_LICENSES."""
    return await reader.queries.licenses(stream=stream, limit=MOST_LICENSES)


async def tell_stream(reader: Reader, stream: Stream, past: Past = PRESENT) -> list[Entry]:
    """The whole timeline of a stream. Raises TooLong."""
    provider = source_for(reader.sources, stream).provider
    events = await read_whole(reader.log, stream)
    return timeline(events, provider, as_of=past.as_of, known_at=past.known_at)


async def find_then(reader: Reader, stream: Stream, past: Past) -> Then:
    """How a stream stood, with what was derived of it. Raises NotFound and TooLong."""
    events = await read_whole(reader.log, stream)
    then = stand(stream, events, source_for(reader.sources, stream), past)
    if then is None:
        first = min(events, key=lambda event: event.occurred_at, default=None)
        told = (
            f" Its first event is of {first.occurred_at:%Y-%m-%d %H:%M:%S} and was recorded "
            f"{min(event.recorded_at for event in events):%Y-%m-%d %H:%M:%S} UTC."
            if first
            else ""
        )
        raise NotFound(f"There was nothing of {stream} then.{told}")
    return then
