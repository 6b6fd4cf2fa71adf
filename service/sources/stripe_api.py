"""Stripe's API, for what its webhooks leave out (docs.stripe.com/api: authentication, versioning, errors, pagination).

Answers are rendered in VERSION whatever version the account is on, so that those who read them know their shape.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from projections.http import Http
from projections.http.client import open_http
from projections.provided import Refused, Unauthorized, Unavailable
from service.sources.catalog import CatalogItem
from service.sources.exchange import LARGEST_ANSWER, Answered, Exchange
from service.sources.reading import Reading

URL = "https://api.stripe.com"
VERSION = "2026-01-28.clover"
LISTS = frozenset({"invoice_payments", "invoices", "line_items", "lines", "prices", "subscription_items"})
"""Last parts of paths whose answers come in pages; everything else refuses to be asked for pages."""
ENTRIES = 100
MOST_PAGES = 100
CACHED_SECONDS = 300.0
CACHED_PRICES = 1000


class _Error(Struct, frozen=True):
    message: str = ""
    code: str = ""


class _Failed(Struct, frozen=True):
    error: _Error


class _Object(Struct, frozen=True):
    object: str


class _Entry(Struct, frozen=True):
    id: str


class _List(Struct, frozen=True):
    data: list[_Entry]
    has_more: bool = False


class _Price(Struct, frozen=True):
    id: str
    product: Any = None
    recurring: Any = None
    metadata: dict[str, str] = {}


class _Prices(Struct, frozen=True):
    data: list[_Price]


_FAILED = msgspec.json.Decoder(_Failed)
_OBJECT = msgspec.json.Decoder(_Object)
_LIST = msgspec.json.Decoder(_List)
_PRICES = msgspec.json.Decoder(_Prices)


class StripeApi:
    """One Stripe account, for reading only. Safe to share between tasks.

    A price is read once in CACHED_SECONDS, by `clock`: a thousand customers buy the same few.
    """

    def __init__(
        self, http: Http, key: str, *, deadline: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a secret key of Stripe is printable ASCII without spaces: check the source's API key")
        headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
        self._exchange = Exchange(http, headers, secrets=[key], words=_words, deadline=deadline)
        self._clock = clock
        self._prices: dict[str, tuple[float, list[bytes]]] = {}

    async def read(self, about: str) -> list[bytes] | None:
        """The pages of the answer to `GET /v1/{about}`, None for what there is not. Raises ProvidedError.

        What stands behind a `#` only tells questions apart and is not sent.
        """
        path, _, query = about.partition("#")[0].partition("?")
        if not path.startswith("prices/"):
            return await self._read(about, path, query)
        until, pages = self._prices.get(path, (0.0, []))
        if until <= self._clock():
            fresh = await self._read(about, path, query)
            if fresh is None:
                return None
            pages = self._remember(path, fresh)
        return pages

    async def catalog(self) -> AsyncIterator[CatalogItem]:
        """Every active price. Raises ProvidedError."""
        async for page in self._pages("prices", "prices", [("active", "true")]):
            try:
                prices = _PRICES.decode(page).data
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                raise _not_stripes("prices") from None
            for price in prices:
                yield CatalogItem(
                    name=price.id,
                    product=price.product if isinstance(price.product, str) else "",
                    recurring=price.recurring is not None,
                    attributes=price.metadata,
                )

    async def _read(self, about: str, path: str, query: str) -> list[bytes] | None:
        params = parse_qsl(query, keep_blank_values=True)
        if path.rpartition("/")[2] not in LISTS:
            answered = await self._ask(about, path, params, LARGEST_ANSWER)
            return None if answered is None else [answered.body]
        pages = [page async for page in self._pages(about, path, params)]
        return pages or None

    async def _pages(self, about: str, path: str, params: Sequence[tuple[str, str]]) -> AsyncIterator[bytes]:
        """The pages of a list from first to last; none when what it is a list of does not exist."""
        after: list[tuple[str, str]] = []
        left = LARGEST_ANSWER
        for _ in range(MOST_PAGES):
            answered = await self._ask(about, path, [*params, ("limit", str(ENTRIES)), *after], left)
            if answered is None:
                if after:
                    # An entry vanished while we were reading.
                    raise Unavailable(about, status=404, text="the list changed while it was read")
                return
            left -= len(answered.body)
            page = _page(about, answered.body)
            yield answered.body
            if not page.has_more:
                return
            if not page.data:
                raise _not_stripes(about)
            after = [("starting_after", page.data[-1].id)]
        raise Refused(about, text=f"the list has more than {MOST_PAGES} pages of {ENTRIES} entries")

    async def _ask(self, about: str, path: str, params: Sequence[tuple[str, str]], limit: int) -> Answered | None:
        answered = await self._exchange.get(about, f"/v1/{path}", params, limit=max(limit, 0))
        if answered.status == 200:
            try:
                _OBJECT.decode(answered.body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                raise _not_stripes(about) from None
            return answered
        error = _error(answered.body)
        if error.code != "resource_missing":
            raise self._exchange.refusal(about, answered)
        if "similar object exists in" in error.message:
            text = "exists in the other mode, live or test: the key is not of the mode of this source"
            raise Unauthorized(about, status=answered.status, text=text)
        return None

    def _remember(self, path: str, pages: list[bytes]) -> list[bytes]:
        self._prices.pop(path, None)
        while len(self._prices) >= CACHED_PRICES:
            del self._prices[next(iter(self._prices))]
        self._prices[path] = (self._clock() + CACHED_SECONDS, pages)
        return pages


@asynccontextmanager
async def open_stripe(
    url: str,
    key: str,
    account: str = "",  # noqa: ARG001 - a key is of one account alone
    *,
    timeout: float = 10.0,
) -> AsyncIterator[StripeApi]:
    """The API at `url`, closed at the end of the block; `timeout` (seconds) bounds each wait for the network."""
    async with open_http(url, timeout=timeout, connections=10) as http:
        yield StripeApi(http, key)


READING = Reading(open=open_stripe, url=URL, requests_per_minute=600, burst=10)
"""A tenth of what a live account allows (100 a second, a sandbox 25): the vendor's own programs use it as well."""


def _page(about: str, body: bytes) -> _List:
    try:
        return _LIST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _not_stripes(about) from None


def _not_stripes(about: str) -> Unavailable:
    return Unavailable(about, status=200, text="the answer is not of the form that Stripe's have")


def _error(body: bytes) -> _Error:
    try:
        return _FAILED.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Error()


def _words(body: bytes) -> str:
    error = _error(body)
    return error.message or error.code
