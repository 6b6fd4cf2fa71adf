"""The sandbox of LicenseSpring: what can be said without a socket."""

from datetime import UTC, datetime, timedelta

import pytest

from service.sandbox.clock import Clock
from service.sandbox.licensespring.durations import add_duration
from service.sandbox.licensespring.errors import FieldError

NOON = datetime(2028, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("1d", datetime(2028, 2, 1, 12, tzinfo=UTC)),
        ("2w", datetime(2028, 2, 14, 12, tzinfo=UTC)),
        ("1m", datetime(2028, 2, 29, 12, tzinfo=UTC)),
        ("13m", datetime(2029, 2, 28, 12, tzinfo=UTC)),
        ("11m", datetime(2028, 12, 31, 12, tzinfo=UTC)),
        ("1y", datetime(2029, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_durations_keep_the_day_or_fall_to_the_last_of_the_month(duration: str, end: datetime) -> None:
    assert add_duration(NOON, duration) == end


@pytest.mark.parametrize("duration", ["", "1", "d", "0d", "01d", "1h", "1m2d", " 1m", "1M", "-1d", "99999y"])
def test_anything_else_is_no_duration(duration: str) -> None:
    with pytest.raises(FieldError):
        add_duration(NOON, duration)


def test_ticks_follow_every_step_forward_and_never_go_back() -> None:
    clock = Clock(NOON)
    before = clock.ticks()
    clock.advance(timedelta(hours=1))
    clock.set(NOON - timedelta(days=1), stopped=True)
    assert 3600 <= clock.ticks() - before < 3700
    assert clock.now() == NOON - timedelta(days=1)
    clock.restart()
    assert timedelta(0) <= clock.now() - NOON < timedelta(minutes=1)
