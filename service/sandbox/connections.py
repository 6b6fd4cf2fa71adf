"""What a simulated server does below HTTP: reads a body whole, or drops the connection.

ASGI has no message for the latter, so the server's protocol lends its transport.
"""

from __future__ import annotations

from typing import Any

from litestar.types import HTTPScope, Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CLOSE = "sandbox.close"


class ClosableConnection(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also hands every request the means to close its connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {**scope.get("extensions", {}), CLOSE: self.transport.close}


async def drop(scope: HTTPScope, receive: Receive) -> None:
    """Closes the connection without an answer and returns when it is closed.

    Raises RuntimeError under a server that was not started by the sandbox's runner.
    """
    extensions: dict[str, Any] = scope.get("extensions") or {}
    close = extensions.get(CLOSE)
    if close is None:
        raise RuntimeError("Only the sandbox's own runner can drop connections; start it with running_sandbox().")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def whole_body(receive: Receive, largest: int) -> bytes | None:
    """The request's body, or None when it is larger than so many bytes."""
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > largest:
            return None
        if not message.get("more_body"):
            return bytes(body)
