"""Pages of lists of the past, folded as they are asked for."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.past import Past
from projections.past import Place, Then, page_then
from service.api.paging import Page, read_cursor, write_cursor
from service.lookup import Reader

T = TypeVar("T")


async def page_of_past(
    reader: Reader, past: Past, pick: Callable[[Then], Sequence[T]], cursor: str | None, limit: int
) -> Page[T]:
    """What `pick` takes of the streams after the cursor. Raises ValidationException."""
    after = read_cursor(cursor, Place) or Place()
    items, goes_on = await page_then(reader.log, reader.sources, past, pick, after=after, limit=limit)
    return Page(items, write_cursor(goes_on) if goes_on else None)
