"""Parameters that several routes share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar.connection import ASGIConnection
from litestar.exceptions import ValidationException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter
from msgspec import Meta

from domain.events import stream_of
from domain.past import Past
from projections.kinds import UnknownKind, read_kinds
from service.instants import ACCEPTED, NoInstant, read_instant

# One line each, which a timeline shows as it stands.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
Author = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, description="Who decides.")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=_LINE, description="Why; kept in the history.")]

ONE_STREAM = ["/{identifier:str}", "/{source:str}/{kind:str}/{identifier:str}"]
"""A stream by the provider's id, or by its whole name where several sources know that id."""

Instant = Annotated[
    str | None,
    QueryParameter(
        max_length=60,
        description=f"An instant with its offset, or a date: {ACCEPTED}. `as_of` leaves out what happened later, "
        "`known_at` what was recorded later.",
    ),
]


def name_of(source: str | None, kind: str | None, identifier: str) -> str:
    """What the path of a request names: a whole stream, or only an id."""
    return stream_of(source, kind, identifier) if source and kind else identifier


def instant_of(name: str, text: str | None) -> datetime | None:
    """The instant in UTC. Raises ValidationException for what is none, or comes without an offset."""
    if text is None:
        return None
    try:
        return read_instant(text, offset=True)
    except NoInstant as error:
        raise ValidationException(str(error), extra=[{"key": name, "message": str(error)}]) from None


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


def past_of(as_of: str | None, known_at: str | None) -> Past:
    """What was so by one instant, as known at the other. Raises ValidationException."""
    return Past(as_of=instant_of("as_of", as_of), known_at=instant_of("known_at", known_at))


def kinds_of(only: str | None) -> frozenset[str]:
    """The kinds of entries, by commas. Raises ValidationException with those that there are."""
    try:
        return read_kinds(only or "")
    except UnknownKind as error:
        raise ValidationException(str(error), extra=[{"key": "only", "message": str(error)}]) from None


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
