"""Batches of FastSpring over real HTTP into a real database: each event counts for itself, and none is lost."""

import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest

from domain.events import Event, NewEvent, Stream
from domain.providers.fastspring import PROVIDER
from projections.ports import Appended
from service.metrics import Metrics
from service.secrets import Secret
from service.settings import Server, Settings, Source
from service.sources import Receiving
from service.sources.table import RECEIVING
from service.store.errors import StoreUnavailable, UnstorableEvent
from service.webhooks import Receiver
from service.webhooks import Source as ReadySource
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ORDER, SUBSCRIPTION, Json
from tests.serving import Served, served, settings

pytestmark = pytest.mark.anyio

SECRET, OLD_SECRET = "falcon-hmac-secret", "falcon-hmac-secret-of-before"
IN_SUBSCRIPTION = Stream(f"spring/subscription/{SUBSCRIPTION}")
IN_ORDER = Stream(f"spring/order/{ORDER}")

ACTIVATED = fs.event("subscription.activated", fs.subscription(), id_="EVA", created=fs.BOUGHT)
COMPLETED = fs.event(
    "order.completed",
    fs.order(items=[fs.item(subscription=fs.embedded()), fs.item("set-up", quantity=1, subtotal=10.0)]),
    id_="EVB",
    created=fs.BOUGHT - 9,
)
UNSTORABLE = fs.event("subscription.updated", fs.subscription(), id_="EVC", created=250_000_000_000_000)
"""Of a year that the store does not take, though a payload may name it."""


def selling(dsn: str) -> Settings:
    """One source in test mode, with the secret that is about to go, and one without any."""
    base = settings(dsn, server=Server(port=0, stop_timeout_seconds=5))
    sources = {
        "spring": Source(provider="fastspring", mode="test", target="ls"),
        "silent": Source(provider="fastspring", mode="test", target="ls"),
    }
    keys = {**base.secrets.sources, "spring": (Secret(SECRET), Secret(OLD_SECRET)), "silent": (Secret(""),)}
    secrets = msgspec.structs.replace(base.secrets, sources=keys)
    return msgspec.structs.replace(base, sources={**base.sources, **sources}, secrets=secrets)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {"X-FS-Signature": signature, "content-type": "application/json; charset=utf-8", "user-agent": "FS"}


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Served]:
    async with served(selling(database), database) as shop:
        yield shop


async def deliver(shop: Served, payload: Any, *, secret: str = SECRET, source: str = "spring") -> httpx2.Response:
    body = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return await shop.http.post(f"/webhooks/{source}", content=body, headers=signed(body, secret))


async def stored(shop: Served, stream: Stream = IN_SUBSCRIPTION) -> list[Event]:
    return await shop.process.reader.log.read_stream(stream)


async def everything(shop: Served) -> list[Event]:
    log = shop.process.reader.log
    return [event for partition in range(256) for event in await log.read_partition(partition, 0, 100)]


async def test_each_event_of_a_batch_stands_in_its_streams_with_the_whole_body(shop: Served) -> None:
    body = msgspec.json.encode(fs.batch(ACTIVATED, COMPLETED))
    answer = await deliver(shop, body)
    assert answer.status_code == 200
    assert [(event.event_id, event.item) for event in await stored(shop)] == [
        ("EVA", "/events/0"),
        ("EVB", "/events/1"),
    ]
    [once] = await stored(shop, IN_ORDER)
    assert (once.event_id, once.item, once.body) == ("EVB", "/events/1", body)
    assert await shop.metric('tenure_events_appended_total{source="spring"}') == 3


async def test_what_is_stored_can_be_proved_authentic_again(shop: Served) -> None:
    await deliver(shop, fs.batch(ACTIVATED))
    [event] = await stored(shop)
    assert set(event.headers) == {"x-fs-signature"}
    RECEIVING["fastspring"].recheck(event.headers, event.body, [Secret(SECRET)])


async def test_a_batch_that_comes_again_in_other_company_is_stored_once(shop: Served) -> None:
    for batch in (fs.batch(ACTIVATED), fs.batch(COMPLETED, ACTIVATED), fs.batch(ACTIVATED, COMPLETED)):
        assert (await deliver(shop, batch)).status_code == 200
    assert [event.event_id for event in await stored(shop)] == ["EVA", "EVB"]


async def test_one_event_twice_in_a_batch_is_stored_once(shop: Served) -> None:
    assert (await deliver(shop, fs.batch(ACTIVATED, ACTIVATED))).status_code == 200
    assert len(await stored(shop)) == 1


async def test_an_event_without_the_wrapper_is_taken(shop: Served) -> None:
    assert (await deliver(shop, ACTIVATED)).status_code == 200
    assert [event.item for event in await stored(shop)] == [""]


async def test_an_empty_batch_is_answered_and_stores_nothing(shop: Served) -> None:
    assert (await deliver(shop, b'{"events":[]}')).status_code == 200
    assert await everything(shop) == []
    assert await shop.metric('tenure_deliveries_total{outcome="accepted",source="spring"}') == 1


@pytest.mark.parametrize("bad", [UNSTORABLE, {"id": "EVC"}], ids=["cannot be stored", "cannot be read"])
async def test_an_event_that_cannot_be_kept_as_it_is_harms_none_beside_it(shop: Served, bad: Json) -> None:
    for _ in range(2):
        assert (await deliver(shop, fs.batch(ACTIVATED, bad, COMPLETED))).status_code == 200
    assert [event.event_id for event in await stored(shop)] == ["EVA", "EVB"]
    [kept] = [event for event in await everything(shop) if event.type == "unreadable"]
    assert kept.item == "/events/1"


async def test_each_live_secret_is_accepted(shop: Served) -> None:
    assert (await deliver(shop, fs.batch(ACTIVATED), secret=SECRET)).status_code == 200
    assert (await deliver(shop, fs.batch(COMPLETED), secret=OLD_SECRET)).status_code == 200


async def test_what_proves_nothing_is_refused_and_not_stored(shop: Served) -> None:
    body = msgspec.json.encode(fs.batch(ACTIVATED))
    unsigned = await shop.http.post("/webhooks/spring", content=body)
    changed = await shop.http.post("/webhooks/spring", content=body + b" ", headers=signed(body))
    other = await deliver(shop, body, secret="another")
    empty = await deliver(shop, body, secret="", source="silent")
    bare = await shop.http.post("/webhooks/silent", content=body)
    assert [answer.status_code for answer in (unsigned, changed, other, empty, bare)] == [401] * 5
    assert await everything(shop) == []


async def test_events_of_live_mode_are_set_aside(shop: Served) -> None:
    assert (await deliver(shop, fs.batch({**ACTIVATED, "live": True}, COMPLETED))).status_code == 200
    assert [event.event_id for event in await stored(shop)] == ["EVB"]
    assert len(await stored(shop, Stream("spring/wrong-mode/EVA"))) == 1


# --- the store is lost on the way ---------------------------------------------------------------------------


class Failing:
    """A store that refuses UNSTORABLE, and is lost after so many events."""

    def __init__(self, last: int) -> None:
        self.left = last
        self.kept: list[NewEvent] = []

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        if any(event.event_id == "EVC" for event in events):
            raise UnstorableEvent("its year")
        if len(events) > self.left:
            raise StoreUnavailable("lost")
        self.left -= len(events)
        self.kept += events
        return [Appended(0, len(self.kept), repeated=False) for _ in events]


async def answer_of(
    store: Failing, payload: Json, receiving: Receiving = RECEIVING["fastspring"]
) -> tuple[int, bytes, bytes]:
    """Status, content type and body of the answer to a delivery into that store."""
    body = msgspec.json.encode(payload)
    source = ReadySource(name="spring", provider=PROVIDER, receiving=receiving, live=None, secrets=(Secret(SECRET),))
    log: Any = store
    now = datetime(2026, 2, 2, tzinfo=UTC)
    receiver = Receiver(
        {"spring": source}, log, Metrics(), lambda: now, body_limit_bytes=1_000_000, body_timeout_seconds=5
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in signed(body).items()]
    scope: Any = {"type": "http", "method": "POST", "path": "/spring", "headers": headers}
    await receiver.answer(scope, receive, send)
    kind = dict(sent[0]["headers"])[b"content-type"]
    return sent[0]["status"], kind, b"".join(message.get("body", b"") for message in sent[1:])


async def test_those_that_were_taken_are_named_when_the_store_is_lost_on_the_way() -> None:
    later = fs.event("x.y", {"id": "1"}, id_="EVD")
    store = Failing(last=3)
    answer = await answer_of(store, fs.batch(ACTIVATED, later, UNSTORABLE, COMPLETED))
    # Of the order, which stands in two streams, none was taken; what could not be kept as it is was kept.
    assert answer == (202, b"text/plain; charset=utf-8", b"EVA\nEVD\nEVC")
    assert [event.type for event in store.kept] == ["subscription.activated", "x.y", "unreadable"]


async def test_an_event_of_which_one_stream_is_missing_is_sent_again() -> None:
    status, _, ids = await answer_of(Failing(last=2), fs.batch(ACTIVATED, COMPLETED, UNSTORABLE))
    assert (status, ids) == (202, b"EVA")


@pytest.mark.parametrize("batch", [fs.batch(COMPLETED, UNSTORABLE), fs.batch(ACTIVATED)])
async def test_all_is_sent_again_when_nothing_was_taken(batch: Json) -> None:
    status, kind, _ = await answer_of(Failing(last=0), batch)
    assert (status, kind) == (503, b"application/problem+json")


async def test_a_provider_that_knows_no_such_answer_is_asked_for_all_again() -> None:
    receiving = msgspec.structs.replace(RECEIVING["fastspring"], partial_reply=None)
    store = Failing(last=1)
    status, _, _ = await answer_of(store, fs.batch(ACTIVATED, UNSTORABLE, COMPLETED), receiving)
    assert (status, len(store.kept)) == (503, 1)
