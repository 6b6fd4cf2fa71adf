"""Deliveries that do not pass the application's router."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from domain.events import NewEvent
from domain.providers.table import PROVIDERS
from projections.ports import Appended
from service.metrics import Metrics
from service.secrets import Secret
from service.shortcut import with_shortcut
from service.sources.table import RECEIVING
from service.webhooks import Receiver, Source
from tests.serving import SECRET, signed

pytestmark = pytest.mark.anyio


class Log:
    """Takes every event, or has a fault."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.taken: list[NewEvent] = []
        self._fault = fault

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        if self._fault:
            raise self._fault
        self.taken += events
        return [Appended(0, 1, repeated=False) for _ in events]


async def answered(path: str, log: Any, *, kind: str = "http") -> tuple[list[str], list[Any]]:
    """The paths that the application was asked for, and what was sent."""
    source = Source(
        name="shop", provider=PROVIDERS["stripe"], receiving=RECEIVING["stripe"], live=None, secrets=(Secret(SECRET),)
    )
    receiver = Receiver(
        {"shop": source}, log, Metrics(), lambda: datetime.now(UTC), body_limit_bytes=1000, body_timeout_seconds=5
    )
    asked: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        asked.append(scope["path"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in signed(b"{}").items()]
    scope: Any = {"type": kind, "method": "POST", "path": path, "headers": headers}
    await with_shortcut(app, receiver)(scope, receive, send)
    return asked, sent


async def test_a_delivery_to_a_known_source_is_taken_without_asking_the_application() -> None:
    log = Log()
    asked, sent = await answered("/webhooks/shop", log)
    assert (asked, sent[0]["status"], len(log.taken)) == ([], 200, 1)


@pytest.mark.parametrize("path", ["/webhooks/shop/", "/webhooks/nobody", "/webhooks", "/webhooks/", "/health", "shop"])
async def test_any_other_path_is_the_applications(path: str) -> None:
    assert await answered(path, Log()) == ([path], [])


async def test_what_is_no_request_is_the_applications() -> None:
    assert await answered("/webhooks/shop", Log(), kind="websocket") == (["/webhooks/shop"], [])


async def test_a_fault_is_a_problem_that_tells_nothing_of_it_and_is_logged() -> None:
    with structlog.testing.capture_logs() as lines:
        _, sent = await answered("/webhooks/shop", Log(RuntimeError("of the inside")))
    assert sent[0]["status"] == 500
    assert b"unexpected" in sent[1]["body"]
    assert b"inside" not in sent[1]["body"]
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["request failed"]
