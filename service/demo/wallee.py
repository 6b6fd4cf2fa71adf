"""The demonstration's space at a simulated wallee, whose webhooks say little more than that something changed."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx2

from service.demo.store import ATTEMPTS, CONCURRENCY, Api, Later, Store, Webhook, pause
from service.sandbox import wallee
from service.sandbox.wallee import Person, WalleeApi, running_wallee_api


class WalleeStore(Store[Person]):
    """Goes on to the next change only after the last one was read: what is over by then could not be read any more."""

    provider, title = "wallee", "wallee"
    account = str(wallee.SPACE)

    def __init__(self, source: str, target: str, people: Sequence[Person], later: Mapping[str, Later]) -> None:
        super().__init__(source, target, people, later)
        self._spaces = {person.name: person.space for person in people}
        self._api = WalleeApi([])

    @asynccontextmanager
    async def running_api(self) -> AsyncIterator[Api]:
        async with running_wallee_api(list(self._spaces.values())) as running:
            self._api = running.api
            yield Api(running.host, running.key)

    def rounds(self, webhooks: Sequence[Webhook]) -> Iterable[Sequence[Webhook]]:
        for act in sorted({each.delivery.act for each in webhooks}):
            yield [each for each in webhooks if each.delivery.act == act]

    async def send(self, http: httpx2.AsyncClient, url: str, webhooks: Sequence[Webhook]) -> list[int]:
        for buyer in {each.buyer for each in webhooks}:
            places = [each.delivery.place for each in webhooks if each.buyer == buyer]
            self._api.show(self._spaces[buyer], max(places))
        told = [each.delivery for each in webhooks]
        return await wallee.deliver(http, url, told, backoff=pause, attempts=ATTEMPTS, concurrency=CONCURRENCY)

    def subscription(self, person: Person) -> str:
        return str(next(iter(person.space.book.subscriptions), ""))

    def told(self, person: Person) -> list[Webhook]:
        return [self._webhook(person, each) for each in person.deliveries]

    def _webhook(self, person: Person, delivery: wallee.Delivery) -> Webhook:
        happened = person.space.happenings[delivery.place - 1]
        types = frozenset([f"{happened.kind}.{happened.state}"])
        return Webhook(buyer=person.name, source=self.source, at=delivery.created, types=types, delivery=delivery)
