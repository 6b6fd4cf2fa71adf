"""The demonstration's stores at a simulated FastSpring: one licensed at LicenseSpring, one at NetLicensing."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx2

from service.demo.store import ATTEMPTS, CONCURRENCY, Api, Later, Store, Webhook, pause
from service.sandbox import fastspring
from service.sandbox.fastspring import Person, catalog
from service.sandbox.fastspring.api import running_fastspring_api
from service.sandbox.fastspring.shapes import Shape

DAYS = timedelta(days=1)


class FastSpringStore(Store[Person]):
    """Its checkouts ask the license generator for keys, which its orders show from then on."""

    provider, title = "fastspring", "FastSpring"

    def __init__(self, source: str, target: str, people: Sequence[Person], later: Mapping[str, Later]) -> None:
        super().__init__(source, target, people, later)
        self.signing, self.generator_key = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    @asynccontextmanager
    async def running_api(self) -> AsyncIterator[Api]:
        async with running_fastspring_api([person.store for person in self.people]) as running:
            yield Api(running.url, running.key)

    async def check_out(self, http: httpx2.AsyncClient, url: str) -> int:
        given = 0
        for person in self.people:
            for call in person.calls:
                keys = await fastspring.ask_for_keys(http, url, self.generator_key, call)
                person.store.answer(call, keys)
                given += len(keys)
        return given

    async def send(self, http: httpx2.AsyncClient, url: str, webhooks: Sequence[Webhook]) -> list[int]:
        batches = [each.delivery for each in webhooks]
        how = {"attempts": ATTEMPTS, "concurrency": CONCURRENCY}
        return await fastspring.deliver(http, url, self.signing, batches, backoff=pause, **how)

    def subscription(self, person: Person) -> str:
        return next(iter(person.store.book.subscriptions), "")

    def told(self, person: Person) -> list[Webhook]:
        return [self._webhook(person, each) for each in person.deliveries]

    def _webhook(self, person: Person, delivery: fastspring.Delivery) -> Webhook:
        types = frozenset(event.type for event in delivery.events)
        at = delivery.created / 1000
        return Webhook(buyer=person.name, source=self.source, at=at, types=types, delivery=delivery)


def at_netlicensing(now: datetime) -> list[Person]:
    """Somebody whose key is the number of a licensee."""
    name, email = "Vera Holt", "vera@example.com"
    seed = f"{name} {now.isoformat(timespec='seconds')}"
    store = fastspring.Store(seed, start=(now - 70 * DAYS).replace(microsecond=0), live=False)
    order = store.buy(store.account(name, email), [(catalog.PRO, 1)])
    [subscription] = store.subscriptions_of(order)
    store.renew(subscription)
    store.renew(subscription)
    story = "a key at checkout, which is her licensee's number"
    return [Person(name=name, email=email, story=story, store=store, shape=Shape.EXPANDED)]
