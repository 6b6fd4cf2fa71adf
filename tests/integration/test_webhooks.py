"""Deliveries over real HTTP into a real database: 2xx is given only for what is authentic and durable."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx2
import msgspec
import pytest

from domain.events import Event, Stream
from service.settings import Server
from tests.payloads.stripe import event
from tests.serving import SECOND_SECRET, SECRET, Served, served, settings, signed
from tests.severing import severable

pytestmark = pytest.mark.anyio

SUBSCRIPTION = Stream("shop/subscription/sub_1")
LIMIT = 4096


def delivery(id_: str = "evt_1", **more: Any) -> bytes:
    subscription = {"id": "sub_1", "object": "subscription", "status": "active", "items": {"data": []}}
    return msgspec.json.encode(event("customer.subscription.updated", subscription, id_=id_, **more))


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Served]:
    server = Server(port=0, body_limit_bytes=LIMIT, body_timeout_seconds=1, stop_timeout_seconds=5)
    async with served(settings(database, server=server), database) as shop:
        yield shop


async def stored(shop: Served, stream: Stream = SUBSCRIPTION) -> list[Event]:
    return await shop.process.reader.log.read_stream(stream)


async def everything(shop: Served) -> int:
    return sum((await shop.process.reader.log.heads(range(256))).values())


async def raw(shop: Served, request: bytes) -> bytes:
    """What the server answers to these bytes, which are all that is sent."""
    url = httpx2.URL(shop.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(request)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()


def assert_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    return problem


# --- accepted -----------------------------------------------------------------------------------------------


async def test_an_accepted_delivery_is_stored_byte_for_byte(shop: Served) -> None:
    # Blanks and a letter outside ASCII, which decoding and encoding again would change.
    body = (
        delivery().replace(b'"object":', b'"object" :  ').replace(b"sub_1", b"sub_1").rstrip(b"}") + b',"x":"\xc3\xa4"}'
    )
    body = body + b"}" * (body.count(b"{") - body.count(b"}"))
    answer = await shop.deliver(body)
    assert answer.status_code == 200
    [event] = await stored(shop)
    assert event.body == body
    assert event.digest == sha256(body).digest()
    assert event.origin == "webhook"
    assert event.content_type == "application/json; charset=utf-8"


async def test_only_the_headers_that_prove_authenticity_are_kept(shop: Served) -> None:
    body = delivery()
    headers = signed(body) | {"x-forwarded-for": "192.0.2.1", "authorization": "Basic abc"}
    assert (await shop.http.post("/webhooks/shop", content=body, headers=headers)).status_code == 200
    [event] = await stored(shop)
    assert event.headers == {"stripe-signature": headers["stripe-signature"]}


async def test_a_stored_delivery_can_be_proved_authentic_again(shop: Served) -> None:
    await shop.deliver(delivery())
    [event] = await stored(shop)
    from service.secrets import Secret
    from service.sources.table import RECEIVING

    RECEIVING["stripe"].recheck(event.headers, event.body, [Secret(SECRET)])


async def test_a_repeated_delivery_is_accepted_and_stored_once(shop: Served) -> None:
    for _ in range(3):
        assert (await shop.deliver(delivery())).status_code == 200
    assert len(await stored(shop)) == 1
    assert await shop.metric('tenure_deliveries_total{outcome="accepted",source="shop"}') == 1
    assert await shop.metric('tenure_deliveries_total{outcome="repeated",source="shop"}') == 2
    assert await shop.metric('tenure_events_appended_total{source="shop"}') == 1
    assert await shop.metric('tenure_events_repeated_total{source="shop"}') == 2


async def test_many_deliveries_at_once_are_all_stored(shop: Served) -> None:
    answers = await asyncio.gather(*(shop.deliver(delivery(f"evt_{number}")) for number in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert {event.event_id for event in await stored(shop)} == {f"evt_{number}" for number in range(50)}


async def test_every_live_secret_of_a_source_is_accepted(shop: Served) -> None:
    assert (await shop.deliver(delivery("evt_1"), secret=SECRET)).status_code == 200
    assert (await shop.deliver(delivery("evt_2"), secret=SECOND_SECRET)).status_code == 200


async def test_the_same_event_of_two_sources_is_two_events(shop: Served) -> None:
    await shop.deliver(delivery())
    await shop.deliver(delivery(), source="other", secret="whsec_other")
    assert len(await stored(shop)) == 1
    assert len(await stored(shop, Stream("other/subscription/sub_1"))) == 1


async def test_an_authentic_body_that_is_not_json_is_kept_as_unreadable(shop: Served) -> None:
    body = b"<not json\x00\xff>"
    assert (await shop.deliver(body)).status_code == 200
    [event] = await stored(shop, Stream(f"shop/unreadable/{sha256(body).hexdigest()[:32]}"))
    assert event.body == body


async def test_an_empty_body_is_kept_when_it_is_signed(shop: Served) -> None:
    assert (await shop.deliver(b"")).status_code == 200
    assert await everything(shop) == 1


async def test_a_delivery_of_the_other_mode_is_kept_apart(shop: Served) -> None:
    body = delivery().replace(b'"livemode":false', b'"livemode":true')
    assert (await shop.deliver(body)).status_code == 200
    assert await stored(shop) == []
    assert len(await stored(shop, Stream("shop/wrong-mode/evt_1"))) == 1


async def test_deliveries_of_the_other_mode_are_counted_and_warned_of_once_in_a_while(
    shop: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    for id_ in ("evt_1", "evt_2"):
        await shop.deliver(delivery(id_).replace(b'"livemode":false', b'"livemode":true'))
    await shop.deliver(delivery("evt_3"))
    assert await shop.metric('tenure_events_set_aside_total{source="shop"}') == 2
    out, err = capfd.readouterr()
    (line,) = [line for line in (out + err).splitlines() if "set aside" in line]
    assert "live delivery to a source in test mode" in line
    assert "shop" in line


async def test_a_body_sent_in_chunks_is_taken_whole(shop: Served) -> None:
    body = delivery()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    assert (await shop.http.post("/webhooks/shop", content=chunks(), headers=signed(body))).status_code == 200
    assert (await stored(shop))[0].body == body


# --- refused ------------------------------------------------------------------------------------------------


async def test_a_delivery_signed_with_another_secret_is_refused(shop: Served) -> None:
    assert_problem(await shop.deliver(delivery(), secret="whsec_other"), 401)
    assert await everything(shop) == 0
    assert await shop.metric('tenure_deliveries_total{outcome="not authentic",source="shop"}') == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body, headers: (body + b" ", headers), id="one byte more"),
        pytest.param(lambda body, headers: (body, {}), id="no signature"),
        pytest.param(lambda body, headers: (body, {"stripe-signature": "t=,v1="}), id="malformed"),
        pytest.param(lambda body, headers: (body, signed(body, age=301)), id="too old"),
        pytest.param(
            lambda body, headers: (body, {"stripe-signature": headers["stripe-signature"].replace("v1", "v0")}), id="v0"
        ),
    ],
)
async def test_a_delivery_that_proves_nothing_is_refused_and_not_stored(shop: Served, change: Any) -> None:
    body, headers = change(delivery(), signed(delivery()))
    answer = await shop.http.post("/webhooks/shop", content=body, headers=headers)
    assert_problem(answer, 401)
    assert await everything(shop) == 0


async def test_an_unknown_source_is_refused(shop: Served) -> None:
    body = delivery()
    for path in ("nobody", "shop/more", "", "%73hop%2F..", "SHOP"):
        assert_problem(await shop.http.post(f"/webhooks/{path}", content=body, headers=signed(body)), 404)
    assert await everything(shop) == 0
    assert await shop.metric('tenure_deliveries_total{outcome="unknown source",source="(unknown)"}') == 5


async def test_other_methods_are_refused(shop: Served) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await shop.http.request(method, "/webhooks/shop")
        assert_problem(answer, 405)
        assert answer.headers["allow"] == "POST"
    assert (await shop.http.head("/webhooks/shop")).status_code == 405


async def test_a_body_that_says_it_is_too_large_is_refused(shop: Served) -> None:
    body = b"x" * (LIMIT + 1)
    assert_problem(await shop.http.post("/webhooks/shop", content=body, headers=signed(body)), 413)
    assert await shop.metric('tenure_deliveries_total{outcome="too large",source="shop"}') == 1


async def test_a_body_that_turns_out_too_large_is_refused(shop: Served) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * (LIMIT // 4)

    assert_problem(await shop.http.post("/webhooks/shop", content=chunks()), 413)


async def test_a_body_as_large_as_allowed_is_taken(shop: Served) -> None:
    body = b"x" * LIMIT
    assert (await shop.deliver(body)).status_code == 200


async def test_a_huge_announced_length_is_refused_before_the_body_comes(shop: Served) -> None:
    head = b"POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
    assert (await raw(shop, head)).startswith(b"HTTP/1.1 413 ")


async def test_a_sender_that_stops_half_way_is_answered_in_time(shop: Served) -> None:
    head = b"POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf"
    answer = await raw(shop, head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer


async def test_a_sender_that_goes_away_half_way_leaves_nothing(shop: Served) -> None:
    url = httpx2.URL(shop.url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    gone = 'tenure_deliveries_total{outcome="sender gone",source="shop"}'
    for _ in range(200):
        if await shop.metric(gone):
            break
    assert await shop.metric(gone) == 1
    assert await everything(shop) == 0


async def test_no_secret_and_nothing_of_a_delivery_is_logged(shop: Served, capfd: pytest.CaptureFixture[str]) -> None:
    await shop.deliver(delivery().replace(b"active", b"jane@example.com"), secret="whsec_wrong")
    await shop.deliver(delivery().replace(b"active", b"jane@example.com"))
    out, err = capfd.readouterr()
    for hidden in ("jane", "whsec", "sub_1", "v1="):
        assert hidden not in out + err


# --- the database is down -----------------------------------------------------------------------------------


async def test_a_delivery_is_never_confirmed_while_the_database_is_down(database: str) -> None:
    async with severable(database) as way, served(settings(database, timeout=1), way.dsn) as shop:
        assert (await shop.deliver(delivery("evt_1"))).status_code == 200
        await way.cut()
        answer = await shop.deliver(delivery("evt_2"))
        assert_problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        ready = await shop.http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "cannot be reached")
        assert (await shop.http.get("/health/live")).status_code == 200
        await way.mend()
        assert (await shop.deliver(delivery("evt_2"))).status_code == 200
        assert {event.event_id for event in await stored(shop)} == {"evt_1", "evt_2"}
