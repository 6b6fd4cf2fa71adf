"""Parameters that several routes share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar.connection import ASGIConnection
from litestar.exceptions import ValidationException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter
from msgspec import Meta

from domain.events import stream_of

# One line each, which a timeline shows as it stands.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
Author = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, description="Who decides.")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=_LINE, description="Why; kept in the history.")]

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


def refuse_unknown(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard: a list that nobody narrowed, since a filter's name was misspelt, must not pass for a narrowed one.

    Raises ValidationException.
    """
    signature = handler.parsed_fn_signature.parameters.items()
    kinds = ((name, field.kwarg_definition) for name, field in signature)
    known = {kind.name or name for name, kind in kinds if isinstance(kind, QueryParameter)}
    unknown = sorted(set(connection.query_params) - known)
    if unknown:
        remedy = f"There is no such parameter here; there are: {', '.join(sorted(known)) or 'none'}."
        raise ValidationException(remedy, extra=[{"key": name[:100], "message": remedy} for name in unknown[:10]])
