"""Parameters that several routes share."""

from datetime import UTC, datetime
from typing import Annotated

from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

from domain.events import stream_of

ONE_STREAM = ["/{identifier:str}", "/{source:str}/{kind:str}/{identifier:str}"]
"""A stream by the provider's id, or by its whole name where several sources know that id."""

Instant = Annotated[
    datetime | None, QueryParameter(description="An instant with its offset, such as 2026-03-03T00:00:00Z.")
]


def name_of(source: str | None, kind: str | None, identifier: str) -> str:
    """What the path of a request names: a whole stream, or only an id."""
    return stream_of(source, kind, identifier) if source and kind else identifier


def aware(name: str, instant: datetime | None) -> datetime | None:
    """The instant in UTC. Raises ValidationException for one without an offset, which could mean anything."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        message = "Give the offset too, such as Z or +01:00."
        raise ValidationException(message, extra=[{"key": name, "message": message}])
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        message = "Give an instant between the years 1 and 9999 in UTC."
        raise ValidationException(message, extra=[{"key": name, "message": message}]) from None
