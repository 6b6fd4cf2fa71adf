"""Long work in pieces: who shares the event loop, above all webhooks that wait for an answer, has a turn in between."""

import asyncio
from time import perf_counter

LONGEST = 0.002
"""Seconds at a stretch; an answer takes a few turns."""


class Turns:
    """Made when the work begins, and awaited after each piece of it."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def pass_on(self) -> None:
        """Lets others have their turn, if this one lasted LONGEST."""
        if perf_counter() - self._since >= LONGEST:
            await asyncio.sleep(0)
            self._since = perf_counter()
