"""wallee's API 2.0 (app-wallee.com/api/v2.0), for what its webhooks leave out: they only say that something changed.

The same platform is sold as PostFinance Checkout, VR Payment and under other names: `[sources.X.api] url` is the host.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from projections.http.client import open_http
from projections.provided import Refused
from service.sources.catalog import CatalogItem
from service.sources.reading import AccountUnfit, Reading
from service.sources.wallee_auth import WalleeAuth
from service.sources.wallee_catalog import sold_in
from service.sources.wallee_space import WalleeSpace, decoded

URL = "https://app-wallee.com"
PATH = "/api/v2.0"
"""What stands behind the host where the settings name a host alone."""
CACHED_SECONDS = 3600.0
CACHED_COMPONENTS = 1000
MOST_COMPONENTS = 50
MOST_UNDER_WAY = 5
"""Charges under way whose levels are read; a subscription has one of them, as a rule."""
SINGLE = {
    "payment/charge-flow-levels": "payment/charge-flows/levels",
    "payment/refunds": "payment/refunds",
    "subscriptions/charges": "subscriptions/charges",
    "subscriptions/period-bills": "subscriptions/period-bills",
    "subscriptions/suspensions": "subscriptions/suspensions",
    "subscriptions/versions": "subscriptions/versions",
}
"""What is read as it is, and where the API has it."""

_ABOUT = re.compile(r"([a-z/-]+)/([0-9]{1,20})(?:\?(expand=[A-Za-z.]{1,60}(?:&expand=[A-Za-z.]{1,60})*))?")


class _Named(Struct, frozen=True):
    id: int


class _Configured(Struct, frozen=True):
    component: int | _Named | None = None


class _Version(Struct, frozen=True, rename="camel"):
    component_configurations: list[_Configured] | None = None


class _Charge(Struct, frozen=True):
    state: str | None = None
    transaction: _Named | None = None


class Purchase(Struct, frozen=True):
    """A transaction, and the charges that it is of, each object as it came."""

    transaction: msgspec.Raw
    charges: list[msgspec.Raw]


class Whole(Struct, frozen=True, kw_only=True, rename="camel"):
    """A subscription with all that says how it stands, each object as it came, in each list the newest first."""

    subscription: msgspec.Raw
    versions: list[msgspec.Raw]
    charges: list[msgspec.Raw]
    suspensions: list[msgspec.Raw]
    period_bills: list[msgspec.Raw]
    components: list[msgspec.Raw]
    levels: list[msgspec.Raw]


class WalleeApi:
    """What webhooks of one space leave out, and the public keys that they are signed with. Safe to share between tasks.

    A component is read once in CACHED_SECONDS, by `clock`: a thousand customers have the same few.
    """

    def __init__(self, space: WalleeSpace, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._space = space
        self._clock = clock
        self._components: dict[int, tuple[float, msgspec.Raw]] = {}

    async def public_key(self, key_id: str) -> str | None:
        """The public key of that id, base64 of DER; None where there is none. Raises ProvidedError."""
        return await self._space.public_key(key_id)

    def catalog(self) -> AsyncIterator[CatalogItem]:
        """What the space sells by subscription. Raises ProvidedError."""
        return sold_in(self._space)

    async def read(self, about: str) -> list[bytes] | None:
        """What `about` names, in one page; None for what there is not. Raises ProvidedError.

        `subscriptions/{id}` is a Whole, `payment/transactions/{id}` a Purchase, and what SINGLE names an object as it
        is, expanded as `about` says. What stands behind a `#` only tells questions apart and is not sent.
        """
        found = _ABOUT.fullmatch(about.partition("#")[0])
        kind, identifier, query = found.groups() if found else ("", "", "")
        if kind == "subscriptions":
            return await self._whole(about, identifier)
        if kind == "payment/transactions":
            return await self._purchase(about, identifier)
        if kind not in SINGLE:
            known = ", ".join(sorted({"payment/transactions", "subscriptions", *SINGLE}))
            raise Refused(about, text=f"only {known} are read, by their ids")
        expanded = [each.removeprefix("expand=") for each in (query or "").split("&") if each]
        single = await self._space.get(about, f"{SINGLE[kind]}/{identifier}", *expanded)
        return None if single is None else [bytes(single)]

    async def _whole(self, about: str, identifier: str) -> list[bytes] | None:
        """Read first, the subscription is the oldest of what is said: its version never tells of more than is there."""
        space, own = self._space, f"subscription.id:{identifier}"
        expanded = ("subscriber", "currentProductVersion", "currentProductVersion.product")
        subscription = await space.get(about, f"subscriptions/{identifier}", *expanded)
        if subscription is None:
            return None
        versions = await space.search(about, "subscriptions/versions", own)
        charges = await space.search(about, "subscriptions/charges", own, "transaction")
        whole = Whole(
            subscription=subscription,
            versions=versions,
            charges=charges,
            suspensions=await space.search(about, "subscriptions/suspensions", own),
            period_bills=await space.search(about, "subscriptions/period-bills", f"subscriptionVersion.{own}"),
            components=await self._named_by(about, versions),
            levels=await self._levels_of(about, charges),
        )
        return [msgspec.json.encode(whole)]

    async def _purchase(self, about: str, identifier: str) -> list[bytes] | None:
        transaction = await self._space.get(about, f"payment/transactions/{identifier}")
        if transaction is None:
            return None
        charges = await self._space.search(about, "subscriptions/charges", f"transaction.id:{identifier}")
        return [msgspec.json.encode(Purchase(transaction, charges))]

    async def _named_by(self, about: str, versions: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """The components that the versions configure, by their ids; one that is gone is left out."""
        read = [decoded(about, version, _Version) for version in versions]
        named = [each.component for version in read for each in version.component_configurations or ()]
        # The SDK has it as a number, though other links are objects.
        numbers = (each.id if isinstance(each, _Named) else each for each in named)
        newest = list(dict.fromkeys(each for each in numbers if each is not None))[:MOST_COMPONENTS]
        found = [await self._component(about, identifier) for identifier in sorted(newest)]
        return [each for each in found if each is not None]

    async def _component(self, about: str, identifier: int) -> msgspec.Raw | None:
        until, cached = self._components.get(identifier, (0.0, None))
        if cached is not None and until > self._clock():
            return cached
        path = f"subscriptions/products/components/{identifier}"
        component = await self._space.get(about, path, "reference")
        if component is not None:
            self._components.pop(identifier, None)
            while len(self._components) >= CACHED_COMPONENTS:
                del self._components[next(iter(self._components))]
            self._components[identifier] = (self._clock() + CACHED_SECONDS, component)
        return component

    async def _levels_of(self, about: str, charges: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """How far the collection of the charges under way has come."""
        read = [decoded(about, charge, _Charge) for charge in charges]
        under_way = [each.transaction.id for each in read if each.state == "PROCESSING" and each.transaction]
        levels: list[msgspec.Raw] = []
        for transaction in under_way[:MOST_UNDER_WAY]:
            levels += await self._space.search(about, "payment/charge-flows/levels", f"transaction.id:{transaction}")
        return levels


@asynccontextmanager
async def open_wallee(url: str, key: str, account: str, *, timeout: float = 10.0) -> AsyncIterator[WalleeApi]:
    """The API at `url`, closed at the end of the block; `timeout` (seconds) bounds each wait for the network.

    `key` is `USER_ID:AUTHENTICATION_KEY`, `account` the id of a space; a `url` without a path gets PATH. Raises
    ValueError and AccountUnfit.
    """
    auth = WalleeAuth(key)
    if not (account.isascii() and account.isdigit()):
        raise AccountUnfit("wallee's account is the id of a space, a number")
    base = url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}{PATH}"
    async with open_http(base, timeout=timeout, connections=10) as http:
        yield WalleeApi(WalleeSpace(http, auth, account, secrets=[key, key.partition(":")[2]]))


READING = Reading(open=open_wallee, url=f"{URL}{PATH}", requests_per_minute=60, burst=5, sure_after=4)
"""wallee tells no limit. A subscription is about eight requests, of which only the first counts here.

That there is no such thing is also said by what lags behind.
"""
