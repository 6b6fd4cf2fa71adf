"""FastSpring's API, for what its webhooks leave out.

Basic authentication with a name and a password made in its app, and a User-Agent is required
(developer.fastspring.com/reference/getting-started-with-your-api). Limits may show as 404 instead of 429, so that
there is no such thing has to be said several times before it is believed (`Reading.sure_after`).
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from projections.http import Http
from projections.http.client import open_http
from projections.provided import Refused, Unavailable
from service.sources.catalog import CatalogItem
from service.sources.exchange import LARGEST_ANSWER, Exchange
from service.sources.reading import Reading

URL = "https://api.fastspring.com"
USER_AGENT = "Tenure"
KINDS = frozenset({"accounts", "orders", "products", "subscriptions"})
AT_ONCE = 25
"""Products in one question."""
MOST_PAGES = 200
ONE_TIME = frozenset({None, "", "onetime", "one-time"})


class _Names(Struct, frozen=True, rename="camel"):
    products: list[str]
    next_page: int | None = None


class _Pricing(Struct, frozen=True):
    interval: str | None = None


class _Product(Struct, frozen=True):
    product: str
    result: str = ""
    attributes: dict[str, str | None] = {}
    pricing: _Pricing | None = None


class _Products(Struct, frozen=True):
    products: list[_Product]


_NAMES = msgspec.json.Decoder(_Names)
_PRODUCTS = msgspec.json.Decoder(_Products)


class FastSpringApi:
    """One FastSpring store, for reading only. Safe to share between tasks.

    `key` is `NAME:PASSWORD`.
    """

    def __init__(self, http: Http, key: str, *, deadline: float = 30.0) -> None:
        name, colon, password = key.partition(":")
        if not (name and colon and password and key.isascii() and key.isprintable()):
            raise ValueError("FastSpring's API key is NAME:PASSWORD, as its app made them: check the source's API key")
        token = b64encode(key.encode()).decode()
        headers = {"Authorization": f"Basic {token}", "User-Agent": USER_AGENT}
        # A 400 may be its word for "not found", see `_is_unknown`.
        self._exchange = Exchange(
            http,
            headers,
            secrets=[key, password, token],
            words=_words,
            answers=frozenset({200, 400, 404}),
            deadline=deadline,
        )

    async def read(self, about: str) -> list[bytes] | None:
        """The answer to `GET /{about}`, None for what there is not. Raises ProvidedError.

        `about` is one of KINDS with an id. What stands behind a `#` only tells questions apart and is not sent.
        """
        path = about.partition("#")[0]
        kind, _, identifier = path.partition("/")
        if kind not in KINDS or not identifier:
            raise Refused(about, text=f"only {', '.join(sorted(KINDS))} are read, by their ids")
        body = await self._ask(about, path)
        return None if body is None else [body]

    async def catalog(self) -> AsyncIterator[CatalogItem]:
        """Every product of the store. Raises ProvidedError."""
        names = [name async for name in self._names()]
        for start in range(0, len(names), AT_ONCE):
            asked = ",".join(quote(name, safe="") for name in names[start : start + AT_ONCE])
            body = await self._ask("products", f"products/{asked}")
            for item in _items(body or b'{"products":[]}'):
                yield item

    async def _names(self) -> AsyncIterator[str]:
        page: int | None = 1
        for _ in range(MOST_PAGES):
            body = await self._ask("products", "products", [] if page == 1 else [("page", str(page))])
            if body is None:
                raise Unavailable("products", status=404, text="too many requests, perhaps: ask again in a minute")
            try:
                found = _NAMES.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                raise _not_fastsprings("products") from None
            for name in found.products:
                yield name
            page = found.next_page
            if page is None:
                return
        raise Refused("products", text=f"the store has more than {MOST_PAGES} pages of products")

    async def _ask(self, about: str, path: str, params: list[tuple[str, str]] | None = None) -> bytes | None:
        answered = await self._exchange.get(about, f"/{path}", params or (), limit=LARGEST_ANSWER)
        if answered.status == 404:
            return None
        decoded = _decoded(answered.body)
        if not isinstance(decoded, dict):
            raise _not_fastsprings(about) if answered.status == 200 else self._exchange.refusal(about, answered)
        if _is_unknown(decoded):
            return None
        if answered.status != 200:
            raise self._exchange.refusal(about, answered)
        return answered.body


@asynccontextmanager
async def open_fastspring(
    url: str,
    key: str,
    account: str = "",  # noqa: ARG001 - a key is of one account alone
    *,
    timeout: float = 10.0,
) -> AsyncIterator[FastSpringApi]:
    """The API at `url`, closed at the end of the block; `timeout` (seconds) bounds each wait for the network."""
    async with open_http(url, timeout=timeout, connections=5) as http:
        yield FastSpringApi(http, key)


READING = Reading(open=open_fastspring, url=URL, requests_per_minute=120, burst=5, sure_after=4)
"""Half of the 250 calls a minute that are told of; the vendor's own programs may come from the same address."""


def _items(body: bytes) -> Iterator[CatalogItem]:
    try:
        products = _PRODUCTS.decode(body).products
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _not_fastsprings("products") from None
    for each in products:
        if each.result != "error":
            yield CatalogItem(
                name=each.product,
                product=each.product,
                recurring=(each.pricing.interval if each.pricing else None) not in ONE_TIME,
                attributes={name: value for name, value in each.attributes.items() if value is not None},
            )


def _is_unknown(answer: dict[str, Any]) -> bool:
    """Whether all of it is `"result": "error"`: the answer itself, or each of the things it lists."""
    listed = [each for kind in KINDS if isinstance(each := answer.get(kind), list)]
    results = [thing.get("result") for things in listed for thing in things if isinstance(thing, dict)]
    return all(result == "error" for result in results) if results else answer.get("result") == "error"


def _not_fastsprings(about: str) -> Unavailable:
    return Unavailable(about, status=200, text="the answer is not of the form that FastSpring's have")


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _words(body: bytes) -> str:
    """Of `{"error": {"field": "text"}}`, at the top or in a listed thing, the first text; empty for anything else."""
    decoded = _decoded(body)
    if not isinstance(decoded, dict):
        return ""
    things = [decoded, *(thing for kind in KINDS if isinstance(decoded.get(kind), list) for thing in decoded[kind])]
    errors = (thing["error"] for thing in things if isinstance(thing, dict) and isinstance(thing.get("error"), dict))
    return next((f"{field}: {text}" for error in errors for field, text in error.items() if isinstance(text, str)), "")
