"""Keys for a checkout over real HTTP and a real database: only authentic requests, durable keys, always the same."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx2
import msgspec
import pytest

from domain.events import Event, Stream
from domain.receipts import KeysGenerated, read_receipt
from service import fulfillment
from service.secrets import Secret
from service.settings import Server, Settings, Source, Target
from tests.key_requests import HASH, PRIVATE_KEY, REFERENCE, SECOND_PRIVATE_KEY, ask, body, form, keys, signed
from tests.serving import Served, served, settings
from tests.severing import severable

pytestmark = pytest.mark.anyio

PURCHASE = Stream(f"spring/fulfillment/{REFERENCE}")
TYPES = ["fulfillment.requested", "tenure.keys_generated"]


def selling(dsn: str, *, timeout: float = 10) -> Settings:
    """FastSpring's live mode, its test mode, and an account without a generator key; Stripe, which has no generator."""
    base = settings(dsn, server=Server(port=0, body_timeout_seconds=1, stop_timeout_seconds=5), timeout=timeout)
    sources = {
        "spring": Source(provider="fastspring", target="ls"),
        "spring-test": Source(provider="fastspring", target="ls", mode="test"),
        "keyless": Source(provider="fastspring", target="ls"),
        "several": Source(provider="fastspring", target=("ls", "other")),
    }
    targets = {**base.targets, "other": Target(server="licensespring", url="http://127.0.0.1:9")}
    private = (Secret(PRIVATE_KEY), Secret(SECOND_PRIVATE_KEY))
    secrets = msgspec.structs.replace(
        base.secrets,
        sources={**base.secrets.sources, **dict.fromkeys(sources, (Secret("webhook secret"),))},
        generator_keys={"spring": private, "spring-test": private, "several": private},
    )
    return msgspec.structs.replace(base, sources={**base.sources, **sources}, targets=targets, secrets=secrets)


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Served]:
    async with served(selling(database), database) as shop:
        yield shop


async def stored(shop: Served, stream: Stream = PURCHASE) -> list[Event]:
    return await shop.process.reader.log.read_stream(stream)


async def everything(shop: Served) -> int:
    return sum((await shop.process.reader.log.heads(range(256))).values())


def assert_problem(answer: httpx2.Response, status: int, words: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


# --- answered -----------------------------------------------------------------------------------------------


async def test_each_unit_gets_a_key_of_its_own(shop: Served) -> None:
    given = await keys(shop.http, "spring", form(quantity=3))
    assert len(given) == len(set(given)) == 3
    assert all(len(key) == len("AAAA-BBBB-CCCC-DDDD") for key in given)
    assert await shop.metric('tenure_key_requests_total{outcome="answered",source="spring"}') == 1


@pytest.mark.parametrize(("named", "target"), [({}, "ls"), ({"target": "other"}, "other"), ({"target": "ls"}, "ls")])
async def test_keys_are_of_the_target_that_the_form_names_or_of_the_first(
    shop: Served, named: dict[str, str], target: str
) -> None:
    given = await keys(shop.http, "several", {**form(), **named})
    *_, recorded = await stored(shop, Stream(f"several/fulfillment/{REFERENCE}"))
    assert read_receipt(recorded) == KeysGenerated(target=target, product="falcon-pro", keys=tuple(given))


async def test_keys_of_a_target_that_is_not_the_sources_are_refused_with_the_remedy(shop: Served) -> None:
    before = await everything(shop)
    answer = await ask(shop.http, "spring", form(target="other"))
    assert_problem(answer, 422, "target = one of: ls")
    assert await everything(shop) == before


async def test_the_request_is_kept_byte_for_byte_and_the_keys_with_it(shop: Served) -> None:
    given = await keys(shop.http, "spring", form())
    asked, recorded = await stored(shop)
    assert [asked.type, recorded.type] == TYPES
    assert (asked.origin, asked.body) == ("webhook", body(signed(form())))
    assert read_receipt(recorded) == KeysGenerated(target="ls", product="falcon-pro", keys=tuple(given))


async def test_asked_again_the_same_keys_are_answered_and_nothing_is_stored(shop: Served) -> None:
    given = await keys(shop.http, "spring", form())
    for _ in range(3):
        assert await keys(shop.http, "spring", form()) == given
    assert len(await stored(shop)) == 2


async def test_asked_in_other_words_the_same_keys_are_answered(shop: Served) -> None:
    given = await keys(shop.http, "spring", form())
    assert await keys(shop.http, "spring", form(referrer="newsletter")) == given
    assert [event.type for event in await stored(shop)] == [*TYPES, TYPES[0]]


async def test_many_requests_at_once_are_answered_the_same_keys(shop: Served) -> None:
    for number in range(10):
        asked = form(quantity=3, reference=f"FAL-{number}")
        answers = await asyncio.gather(*(keys(shop.http, "spring", {**asked, "n": str(n)}) for n in range(8)))
        assert all(answer == answers[0] for answer in answers)


async def test_more_units_later_keep_their_keys_and_get_new_ones_behind_them(shop: Served) -> None:
    two = await keys(shop.http, "spring", form(quantity=2))
    five = await keys(shop.http, "spring", form(quantity=5))
    assert five[:2] == two
    assert len(set(five)) == 5
    assert await keys(shop.http, "spring", form(quantity=2)) == two
    assert await keys(shop.http, "spring", form(quantity=5)) == five


async def test_more_and_fewer_units_at_once_agree_on_every_key(shop: Served) -> None:
    quantities = [1, 4, 2, 7, 3, 7, 5, 6]
    answers = await asyncio.gather(*(keys(shop.http, "spring", form(quantity=each)) for each in quantities))
    longest = max(answers, key=len)
    assert [len(answer) for answer in answers] == quantities
    assert all(answer == longest[: len(answer)] for answer in answers)
    assert len(set(longest)) == 7


async def test_each_product_of_an_order_has_its_own_keys(shop: Served) -> None:
    pro = await keys(shop.http, "spring", form())
    lite = await keys(shop.http, "spring", form(product="falcon-lite"))
    assert not set(pro) & set(lite)
    assert await keys(shop.http, "spring", form()) == pro


async def test_a_renewal_is_answered_the_keys_of_the_first_order(shop: Served) -> None:
    subscription = f"{REFERENCE}S"
    given = await keys(shop.http, "spring", form(subscriptionReference=subscription))
    rebill = form(reference="FAL260301-2002-1111B", subscriptionReference=subscription)
    assert await keys(shop.http, "spring", rebill) == given


async def test_a_single_license_is_answered_one_key(shop: Served) -> None:
    assert len(await keys(shop.http, "spring", form(quantity=5, single_license="true"))) == 1


async def test_every_live_private_key_is_accepted(shop: Served) -> None:
    for key in (PRIVATE_KEY, SECOND_PRIVATE_KEY):
        assert (await ask(shop.http, "spring", form(), key)).status_code == 200


# --- modes --------------------------------------------------------------------------------------------------


async def test_a_test_purchase_at_a_live_source_gets_keys_that_are_kept_apart(shop: Served) -> None:
    live = await keys(shop.http, "spring", form())
    tested = await keys(shop.http, "spring", form(test="1"))
    assert not set(live) & set(tested)
    assert await keys(shop.http, "spring", form(test="1")) == tested
    assert [event.type for event in await stored(shop, Stream(f"spring/fulfillment-test/{REFERENCE}"))] == TYPES
    assert len(await stored(shop)) == 2
    assert await shop.metric('tenure_key_requests_total{outcome="answered a test",source="spring"}') == 2


async def test_a_source_in_test_mode_answers_tests_and_no_live_purchase(shop: Served) -> None:
    assert len(await keys(shop.http, "spring-test", form(test="1"))) == 2
    assert len(await stored(shop, Stream(f"spring-test/fulfillment/{REFERENCE}"))) == 2
    before = await everything(shop)
    assert_problem(await ask(shop.http, "spring-test", form()), 409, "place a test order")
    assert await everything(shop) == before


# --- refused ------------------------------------------------------------------------------------------------


async def test_a_forged_request_is_refused_counted_and_not_stored(shop: Served) -> None:
    forged = {**signed(form()), "quantity": "1000"}
    assert_problem(await shop.http.post("/fulfillment/spring", data=forged), 401, "private key")
    assert_problem(await ask(shop.http, "spring", form(), "another key"), 401, "private key")
    assert await everything(shop) == 0
    assert await shop.metric('tenure_key_requests_total{outcome="not authentic",source="spring"}') == 2
    reason = f"{HASH} does not fit: check the private key and that the URL has no parameters"
    assert await shop.metric(f'tenure_deliveries_refused_total{{reason="{reason}",source="spring"}}') == 2


async def test_a_request_without_a_hash_is_refused_and_counted(shop: Served) -> None:
    assert_problem(await shop.http.post("/fulfillment/spring", data=form()), 401, f"{HASH} is missing")
    assert await everything(shop) == 0
    assert await shop.metric(f'tenure_deliveries_refused_total{{reason="{HASH} is missing",source="spring"}}') == 1


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [("shop", 404, "no license generator"), ("keyless", 401, "no private key"), ("nobody", 404, "No source")],
)
async def test_a_source_that_cannot_be_asked_says_why(shop: Served, source: str, status: int, words: str) -> None:
    assert_problem(await ask(shop.http, source, form()), status, words)
    assert await everything(shop) == 0


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        (form(quantity=1001), 422, "1000 keys"),
        (form(quantity=0), 422, "quantity"),
        (form(reference=""), 422, "reference"),
        (form(product=""), 422, "internalProductName"),
        (form(reference="💥" * 120), 422, "reference has more than 300 bytes"),
        (form(product="💥" * 120), 422, "product has more than 300 bytes"),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_the_remedy(
    shop: Served, fields: Mapping[str, str], status: int, words: str
) -> None:
    assert_problem(await ask(shop.http, "spring", fields), status, words)
    assert await everything(shop) == 0
    assert await shop.metric('tenure_key_requests_total{outcome="unusable",source="spring"}') == 1


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"name=%FC", "application/x-www-form-urlencoded", 400),
        (b"quantity=1&quantity=2", "application/x-www-form-urlencoded", 400),
        (b"x=" + b"1" * fulfillment.BODY_LIMIT_BYTES, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 401),
    ],
)
async def test_what_is_no_proper_form_is_refused(shop: Served, content: bytes, content_type: str, status: int) -> None:
    answer = await shop.http.post("/fulfillment/spring", content=content, headers={"content-type": content_type})
    assert_problem(answer, status, "")
    assert await everything(shop) == 0


async def test_other_methods_are_refused(shop: Served) -> None:
    answer = await shop.http.get("/fulfillment/spring", params=signed(form()))
    assert_problem(answer, 405, "POST")
    assert answer.headers["allow"] == "POST"


async def test_headers_that_cannot_be_stored_are_refused(shop: Served) -> None:
    kind = f"application/x-www-form-urlencoded; charset=utf-8; x={'y' * 500}"
    answer = await shop.http.post("/fulfillment/spring", content=body(signed(form())), headers={"content-type": kind})
    assert_problem(answer, 422, "headers")
    assert await everything(shop) == 0


async def test_no_secret_and_nothing_of_a_request_is_logged(shop: Served, capfd: pytest.CaptureFixture[str]) -> None:
    given = await keys(shop.http, "spring", form())
    await ask(shop.http, "spring", form(), "another key")
    await ask(shop.http, "spring", form(quantity=0))
    await ask(shop.http, "spring", form(test="1"))
    out, err = capfd.readouterr()
    for hidden in (*given, "ada", "Ada", REFERENCE, PRIVATE_KEY, signed(form())[HASH]):
        assert hidden not in out + err


# --- the database is down -----------------------------------------------------------------------------------


async def test_while_the_database_is_down_the_answer_is_a_problem_within_a_second_and_then_the_keys(
    database: str,
) -> None:
    async with severable(database) as way, served(selling(way.dsn), way.dsn) as shop:
        await keys(shop.http, "spring", form(reference="FAL-0"))
        await way.cut()
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await ask(shop.http, "spring", form())
        assert loop.time() - started < 1
        assert_problem(answer, 503, "ask again")
        assert int(answer.headers["retry-after"]) > 0
        await way.mend()
        given = await keys(shop.http, "spring", form())
        assert await keys(shop.http, "spring", form()) == given
