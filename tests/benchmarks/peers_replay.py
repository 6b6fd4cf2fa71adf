"""Aggregates of the `eventsourcing` library, to be read by their ids; imported only where it is installed."""

from time import perf_counter
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from tests.benchmarks.workload import webhook


class Subscription(Aggregate):  # type: ignore[misc]
    """What it keeps of each event is as much as a webhook says that licenses follow from."""

    @event("Opened")  # type: ignore[untyped-decorator]
    def __init__(self) -> None:
        self.paid: dict[str, str] = {}

    @event("Paid")  # type: ignore[untyped-decorator]
    def pay(self, invoice: str, body: str) -> None:
        self.paid[invoice] = body[:24]


class Repository:
    """So many subscriptions, each with that many events, in the database of that connection."""

    def __init__(self, connection: dict[str, Any], aggregates: int, length: int) -> None:
        environment = {f"POSTGRES_{name.upper()}": str(value) for name, value in connection.items()}
        self._app: Application[UUID] = Application(env={"PERSISTENCE_MODULE": "eventsourcing.postgres", **environment})
        self._length = length
        self._ids = [self._opened(number) for number in range(aggregates)]

    def _opened(self, number: int) -> UUID:
        subscription = Subscription()
        for turn in range(self._length - 1):
            subscription.pay(f"in_{number}_{turn}", webhook(number).decode())
        self._app.save(subscription)
        return UUID(str(subscription.id))

    def replay(self) -> float:
        """Events per second."""
        started = perf_counter()
        for each in self._ids:
            self._app.repository.get(each)
        return len(self._ids) * self._length / (perf_counter() - started)

    def close(self) -> None:
        self._app.close()
