"""Reading lists: page after page, bounded, and without trust in the filters."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

from projections.targets.errors import Refused, Unavailable
from projections.targets.licensespring.exchange import Exchange

Found = TypeVar("Found")

PAGE = 100
"""Rows per page; more is cut silently to this for licenses (page license/list-licenses)."""

MOST_PAGES = 100_000
MOST_STRANGERS = 2_000
"""Rows that do not match a filter before a search is given up: by then the filter is plainly ignored."""


async def rows(exchange: Exchange, call: str, path: str, query: Mapping[str, str]) -> AsyncGenerator[object, None]:
    """All rows of a list, by offset: following `next` could lead the key to another host."""
    offset = 0
    previous: list[object] = []
    for _ in range(MOST_PAGES):
        page = await exchange.get(call, path, {**query, "limit": str(PAGE), "offset": str(offset)})
        results = page.get("results") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(results, list):
            raise Unavailable(call, status=200, text="the answer is not a page of a list")
        if results and results == previous:
            raise Unavailable(call, status=200, text="the list does not advance: the same page came twice")
        for row in results:
            yield row
        if not results or not page.get("next"):
            return
        offset += len(results)
        previous = results
    raise Unavailable(call, status=200, text=f"the list has more than {MOST_PAGES} pages")


async def matching(
    exchange: Exchange,
    call: str,
    path: str,
    query: Mapping[str, str],
    read: Callable[[object], Found | None],
    matches: Callable[[Found], bool],
    *,
    enough: int | None = None,
) -> list[Found]:
    """The rows that do match, `enough` of them if there are so many.

    Raises Refused when so many rows do not match that finding none would prove nothing.
    """
    found: list[Found] = []
    strangers = 0
    async with aclosing(rows(exchange, call, path, query)) as every:
        async for row in every:
            one = read(row)
            if one is None or not matches(one):
                strangers += 1
            else:
                found.append(one)
            if len(found) == enough:
                break
            if strangers >= MOST_STRANGERS:
                text = f"the filter {', '.join(query)} is ignored, so nothing can be looked up"
                raise Refused(call, status=200, text=text)
    return found
