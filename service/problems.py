"""Errors of the HTTP surface as RFC 9457 problems, the same form for programs everywhere."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Send
from psycopg import OperationalError

from service.attention import NothingToRetry
from service.lookup import Ambiguous, NotFound
from service.previewing import ActRefused
from service.store.errors import StoreBusy, StoreUnavailable
from service.telling import TooLong

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
UNEXPECTED = "Something unexpected happened; it was logged."

logger = structlog.get_logger(__name__)


class InvalidField(msgspec.Struct, frozen=True):
    """One part of a request that does not fit."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not carried out, and what to do (RFC 9457; the type is `about:blank`)."""

    title: str
    status: int
    detail: str = ""
    errors: list[InvalidField] = []
    candidates: list[str] = []
    """The whole names that an ambiguous one may mean."""


def problem(status: int, detail: str, errors: list[InvalidField] | None = None) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])


def api_problems(*more: int) -> dict[int, ResponseSpec]:
    """The problems that every route of the API can answer with, and more."""
    return documented(400, 401, 403, *more, 503)


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The `responses` of a route that can answer with those problems."""
    return {
        status: ResponseSpec(
            Problem, generate_examples=False, description=HTTPStatus(status).phrase, media_type=MEDIA_TYPE
        )
        for status in statuses
    }


async def send_problem(send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
    """Answers a bare ASGI request with a problem."""
    body = msgspec.json.encode(problem(status, detail))
    lines = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def answer_http_exception(_: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if error.status_code >= 500:
        logger.error("request failed", exc_info=error)
    return _response(problem(error.status_code, error.detail), error.headers)


def answer_invalid_request(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    entries = error.extra if isinstance(error.extra, list) else []
    errors = [
        InvalidField(field=_public_name(request, str(entry.get("key", ""))), message=str(entry.get("message", "")))
        for entry in entries
        if isinstance(entry, dict)
    ]
    # With fields, Litestar's own text only names the route and method, which the caller knows.
    detail = "Correct the fields listed in errors." if errors else error.detail
    return _response(problem(error.status_code, detail, errors))


def _public_name(request: Request[Any, Any, Any], key: str) -> str:
    """What callers call a parameter that has another name in the code."""
    parameter = request.route_handler.parsed_fn_signature.parameters.get(key)
    return getattr(parameter and parameter.kwarg_definition, "name", None) or key


def answer_with(status: int) -> Callable[[Request[Any, Any, Any], Exception], Response[Problem]]:
    """For errors whose own words say all."""
    return lambda _, error: _response(problem(status, str(error)))


def answer_ambiguous(_: Request[Any, Any, Any], error: Ambiguous) -> Response[Problem]:
    return _response(msgspec.structs.replace(problem(409, str(error)), candidates=list(error.candidates)))


def answer_unavailable(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    logger.warning("request refused: database unavailable", reason=type(error).__name__)
    detail = "The database cannot be reached at the moment; try again."
    return _response(problem(503, detail), {"retry-after": str(RETRY_AFTER_SECONDS)})


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    # The route, not the path, in which a person may have put anything.
    logger.error("request failed", route=request.scope.get("path_template", ""), exc_info=error)
    return _response(problem(500, UNEXPECTED))


HANDLERS: dict[int | type[Exception], Any] = {
    ValidationException: answer_invalid_request,
    HTTPException: answer_http_exception,
    NotFound: answer_with(404),
    NothingToRetry: answer_with(409),
    ActRefused: answer_with(409),
    Ambiguous: answer_ambiguous,
    TooLong: answer_with(422),
    OperationalError: answer_unavailable,
    TimeoutError: answer_unavailable,
    StoreBusy: answer_unavailable,
    StoreUnavailable: answer_unavailable,
    Exception: answer_unexpected,
}


def _response(content: Problem, headers: Mapping[str, str] | None = None) -> Response[Problem]:
    return Response(content, status_code=content.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))
