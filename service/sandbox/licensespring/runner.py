"""Runs the sandbox on a real socket: inside tests and demos, and for its own command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from service.sandbox.licensespring.app import sandbox_of
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.control import Control
from service.sandbox.licensespring.settings import SandboxSettings
from service.sandbox.serving import serving


class RunningSandbox(NamedTuple):
    """`url` is where it listens, without a slash at the end; `control` acts at once, without HTTP."""

    url: str
    control: Control

    @property
    def api_key(self) -> str:
        return self.control.company.settings.api_keys[0]


@asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings | None = None, *, host: str = "127.0.0.1", port: int = 0, state: Path | None = None
) -> AsyncIterator[RunningSandbox]:
    """Serves a sandbox from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken, ValueError for settings or a state file that
    cannot be read.
    """
    company = Company(settings or SandboxSettings(), state)
    async with serving(sandbox_of(company), host=host, port=port, closing=company.closing.set) as url:
        yield RunningSandbox(url, Control(company))
