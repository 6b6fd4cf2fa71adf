"""Subscriptions and purchases: lists, one with its licenses, and its timeline."""

from collections.abc import Sequence
from functools import partial
from io import StringIO
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from litestar import Controller, MediaType, Request, Response, get
from litestar.datastructures import URL
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from domain.lifecycle import State
from projections.kinds import KINDS
from projections.queries import LastListed, StreamView
from projections.sources import source_for
from projections.timeline import Entry
from service.api.paging import Cursor, Limit, Page, page, read_cursor, write_cursor
from service.api.parameters import ONE_STREAM, Instant, kinds_of, name_of, past_of
from service.api.past import page_of_past
from service.entries import write_csv
from service.explaining import Explained, explain_subscription
from service.lookup import Reader, find, find_stream
from service.picking import pick_stream
from service.problems import api_problems
from service.showing import SubscriptionDetail, show
from service.telling import Turned

Only = Annotated[
    str | None,
    QueryParameter(max_length=200, description=f"Leaves only entries of these kinds, by commas: {', '.join(KINDS)}."),
]


CSV = "text/csv"
Form = Annotated[
    Literal["json", "csv"] | None,
    QueryParameter(
        name="format", description="`csv` for a spreadsheet; without it, by the `Accept` header: else JSON."
    ),
]


class Subscriptions(Controller):
    path = "/subscriptions"
    tags = ("subscriptions",)

    @get("/", responses=api_problems())
    async def list_subscriptions(
        self,
        reader: NamedDependency[Reader],
        in_state: Annotated[State | None, QueryParameter(name="state")] = None,
        source: FromQuery[str | None] = None,
        problem: Annotated[bool, QueryParameter(description="Only those that something is wrong with.")] = False,
        as_of: Instant = None,
        known_at: Instant = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[StreamView]:
        """Lists subscriptions and purchases, the one with the latest event first.

        With `as_of` or `known_at`, how they stood: by partition and name. Their pages end where one stream ends, and
        after so many events: they may hold a few more than `limit`, or none, and go on while there is a `next`.
        """
        past = past_of(as_of, known_at)
        if not past.is_present:
            pick = partial(pick_stream, state=in_state.value if in_state else None, source=source, problems=problem)
            return await page_of_past(reader, past, pick, cursor, limit)
        rows = await reader.queries.streams(
            state=in_state.value if in_state else None,
            source=source,
            problems=problem,
            before=read_cursor(cursor, LastListed),
            limit=limit + 1,
        )
        return page(rows, limit, lambda row: LastListed(row.latest_at, row.stream))

    @get(ONE_STREAM, responses=api_problems(404, 409))
    async def show_subscription(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
        as_of: Instant = None,
        known_at: Instant = None,
    ) -> SubscriptionDetail:
        """Shows one subscription or purchase with its licenses, as it stands or as it stood."""
        past = past_of(as_of, known_at)
        return await show(reader, await find(reader, name_of(source, kind, identifier)), past)

    @get([f"{path}/explain" for path in ONE_STREAM], responses=api_problems(404, 409, 422))
    async def explain_subscription(
        self,
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
    ) -> Explained:
        """Says of its licenses whether they work and why, or why there is none, with what to do."""
        return await explain_subscription(reader, name_of(source, kind, identifier))

    @get([f"{path}/timeline" for path in ONE_STREAM], responses=api_problems(404, 409, 422))
    async def show_timeline(
        self,
        request: Request[Any, Any, Any],
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
        as_of: Instant = None,
        known_at: Instant = None,
        only: Only = None,
        form: Form = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[Entry] | Response[str]:
        """Tells what happened, in the provider's order.

        A page and those after it tell the same history, whatever arrives meanwhile. The body of an entry is at
        `/events/{partition}/{position}/body`. As CSV each page begins with the names of the columns, and the next one
        is named by a `Link` header with `rel="next"`.
        """
        past, kinds, after = past_of(as_of, known_at), kinds_of(only), read_cursor(cursor, Turned)
        stream = await find_stream(reader, name_of(source, kind, identifier))
        entries, goes_on = await reader.tellings.page(
            reader.log, stream, source_for(reader.sources, stream), past, only=kinds, after=after, limit=limit
        )
        following = write_cursor(goes_on) if goes_on else None
        if form == "csv" or (form is None and request.accept.best_match([MediaType.JSON, CSV], MediaType.JSON) == CSV):
            return _csv(entries, request.url, following)
        return Page(entries, following)


def _csv(entries: Sequence[Entry], url: URL, following: str | None) -> Response[str]:
    text = StringIO()
    write_csv(text, entries)
    query = dict(url.query_params.items()) | {"format": "csv", "cursor": following}
    links = {"link": f'<{url.path}?{urlencode(query)}>; rel="next"'} if following else {}
    return Response(text.getvalue(), media_type=CSV, headers=links)
