"""Subscriptions and purchases: lists, one with its licenses, and its timeline."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from domain.facts import Line
from domain.lifecycle import State
from projections.queries import LastListed, LicenseView, StreamView
from projections.timeline import Entry
from service.api.paging import Cursor, Limit, Page, page, read_cursor
from service.api.parameters import ONE_STREAM, Instant, aware, name_of
from service.explaining import Explained, explain_subscription
from service.lookup import Reader, find, find_stream, find_subscription, licenses_of, tell_stream
from service.problems import api_problems


class SubscriptionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription or purchase with what was derived from its events. Times are UTC, the provider's clock."""

    summary: StreamView
    through: str | None
    """What was asked for, where that only led to this one: an order, an invoice, a payment."""
    waiting: list[str]
    """What has to be fetched before licenses can be derived; empty when nothing has."""
    state_since: datetime | None
    state_reason: str
    trial_end: datetime | None
    cancel_at: datetime | None
    collection_paused: bool
    lines: list[Line]
    licenses: list[LicenseView]


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
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[StreamView]:
        """Lists subscriptions and purchases, the one with the latest event first."""
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
    ) -> SubscriptionDetail:
        """Shows one subscription or purchase with its licenses."""
        found = await find(reader, name_of(source, kind, identifier))
        view, fold = await find_subscription(reader, found.stream)
        subscription = fold.subscription
        return SubscriptionDetail(
            summary=view,
            through=found.through,
            waiting=[want.why for want in reader.sources[view.source].provider.wants(view.stream, subscription)]
            if view.source in reader.sources
            else [],
            state_since=subscription.state_since.at if subscription.state_since else None,
            state_reason=subscription.state_reason,
            trial_end=subscription.trial_end,
            cancel_at=subscription.cancel_at,
            collection_paused=subscription.collection_paused,
            lines=[held.line for held in subscription.lines.values()],
            licenses=await licenses_of(reader, view.stream),
        )

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
        reader: NamedDependency[Reader],
        identifier: FromPath[str],
        source: FromPath[str | None] = None,
        kind: FromPath[str | None] = None,
        as_of: Instant = None,
        known_at: Instant = None,
    ) -> list[Entry]:
        """Tells what happened, in the provider's order.

        `as_of` leaves out what happened later, `known_at` what was recorded later.
        """
        stream = await find_stream(reader, name_of(source, kind, identifier))
        return await tell_stream(reader, stream, as_of=aware("as_of", as_of), known_at=aware("known_at", known_at))
