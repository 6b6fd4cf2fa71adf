"""`ingest`: webhooks over HTTP into a real `tenure serve`, signed, verified, durable, deduplicated, answered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from service.store.migrate import migrate
from tests.benchmarks import peers
from tests.benchmarks.measuring import Aside, Bench, Case, Place
from tests.benchmarks.pgbench import BASELINE, BASELINE_CPU, PgBench
from tests.benchmarks.services import Service, one_transaction_each, tenure_serve

UNIT = "events/s"
CPU_UNIT = "µs of CPU"
HTTP = {connections: f"HTTP, {connections} connections" for connections in (32, 128)}
CPU = {connections: f"processor time of a webhook, {connections} connections" for connections in HTTP}
ONE_EACH = {many: f"{name}, a handler with one transaction per request" for many, name in HTTP.items()}


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    count = place.size.events
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(opened_pgbench(place))
        service = await stack.enter_async_context(tenure_serve(place, "receiver", ["receiver"]))
        plain = await stack.enter_async_context(one_transaction_each(place))
        others = await stack.enter_async_context(peers.cases(place, UNIT))

        async def single() -> float:
            return (await bench.insert(count)).rate

        yield [
            Case(
                name=BASELINE,
                unit=UNIT,
                measure=single,
                asides=(Aside(name=BASELINE_CPU, unit=CPU_UNIT, read=lambda: bench.last.cpu_us),),
            ),
            *(_http(service, count, connections, [case.name for case in others]) for connections in HTTP),
            *(
                Case(name=name, unit=UNIT, measure=partial(_answered, plain, count, many), against=(BASELINE,))
                for many, name in ONE_EACH.items()
            ),
            *others,
        ]


@asynccontextmanager
async def opened_pgbench(place: Place) -> AsyncIterator[PgBench]:
    """pgbench on a database of its own."""
    with place.server.database() as name:
        dsn = place.server.dsn(name)
        await migrate(dsn)
        folder = place.folder / "pgbench"
        folder.mkdir()
        async with PgBench.open(dsn, folder) as bench:
            yield bench


def _http(service: Service, count: int, connections: int, others: Sequence[str]) -> Case:
    return Case(
        name=HTTP[connections],
        unit=UNIT,
        measure=partial(stored, service, count, connections),
        against=(BASELINE, ONE_EACH[connections], *others),
        asides=(Aside(name=CPU[connections], unit=CPU_UNIT, read=lambda: service.cpu_us, against=(BASELINE_CPU,)),),
    )


async def stored(service: Service, count: int, connections: int) -> float:
    """Webhooks answered per second. Raises AssertionError where one was not stored."""
    rate = await _answered(service, count, connections)
    kept = await service.stored()
    if kept != service.numbers.stop:
        raise AssertionError(f"{service.numbers.stop} webhooks were answered 200, but {kept} are stored")
    return rate


async def _answered(service: Service, count: int, connections: int) -> float:
    sent = await service.take(count, connections)
    if sent.statuses != {200: count}:
        raise AssertionError(f"of {count} webhooks, answers by status: {sent.statuses}")
    return count / sent.seconds


BENCH = Bench(name="ingest", about="signed webhooks over HTTP, answered when they are durable", open=_open)
