"""The sandbox's clock: real time unless it is set, moved or stopped by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the sandbox's time, aware UTC. `ticks` never goes back and follows every move forward."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._ahead = timedelta(0)
        self._stopped_at: datetime | None = None
        self._skipped = 0.0
        self.restart()

    def now(self) -> datetime:
        return self._stopped_at if self._stopped_at is not None else datetime.now(UTC) + self._ahead

    def ticks(self) -> float:
        """Seconds for measuring intervals such as the rate limit's minute; runs on while the calendar is stopped."""
        return time.monotonic() + self._skipped

    @property
    def stopped(self) -> bool:
        return self._stopped_at is not None

    def set(self, now: datetime, *, stopped: bool = False) -> None:
        """Raises ValueError for a naive datetime."""
        if now.tzinfo is None:
            raise ValueError("The time must carry its zone, such as 2026-03-01T00:00:00Z.")
        self._skipped += max(0.0, (now - self.now()).total_seconds())
        self._ahead = now - datetime.now(UTC)
        self._stopped_at = now.astimezone(UTC) if stopped else None

    def advance(self, step: timedelta) -> None:
        """Raises ValueError for a negative step."""
        if step < timedelta(0):
            raise ValueError("The clock advances by zero or more seconds; set it to go back.")
        self.set(self.now() + step, stopped=self.stopped)

    def follow_real_time(self) -> None:
        self._ahead = timedelta(0)
        self._stopped_at = None

    def restart(self) -> None:
        self.follow_real_time()
        if self._start is not None:
            self.set(self._start)
