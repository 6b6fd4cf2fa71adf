"""Cursors say where the next page starts, and nothing else is taken for one."""

from datetime import UTC, datetime

import pytest
from litestar.exceptions import ValidationException

from service.api.events import Place
from service.api.paging import LONGEST_CURSOR, page, read_cursor, write_cursor


def test_a_cursor_is_read_as_it_was_written() -> None:
    place = (datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), "shop/subscription/sub_ü")
    assert read_cursor(write_cursor(place), tuple[datetime, str]) == place


def test_no_cursor_means_the_first_page() -> None:
    assert read_cursor(None, str) is None
    assert read_cursor("", str) is None


@pytest.mark.parametrize("text", ["x", "====", "ä", write_cursor(3), write_cursor(None), write_cursor("a") + "AAAA"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationException):
        read_cursor(text, str)


def test_a_page_names_the_next_only_when_there_is_more() -> None:
    rows = ["a", "b", "c"]
    assert page(rows, 3, str).next is None
    more = page(rows, 2, str)
    assert more.items == ["a", "b"]
    assert read_cursor(more.next, str) == "b"


def test_the_cursor_of_the_feed_stays_short_enough() -> None:
    assert len(write_cursor(Place(255, [2**63 - 1] * 256))) <= LONGEST_CURSOR


@pytest.mark.parametrize("place", [[256, [0] * 256], [0, [0] * 255], [0, [-1] + [0] * 255], [0, [2**63] + [0] * 255]])
def test_a_place_outside_the_partitions_is_refused(place: list[object]) -> None:
    with pytest.raises(ValidationException):
        read_cursor(write_cursor(place), Place)
