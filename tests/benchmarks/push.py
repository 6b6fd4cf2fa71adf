"""`push`: what was decided, until the license server holds it, and how few calls that takes.

What leads to the decision is what `project` measures, and here in the second case.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from itertools import count
from time import perf_counter

import httpx2

from domain.events import NewEvent
from service.sandbox import stripe
from service.sandbox.stripe import catalog
from service.sandbox.stripe.account import Account
from service.sandbox.stripe.lifecycles import START
from service.store import EventStore
from tests.benchmarks.copies import Pattern, pattern
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.services import Service, licensespring, tenure_serve
from tests.benchmarks.workload import events_of

CHANGES = "decided renewals, until LicenseSpring has them all and that is projected, one pusher"
WHOLE_WAY = "the same from the append of what decides them"
CALLS_EACH = "calls for each of them"
BURST = "calls for ten changes to one license in a burst"
UNIT = "changes/s"
RENEWALS = 12
BURST_OF = 10
PAGE = 500


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(licensespring(place))
        service = await stack.enter_async_context(tenure_serve(place, "pusher", ["runner", "pusher"], target_url=url))
        store = await stack.enter_async_context(EventStore.open(service.dsn))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30))
        flow = _Flow(place.size.licenses, service, store, http)
        yield [
            Case(
                name=CHANGES,
                unit=UNIT,
                measure=flow.push_decided,
                asides=(Aside(name=CALLS_EACH, unit="calls", read=lambda: flow.calls_each),),
            ),
            Case(name=WHOLE_WAY, unit=UNIT, measure=flow.renew_all),
            Case(name=BURST, unit="calls", measure=flow.renew_one_often),
        ]


class _Flow:
    """Subscriptions with a license each, which are renewed."""

    def __init__(self, subscriptions: int, service: Service, store: EventStore, http: httpx2.AsyncClient) -> None:
        self._subscriptions = subscriptions
        self._service = service
        self._store = store
        self._http = http
        self._numbers = count()
        self.calls_each = 0.0

    async def push_decided(self) -> float:
        """Licenses changed per second, once it is decided how."""
        renewals = await self._licensed()
        calls = await self._calls()
        # As if another process had them in work, and gave them back. What comes last makes this one look.
        async with self._service.pushes_held():
            await self._append(renewals[:-1])
            await self._service.caught_up()
        started = perf_counter()
        await self._store.append(renewals[-1:])
        await self._at_rest()
        seconds = perf_counter() - started
        self.calls_each = (await self._calls() - calls) / self._subscriptions
        return self._subscriptions / seconds

    async def renew_all(self) -> float:
        """Licenses changed per second, from the append of what changes them."""
        renewals = await self._licensed()
        started = perf_counter()
        await self._append(renewals)
        await self._at_rest()
        return self._subscriptions / (perf_counter() - started)

    async def _licensed(self) -> list[NewEvent]:
        """Renewals of subscriptions that have their licenses by now."""
        numbers = [next(self._numbers) for _ in range(self._subscriptions)]
        await self._append([event for number in numbers for event in _act(number, 0)])
        await self._at_rest()
        return [event for number in numbers for event in _act(number, 1)]

    async def renew_one_often(self) -> float:
        """Calls that ten renewals of one subscription cost, which come as ten deliveries at once."""
        number = next(self._numbers)
        await self._append(_act(number, 0))
        await self._at_rest()
        calls = await self._calls()
        turns = range(1, BURST_OF + 1)
        await asyncio.gather(*(self._store.append(_act(number, turn)) for turn in turns))
        await self._at_rest()
        return await self._calls() - calls

    async def _append(self, events: Sequence[NewEvent]) -> None:
        for begin in range(0, len(events), PAGE):
            await self._store.append(events[begin : begin + PAGE])

    async def _at_rest(self) -> None:
        await self._service.caught_up(pushed=True)

    async def _calls(self) -> int:
        answer = await self._http.get("/sandbox/calls")
        total: int = answer.json()["total"]
        return total


@cache
def _acts() -> tuple[Pattern, tuple[int, ...]]:
    """A purchase and its renewals, and where each of these acts begins among the deliveries."""

    def lived(seed: str, renewals: int) -> list[bytes]:
        account = Account(f"renewed {seed}", start=START)
        subscription, _ = account.check_out_subscription("Ada Marlow", "ada@example.com", [(catalog.PRO_MONTHLY, 1)])
        for _ in range(renewals):
            account.renew(subscription)
        told = stripe.deliveries(account.happenings, account.merchant, types=stripe.LICENSING)
        return [each.body for each in told]

    lengths = [0, *(len(lived("one", renewals)) for renewals in range(RENEWALS))]
    return pattern(lambda seed: lived(seed, RENEWALS)), tuple(lengths)


def _act(number: int, turn: int) -> list[NewEvent]:
    """What Stripe tells of the purchase (turn 0) or of a renewal of that subscription."""
    renewed, begins = _acts()
    return [
        event for place in range(begins[turn], begins[turn + 1]) for event in events_of(renewed.body(place, number))
    ]


BENCH = Bench(name="push", about="decided to held by LicenseSpring, which is a sandbox without limits", open=_open)
