"""Serves a simulator on a real socket of this event loop: inside tests and demos, and for commands."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from service.sandbox.connections import ClosableConnection


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
async def serving(
    app: Any, *, host: str = "127.0.0.1", port: int = 0, closing: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Serves an ASGI application until the block ends; gives the URL, without a slash at the end.

    Its requests can be dropped (`connections.drop`). `closing` is called first when the block ends, so that requests
    that are held up end too. Port 0 takes a free one. Raises OSError when the port is taken.
    """
    config = uvicorn.Config(
        app,
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
        running = asyncio.create_task(server.serve(sockets=[listener]))
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            ready.cancel()
            await running
        name = f"[{host}]" if ":" in host else host
        try:
            yield f"http://{name}:{listener.getsockname()[1]}"
        finally:
            closing()
            server.should_exit = True
            await running


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
