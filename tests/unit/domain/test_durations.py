"""Durations: what is one, and the instant that one after another."""

from datetime import datetime

import pytest

from domain.durations import after, is_duration
from tests.stories import utc


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        (utc(2026, 1, 31, 5), "1d", utc(2026, 2, 1, 5)),
        (utc(2026, 1, 31), "2w", utc(2026, 2, 14)),
        (utc(2026, 1, 31, 5), "1m", utc(2026, 2, 28, 5)),
        (utc(2026, 11, 30), "3m", utc(2027, 2, 28)),
        (utc(2026, 12, 15), "12m", utc(2027, 12, 15)),
        (utc(2024, 2, 29), "1y", utc(2025, 2, 28)),
        (utc(2026, 1, 1), "99999y", utc(9000, 1, 1)),
        (utc(8000, 1, 1), "9999y", utc(9000, 1, 1)),
        (utc(8999, 12, 31), "2d", utc(9000, 1, 1)),
        (utc(8999, 1, 1), "99999w", utc(9000, 1, 1)),
    ],
)
def test_a_duration_ends(start: datetime, duration: str, end: datetime) -> None:
    assert after(start, duration) == end


@pytest.mark.parametrize(
    "text", ["", "d", "0d", "01d", "-1d", "1.5d", "1D", "1d ", "1y6m", "100000d", "²d", "101y", "36526d"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    assert not is_duration(text)
