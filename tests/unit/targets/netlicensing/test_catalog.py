"""What an account sells, read once for all who ask at the same time."""

import asyncio
from typing import cast

import pytest

from projections.targets.netlicensing.catalog import Listing
from projections.targets.netlicensing.client import NetLicensing
from projections.targets.netlicensing.envelope import Envelope, Item

pytestmark = pytest.mark.anyio

PAGES = (("A", "B"), ("C",))


class Pages:
    """Answers each page after everybody else had a turn."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def all_of(self, kind: str, page: int = 0) -> Envelope:
        self.asked.append(page)
        await asyncio.sleep(0)
        items = tuple(Item(kind, {"number": number}) for number in PAGES[page])
        return Envelope(items=items, more=page + 1 < len(PAGES))


async def test_who_asks_while_a_list_is_read_gets_the_same_whole_list() -> None:
    pages = Pages()
    listing = Listing(cast("NetLicensing", pages), "LicenseTemplate", lambda: 1.0)
    told = await asyncio.gather(*(listing.items() for _ in range(3)))
    assert [sorted(each) for each in told] == [["A", "B", "C"]] * 3
    assert pages.asked == [0, 1], "one reading is enough for all"
