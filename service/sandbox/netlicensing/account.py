"""One simulated NetLicensing account: its records, clock, limits, faults and log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.sandbox.calls import Calls
from service.sandbox.clock import Clock
from service.sandbox.faults import Answer, Delay, Drop, ErrorInOk, Faults, HtmlPage, Throttle
from service.sandbox.netlicensing.catalog import sell
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.limits import Limits
from service.sandbox.netlicensing.settings import SandboxSettings
from service.sandbox.netlicensing.store import Snapshot, Store


class Account:
    """Built from settings and, where a state file is named, from what it holds.

    Raises ValueError for seed data or a state file that cannot be read.
    """

    def __init__(self, settings: SandboxSettings, state: Path | None = None) -> None:
        if not settings.api_keys and not settings.logins:
            raise ValueError("Name at least one key in api_keys or one login in logins.")
        self.settings = settings
        self.clock = Clock(settings.now)
        self.store = Store(state, case_sensitive=settings.number_case == "sensitive")
        self.limits = Limits(settings)
        self.faults = Faults(Answer, ErrorInOk, HtmlPage, Throttle, Drop, Delay)
        self.calls = Calls(settings.calls_kept)
        self.closing = asyncio.Event()
        """Set when the server stops, to let go of requests that a fault holds up."""
        self._chance: random.Random = random.SystemRandom()
        self._seed()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change that is kept when the block ends and taken back when it raises."""
        with self.store.change():
            yield self.reading()

    def reading(self) -> Change:
        """The same for operations that only look."""
        return Change(self.settings, self.store, self.clock.now(), self._chance)

    def reset(self) -> None:
        """Back to the seed data, the first clock, no faults and an empty log."""
        with self.store.change():
            self.store.replace(Snapshot())
        self.faults.clear()
        self.limits.forget()
        self.calls.clear()
        self.clock.restart()
        self._seed()

    def _seed(self) -> None:
        seed = self.settings.seed
        self._chance = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 (sandbox)
        try:
            with self.change() as change:
                sell(change, self.settings.products, self.settings.bundles)
        except Refused as error:
            raise ValueError(f"Mend the sandbox's catalog: {error.text}") from error
