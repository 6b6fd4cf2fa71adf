"""What the demonstration knows of a store: who buys there, how the webhooks come, and what else it asks."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import httpx2
import msgspec

CONCURRENCY = 8
ATTEMPTS = 5


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a store about that buyer; `at` in seconds since 1970.

    `types` are those of its events, `delivery` is as the store's sandbox has it.
    """

    buyer: str
    source: str
    at: float
    types: frozenset[str]
    delivery: Any


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for the second act: all from the last event of that type on."""

    event: str
    what: str


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of one of the stores.

    `email` is the address that the store knows last, `subscription` the store's id of it, empty for somebody who bought
    once. `told` gives all webhooks in true order, after the checkout.
    """

    source: str
    name: str
    email: str
    story: str
    subscription: str
    told: Callable[[], list[Webhook]]
    later: Later | None = None

    def webhooks(self) -> tuple[list[Webhook], list[Webhook]]:
        """The webhooks of both acts, each in true order."""
        told = self.told()
        if self.later is None:
            return told, []
        split = max(webhook.at for webhook in told if self.later.event in webhook.types)
        return [each for each in told if each.at < split], [each for each in told if each.at >= split]


class Api(NamedTuple):
    """Where a store's API is asked, and with which key."""

    url: str
    key: str


class Introduced(Protocol):
    """A customer as a simulator introduces them."""

    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def story(self) -> str: ...


P = TypeVar("P", bound=Introduced)


class Store(ABC, Generic[P]):
    """One account at a store, with its simulator and its customers.

    `source` is its name in Tenure's settings, `title` what people call it, `target` who holds its licenses. `signing`
    is the secret of its webhooks and `generator_key` that of its license generator, each empty where there is none.
    """

    provider: str
    title: str
    account = ""
    signing = ""
    generator_key = ""

    def __init__(self, source: str, target: str, people: Sequence[P], later: Mapping[str, Later]) -> None:
        self.source, self.target = source, target
        self.people = people
        self.buyers = [
            Buyer(
                source=source,
                name=person.name,
                email=self.email(person),
                story=person.story,
                subscription=self.subscription(person),
                told=partial(self.told, person),
                later=later.get(person.name),
            )
            for person in people
        ]

    def email(self, person: P) -> str:
        return person.email

    @abstractmethod
    def subscription(self, person: P) -> str: ...

    @abstractmethod
    def told(self, person: P) -> list[Webhook]: ...

    @abstractmethod
    def running_api(self) -> AbstractAsyncContextManager[Api]:
        """Serves its API until the block ends."""

    async def check_out(self, http: httpx2.AsyncClient, url: str) -> int:  # noqa: ARG002 - most stores ask for none
        """Has its checkouts ask `url` for license keys; how many it got."""
        return 0

    def rounds(self, webhooks: Sequence[Webhook]) -> Iterable[Sequence[Webhook]]:
        """The webhooks in parts; before the next one is sent, all that follows from one has to be done."""
        return [webhooks]

    @abstractmethod
    async def send(self, http: httpx2.AsyncClient, url: str, webhooks: Sequence[Webhook]) -> list[int]:
        """Sends one part; the places of those that were taken."""


AnyStore = Store[Any]


async def pause(attempt: int) -> None:
    """Before a webhook that was not taken is sent again."""
    await asyncio.sleep(0.1 * attempt)
