"""The HTTP surface, put together from the parts of a process."""

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler

from service.api import api_routes
from service.fulfillment import fulfillment_route
from service.health import health_routes
from service.metrics import metrics_route
from service.problems import HANDLERS
from service.process import Process
from service.shortcut import with_shortcut
from service.webhooks import webhook_route

LARGEST_API_BODY = 64 * 1024

_OPENAPI = OpenAPIConfig(
    title="Tenure",
    version="1",
    description="Subscriptions, the licenses that follow from them, and why.",
    path="/api/v1",
    # Litestar's pages load their scripts from content delivery networks.
    render_plugins=[JsonRenderPlugin(path="/schema")],
    components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
    use_handler_docstrings=True,
)


def create_app(process: Process) -> ASGIApp:
    """The ASGI application: webhooks and key requests where this process receives them, the API, health and metrics."""
    routes: list[ControllerRouterHandler] = [
        api_routes(process),
        health_routes(process.checks),
        metrics_route(process.metrics, process.reader, process.unsealed),
    ]
    if process.receiver is not None:
        routes.append(webhook_route(process.receiver))
    if process.generator is not None:
        routes.append(fulfillment_route(process.generator))
    app = Litestar(
        route_handlers=routes,
        exception_handlers=HANDLERS,
        openapi_config=_OPENAPI,
        request_max_body_size=LARGEST_API_BODY,
        logging_config=None,
        debug=False,
    )
    return app if process.receiver is None else with_shortcut(app, process.receiver)
