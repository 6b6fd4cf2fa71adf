"""What needs a person: streams that do not go on and licenses that were refused; and how to have them tried again."""

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain.events import Stream
from projections.queries import LastListed, StreamView, retry_refused
from service.lookup import Reader, find_license, find_stream

Need = Literal["stopped", "unrouted", "waiting"]


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
    return [
        NeedyStream(
            stream=view.stream,
            status=need,
            problem=view.problem or "no subscription is known for it yet",
            latest_at=view.latest_at,
        )
        for view in views
    ]


async def _views(reader: Reader, need: Need, before: LastListed | None, limit: int) -> list[StreamView]:
    match need:
        case "stopped" | "waiting":
            return await reader.queries.streams(statuses=(need,), before=before, limit=limit)
        case "unrouted":
            return await reader.queries.unrouted(before=before, limit=limit)
    assert_never(need)


async def retry_stream(reader: Reader, text: str, *, by_key: bool = False) -> Stream:
    """Has a stopped stream folded again and says which. Raises NotFound, Ambiguous, NothingToRetry."""
    stream = await find_stream(reader, text, by_key=by_key)
    if not await reader.queries.ask_again(stream):
        raise NothingToRetry(f"{stream} is not stopped, there is nothing to retry.")
    return stream


async def retry_license(reader: Reader, text: str, author: str, *, by_key: bool = False) -> str:
    """Has a refused license pushed again and says its id. Raises NotFound, NothingToRetry."""
    letter = await find_license(reader, text, by_key=by_key)
    if letter.refusal is None:
        raise NothingToRetry(f"{letter.id} is not refused, there is nothing to retry.")
    await retry_refused(reader.log, letter, author)
    return letter.id
