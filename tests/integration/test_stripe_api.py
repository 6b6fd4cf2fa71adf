"""The client of Stripe's API over real HTTP: against the simulated account, and against servers that behave badly."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from projections.http.client import open_http
from projections.provided import ProvidedError, Refused, Throttled, Unauthorized, Unavailable
from service.sandbox.faults import Answer, Drop, Effect, Fault, HtmlPage, Throttle
from service.sandbox.stripe import Account, catalog
from service.sandbox.stripe.runner import RunningStripeApi, running_stripe_api
from service.sources import stripe_api
from service.sources.stripe_api import StripeApi, open_stripe
from tests.integration.raw_http import Act, answer, hang_up, keep_silent, not_http, raw_server, reset, trickle

pytestmark = pytest.mark.anyio

KEY = "sk_test_51AbCdEfGh"
LISTED = "invoice_payments?payment[type]=payment_intent&payment[payment_intent]={}"


def _named(act: Act) -> str:
    return getattr(act, "__name__", "act")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def reading(account: Account, **more: Any) -> AsyncIterator[tuple[StripeApi, RunningStripeApi]]:
    async with running_stripe_api([account], **more) as running, open_stripe(running.url, running.key) as stripe:
        yield stripe, running


def bought(*, invoice: bool = False, items: int = 1) -> tuple[Account, str]:
    account = Account("api", start=datetime(2026, 1, 31, tzinfo=UTC))
    lines = [(catalog.PERPETUAL, number + 1) for number in range(items)]
    return account, account.check_out_purchase("Ada Marlow", "ada@example.com", lines, invoice=invoice)


def only(pages: list[bytes] | None) -> dict[str, Any]:
    assert pages is not None
    (page,) = pages
    return dict(msgspec.json.decode(page))


async def raised(question: Awaitable[object]) -> ProvidedError:
    with pytest.raises(ProvidedError) as caught:
        await question
    return caught.value


class TestObjects:
    async def test_each_is_answered_as_it_stands(self) -> None:
        account, _ = bought(invoice=True)
        subscription, customer = account.check_out_subscription("Bo", "bo@example.com", [(catalog.PRO_MONTHLY, 2)])
        (invoice, *_) = account.book.invoices
        async with reading(account) as (stripe, _):
            assert only(await stripe.read(f"customers/{customer}"))["email"] == "bo@example.com"
            assert only(await stripe.read(f"subscriptions/{subscription}"))["status"] == "active"
            assert only(await stripe.read(f"invoices/{invoice}"))["status"] == "paid"
            price = only(await stripe.read(f"prices/{catalog.PRO_MONTHLY.id}"))
            assert price["metadata"]["short_code"] == "falcon-pro"

    @pytest.mark.parametrize(
        "about",
        [
            "customers/cus_x",
            "prices/price_x",
            "checkout/sessions/cs_x/line_items",
            "subscription_items?subscription=sub_x",
            "customers/cus%2F..%2Fx%3Fy%3D1",
        ],
    )
    async def test_what_there_is_not_is_none(self, about: str) -> None:
        async with reading(bought()[0]) as (stripe, _):
            assert await stripe.read(about) is None

    async def test_the_key_and_the_version_are_sent_and_what_tells_questions_apart_is_not(self) -> None:
        async with raw_server(answer(200, {"object": "customer"})) as server, open_stripe(_url(server), KEY) as stripe:
            await stripe.read("customers/cus_1#1769904000")
        [request] = server.requests
        assert request.line == "GET /v1/customers/cus_1 HTTP/1.1"
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["stripe-version"] == "2026-01-28.clover"


class TestLists:
    async def test_the_lines_of_a_checkout_come_with_their_prices(self) -> None:
        account, session = bought()
        async with reading(account) as (stripe, _):
            page = only(await stripe.read(f"checkout/sessions/{session}/line_items"))
        assert [line["price"]["metadata"]["license_type"] for line in page["data"]] == ["perpetual"]

    async def test_a_payment_leads_to_its_invoice_and_one_of_another_kind_to_none(self) -> None:
        account, _ = bought(invoice=True)
        (payment,) = account.book.invoice_payments.values()
        async with reading(account) as (stripe, _):
            (found,) = only(await stripe.read(LISTED.format(payment.payment_intent)))["data"]
            assert found["invoice"] == payment.invoice
            assert only(await stripe.read(LISTED.format("pi_x")))["data"] == []

    async def test_a_list_is_followed_to_its_end(self) -> None:
        account, _ = bought(invoice=True, items=250)
        (invoice,) = account.book.invoices.values()
        async with reading(account) as (stripe, running):
            pages = await stripe.read(f"invoices/{invoice.id}/lines")
        assert pages is not None
        assert [msgspec.json.decode(page)["has_more"] for page in pages] == [True, True, False]
        lines = [line["id"] for page in pages for line in msgspec.json.decode(page)["data"]]
        assert lines == [line.id for line in invoice.lines]
        assert [call.rpartition("?")[2] for call in running.api.calls] == [
            "limit=100",
            f"limit=100&starting_after={lines[99]}",
            f"limit=100&starting_after={lines[199]}",
        ]

    async def test_all_items_of_a_subscription(self) -> None:
        account, _ = bought()
        items = [(catalog.PRO_MONTHLY, 1), (catalog.TEAM_MONTHLY, 2)]
        subscription, _ = account.check_out_subscription("Bo", "bo@example.com", items)
        async with reading(account) as (stripe, _):
            page = only(await stripe.read(f"subscription_items?subscription={subscription}#5"))
        assert [item["quantity"] for item in page["data"]] == [1, 2]

    async def test_a_list_without_an_end_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe_api, "MOST_PAGES", 2)
        account, _ = bought(invoice=True, items=250)
        (invoice,) = account.book.invoices
        async with reading(account) as (stripe, _):
            assert "more than 2 pages" in str(await raised(stripe.read(f"invoices/{invoice}/lines")))

    async def test_a_list_too_large_to_be_kept_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe_api, "LARGEST_ANSWER", 20_000)
        account, _ = bought(invoice=True, items=50)
        (invoice,) = account.book.invoices
        async with reading(account) as (stripe, _):
            error = await raised(stripe.read(f"invoices/{invoice}/lines"))
        assert isinstance(error, Refused)
        assert "more than 20000 bytes" in str(error)

    async def test_an_empty_page_that_promises_more_is_no_answer(self) -> None:
        async with _raw(answer(200, {"object": "list", "data": [], "has_more": True})) as stripe:
            assert isinstance(await raised(stripe.read("invoice_payments")), Unavailable)

    async def test_a_list_that_vanishes_half_way_is_asked_again(self) -> None:
        first = answer(200, {"object": "list", "data": [{"id": "il_1"}], "has_more": True})
        async with _raw(first, answer(404, {"error": {"code": "resource_missing"}})) as stripe:
            assert isinstance(await raised(stripe.read("invoices/in_1/lines")), Unavailable)


class TestPrices:
    async def test_a_price_is_read_once_in_a_while(self) -> None:
        account, _ = bought()
        about, clock = f"prices/{catalog.PERPETUAL.id}", Clock()
        async with running_stripe_api([account]) as running, open_http(running.url, timeout=5, connections=5) as http:
            stripe = StripeApi(http, running.key, clock=clock)
            first = await stripe.read(about)
            assert await stripe.read(about) == first
            assert len(running.api.calls) == 1
            clock.now += stripe_api.CACHED_SECONDS
            assert await stripe.read(about) == first
            assert len(running.api.calls) == 2

    async def test_that_there_is_none_is_not_remembered(self) -> None:
        async with reading(bought()[0]) as (stripe, running):
            for _ in range(2):
                assert await stripe.read("prices/price_x") is None
            assert len(running.api.calls) == 2

    async def test_the_oldest_is_forgotten_when_there_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe_api, "CACHED_PRICES", 2)
        prices = [catalog.PERPETUAL.id, catalog.YEAR_PASS.id, catalog.PRO_MONTHLY.id]
        async with reading(bought()[0]) as (stripe, running):
            for price in [*prices, prices[2], prices[1], prices[0]]:
                await stripe.read(f"prices/{price}")
            assert [call.rpartition("/")[2] for call in running.api.calls] == [*prices, prices[0]]

    async def test_the_catalog_is_every_active_price(self) -> None:
        async with reading(bought()[0]) as (stripe, _):
            found = {item.name: item async for item in stripe.catalog()}
        assert found[catalog.PERPETUAL.id].attributes == catalog.PERPETUAL.metadata
        assert found[catalog.PERPETUAL.id].product == catalog.PERPETUAL.product
        assert not found[catalog.PERPETUAL.id].recurring
        assert found[catalog.PRO_MONTHLY.id].recurring


class TestErrors:
    @pytest.mark.parametrize(
        ("effect", "expected"),
        [
            (Throttle(retry_after=None), Throttled),
            (Throttle(retry_after=7), Throttled),
            (Answer(status=401), Unauthorized),
            (Answer(status=403), Unauthorized),
            (Answer(status=400), Refused),
            (Answer(status=302, headers={"location": "http://127.0.0.2:1/steal"}), Refused),
            (Answer(status=404), Refused),
            (Answer(status=408), Unavailable),
            (Answer(status=409), Unavailable),
            (Answer(status=500), Unavailable),
            (HtmlPage(status=502), Unavailable),
            (HtmlPage(status=200), Unavailable),
            (Drop(), Unavailable),
        ],
        ids=repr,
    )
    async def test_each_failure_says_what_to_do_next(self, effect: Effect, expected: type[ProvidedError]) -> None:
        async with reading(bought()[0]) as (stripe, running):
            running.api.faults.place(Fault(effect=effect))
            error = await raised(stripe.read("customers/cus_1"))
            assert type(error) is expected
            assert error.about == "customers/cus_1"
            assert error.retry_after == (effect.retry_after if isinstance(effect, Throttle) else None)
            # It was met once; the same question is answered now.
            assert await stripe.read("customers/cus_1") is None

    @pytest.mark.parametrize("act", [hang_up, reset, not_http, answer(200, b"x", longer_by=5)], ids=_named)
    async def test_an_answer_that_does_not_come_whole_is_asked_again(self, act: Act) -> None:
        async with _raw(act) as stripe:
            assert isinstance(await raised(stripe.read("customers/cus_1")), Unavailable)

    @pytest.mark.parametrize("act", [keep_silent, trickle], ids=_named)
    async def test_an_answer_that_takes_too_long_is_given_up(self, act: Act) -> None:
        async with raw_server(act) as server, open_http(_url(server), timeout=5, connections=1) as http:
            assert isinstance(await raised(StripeApi(http, KEY, deadline=0.05).read("customers/cus_1")), Unavailable)

    async def test_nobody_listening_is_asked_again(self) -> None:
        async with raw_server() as server:
            url = _url(server)
        async with open_stripe(url, KEY) as stripe:
            assert isinstance(await raised(stripe.read("customers/cus_1")), Unavailable)

    async def test_too_many_requests_are_throttled(self) -> None:
        async with reading(bought()[0], per_second=1) as (stripe, _):
            assert await stripe.read("customers/cus_1") is None
            assert isinstance(await raised(stripe.read("customers/cus_1")), Throttled)

    async def test_a_wrong_key_is_named_and_not_shown(self) -> None:
        async with running_stripe_api([bought()[0]]) as running, open_stripe(running.url, KEY) as stripe:
            error = await raised(stripe.read("customers/cus_1"))
        assert isinstance(error, Unauthorized)
        assert "check the source's API key" in str(error)

    async def test_a_key_of_the_other_mode_does_not_make_everything_missing(self) -> None:
        text = "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used."
        async with _raw(answer(404, {"error": {"code": "resource_missing", "message": text}})) as stripe:
            error = await raised(stripe.read("customers/cus_1"))
        assert isinstance(error, Unauthorized)
        assert "other mode" in str(error)

    async def test_what_an_error_repeats_of_us_is_taken_out(self) -> None:
        text = f"{KEY} may not read ada@example.com\n" + "x" * 10_000
        async with _raw(answer(403, {"error": {"message": text}})) as stripe:
            error = await raised(stripe.read("customers/cus_1"))
        assert error.text.startswith("[key] may not read [e-mail] x")
        assert len(error.text) <= 300
        assert KEY not in repr(stripe.__dict__)

    @pytest.mark.parametrize("key", ["", "sk test", "sk_\n", "sk_é"])
    async def test_a_key_that_cannot_be_sent_is_refused_at_once(self, key: str) -> None:
        with pytest.raises(ValueError, match="API key"):
            async with open_stripe("http://127.0.0.1:1", key):
                pass


def _url(server: Any) -> str:
    return f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def _raw(*acts: Act) -> AsyncIterator[StripeApi]:
    async with raw_server(*acts) as server, open_stripe(_url(server), KEY) as stripe:
        yield stripe
