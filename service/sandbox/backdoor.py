"""What people and tests do to every simulated license server from behind: its clock, its faults, its log of calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from service.sandbox.calls import Call, Calls
from service.sandbox.clock import Clock
from service.sandbox.faults import Effect, Fault, Faults


class NotThere(LookupError):
    """Nothing of that name or number."""


class Simulated(Protocol):
    """A simulated account, as far as all of them are alike."""

    @property
    def clock(self) -> Clock: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def calls(self) -> Calls: ...

    def reset(self) -> None:
        """Back to the seed data, the first clock, no faults and an empty log."""
        ...


class Backdoor:
    """Everything takes effect before the method returns."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated = simulated

    @property
    def now(self) -> datetime:
        return self.simulated.clock.now()

    def set_time(self, now: datetime, *, stopped: bool = False) -> None:
        self.simulated.clock.set(now, stopped=stopped)

    def advance(self, **step: float) -> None:
        """Moves the clock forward, by `days=`, `hours=`, `seconds=` as timedelta names them."""
        self.simulated.clock.advance(timedelta(**step))

    def fault(self, effect: Effect, *, method: str = "*", path: str = "*", times: int | None = 1, skip: int = 0) -> int:
        """Places a fault (see `faults.Fault`) and returns its id. Raises ValueError for one the simulator has not."""
        fault = Fault(effect=effect, method=method, path=path, times=times, skip=skip)
        return self.simulated.faults.place(fault).id

    def clear_faults(self) -> None:
        self.simulated.faults.clear()

    def calls(self) -> list[Call]:
        """The latest requests to the API, oldest first."""
        return self.simulated.calls.latest()

    async def called(self, total: int) -> None:
        """Waits until so many requests, counted from the start or the last reset, have been answered or dropped."""
        await self.simulated.calls.reach(total)

    def reset(self) -> None:
        self.simulated.reset()
