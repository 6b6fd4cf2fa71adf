"""Streams that need a person: stopped, waiting for something to be fetched, or linked to no subscription."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, QueryParameter

from service.api.letters import Accepted
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.api.parameters import ONE_STREAM, name_of
from service.auth import OPERATOR_ONLY
from service.lookup import Reader, find_stream
from service.problems import api_problems

Need = Literal["stopped", "unrouted", "waiting"]
Status = Annotated[
    Need,
    QueryParameter(
        description="`stopped`: an event could not be understood. `waiting`: something has to be fetched first. "
        "`unrouted`: concerns money, but no subscription is known for it yet."
    ),
]


class NeedyStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with what is wrong with it; `latest_at` is the provider's time of its latest event."""

    stream: str
    status: Need
    problem: str
    latest_at: datetime | None


class Streams(Controller):
    path = "/streams"
    tags = ("streams",)

    @get("/", responses=api_problems())
    async def list_streams(
        self, reader: NamedDependency[Reader], status: Status, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[NeedyStream]:
        """Lists the streams that need attention for that reason."""
        match status:
            case "stopped" | "waiting":
                before = read_cursor(cursor, tuple[datetime, str])
                views = await reader.queries.streams(statuses=(status,), before=before, limit=limit + 1)
                rows = [
                    NeedyStream(stream=view.stream, status=status, problem=view.problem, latest_at=view.latest_at)
                    for view in views
                ]
                return page(rows, limit, lambda row: (row.latest_at, row.stream))
            case "unrouted":
                after = read_cursor(cursor, str) or ""
                loose = await reader.queries.unrouted(after=after, limit=limit + 1)
                problem = "no subscription is known for it yet"
                rows = [
                    NeedyStream(stream=each.stream, status=status, problem=problem, latest_at=each.latest_at)
                    for each in loose
                ]
                return page(rows, limit, lambda row: row.stream)
        assert_never(status)

    @post(
        [f"{path}/retry" for path in ONE_STREAM], status_code=202, opt=OPERATOR_ONLY, responses=api_problems(404, 409)
    )
    async def retry_stream(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
    ) -> Accepted:
        """Has a stopped stream folded again."""
        stream = await find_stream(reader, name_of(source, kind, identifier))
        if not await reader.queries.ask_again(stream):
            raise HTTPException(f"{stream} is not stopped, there is nothing to retry.", status_code=409)
        return Accepted(stream)
