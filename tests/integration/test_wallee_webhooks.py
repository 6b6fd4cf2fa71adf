"""Deliveries of wallee over real HTTP: what a public key of its own proves is taken, whoever else asks is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import get_args

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from domain.events import Event, Stream
from projections.queries import Status
from service.secrets import Secret
from service.settings import Api, Settings, SettingsInvalid, Source
from service.sources import PUBLIC_KEY, NotAuthentic
from service.sources.keys import ASKED_A_MINUTE
from service.sources.table import RECEIVING
from tests.serving import Served, served, settings
from tests.wallee_platform import (
    API_KEY,
    AUTHENTICATION_KEY,
    KEY_ID,
    SPACE,
    Platform,
    Signer,
    failure,
    platform,
    webhook,
)

pytestmark = pytest.mark.anyio

STREAM = Stream("pay/subscription/7")
KEY_PATH = f"webhooks/encryption-keys/{KEY_ID}"
SIGNER = Signer()


def configured(dsn: str, url: str, *, api_key: str = API_KEY, account: str = SPACE) -> Settings:
    base = settings(dsn)
    secrets = msgspec.structs.replace(base.secrets, api_keys={"pay": Secret(api_key)} if api_key else {})
    pay = Source(provider="wallee", target="ls", account=account, api=Api(url=url))
    return msgspec.structs.replace(base, sources={"pay": pay}, secrets=secrets)


class Shop(msgspec.Struct, frozen=True):
    served: Served
    platform: Platform

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
        return await self.served.http.post(
            "/webhooks/pay", content=body, headers=SIGNER.headers(body) if headers is None else headers
        )

    async def stored(self) -> list[Event]:
        return await self.served.process.reader.log.read_stream(STREAM)

    async def everything(self) -> int:
        return sum((await self.served.process.reader.log.heads(range(256))).values())

    async def counted(self, outcome: str) -> float:
        return await self.served.metric(f'tenure_deliveries_total{{outcome="{outcome}",source="pay"}}')


@asynccontextmanager
async def shopping(database: str, **more: str) -> AsyncIterator[Shop]:
    async with platform() as there, served(configured(database, there.url, **more), database) as here:
        there.has_key(SIGNER)
        yield Shop(here, there)


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    async with shopping(database) as there:
        yield there


# --- accepted -----------------------------------------------------------------------------------------------


async def test_a_signed_delivery_is_stored_with_the_key_that_proved_it(shop: Shop) -> None:
    body = webhook()
    headers = SIGNER.headers(body)
    assert (await shop.post(body, headers)).status_code == 200
    [event] = await shop.stored()
    assert (event.body, event.event_id) == (body, f"{SPACE}:2:35")
    assert event.headers == {"x-signature": headers["x-signature"], PUBLIC_KEY: SIGNER.public}


async def test_the_key_is_asked_for_once(shop: Shop) -> None:
    for number in range(5):
        assert (await shop.post(webhook(number))).status_code == 200
    assert shop.platform.asked == [KEY_PATH]
    assert len(await shop.stored()) == 5


async def test_deliveries_of_one_moment_share_the_question(shop: Shop) -> None:
    shop.platform.gate.clear()
    posted = [asyncio.ensure_future(shop.post(webhook(number))) for number in range(20)]
    await shop.platform.reached.wait()
    shop.platform.gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*posted)} == {200}
    assert shop.platform.asked == [KEY_PATH]


async def test_a_repeated_delivery_is_stored_once(shop: Shop) -> None:
    # An ECDSA signature is another one each time, of the same bytes.
    for _ in range(3):
        assert (await shop.post(webhook())).status_code == 200
    assert len(await shop.stored()) == 1
    assert await shop.counted("repeated") == 2


async def test_a_new_key_is_found_when_it_is_first_used(shop: Shop) -> None:
    body, other = webhook(), Signer()
    shop.platform.has_key(other, "a-second-key")
    assert (await shop.post(body)).status_code == 200
    assert (await shop.post(webhook(2), other.headers(webhook(2), "a-second-key"))).status_code == 200


async def test_a_stored_event_is_proved_again_without_anybody_being_asked(database: str) -> None:
    async with shopping(database) as shop:
        await shop.post(webhook())
        [event] = await shop.stored()
    # The platform is gone.
    RECEIVING["wallee"].recheck(event.headers, event.body, [])
    with pytest.raises(NotAuthentic):
        RECEIVING["wallee"].recheck(event.headers, event.body + b" ", [])


# --- refused ------------------------------------------------------------------------------------------------


async def refused(shop: Shop, body: bytes, headers: dict[str, str], *, asked: int) -> None:
    answer = await shop.post(body, headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(shop.platform.asked) == asked
    assert await shop.everything() == 0
    assert await shop.counted("not authentic") == 1


async def test_an_unsigned_delivery_is_refused_and_nothing_is_asked_or_stored(shop: Shop) -> None:
    await refused(shop, webhook(), {"content-type": "application/json"}, asked=0)


async def test_a_header_of_another_form_is_refused_before_anything_is_asked(shop: Shop) -> None:
    await refused(shop, webhook(), {"x-signature": SIGNER.sign(webhook())}, asked=0)


async def test_two_signatures_are_none(shop: Shop) -> None:
    body = webhook()
    header = SIGNER.headers(body)["x-signature"]
    answer = await shop.served.http.post(
        "/webhooks/pay", content=body, headers=[("x-signature", header), ("x-signature", header)]
    )
    assert answer.status_code == 401


async def test_a_forged_signature_is_refused(shop: Shop) -> None:
    await refused(shop, webhook(), Signer().headers(webhook()), asked=1)


async def test_another_body_is_refused(shop: Shop) -> None:
    await refused(shop, webhook(36), SIGNER.headers(webhook(35)), asked=1)


async def test_a_key_that_the_sender_brings_along_proves_nothing(shop: Shop) -> None:
    forger = Signer()
    await refused(shop, webhook(), forger.headers(webhook()) | {PUBLIC_KEY: forger.public}, asked=1)
    await shop.post(webhook(), SIGNER.headers(webhook()) | {PUBLIC_KEY: forger.public})
    [event] = await shop.stored()
    assert event.headers[PUBLIC_KEY] == SIGNER.public


async def test_a_delivery_of_another_account_is_refused_though_it_is_wallees(shop: Shop) -> None:
    await shop.post(webhook())
    answer = await shop.post(webhook(space=406), SIGNER.headers(webhook(space=406)))
    assert answer.status_code == 401
    assert await shop.everything() == 1
    reason = "it is of another account than the source"
    assert await shop.served.metric(f'tenure_deliveries_refused_total{{reason="{reason}",source="pay"}}') == 1


async def test_nothing_is_asked_for_what_is_not_said_to_be_of_the_account(shop: Shop) -> None:
    await refused(shop, webhook(space=406), SIGNER.headers(webhook(space=406)), asked=0)


async def test_a_source_without_an_account_takes_nothing(database: str) -> None:
    with pytest.raises(SettingsInvalid, match="account"):
        async with shopping(database, account=""):
            pass


async def test_an_unknown_key_is_asked_for_once(shop: Shop) -> None:
    for number in range(5):
        body = webhook(number)
        assert (await shop.post(body, Signer().headers(body, "nobody-knows-it"))).status_code == 401
    assert shop.platform.asked == ["webhooks/encryption-keys/nobody-knows-it"]
    assert await shop.everything() == 0


# --- put off ------------------------------------------------------------------------------------------------


def is_put_off(answer: httpx2.Response) -> bool:
    return answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_while_keys_cannot_be_had_a_delivery_is_put_off_and_taken_afterwards(shop: Shop, status: int) -> None:
    shop.platform.failing = status, failure("any", "Not now."), ""
    assert is_put_off(await shop.post(webhook()))
    assert await shop.everything() == 0
    assert await shop.counted("unchecked") == 1
    shop.platform.failing = None
    assert (await shop.post(webhook())).status_code == 200
    assert len(await shop.stored()) == 1


async def test_a_known_key_outlives_the_server_of_keys(shop: Shop) -> None:
    await shop.post(webhook(1))
    shop.platform.failing = 500, b"", ""
    assert (await shop.post(webhook(2))).status_code == 200


async def test_a_start_knows_the_keys_that_proved_what_came_before(database: str) -> None:
    async with platform() as there:
        there.has_key(SIGNER)
        use = configured(database, there.url)
        async with served(use, database, ["receiver", "runner"]) as here:
            await Shop(here, there).post(webhook(1))
            async with asyncio.timeout(30):
                while not await here.process.reader.queries.streams(statuses=get_args(Status), source="pay"):
                    pass
        there.failing = 500, b"", ""
        async with served(use, database) as here:
            assert (await Shop(here, there).post(webhook(2))).status_code == 200


async def test_nobody_listening_where_keys_are_is_no_reason_to_refuse(database: str) -> None:
    async with served(configured(database, "http://127.0.0.1:9"), database) as here:
        answer = await here.http.post("/webhooks/pay", content=webhook(), headers=SIGNER.headers(webhook()))
        assert is_put_off(answer)


async def test_a_page_in_the_place_of_a_key_is_no_reason_to_refuse(shop: Shop) -> None:
    shop.platform.failing = 200, b"<html>We are back soon</html>", ""
    assert is_put_off(await shop.post(webhook()))
    shop.platform.failing = None
    assert (await shop.post(webhook())).status_code == 200


async def test_without_an_api_key_a_delivery_is_put_off(database: str) -> None:
    async with shopping(database, api_key="") as shop:
        assert is_put_off(await shop.post(webhook()))
        assert shop.platform.asked == []


async def test_a_flood_of_invented_ids_asks_little_and_hinders_nobody_who_is_known(shop: Shop) -> None:
    await shop.post(webhook(1))
    forger, body = Signer(), webhook()
    flood = [shop.post(body, forger.headers(body, f"invented-{number}")) for number in range(200)]
    answers = await asyncio.gather(*flood)
    assert {answer.status_code for answer in answers} == {401, 503}
    assert len(shop.platform.asked) == ASKED_A_MINUTE
    assert (await shop.post(webhook(2))).status_code == 200
    assert len(await shop.stored()) == 2


# --- told to nobody -----------------------------------------------------------------------------------------


async def test_neither_key_nor_token_nor_body_is_logged_or_answered(shop: Shop) -> None:
    with capture_logs() as logs:
        answers = [await shop.post(webhook(1))]
        shop.platform.failing = 401, failure("no", f"Who is {{authorization}} {API_KEY}?"), ""
        for number, key_id in enumerate(["another", "a-third"]):
            body = webhook(number, note="ada@example.com")
            answers.append(await shop.post(body, SIGNER.headers(body, key_id)))
        answers.append(await shop.post(webhook(), {}))
    told = f"{logs} {[answer.text for answer in answers]}"
    assert "could not be read" in told
    tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in shop.platform.requests]
    for each in (*tokens, API_KEY, AUTHENTICATION_KEY, "ada@example.com", SIGNER.public):
        assert each not in told
