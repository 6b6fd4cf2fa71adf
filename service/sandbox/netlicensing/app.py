"""Puts the sandbox together: the imitated API below `/core/v2/rest`, the control API below `/sandbox`."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar, asgi
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from service.sandbox.backdoor import NotThere
from service.sandbox.backdoor_routes import BackdoorRoutes, cannot_be_done, lookup_failed, not_understood
from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.control import Control
from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.gateway import Gateway
from service.sandbox.netlicensing.routes import ControlRoutes, refused
from service.sandbox.netlicensing.settings import SandboxSettings


def create_sandbox(settings: SandboxSettings, state: Path | None = None) -> Litestar:
    """A sandbox account as an application.

    Faults that drop the connection need the server of `runner`. Raises ValueError for settings or a state file that
    cannot be read.
    """
    return sandbox_of(Account(settings, state))


def sandbox_of(account: Account) -> Litestar:
    gateway = Gateway(account)
    control = Control(account)

    @asgi("/core", is_mount=True, copy_scope=True)
    async def imitated(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await gateway(scope, receive, send)

    return Litestar(
        [imitated, BackdoorRoutes, ControlRoutes],
        dependencies={"control": Provide(lambda: control, sync_to_thread=False)},
        exception_handlers={
            NotThere: lookup_failed,
            ValueError: cannot_be_done,
            Refused: refused,
            HTTPException: not_understood,
        },
        openapi_config=None,
        logging_config=None,
    )
