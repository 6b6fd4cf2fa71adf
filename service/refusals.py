"""Log lines for refused requests, few enough that an attacker cannot fill a disk with them."""

from collections.abc import Callable
from time import monotonic

from structlog.typing import FilteringBoundLogger

QUIET_SECONDS = 10.0


class RefusalLog:
    """Writes one line per source and outcome in ten seconds; the next one says how many were left out.

    Sources and outcomes come from the settings and the code, so what is remembered here is bounded.
    """

    def __init__(
        self, logger: FilteringBoundLogger, clock: Callable[[], float] = monotonic, event: str = "delivery refused"
    ) -> None:
        self._logger = logger
        self._event = event
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def write(self, source: str, outcome: str, **details: object) -> None:
        key, now = (source, outcome), self._clock()
        if now - self._last.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return
        self._last[key] = now
        self._logger.warning(
            self._event, source=source, outcome=outcome, left_out=self._left_out.pop(key, 0), **details
        )
