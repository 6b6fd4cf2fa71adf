"""A story by name, and how it begins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from service.sandbox.wallee.delivery import EVERYTHING, Delivery, Listening, deliveries
from service.sandbox.wallee.desk import SPACE
from service.sandbox.wallee.habits import Habits
from service.sandbox.wallee.space import Space

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
"""The 31st, so that months of 28 and 30 days are met."""

DAYS = timedelta(days=1)


class Lifecycle:
    """A story that a space can live through; calling it gives the deliveries in true order."""

    def __init__(self, story: Callable[[Space], object]) -> None:
        self._story = story
        self.name = story.__name__
        self.__doc__ = story.__doc__

    def space(
        self,
        *,
        start: datetime = START,
        seed: str | None = None,
        space_id: int = SPACE,
        lag: int = 1,
        habits: Habits | None = None,
    ) -> Space:
        """The space after the story. The seed (by default the name) decides all identifiers and the key."""
        space = Space(seed or self.name, start=start, space_id=space_id, lag=lag, habits=habits)
        self._story(space)
        return space

    def __call__(
        self,
        listening: Listening = EVERYTHING,
        *,
        start: datetime = START,
        seed: str | None = None,
        lag: int = 1,
        habits: Habits | None = None,
    ) -> list[Delivery]:
        return deliveries(self.space(start=start, seed=seed, lag=lag, habits=habits), listening)


def subscriber(space: Space, name: str) -> int:
    """A subscriber of that name, whose address is made from it."""
    return space.subscriber(name, f"{name.split(maxsplit=1)[0].lower()}@example.com")
