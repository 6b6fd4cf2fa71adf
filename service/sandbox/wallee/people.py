"""Customers for a demonstration, each at another point of life."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from service.sandbox.wallee import catalog
from service.sandbox.wallee.delivery import EVERYTHING, Delivery, Listening, deliveries
from service.sandbox.wallee.desk import SPACE
from service.sandbox.wallee.habits import Habits
from service.sandbox.wallee.space import Space

DAYS = timedelta(days=1)
HOURS = timedelta(hours=1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as the demonstration introduces them; the space's `now` is the moment of the last change."""

    name: str
    email: str
    story: str
    space: Space
    listening: Listening

    @property
    def deliveries(self) -> list[Delivery]:
        return deliveries(self.space, self.listening)


def demo_customers(now: datetime, listening: Listening = EVERYTHING, *, space_id: int = SPACE) -> list[Person]:
    """People whose lives reach up to `now` (aware), so that whoever pays has a license that is valid today.

    All of it is paid in the test environment.
    The same `now` gives the same bytes, another one other identifiers. Raises ValueError for a naive `now`.
    """
    people = []
    for name, story, began, happens in _PEOPLE:
        email = f"{name.split()[0].lower()}@example.com"
        seed = f"{name} {now.isoformat(timespec='seconds')}"
        start = (now - began).replace(microsecond=0)
        space = Space(seed, start=start, space_id=space_id, habits=Habits(live=False))
        happens(space, name, email, now)
        people.append(Person(name=name, email=email, story=story, space=space, listening=listening))
    return people


def _back_and_away(space: Space, name: str, email: str, _: datetime) -> None:
    subscription = space.begin(space.subscriber(name, email), catalog.PRO)
    space.advance(8 * DAYS)
    space.suspend(subscription)
    space.advance(3 * DAYS)
    space.reactivate(subscription)
    space.advance(4 * DAYS)
    space.terminate_now(subscription)


def _a_growing_office(space: Space, name: str, email: str, now: datetime) -> None:
    subscription = space.begin(space.subscriber(name, email, company="Frei Architekten AG"), catalog.TEAM, 2)
    space.advance(12 * DAYS)
    space.change_quantity(subscription, 3)
    while (due := space.due(subscription)) is not None and due + 1 * HOURS <= now:
        space.renew(subscription)


_PEOPLE: tuple[tuple[str, str, timedelta, Callable[[Space, str, str, datetime], None]], ...] = (
    ("Livia Brunner", "suspended, back again, ended at once", 20 * DAYS, _back_and_away),
    ("Nora Frei", "two seats, then three, renewed since", 50 * DAYS, _a_growing_office),
)
