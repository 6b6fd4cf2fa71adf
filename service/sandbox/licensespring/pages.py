"""Pages of a list: `limit`, `offset`, `order_by`, and links to the neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from service.sandbox.licensespring.filters import select
from service.sandbox.licensespring.listings import Listing
from service.sandbox.licensespring.records import Record
from service.sandbox.licensespring.rows import Rows

R = TypeVar("R", bound=Record)

DEFAULT_PAGE = 20


def page(
    rows: Rows,
    everything: Iterable[R],
    listing: Listing[R],
    query: Mapping[str, str],
    address: str,
    show: Callable[[R], dict[str, Any]],
) -> dict[str, Any]:
    """One page of the rows that pass the query's filters.

    A `limit` above the list's largest page is lowered without a word; one that is no positive number counts as
    absent. `address` is the absolute URL of the list, for `next` and `previous`. Raises ApiError 400 for a filter
    value that cannot be read.
    """
    found = select(rows, everything, listing.filters, query)
    _sort(found, listing, query.get("order_by", ""))
    limit = min(_positive(query.get("limit")) or DEFAULT_PAGE, listing.largest_page)
    offset = _positive(query.get("offset")) or 0

    def link(start: int) -> str:
        kept = {name: value for name, value in query.items() if name not in ("limit", "offset")}
        moved = {**kept, "limit": str(limit), **({"offset": str(start)} if start > 0 else {})}
        return f"{address}?{urlencode(sorted(moved.items()))}"

    return {
        "count": len(found),
        "next": link(offset + limit) if offset + limit < len(found) else None,
        "previous": link(max(0, offset - limit)) if offset > 0 else None,
        "results": [show(row) for row in found[offset : offset + limit]],
    }


def _sort(found: list[R], listing: Listing[R], order_by: str) -> None:
    """By id, then by what was asked for; a name that is not sortable is ignored. Empty values count as largest."""
    found.sort(key=lambda row: row.id)
    value_of = listing.sortable.get(order_by.removeprefix("-"))
    if value_of is None:
        return
    keyed = [(value_of(row), row) for row in found]
    present = [pair for pair in keyed if pair[0] is not None]
    absent = [row for value, row in keyed if value is None]
    backwards = order_by.startswith("-")
    present.sort(key=lambda pair: pair[0], reverse=backwards)
    ordered = [row for _, row in present]
    found[:] = [*absent, *ordered] if backwards else [*ordered, *absent]


def _positive(sent: str | None) -> int | None:
    return int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 16 and int(sent) > 0 else None
