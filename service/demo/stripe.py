"""The demonstration's accounts at a simulated Stripe: one licensed at LicenseSpring, one at NetLicensing."""

import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx2

from service.demo.store import ATTEMPTS, CONCURRENCY, Api, Later, Store, Webhook, pause
from service.sandbox import stripe
from service.sandbox.deliver import deliver
from service.sandbox.stripe import Account, Person, catalog
from service.sandbox.stripe.catalog import price
from service.sandbox.stripe.runner import running_stripe_api

GRACE_DAYS = 3
"""How long a subscription to Falcon Solo stays licensed when it is past due."""
SOLO_CODE = "falcon-solo"
SOLO = price(
    "falcon_solo_monthly",
    "Falcon Solo",
    9_00,
    "month",
    {"short_code": SOLO_CODE, "license_type": "subscription", "max_activations": "1"},
)
DAYS = timedelta(days=1)

Lived = tuple[str, str, timedelta, Callable[[Account, str, str, datetime], None]]


class StripeStore(Store[Person]):
    provider, title = "stripe", "Stripe"

    def __init__(self, source: str, target: str, people: Sequence[Person], later: Mapping[str, Later]) -> None:
        super().__init__(source, target, people, later)
        self.signing = f"whsec_{secrets.token_urlsafe(24)}"

    @asynccontextmanager
    async def running_api(self) -> AsyncIterator[Api]:
        async with running_stripe_api([person.account for person in self.people]) as running:
            yield Api(running.url, running.key)

    async def send(self, http: httpx2.AsyncClient, url: str, webhooks: Sequence[Webhook]) -> list[int]:
        return await deliver(
            http,
            url,
            self.signing,
            [each.delivery for each in webhooks],
            timestamp=lambda: int(time.time()),
            backoff=pause,
            attempts=ATTEMPTS,
            concurrency=CONCURRENCY,
        )

    def email(self, person: Person) -> str:
        """The address that the store knows last."""
        return next((customer.email for customer in person.account.book.customers.values()), person.email)

    def subscription(self, person: Person) -> str:
        return next(iter(person.account.book.subscriptions), "")

    def told(self, person: Person) -> list[Webhook]:
        return [self._webhook(person, each) for each in person.deliveries]

    def _webhook(self, person: Person, delivery: stripe.Delivery) -> Webhook:
        types = frozenset([delivery.type])
        return Webhook(buyer=person.name, source=self.source, at=delivery.created, types=types, delivery=delivery)


def at_licensespring(now: datetime) -> list[Person]:
    """The sandbox's customers, and those that show what this demonstration configures."""
    return [*stripe.demo_customers(now), *_living(_OF_LICENSESPRING, now)]


def at_netlicensing(now: datetime) -> list[Person]:
    return _living(_OF_NETLICENSING, now)


def _living(lives: Iterable[Lived], now: datetime) -> list[Person]:
    people = []
    for name, story, began, happens in lives:
        email = f"{name.split()[0].lower()}@example.com"
        seed = f"{name} {now.isoformat(timespec='seconds')}"
        account = Account(seed, start=(now - began).replace(microsecond=0))
        happens(account, name, email, now)
        told = stripe.deliveries(account.happenings, account.merchant)
        people.append(Person(name=name, email=email, story=story, account=account, deliveries=told))
    return people


def _out_of_grace(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _session = account.check_out_subscription(name, email, [(SOLO, 1)])
    account.fail_payment(subscription)
    account.advance(9 * DAYS)
    account.recover(subscription)


def _as_a_guest(account: Account, name: str, email: str, _: datetime) -> None:
    account.check_out_purchase(name, email, [(catalog.PERPETUAL, 2)], guest=True)


def _more_at_once(account: Account, name: str, email: str, now: datetime) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(catalog.FLOATING_MONTHLY, 5)])
    while account.due(subscription) + 1 * DAYS <= now:
        account.renew(subscription)
    account.advance(1 * DAYS)
    account.change_quantity(subscription, 8)


def _paid_late(account: Account, name: str, email: str, _: datetime) -> None:
    subscription, _session = account.check_out_subscription(name, email, [(catalog.STUDIO_MONTHLY, 1)])
    account.fail_payment(subscription)
    account.advance(2 * DAYS)
    account.recover(subscription)


_OF_LICENSESPRING: tuple[Lived, ...] = (
    ("Rosa Engel", f"past due, which Falcon Solo allows for {GRACE_DAYS} days", 41 * DAYS, _out_of_grace),
    ("Sofia Lang", "bought two as a guest; what, has to be asked", 2 * DAYS, _as_a_guest),
)
_OF_NETLICENSING: tuple[Lived, ...] = (
    ("Sven Aurich", "a floating license: five at once, then eight", 40 * DAYS, _more_at_once),
    ("Udo Falk", "past due is off at once, as NetLicensing advises", 35 * DAYS, _paid_late),
)
