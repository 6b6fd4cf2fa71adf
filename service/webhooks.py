"""`POST /webhooks/{source}`: authentic on the raw bytes, unpacked, durable, and only then answered with 2xx."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import Self, cast

import msgspec
import structlog
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send
from prometheus_client import Counter

from domain.events import NewEvent, kind_of
from domain.providers import UNREADABLE, Provider, Unpacked, unreadable
from domain.providers.item import part_of
from projections.ports import Appended, EventLog
from projections.sources import WRONG_MODE
from service.inbound import RETRY, Inbound, Refused, kept_headers
from service.metrics import Metrics
from service.refusals import RefusalLog
from service.secrets import Secret
from service.sources import PUBLIC_KEY, NotAuthentic, Receiving, Reply
from service.sources.keys import KeyRing, KeysUnavailable
from service.store.errors import StoreBusy, StoreUnavailable, UnstorableEvent

logger = structlog.get_logger(__name__)

PATH = "/webhooks"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One configured provider account, ready to receive.

    Where the provider signs with private keys, `keys` are asked for the public ones; None where they cannot be had.
    """

    name: str
    provider: Provider
    receiving: Receiving
    live: bool | None
    secrets: tuple[Secret, ...]
    account: str = ""
    keys: KeyRing | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One request from a provider. `headers` are those that its signature can be checked with again."""

    headers: dict[str, str]
    content_type: str
    body: bytes
    received_at: datetime


class _Counters(msgspec.Struct, frozen=True, kw_only=True):
    """A source's counters of what went well; finding them by their labels costs more than counting."""

    accepted: Counter
    only_repeats: Counter
    appended: Counter
    repeated: Counter

    @classmethod
    def of(cls, metrics: Metrics, source: str) -> Self:
        return cls(
            accepted=metrics.deliveries.labels(source, "accepted"),
            only_repeats=metrics.deliveries.labels(source, "repeated"),
            appended=metrics.appended.labels(source),
            repeated=metrics.repeated.labels(source),
        )


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
        self._set_aside = RefusalLog(logger, event="delivery set aside")
        self._counters = {name: _Counters.of(metrics, name) for name in sources}
        self._inbound = Inbound(
            "delivery", metrics.deliveries, logger, limit=body_limit_bytes, seconds=body_timeout_seconds
        )

    @property
    def sources(self) -> Collection[str]:
        """The names of those that it takes deliveries of."""
        return self._sources.keys()

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Handles one request, whose path is a source's name, from the first byte of its body to the answer's last."""
        await self._inbound.answer(
            scope, send, self._sources, lambda name: self._take(self._sources[name], scope, receive)
        )

    async def _take(self, source: Source, scope: HTTPScope, receive: Receive) -> Reply:
        """Makes a delivery durable, then says what to answer. Raises Refused and SenderGone."""
        body = await self._inbound.body(receive, scope["headers"])
        delivery = Delivery(
            headers=kept_headers(scope["headers"], source.receiving.kept_headers),
            content_type=kept_headers(scope["headers"], ["content-type"]).get("content-type", ""),
            body=body,
            received_at=self._clock(),
        )
        try:
            delivery = await _proven(source, delivery)
        except NotAuthentic as error:
            self._metrics.refused.labels(source.name, error.reason).inc()
            detail = "The delivery does not carry a valid signature of this source."
            raise Refused("not authentic", 401, detail, {}, error.reason) from None
        except KeysUnavailable as error:
            detail = "The delivery's signature could not be checked at the moment; send it again."
            raise Refused("unchecked", 503, detail, RETRY, error.reason) from None
        try:
            return await self._append(source, delivery)
        except (StoreBusy, StoreUnavailable) as error:
            detail = "The delivery could not be stored at the moment; send it again."
            raise Refused("unavailable", 503, detail, RETRY, type(error).__name__) from error

    async def _append(self, source: Source, delivery: Delivery) -> Reply:
        """Stores all events at once; where one of them cannot be stored, each for itself."""
        unpacked = source.provider.unpack(source.name, delivery.body, source.live, delivery.received_at)
        started = perf_counter()
        try:
            appended = await self._log.append([_event(one, delivery) for one in unpacked])
        except UnstorableEvent as error:
            logger.warning("an event is kept as unreadable", source=source.name, reason=str(error))
            reply = await self._append_each(source, delivery, unpacked)
        else:
            self._count(source.name, appended)
            reply = source.receiving.reply([one.event_id for one in unpacked])
        self._count_set_aside(source, unpacked)
        self._metrics.append_seconds.observe(perf_counter() - started)
        return reply

    async def _append_each(self, source: Source, delivery: Delivery, unpacked: Sequence[Unpacked]) -> Reply:
        """Stores one event after the other, so that one which cannot be stored harms none beside it.

        Whatever is authentic is kept: such a one as it came, under a name of our own making. Should the store be lost
        on the way, the provider is told which were taken, or, if it takes no such answer, to send all again.
        """
        appended: list[Appended] = []
        left = list(unpacked)
        try:
            while left:
                appended += await self._append_one(source, delivery, left[0])
                del left[0]
        except (StoreBusy, StoreUnavailable):
            # An event may stand in several streams: its id is told when all of them have it. What nobody could read
            # has no id that the provider knows.
            waiting = {one.event_id for one in left}
            known = [one.event_id for one in unpacked if one.type != UNREADABLE]
            taken = [event_id for event_id in known if event_id not in waiting]
            if not taken or source.receiving.partial_reply is None:
                raise
            self._count(source.name, appended)
            return source.receiving.partial_reply(list(dict.fromkeys(taken)))
        self._count(source.name, appended)
        return source.receiving.reply([one.event_id for one in unpacked])

    async def _append_one(self, source: Source, delivery: Delivery, one: Unpacked) -> list[Appended]:
        try:
            return await self._log.append([_event(one, delivery)])
        except UnstorableEvent:
            part = bytes(part_of(delivery.body, one.item))
            kept = unreadable(source.name, part, delivery.received_at, one.item)
            return await self._log.append([_event(kept, delivery)])

    def _count_set_aside(self, source: Source, unpacked: Sequence[Unpacked]) -> None:
        """A source in the wrong mode takes everything and licenses nothing, which nobody should find out by chance."""
        count = sum(kind_of(one.stream) == WRONG_MODE for one in unpacked)
        if count:
            self._metrics.set_aside.labels(source.name).inc(count)
            mode, other = ("live", "test") if source.live else ("test", "live")
            remedy = f'a {other} delivery to a source in {mode} mode makes no licenses: set mode = "{other}"?'
            self._set_aside.write(source.name, "wrong mode", remedy=remedy)

    def _count(self, source: str, appended: Sequence[Appended]) -> None:
        repeated, counters = sum(one.repeated for one in appended), self._counters[source]
        (counters.only_repeats if appended and repeated == len(appended) else counters.accepted).inc()
        counters.appended.inc(len(appended) - repeated)
        counters.repeated.inc(repeated)
        logger.debug("delivery accepted", source=source, events=len(appended), repeated=repeated)


def webhook_route(receiver: Receiver) -> ASGIRouteHandler:
    """A bare ASGI route: parsing arguments and building a response object would cost as much as the rest.

    A mount, because Litestar's ASGI routes cannot have path parameters.
    """

    @asgi(PATH, is_mount=True, copy_scope=False)
    async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
        # The server speaks no websockets.
        await receiver.answer(cast("HTTPScope", scope), receive, send)

    return receive_webhook


async def _proven(source: Source, delivery: Delivery) -> Delivery:
    """The delivery with all that it can be checked with again. Raises NotAuthentic and KeysUnavailable."""
    receiving, headers, secrets = source.receiving, delivery.headers, source.secrets
    if receiving.key_id is not None:
        key_id = receiving.key_id(headers)
        if source.keys is not None and not source.keys.knows(key_id):
            # Nothing is asked of anybody for what is not even said to be of this account.
            _check_account(source, delivery)
        key = await _key(source, key_id)
        headers, secrets = headers | {PUBLIC_KEY: key.reveal()}, (key,)
        delivery = msgspec.structs.replace(delivery, headers=headers)
    receiving.verify(headers, delivery.body, secrets, delivery.received_at)
    _check_account(source, delivery)
    return delivery


def _check_account(source: Source, delivery: Delivery) -> None:
    account_of = source.receiving.account_of
    if account_of is not None and account_of(delivery.body) != source.account:
        raise NotAuthentic("it is of another account than the source")


async def _key(source: Source, key_id: str) -> Secret:
    if source.keys is None:
        raise KeysUnavailable("the source has no API key to ask for public keys with")
    key = await source.keys.find(key_id)
    if key is None:
        raise NotAuthentic("the provider knows no public key of that id")
    return key


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
