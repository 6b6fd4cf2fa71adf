"""Who buys in the demonstration: customers of a simulated Stripe and of a simulated FastSpring, in two acts.

Most lives are told in the first act up to now. Of a few the end is kept for the second, after one could see what the
first made of them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from service.sandbox import fastspring, stripe
from service.sandbox.stripe import Account, catalog
from service.sandbox.stripe.catalog import price

STRIPE, FASTSPRING = "stripe-demo", "fastspring-demo"
STORES = {STRIPE: "Stripe", FASTSPRING: "FastSpring"}
"""What people call each source."""
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


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a store about that buyer; `at` in seconds since 1970."""

    buyer: str
    source: str
    at: float
    delivery: stripe.Delivery | fastspring.Delivery


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for the second act: all from the last event of that type on."""

    event: str
    what: str


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of one of the stores."""

    source: str
    person: stripe.Person | fastspring.Person
    later: Later | None = None

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def story(self) -> str:
        return self.person.story

    @property
    def email(self) -> str:
        """The address that the store knows last."""
        if isinstance(self.person, fastspring.Person):
            return self.person.email
        customers = self.person.account.book.customers
        return next((customer.email for customer in customers.values()), self.person.email)

    @property
    def subscription(self) -> str:
        """The store's id of the subscription, empty for somebody who bought once."""
        person = self.person
        book = person.store.book if isinstance(person, fastspring.Person) else person.account.book
        return next(iter(book.subscriptions), "")

    @property
    def calls(self) -> Sequence[fastspring.GeneratorCall]:
        """What the license generator is asked at the checkout."""
        return self.person.calls if isinstance(self.person, fastspring.Person) else ()

    def answer(self, call: fastspring.GeneratorCall, keys: Sequence[str]) -> None:
        """The keys that the checkout was given; they show in the order."""
        if isinstance(self.person, fastspring.Person):
            self.person.store.answer(call, keys)

    def webhooks(self) -> tuple[list[Webhook], list[Webhook]]:
        """The webhooks of both acts, each in true order."""
        told = list(self._told())
        if self.later is None:
            return [webhook for webhook, _ in told], []
        split = max(webhook.at for webhook, types in told if self.later.event in types)
        first = [webhook for webhook, _ in told if webhook.at < split]
        return first, [webhook for webhook, _ in told if webhook.at >= split]

    def _told(self) -> list[tuple[Webhook, frozenset[str]]]:
        """The webhooks with the types of their events."""
        if isinstance(self.person, fastspring.Person):
            return [
                (self._webhook(each, each.created / 1000), frozenset(event.type for event in each.events))
                for each in self.person.deliveries
            ]
        return [(self._webhook(each, each.created), frozenset([each.type])) for each in self.person.deliveries]

    def _webhook(self, delivery: stripe.Delivery | fastspring.Delivery, at: float) -> Webhook:
        return Webhook(buyer=self.name, source=self.source, at=at, delivery=delivery)


LATER = {
    "Rosa Engel": Later(event="invoice.paid", what="paid what was due"),
    "Petra Winter": Later(event="subscription.deactivated", what="four notices were in vain: deactivated"),
    "Ruth Sommer": Later(event="subscription.updated", what="needs fewer users"),
    "Tomas Reiner": Later(event="subscription.charge.completed", what="the next month is paid"),
}
"""What happens in the second act, by the name of the buyer."""


def buyers(now: datetime) -> list[Buyer]:
    """Everybody; their lives reach up to `now` (aware)."""
    people: list[tuple[str, stripe.Person | fastspring.Person]] = [
        *((STRIPE, person) for person in (*stripe.demo_customers(now), *_more(now))),
        *((FASTSPRING, person) for person in fastspring.demo_customers(now)),
    ]
    return [Buyer(source=source, person=person, later=LATER.get(person.name)) for source, person in people]


# --- customers of Stripe that show what this demonstration configures ---------------------------------------


def _out_of_grace(account: Account, name: str, email: str) -> None:
    subscription, _ = account.check_out_subscription(name, email, [(SOLO, 1)])
    account.fail_payment(subscription)
    account.advance(9 * DAYS)
    account.recover(subscription)


def _as_a_guest(account: Account, name: str, email: str) -> None:
    account.check_out_purchase(name, email, [(catalog.PERPETUAL, 2)], guest=True)


_MORE: tuple[tuple[str, str, timedelta, Callable[[Account, str, str], None]], ...] = (
    ("Rosa Engel", f"past due, which Falcon Solo allows for {GRACE_DAYS} days", 41 * DAYS, _out_of_grace),
    ("Sofia Lang", "bought two as a guest; what, has to be asked", 2 * DAYS, _as_a_guest),
)


def _more(now: datetime) -> list[stripe.Person]:
    people = []
    for name, story, began, happens in _MORE:
        email = f"{name.split()[0].lower()}@example.com"
        seed = f"{name} {now.isoformat(timespec='seconds')}"
        account = Account(seed, start=(now - began).replace(microsecond=0))
        happens(account, name, email)
        told = stripe.deliveries(account.happenings, account.merchant)
        people.append(stripe.Person(name=name, email=email, story=story, account=account, deliveries=told))
    return people
