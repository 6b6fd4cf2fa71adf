"""The JSON API under `/api/v1`: thin routes over `projections.queries` and `projections.timeline`."""

from litestar import Router
from litestar.di import Provide

from service.api.acts import Acts
from service.api.comparison import ComparisonOfPast
from service.api.events import EventFeed
from service.api.letters import DeadLetters
from service.api.licenses import Licenses
from service.api.parameters import refuse_unknown
from service.api.streams import Streams
from service.api.subscriptions import Subscriptions
from service.process import Process


def api_routes(process: Process) -> Router:
    """The routes of the API, behind the tokens of `process`."""
    return Router(
        "/api/v1",
        route_handlers=[Subscriptions, Licenses, ComparisonOfPast, DeadLetters, Streams, EventFeed, Acts],
        dependencies={"reader": Provide(lambda: process.reader, sync_to_thread=False)},
        guards=[process.access.guard, refuse_unknown],
        security=[{"token": []}],
    )
