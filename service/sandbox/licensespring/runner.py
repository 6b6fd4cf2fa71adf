"""Runs the sandbox on a real socket: inside tests and demos, and for its own command."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn

from service.sandbox.licensespring.app import sandbox_of
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.connections import ClosableConnection
from service.sandbox.licensespring.control import Control
from service.sandbox.licensespring.settings import SandboxSettings


class RunningSandbox(NamedTuple):
    """`url` is where it listens, without a slash at the end; `control` acts at once, without HTTP."""

    url: str
    control: Control

    @property
    def api_key(self) -> str:
        return self.control.company.settings.api_keys[0]


class _Server(uvicorn.Server):
    """A server that leaves the process's signal handlers alone and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings | None = None, *, host: str = "127.0.0.1", port: int = 0, state: Path | None = None
) -> AsyncIterator[RunningSandbox]:
    """Serves a sandbox from this event loop until the block ends.

    Port 0 takes a free one. Raises OSError when the port is taken, ValueError for settings or a state file that
    cannot be read.
    """
    company = Company(settings or SandboxSettings(), state)
    config = uvicorn.Config(
        sandbox_of(company),
        http=ClosableConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with _listener(host, port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ready.cancel()
            await serving
        name = f"[{host}]" if ":" in host else host
        try:
            yield RunningSandbox(f"http://{name}:{listener.getsockname()[1]}", Control(company))
        finally:
            company.closing.set()
            server.should_exit = True
            await serving


def _listener(host: str, port: int) -> socket.socket:
    """A bound socket. It names TCP as its protocol, because asyncio switches Nagle's algorithm off only then."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener
