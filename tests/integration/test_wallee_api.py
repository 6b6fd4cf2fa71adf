"""The client of wallee's API over real HTTP: what it asks for, what it makes of it, and whom it tells what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from projections.http.client import open_http
from projections.provided import ProvidedError, Refused, Throttled, Unauthorized, Unavailable
from service.sources.reading import AccountUnfit
from service.sources.table import READING
from service.sources.wallee_api import CACHED_SECONDS, WalleeApi, open_wallee
from service.sources.wallee_auth import WalleeAuth
from service.sources.wallee_space import ENTRIES, LARGEST_LIST, MOST_PAGES, WalleeSpace
from tests.integration.raw_http import Act, answer, hang_up, keep_silent, not_http, raw_server, reset, trickle
from tests.wallee_platform import (
    API_KEY,
    AUTHENTICATION_KEY,
    KEY_ID,
    SPACE,
    Platform,
    Signer,
    failure,
    platform,
)

pytestmark = pytest.mark.anyio

LISTED = "order=id:DESC&limit=100"
EXPANDED = "expand=subscriber&expand=currentProductVersion&expand=currentProductVersion.product"
SUBSCRIPTION = f"subscriptions/7?{EXPANDED}"
VERSIONS = f"subscriptions/versions/search?query=subscription.id:7&{LISTED}"
CHARGES = f"subscriptions/charges/search?query=subscription.id:7&{LISTED}&expand=transaction"
SUSPENSIONS = f"subscriptions/suspensions/search?query=subscription.id:7&{LISTED}"
BILLS = f"subscriptions/period-bills/search?query=subscriptionVersion.subscription.id:7&{LISTED}"
COMPONENT = "subscriptions/products/components/31?expand=reference"
VERSION = "expand=subscriptionVersion"
LEVELS = f"payment/charge-flows/levels/search?query=transaction.id:91&{LISTED}"


def listed(*objects: bytes, more: bool = False) -> bytes:
    """A page of a list whose objects are these very bytes."""
    rest = f'],\n "hasMore": {"true" if more else "false"}, "limit": 100, "offset": 0}}'
    return b'{"data": [' + b" ,\n".join(objects) + rest.encode()


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[WalleeApi, Platform]]:
    async with platform() as there, open_wallee(there.url, API_KEY, SPACE) as api:
        yield api, there


@asynccontextmanager
async def raw(*acts: Act, deadline: float = 30.0) -> AsyncIterator[WalleeApi]:
    async with (
        raw_server(*acts) as server,
        open_http(f"http://127.0.0.1:{server.port}/api/v2.0", timeout=5, connections=5) as http,
    ):
        secrets = [API_KEY, AUTHENTICATION_KEY]
        yield WalleeApi(WalleeSpace(http, WalleeAuth(API_KEY), SPACE, secrets=secrets, deadline=deadline))


async def read(api: WalleeApi, about: str) -> Any:
    pages = await api.read(about)
    assert pages is not None
    [page] = pages
    return msgspec.json.decode(page)


async def error_of(api: WalleeApi, about: str = "payment/refunds/5") -> ProvidedError:
    with pytest.raises(ProvidedError) as caught:
        await api.read(about)
    return caught.value


# --- a subscription as a whole ------------------------------------------------------------------------------


async def test_a_subscription_comes_with_all_that_says_how_it_stands() -> None:
    # Blanks, numbers and letters that decoding and encoding again would change.
    subscription = '{ "id": 7,  "version":3, "state" : "ACTIVE", "description":"\\u00e4 Ä", "x": 1.10 }\n'.encode()
    version = b'{"id": 21 , "componentConfigurations": [{"component": 31, "quantity": 2.50}, {"component": null}]}'
    charge = b'{ "id":41, "state": "PROCESSING", "transaction": {"id": 91, "amountOutstanding": 10.00} }'
    older = b'{"id": 40, "state":"SUCCESSFUL", "transaction": {"id": 90}}'
    suspension, bill = b'{"id" : 51, "state":"RUNNING"}', b'{"id": 61,"state" : "PENDING"}'
    component, level = b'{"id":31, "reference": {"sku": "seat" } }', b'{"id": 71, "state" :"FAILED"}'
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, subscription)
        there.has(VERSIONS, listed(version))
        there.has(CHARGES, listed(charge, older))
        there.has(SUSPENSIONS, listed(suspension))
        there.has(BILLS, listed(bill))
        there.has(COMPONENT, component)
        there.has(LEVELS, listed(level))
        pages = await api.read("subscriptions/7#405:2:35")
    assert pages is not None
    [page] = pages
    assert page == (
        b'{"subscription":%b,"versions":[%b],"charges":[%b,%b],"suspensions":[%b],"periodBills":[%b],'
        b'"components":[%b],"levels":[%b]}'
    ) % (subscription, version, charge, older, suspension, bill, component, level)
    assert there.asked[0] == SUBSCRIPTION, "it is the oldest of what is said"
    assert [asked for asked in there.asked if "levels" in asked] == [LEVELS], "what is paid has nothing under way"


async def test_a_subscription_of_which_nothing_else_is_known_is_an_answer() -> None:
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, {"id": 7})
        whole = await read(api, "subscriptions/7")
    lists = ("versions", "charges", "suspensions", "periodBills", "components", "levels")
    assert whole == {"subscription": {"id": 7}} | {name: [] for name in lists}


async def test_a_subscription_that_is_not_there_is_none_and_nothing_more_is_asked() -> None:
    async with reading() as (api, there):
        assert await api.read("subscriptions/7#1") is None
        assert there.asked == [SUBSCRIPTION]


async def test_lists_are_followed_as_far_as_they_are_bounded() -> None:
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, {"id": 7})
        pages = [listed(*(b'{"id":%d}' % (1000 - 100 * page - n) for n in range(100)), more=True) for page in range(4)]
        for number, page in enumerate(pages):
            query = CHARGES.replace("&expand", f"&expand=transaction&offset={100 * number}&-").partition("&-")[0]
            there.has(query if number else CHARGES, page)
        whole = await read(api, "subscriptions/7")
    assert [charge["id"] for charge in whole["charges"]] == list(range(1000, 1000 - ENTRIES * MOST_PAGES, -1))


async def test_a_list_that_says_more_and_holds_nothing_is_at_its_end() -> None:
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, {"id": 7})
        there.has(VERSIONS, listed(more=True))
        assert (await read(api, "subscriptions/7"))["versions"] == []
        assert there.asked.count(VERSIONS) == 1


async def test_a_list_that_is_large_already_is_not_followed() -> None:
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, {"id": 7})
        there.has(CHARGES, listed(b'{"id":9,"note":"%b"}' % (b"x" * LARGEST_LIST), more=True))
        assert len((await read(api, "subscriptions/7"))["charges"]) == 1
        assert not [asked for asked in there.asked if "offset" in asked]


async def test_a_component_is_read_once_an_hour_and_one_that_is_gone_is_left_out() -> None:
    now = 0.0
    async with (
        platform() as there,
        open_http(f"{there.url}/api/v2.0", timeout=5, connections=5) as http,
    ):
        api = WalleeApi(WalleeSpace(http, WalleeAuth(API_KEY), SPACE, secrets=[]), clock=lambda: now)
        there.has(SUBSCRIPTION, {"id": 7})
        there.has(VERSIONS, listed(b'{"id":2,"componentConfigurations":[{"component":31},{"component":32}]}'))
        there.has(COMPONENT, {"id": 31})
        for _ in range(3):
            assert (await read(api, "subscriptions/7"))["components"] == [{"id": 31}]
        assert there.asked.count(COMPONENT) == 1
        now = CACHED_SECONDS
        await read(api, "subscriptions/7")
        assert there.asked.count(COMPONENT) == 2


# --- other things -------------------------------------------------------------------------------------------


async def test_a_transaction_comes_with_the_charges_that_it_is_of() -> None:
    async with reading() as (api, there):
        there.has("payment/transactions/91", b'{"id":91, "state":"FULFILL"}')
        there.has(f"subscriptions/charges/search?query=transaction.id:91&{LISTED}", listed(b'{"id":41 }'))
        assert await api.read("payment/transactions/91#e") == [
            b'{"transaction":{"id":91, "state":"FULFILL"},"charges":[{"id":41 }]}'
        ]
        assert await api.read("payment/transactions/92#e") is None


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        ("payment/refunds/5#405:2:35", "payment/refunds/5"),
        ("payment/charge-flow-levels/5", "payment/charge-flows/levels/5"),
        ("subscriptions/charges/5", "subscriptions/charges/5"),
        ("subscriptions/versions/5", "subscriptions/versions/5"),
        ("subscriptions/suspensions/5", "subscriptions/suspensions/5"),
        (
            "subscriptions/period-bills/5?expand=subscriptionVersion",
            "subscriptions/period-bills/5?expand=subscriptionVersion",
        ),
    ],
)
async def test_everything_else_is_read_as_it_is(about: str, asked: str) -> None:
    async with reading() as (api, there):
        assert await api.read(about) is None
        there.has(asked, b'{"id" : 5}')
        assert await api.read(about) == [b'{"id" : 5}']
        assert there.asked == [asked, asked]


@pytest.mark.parametrize(
    "about",
    ["", "subscriptions", "subscriptions/", "subscriptions/x", "subscriptions/7/terminate", "payment/refunds/../x/1",
     "/subscriptions/7", "spaces/1", "subscriptions/7?query=1", "payment/refunds/5?expand=a/b", "subscriptions/-1"],
)  # fmt: skip
async def test_nothing_else_is_asked(about: str) -> None:
    async with reading() as (api, there):
        assert isinstance(await error_of(api, about), Refused)
        assert there.asked == []


# --- who asks -----------------------------------------------------------------------------------------------


async def test_every_request_proves_who_asks_and_names_the_space() -> None:
    async with reading() as (api, there):
        there.has(SUBSCRIPTION, {"id": 7})
        await api.read("subscriptions/7")
        assert [request.headers["space"] for request in there.requests] == [SPACE] * 5
    # The platform has checked the token of each: an untrue one would have been answered 401.


async def test_a_key_of_another_user_is_refused() -> None:
    async with platform() as there, open_wallee(there.url, f"513:{AUTHENTICATION_KEY}", SPACE) as api:
        assert isinstance(await error_of(api), Unauthorized)


@pytest.mark.parametrize("path", ["", "/", "/api/v2.0", "/api/v2.0/"])
async def test_a_host_alone_is_enough(path: str) -> None:
    async with platform() as there, open_wallee(there.url + path, API_KEY, SPACE) as api:
        there.has("payment/refunds/5", {"id": 5})
        assert await api.read("payment/refunds/5") is not None


@pytest.mark.parametrize("account", ["", "main", "4 05", "-1", "²"])
async def test_an_account_that_is_no_space_is_told_so(account: str) -> None:
    with pytest.raises(AccountUnfit, match="space"):
        await open_wallee("http://127.0.0.1:9", API_KEY, account).__aenter__()


# --- keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", '"{}"', "{}\n", ' "{}" '])
async def test_a_public_key_is_a_text_or_a_text_in_json(form: str) -> None:
    signer = Signer()
    async with reading() as (api, there):
        there.has(f"webhooks/encryption-keys/{KEY_ID}", form.format(signer.public).encode())
        assert await api.public_key(KEY_ID) == signer.public
        [request] = there.requests
        assert "space" not in request.headers
        assert await api.public_key("another") is None


@pytest.mark.parametrize(
    "text", [b"<html>Welcome</html>", b"", b"AAAA", b'{"publicKey": "x"}', b"\xff\xfe", b"A" * 3000]
)
async def test_what_is_no_key_is_no_answer(text: bytes) -> None:
    async with reading() as (api, there):
        there.has(f"webhooks/encryption-keys/{KEY_ID}", text)
        with pytest.raises(Unavailable, match="public key"):
            await api.public_key(KEY_ID)


async def test_a_key_on_another_curve_is_no_answer() -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1

    async with reading() as (api, there):
        there.has_key(Signer(SECP384R1()))
        with pytest.raises(Unavailable, match="P-256"):
            await api.public_key(KEY_ID)


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Unauthorized),
        (406, Refused),
        (409, Unavailable),
        (422, Refused),
        (429, Throttled),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_each_failure_is_told_apart(status: int, kind: type[ProvidedError]) -> None:
    async with reading() as (api, there):
        there.failing = status, failure("some_code", "In wallee's own words."), "Retry-After: 7\r\n"
        error = await error_of(api)
        assert (type(error), error.status, error.text, error.retry_after) == (
            kind,
            status,
            "In wallee's own words.",
            7.0,
        )
        with pytest.raises(kind):
            await api.public_key(KEY_ID)
        with pytest.raises(kind):
            await api.read("subscriptions/7")


@pytest.mark.parametrize("act", [hang_up, reset, not_http, answer(200, b'{"id": 5}', longer_by=9)])
async def test_a_lost_answer_is_asked_for_again(act: Act) -> None:
    async with raw(act) as api:
        assert isinstance(await error_of(api), Unavailable)


@pytest.mark.parametrize("act", [keep_silent, trickle])
async def test_a_question_ends_in_time(act: Act) -> None:
    async with raw(act, deadline=0.2) as api, asyncio.timeout(5):
        assert isinstance(await error_of(api), Unavailable)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": []}', b'{"id": "5"}', b"\xff", b"[" * 100_000])
async def test_an_answer_of_another_form_is_none(body: bytes) -> None:
    async with raw(answer(200, body)) as api:
        assert isinstance(await error_of(api), Unavailable)


@pytest.mark.parametrize("body", [b"", b"<html>Not Found</html>", b"{}", b"[]"])
async def test_a_404_is_believed_in_wallees_own_words_alone(body: bytes) -> None:
    async with raw(answer(404, body), answer(404, body)) as api:
        error = await error_of(api)
        assert (type(error), error.status) == (Unavailable, 404)
        with pytest.raises(Unavailable):
            await api.public_key(KEY_ID)


async def test_a_list_that_is_not_there_is_refused() -> None:
    async with raw(answer(200, {"id": 7}), answer(404, failure("no", "No such list."))) as api:
        error = await error_of(api, "subscriptions/7")
        assert (type(error), error.text) == (Refused, "No such list.")


async def test_redirects_are_not_followed() -> None:
    async with raw(answer(302, headers="Location: http://127.0.0.2:1/steal\r\n")) as api:
        assert isinstance(await error_of(api), Refused)


async def test_neither_key_nor_token_is_told() -> None:
    async with reading() as (api, there):
        there.failing = 400, failure("bad", f"What is {{authorization}} with {API_KEY}?"), ""
        error = await error_of(api)
        token = there.requests[0].headers["authorization"].removeprefix("Bearer ")
    assert error.text == "What is Bearer [token] with [key]?"
    for each in (token, API_KEY, AUTHENTICATION_KEY):
        assert each not in f"{error!r} {error}"


def test_its_place_in_the_table() -> None:
    assert READING["wallee"].url == "https://app-wallee.com/api/v2.0"
