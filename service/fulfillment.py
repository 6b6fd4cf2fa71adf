"""`POST /fulfillment/{source}`: license keys for a provider that asks for them while somebody buys.

An answer with keys is given only for keys that are durable, and the same for the same purchase and product, whoever
asks how often: the checkout, its repetitions, renewals, and the order that tells of the purchase later or earlier.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import cast

import msgspec
import structlog
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send
from psycopg import OperationalError

from domain.events import NewEvent, stream_of
from domain.own import KEYS_REQUESTED
from projections.authority import KIND, Contended, Place, keys_for
from projections.ports import EventLog
from projections.targets import Target
from service.inbound import RETRY, Inbound, Refused, kept_headers
from service.joining import Holders, account_to_join
from service.metrics import Metrics
from service.secrets import Secret
from service.sources import Generating, KeyRequest, NotAuthentic, Reply, Unusable
from service.store.errors import StoreBusy, StoreUnavailable, UnstorableEvent

logger = structlog.get_logger(__name__)

BODY_LIMIT_BYTES = 64 * 1024
DEADLINE_SECONDS = 0.9
"""From the last byte of the request to the keys: somebody waits in a checkout."""
TEST_KIND = "fulfillment-test"
"""The kind of stream that holds keys of test purchases at a live source, which no order leads to."""
_NOT_A_TEST = (
    "This source is in test mode, and the form is not of a test order (test=1): for live orders give the fulfillment "
    "the URL of a source in live mode; to try this one, place a test order."
)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One configured provider account whose license generator is answered; None where its provider has none."""

    name: str
    generating: Generating | None
    live: bool
    keys: tuple[Secret, ...]
    targets: Mapping[str, Target]
    """The first is that of requests which name none."""


class LicenseGenerator:
    """Answers requests for keys within DEADLINE_SECONDS: with all of them, or with a problem."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        log: EventLog,
        holders: Holders,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        body_timeout_seconds: float,
    ) -> None:
        self._sources = sources
        self._log = log
        self._holders = holders
        self._metrics = metrics
        self._clock = clock
        self._inbound = Inbound(
            "key request", metrics.key_requests, logger, limit=BODY_LIMIT_BYTES, seconds=body_timeout_seconds
        )

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Handles one request, from the first byte of its body to the last of its answer."""
        await self._inbound.answer(
            scope, send, self._sources, lambda name: self._take(self._sources[name], scope, receive)
        )

    async def _take(self, source: Source, scope: HTTPScope, receive: Receive) -> Reply:
        """Makes keys durable, then answers them. Raises Refused and SenderGone."""
        body = await self._inbound.body(receive, scope["headers"])
        content_type = kept_headers(scope["headers"], ["content-type"]).get("content-type", "")
        if source.generating is None:
            raise Refused("no generator", 404, "The provider of this source has no license generator.", {})
        request = self._read(source, source.generating, content_type, body)
        if not source.live and not request.test:
            # Its order will be set aside as one of the other mode: the buyer would hold keys of no license.
            raise Refused("wrong mode", 409, _NOT_A_TEST, {})
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                keys = await self._keys(source, request, content_type, body)
        except (StoreBusy, StoreUnavailable, OperationalError, Contended, TimeoutError) as error:
            detail = "The keys could not be stored in time; ask again."
            raise Refused("unavailable", 503, detail, RETRY, type(error).__name__) from error
        except UnstorableEvent as error:
            detail = "The request cannot be stored: shorten its headers, or reference and product."
            raise Refused("unusable", 422, detail, {}) from error
        self._inbound.count(source.name, "answered a test" if request.test and source.live else "answered")
        return source.generating.reply(keys)

    def _read(self, source: Source, generating: Generating, content_type: str, body: bytes) -> KeyRequest:
        try:
            request = generating.read(content_type, body, source.keys)
        except NotAuthentic as error:
            self._metrics.refused.labels(source.name, error.reason).inc()
            detail = f"Not a request of this source: {error.reason}."
            raise Refused("not authentic", 401, detail, {}, error.reason) from None
        except Unusable as error:
            raise Refused("unusable", error.status, str(error), {}, str(error)) from None
        if request.target and request.target not in source.targets:
            remedy = f"give the fulfillment the parameter target = one of: {', '.join(source.targets)}"
            raise Refused("unusable", 422, f"The target named is none of this source's: {remedy}.", {})
        return request

    async def _keys(self, source: Source, request: KeyRequest, content_type: str, body: bytes) -> tuple[str, ...]:
        now = self._clock()
        kind = TEST_KIND if request.test and source.live else KIND
        stream = stream_of(source.name, kind, request.reference)
        asked = NewEvent(
            stream=stream,
            event_id=f"{KEYS_REQUESTED}:{sha256(body).hexdigest()[:32]}",
            type=KEYS_REQUESTED,
            origin="webhook",
            occurred_at=now,
            received_at=now,
            body=body,
            content_type=content_type,
        )
        target = source.targets[request.target or next(iter(source.targets))]
        place = Place(stream=stream, target=target.name, product=request.product)
        under = "" if kind == TEST_KIND else await self._account_to_join(source, request, target.name)
        mint = partial(target.new_keys, under=under)
        return await keys_for(self._log, place, request.count, mint=mint, at=now, told=[asked], under=under)

    async def _account_to_join(self, source: Source, request: KeyRequest, target: str) -> str:
        account = await account_to_join(self._holders, request, source=source.name, target=target)
        if request.licensee and not account:
            logger.warning("the licensee named is not the buyer's", source=source.name, reference=request.reference)
        return account


def fulfillment_route(generator: LicenseGenerator) -> ASGIRouteHandler:
    """A bare ASGI route, as that of webhooks."""

    @asgi("/fulfillment", is_mount=True, copy_scope=False)
    async def generate_keys(scope: Scope, receive: Receive, send: Send) -> None:
        # The server speaks no websockets.
        await generator.answer(cast("HTTPScope", scope), receive, send)

    return generate_keys
