"""The log of requests to the API: enough to count and order them, nothing secret or personal."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `status` is null when the connection was dropped; `acted` tells whether the API saw the request.

    Of the query only the names are kept, because values may be keys or addresses.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: list[str]
    status: int | None
    acted: bool
    fault: int | None


class Calls:
    """The latest calls; `total` counts all of them."""

    def __init__(self, kept: int) -> None:
        self._calls: deque[Call] = deque(maxlen=max(1, kept))
        self.total = 0
        self._grown = asyncio.Event()

    def add(
        self,
        at: datetime,
        method: str,
        path: str,
        query: list[str],
        *,
        status: int | None,
        acted: bool,
        fault: int | None,
    ) -> None:
        self.total += 1
        self._calls.append(
            Call(
                number=self.total,
                at=at,
                method=method,
                path=path,
                query=query,
                status=status,
                acted=acted,
                fault=fault,
            )
        )

        self._grown.set()
        self._grown = asyncio.Event()

    async def reach(self, total: int) -> None:
        """Returns once so many calls have been answered or dropped."""
        while self.total < total:
            await self._grown.wait()

    def latest(self) -> list[Call]:
        return list(self._calls)

    def clear(self) -> None:
        self._calls.clear()
        self.total = 0
