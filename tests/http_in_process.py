"""An API answered by an ASGI application in this process, without a socket, as `projections.http.Http`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from yarl import URL

from projections.http import Answer, Headers
from projections.http.waiting import seconds_to_wait


class InProcess:
    """Requests to an application at `base`."""

    def __init__(self, http: httpx2.AsyncClient, base: str) -> None:
        self.base = URL(base)
        self._http = http

    async def send(
        self, method: str, url: URL, *, headers: Headers, content: bytes | None, limit: int, deadline: float
    ) -> Answer:
        """See `Http`; what an application answers always comes whole."""
        answer = await self._http.request(method, str(url), headers=headers, content=content, timeout=deadline)
        return Answer(
            status=answer.status_code,
            body=answer.content[:limit],
            is_cut=len(answer.content) > limit,
            retry_after=seconds_to_wait(answer.headers.get("retry-after"), answer.headers.get("date")),
        )


@asynccontextmanager
async def in_process(app: Any, base: str) -> AsyncIterator[InProcess]:
    """That application, reached at `base`."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http:
        yield InProcess(http, base)
