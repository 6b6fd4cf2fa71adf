"""The rate limit of the account, in a rolling minute."""

from __future__ import annotations

from collections import deque
from math import ceil

from service.sandbox.netlicensing.settings import SandboxSettings

MINUTE = 60.0


class Limits:
    """Counts requests. Whether a refused one counts too is a setting: then a client that hammers never gets through."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._most = settings.requests_per_minute
        self._refused_count = settings.refused_requests_count
        self._window: deque[float] = deque()

    def spends(self, now: float) -> int | None:
        """One request at this tick: whole seconds to wait, or None when it may pass."""
        if self._most is None:
            return None
        while self._window and self._window[0] <= now - MINUTE:
            self._window.popleft()
        if len(self._window) < self._most:
            self._window.append(now)
            return None
        if self._refused_count:
            self._window.append(now)
            self._window.popleft()
        return max(1, ceil(self._window[0] + MINUTE - now)) if self._window else int(MINUTE)

    def forget(self) -> None:
        self._window.clear()
