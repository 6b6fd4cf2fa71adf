"""`ingest_mixed`: what a busy account gets: all providers, several events in a body, repeats, and forgeries."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from tests.benchmarks.ingest import stored
from tests.benchmarks.measuring import Bench, Case, Place
from tests.benchmarks.mixed import genuine, wallee_key
from tests.benchmarks.services import Service, tenure_serve
from tests.wallee_platform import platform

UNIT = "webhooks/s"
CONNECTIONS = 32
PLAIN = "one event each, of one provider"
MIXED = "of three providers, 10 % repeated, 2 % forged, batches"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    async with AsyncExitStack() as stack:
        wallee = await stack.enter_async_context(platform())
        wallee.has(f"webhooks/encryption-keys/{wallee_key().id}", wallee_key().public.encode())
        plain = await stack.enter_async_context(tenure_serve(place, "plain", ["receiver"]))
        service = await stack.enter_async_context(tenure_serve(place, "mixed", ["receiver"], wallee_url=wallee.url))
        count = place.size.events
        yield [
            Case(name=PLAIN, unit=UNIT, measure=partial(stored, plain, count, CONNECTIONS)),
            Case(name=MIXED, unit=UNIT, measure=partial(_mixed, service, count), against=(PLAIN,)),
        ]


async def _mixed(service: Service, count: int) -> float:
    """Webhooks answered per second. Raises AssertionError where one was not answered as it has to be."""
    before = service.numbers.stop
    sent = await service.take(count, CONNECTIONS, kind="mixed")
    expected = Counter(200 if genuine(number) else 401 for number in range(before, service.numbers.stop))
    if sent.statuses != expected:
        raise AssertionError(f"answers by status: {sent.statuses}, but should be {dict(expected)}")
    return count / sent.seconds


BENCH = Bench(
    name="ingest_mixed", about="webhooks of all providers over HTTP, with repeats, forgeries and batches", open=_open
)
