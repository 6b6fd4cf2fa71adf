"""Puts the sandbox together: the imitated API below `/api/v1`, the control API below `/sandbox`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from litestar import Litestar, Response, Router, asgi
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from service.sandbox.backdoor import NotThere
from service.sandbox.backdoor_routes import BackdoorRoutes, cannot_be_done, lookup_failed, not_understood
from service.sandbox.licensespring import errors
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.control import Control
from service.sandbox.licensespring.errors import ApiError
from service.sandbox.licensespring.gateway import LARGEST_BODY, Gateway
from service.sandbox.licensespring.routes.catalog import (
    CustomFieldRoutes,
    OfferedFieldRoutes,
    PolicyRoutes,
    ProductRoutes,
)
from service.sandbox.licensespring.routes.control import ControlRoutes
from service.sandbox.licensespring.routes.licenses import LicenseRoutes
from service.sandbox.licensespring.routes.lists import CustomerRoutes, DeviceRoutes
from service.sandbox.licensespring.routes.orders import OrderRoutes
from service.sandbox.licensespring.routes.shared import HttpRequest, rows_seen
from service.sandbox.licensespring.settings import SandboxSettings

logger = logging.getLogger(__name__)


def create_sandbox(settings: SandboxSettings, state: Path | None = None) -> Litestar:
    """A sandbox company as an application.

    Faults that drop the connection need the server of `runner`. Raises ValueError for settings or a state file that
    cannot be read.
    """
    return sandbox_of(Company(settings, state))


def sandbox_of(company: Company) -> Litestar:
    gateway = Gateway(company, _api(company))
    control = Control(company)

    @asgi("/api", is_mount=True, copy_scope=True)
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await gateway(scope, receive, send)

    return Litestar(
        [api, BackdoorRoutes, ControlRoutes],
        dependencies={"control": Provide(lambda: control, sync_to_thread=False)},
        exception_handlers={
            NotThere: lookup_failed,
            ValueError: cannot_be_done,
            ApiError: _refused,
            HTTPException: not_understood,
            Exception: _failed,
        },
        openapi_config=None,
        logging_config=None,
    )


def _api(company: Company) -> Litestar:
    resources = (
        OrderRoutes,
        LicenseRoutes,
        CustomerRoutes,
        ProductRoutes,
        PolicyRoutes,
        OfferedFieldRoutes,
        CustomFieldRoutes,
        DeviceRoutes,
    )
    return Litestar(
        [Router("/api/v1", route_handlers=resources)],
        dependencies={
            "company": Provide(lambda: company, sync_to_thread=False),
            "rows": Provide(rows_seen),
        },
        exception_handlers={ApiError: _refused, HTTPException: _as_django, Exception: _failed},
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
    )


def _refused(_request: HttpRequest, error: ApiError) -> Response[Any]:
    return Response(error.body, status_code=error.status, headers=error.headers)


def _failed(request: HttpRequest, error: Exception) -> Response[str]:
    """A mistake of the sandbox itself; told on its log, not to the client."""
    logger.error("The sandbox failed on %s %s.", request.method, request.url.path, exc_info=error)
    return Response("<h1>Server Error (500)</h1>", media_type="text/html", status_code=500)


def _as_django(request: HttpRequest, error: HTTPException) -> Response[Any]:
    """What the framework refuses by itself, in the words of Django REST Framework."""
    texts = {
        400: "JSON parse error.",
        404: errors.NOT_FOUND,
        405: f'Method "{request.method}" not allowed.',
    }
    return Response({"detail": texts.get(error.status_code, error.detail)}, status_code=error.status_code)
