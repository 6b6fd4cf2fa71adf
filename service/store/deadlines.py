"""A bound on how long callers wait, with one timer for all of them: under load a timer each is a cost of its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Deadlines:
    """Fails every future it watches that is not done after `seconds`, with what `error` makes."""

    def __init__(self, seconds: float, error: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._error = error
        self._watched: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    def watch(self, answer: "asyncio.Future[Any]") -> None:
        loop = answer.get_loop()
        self._watched.append((loop.time() + self._seconds, answer))
        if self._alarm is None:
            self._alarm = loop.call_later(self._seconds, self._look, loop)

    def forget_done(self) -> None:
        """Lets go of those that waited longest and are done."""
        while self._watched and self._watched[0][1].done():
            self._watched.popleft()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._alarm = None
        self.forget_done()
        while self._watched and self._watched[0][0] <= loop.time():
            self._watched.popleft()[1].set_exception(self._error())
            self.forget_done()
        if self._watched:
            self._alarm = loop.call_at(self._watched[0][0], self._look, loop)
