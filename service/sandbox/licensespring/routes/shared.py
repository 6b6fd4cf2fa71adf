"""What every handler of the API needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from service.sandbox.licensespring import errors, fields, pages
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.listings import Listing
from service.sandbox.licensespring.records import Record
from service.sandbox.licensespring.rows import Rows

R = TypeVar("R", bound=Record)

HttpRequest = Request[Any, Any, Any]
TheCompany = NamedDependency[SkipValidation[Company]]
TheRows = NamedDependency[SkipValidation[Rows]]
"""The rows this request sees: the current ones, or older ones under a stale-read fault."""


async def rows_seen(request: HttpRequest) -> Rows:
    rows: Rows = request.scope["state"]["rows"]
    return rows


def found(rows: Rows, kind: type[R], key: int) -> R:
    """Raises ApiError 404."""
    row = rows.get(kind, key)
    if row is None:
        raise errors.not_found()
    return row


def changing(change: Change, kind: type[R], key: int) -> R:
    return found(change.rows, kind, key)


def an_object(data: Any) -> dict[str, Any]:
    """The body when it is a JSON object; raises ApiError otherwise."""
    if not isinstance(data, dict):
        kind = {list: "list", str: "str", type(None): "null"}.get(type(data), type(data).__name__)
        raise errors.fields({"non_field_errors": f"Invalid data. Expected a dictionary, but got {kind}."})
    return data


def ids(data: Any) -> list[int]:
    """The body when it is an array of ids; raises ApiError otherwise."""
    if not isinstance(data, list):
        raise errors.fields({"non_field_errors": "Expected a list of items."})
    return [fields.one("id", fields.whole, entry) for entry in data]


def listed(
    request: HttpRequest,
    rows: Rows,
    everything: Iterable[R],
    listing: Listing[R],
    show: Callable[[R], dict[str, Any]],
) -> dict[str, Any]:
    """A page of a list, for the query of the request; of a parameter sent twice the last one counts."""
    query = dict(request.query_params.multi_items())
    path = request.scope["raw_path"].decode("latin-1")
    address = f"{request.base_url.scheme}://{request.base_url.netloc}{path}"
    return pages.page(rows, everything, listing, query, address, show)
