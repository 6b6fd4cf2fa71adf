"""Deliveries go straight to the receiver: to find a route costs as much as to check a signature."""

from typing import cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from service.problems import UNEXPECTED, send_problem
from service.webhooks import PATH, Receiver

logger = structlog.get_logger(__name__)


def with_shortcut(app: ASGIApp, receiver: Receiver) -> ASGIApp:
    """The application, which need not be asked where the path of a known source leads.

    It has a route to the same receiver, for paths that are spelled otherwise or name no source. A fault in the receiver
    is answered and logged as the application would.
    """
    sources = {f"{PATH}/{name}": name for name in receiver.sources}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        source = sources.get(scope["path"]) if scope["type"] == ScopeType.HTTP else None
        if source is None:
            await app(scope, receive, send)
            return
        scope["path"] = source
        try:
            await receiver.answer(cast("HTTPScope", scope), receive, send)
        except Exception:
            logger.exception("request failed", route=PATH)
            await send_problem(send, 500, UNEXPECTED)

    return answer
