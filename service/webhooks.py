"""`POST /webhooks/{source}`: authentic on the raw bytes, unpacked, durable, and only then answered with 2xx."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import cast

import msgspec
import structlog
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from domain.events import NewEvent
from domain.providers import Provider, Unpacked, unreadable
from projections.ports import Appended, EventLog
from service.bodies import BodyTooLarge, BodyTooSlow, SenderGone, discard_body, read_body
from service.metrics import Metrics
from service.problems import RETRY_AFTER_SECONDS, send_problem
from service.refusals import RefusalLog
from service.secrets import Secret
from service.sources import NotAuthentic, Receiving, Reply
from service.store.errors import StoreBusy, StoreUnavailable, UnstorableEvent

logger = structlog.get_logger(__name__)

DISCARD_SECONDS = 1.0
DISCARD_TIMES = 8
"""How much more of a body than the limit is taken before it is answered that it is too large."""
_NO_SOURCE = "(unknown)"
_RETRY = {"retry-after": str(RETRY_AFTER_SECONDS)}
_CLOSE = {"connection": "close"}
"""For answers given before the body was read to its end."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One configured provider account, ready to receive."""

    name: str
    provider: Provider
    receiving: Receiving
    live: bool | None
    secrets: tuple[Secret, ...]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One request from a provider. `headers` are those that its signature can be checked with again."""

    headers: dict[str, str]
    content_type: str
    body: bytes
    received_at: datetime


class Refused(Exception):
    """The delivery is answered with a problem; `outcome` is what counters and logs call it."""

    def __init__(self, outcome: str, status: int, detail: str, headers: Mapping[str, str], reason: str = "") -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.status = status
        self.detail = detail
        self.headers = headers
        self.reason = reason


class Receiver:
    """Answers deliveries. An answer of 2xx is given only for events that are durable."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        log: EventLog,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        body_limit_bytes: int,
        body_timeout_seconds: float,
    ) -> None:
        self._sources = sources
        self._log = log
        self._metrics = metrics
        self._clock = clock
        self._limit = body_limit_bytes
        self._seconds = body_timeout_seconds
        self._refusals = RefusalLog(logger)

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Handles one request, from the first byte of its body to the last of its answer."""
        if scope["method"] != "POST":
            await send_problem(send, 405, "Deliveries are sent with POST.", {"allow": "POST", **_CLOSE})
            return
        source = self._sources.get(scope["path"].strip("/"))
        # The name in a request may be anything, so it does not become a label.
        name = source.name if source else _NO_SOURCE
        try:
            reply = await self._take(source, scope, receive)
        except Refused as refused:
            self._count_refusal(name, refused)
            await send_problem(send, refused.status, refused.detail, refused.headers)
        except SenderGone:
            self._metrics.deliveries.labels(name, "sender gone").inc()
        else:
            await _send_reply(send, reply)

    async def _take(self, source: Source | None, scope: HTTPScope, receive: Receive) -> Reply:
        """Makes a delivery durable, then says what to answer. Raises Refused and SenderGone."""
        if source is None:
            raise Refused("unknown source", 404, "No source of that name is configured.", _CLOSE)
        body = await self._read(receive, scope["headers"])
        delivery = Delivery(
            headers=_kept(scope["headers"], source.receiving.kept_headers),
            content_type=_kept(scope["headers"], ["content-type"]).get("content-type", ""),
            body=body,
            received_at=self._clock(),
        )
        try:
            source.receiving.verify(delivery.headers, body, source.secrets, delivery.received_at)
        except NotAuthentic as error:
            self._metrics.refused.labels(source.name, error.reason).inc()
            detail = "The delivery does not carry a valid signature of this source."
            raise Refused("not authentic", 401, detail, {}, error.reason) from None
        try:
            event_ids = await self._append(source, delivery)
        except (StoreBusy, StoreUnavailable) as error:
            detail = "The delivery could not be stored at the moment; send it again."
            raise Refused("unavailable", 503, detail, _RETRY, type(error).__name__) from error
        return source.receiving.reply(event_ids)

    async def _read(self, receive: Receive, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        try:
            return await read_body(receive, headers, self._limit, self._seconds)
        except BodyTooLarge:
            await discard_body(receive, DISCARD_TIMES * self._limit, DISCARD_SECONDS)
            raise Refused("too large", 413, f"A delivery has at most {self._limit} bytes.", _CLOSE) from None
        except BodyTooSlow:
            raise Refused("too slow", 408, "The body did not arrive in time.", _CLOSE) from None

    async def _append(self, source: Source, delivery: Delivery) -> list[str]:
        unpacked = source.provider.unpack(source.name, delivery.body, source.live, delivery.received_at)
        unpacked = unpacked or [unreadable(source.name, delivery.body, delivery.received_at)]
        started = perf_counter()
        try:
            appended = await self._log.append([_event(one, delivery) for one in unpacked])
        except UnstorableEvent as error:
            # Authentic, so it must not be lost: kept as it came, under a name of our own making.
            logger.warning("delivery kept as unreadable", source=source.name, reason=str(error))
            unpacked = [unreadable(source.name, delivery.body, delivery.received_at)]
            appended = await self._log.append([_event(one, delivery) for one in unpacked])
        self._metrics.append_seconds.observe(perf_counter() - started)
        self._count(source.name, appended)
        return [one.event_id for one in unpacked]

    def _count(self, source: str, appended: Sequence[Appended]) -> None:
        repeated = sum(one.repeated for one in appended)
        outcome = "repeated" if repeated == len(appended) else "accepted"
        self._metrics.deliveries.labels(source, outcome).inc()
        self._metrics.appended.labels(source).inc(len(appended) - repeated)
        self._metrics.repeated.labels(source).inc(repeated)
        logger.debug("delivery accepted", source=source, events=len(appended), repeated=repeated)

    def _count_refusal(self, source: str, refused: Refused) -> None:
        self._metrics.deliveries.labels(source, refused.outcome).inc()
        self._refusals.write(source, refused.outcome, status=refused.status, reason=refused.reason)


def webhook_route(receiver: Receiver) -> ASGIRouteHandler:
    """A bare ASGI route: parsing arguments and building a response object would cost as much as the rest.

    A mount, because Litestar's ASGI routes cannot have path parameters.
    """

    @asgi("/webhooks", is_mount=True, copy_scope=False)
    async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
        # The server speaks no websockets.
        await receiver.answer(cast("HTTPScope", scope), receive, send)

    return receive_webhook


def _kept(headers: Iterable[tuple[bytes, bytes]], names: Collection[str]) -> dict[str, str]:
    """The headers whose names (lower case) are wanted; of a header that came twice both values, comma separated."""
    kept: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1")
        if name in names:
            text = value.decode("latin-1")
            kept[name] = f"{kept[name]},{text}" if name in kept else text
    return kept


def _event(one: Unpacked, delivery: Delivery) -> NewEvent:
    return NewEvent(
        stream=one.stream,
        event_id=one.event_id,
        type=one.type,
        origin="webhook",
        occurred_at=one.occurred_at,
        received_at=delivery.received_at,
        body=delivery.body,
        item=one.item,
        headers=delivery.headers,
        content_type=delivery.content_type,
    )


async def _send_reply(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(reply.body)),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
