"""Streams that need a person: stopped, waiting for something to be fetched, or linked to no subscription."""

from typing import Annotated, get_args

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, JSONBody, QueryParameter

from projections.queries import LastListed
from service.api.letters import Retry
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.api.parameters import ONE_STREAM, name_of
from service.attention import Need, NeedyStream, Retried, needy_streams, retry_stream
from service.auth import OPERATOR_ONLY
from service.lookup import Reader
from service.problems import api_problems

Status = Annotated[
    Need | None,
    QueryParameter(
        description="`stopped`: an event could not be understood. `waiting`: something has to be fetched first. "
        "`unrouted`: concerns money, but no subscription is known for it yet. `wrong-mode`: a delivery that was set "
        "aside, since its source is set to the other mode (live or test)."
    ),
]
_NO_STATUS = f"Say which streams you mean: status is one of {', '.join(get_args(Need))}."


class Streams(Controller):
    path = "/streams"
    tags = ("streams",)

    @get("/", responses=api_problems())
    async def list_streams(
        self, reader: NamedDependency[Reader], status: Status = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[NeedyStream]:
        """Lists the streams that need attention for that reason, the one with the latest event first."""
        if status is None:
            raise ValidationException(_NO_STATUS, extra=[{"key": "status", "message": _NO_STATUS}])
        before = read_cursor(cursor, LastListed)
        rows = await needy_streams(reader, status, before=before, limit=limit + 1)
        return page(rows, limit, lambda row: LastListed(row.latest_at, row.stream))

    @post(
        [f"{path}/retry" for path in ONE_STREAM], status_code=202, opt=OPERATOR_ONLY, responses=api_problems(404, 409)
    )
    async def retry_stream(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        data: JSONBody[Retry],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
    ) -> Retried:
        """Has a stopped stream folded again, or what another lacks fetched at once; `notes` say what is missing."""
        return await retry_stream(reader, name_of(source, kind, identifier), data.author, data.reason)
