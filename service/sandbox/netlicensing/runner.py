"""Runs the sandbox on a real socket: inside tests and demos, and for its own command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.app import sandbox_of
from service.sandbox.netlicensing.control import Control
from service.sandbox.netlicensing.gateway import BASE
from service.sandbox.netlicensing.settings import SandboxSettings
from service.sandbox.serving import serving


class RunningSandbox(NamedTuple):
    """`url` is where it listens, without a slash at the end; `control` acts at once, without HTTP."""

    url: str
    control: Control

    @property
    def api_url(self) -> str:
        """The base URL of the imitated API, without a slash at the end."""
        return f"{self.url}{BASE}"

    @property
    def api_key(self) -> str:
        return self.control.account.settings.api_keys[0]


@asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings | None = None, *, host: str = "127.0.0.1", port: int = 0, state: Path | None = None
) -> AsyncIterator[RunningSandbox]:
    """Serves a sandbox from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken, ValueError for settings or a state file that
    cannot be read.
    """
    account = Account(settings or SandboxSettings(), state)
    async with serving(sandbox_of(account), host=host, port=port, closing=account.closing.set) as url:
        yield RunningSandbox(url, Control(account))
