"""Rate limits as LicenseSpring documents them: per company by plan, and flood protection that no plan lifts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import ceil
from typing import Literal

import msgspec

from service.sandbox.licensespring.settings import Plan, SandboxSettings

PER_MINUTE: Mapping[Plan, int | None] = {
    "free": 600,
    "business_starter": 900,
    "business_plus": 1200,
    "enterprise": 2400,
    "unlimited": None,
}


class Limit(msgspec.Struct, frozen=True):
    """At most `requests` within any `seconds`."""

    requests: int
    seconds: float


PER_IP = Limit(200, 10.0)
PER_AUTHORIZATION = Limit(50, 1.0)
SENDERS_REMEMBERED = 1000

Counter = tuple[Literal["company", "ip", "authorization"], str]


class Limits:
    """Counts requests in rolling windows. A throttled request is not counted."""

    def __init__(self, settings: SandboxSettings) -> None:
        per_minute = PER_MINUTE[settings.plan]
        self._company = None if per_minute is None else Limit(per_minute, 60.0)
        self._flood = settings.flood_protection
        self._windows: dict[Counter, deque[float]] = {}

    def arrives(self, now: float, ip: str, authorization: str) -> float | None:
        """Flood protection, before anybody is recognised: seconds to wait, or None when the request may pass."""
        if not self._flood:
            return None
        return self._count(now, ("ip", ip), PER_IP) or self._count(
            now, ("authorization", authorization), PER_AUTHORIZATION
        )

    def spends(self, now: float) -> float | None:
        """One request of the company, whichever key it used: seconds to wait, or None when it may pass."""
        return None if self._company is None else self._count(now, ("company", ""), self._company)

    def forget(self) -> None:
        self._windows.clear()

    def _count(self, now: float, counter: Counter, limit: Limit) -> float | None:
        if len(self._windows) > SENDERS_REMEMBERED:
            self._windows.clear()
        window = self._windows.setdefault(counter, deque())
        while window and window[0] <= now - limit.seconds:
            window.popleft()
        if len(window) < limit.requests:
            window.append(now)
            return None
        return max(1.0, ceil(window[0] + limit.seconds - now))
