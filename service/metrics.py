"""Numbers for Prometheus, and the route that shows them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import monotonic

import psycopg
from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from domain.events import PARTITIONS
from projections.ports import LogUnavailable
from projections.queries import Outstanding, Wanted
from service.lookup import Reader
from service.store import Unsealed

# When a counter began says little and doubles what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]

_APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ASK_SECONDS = 2.0
COUNT_AGAIN_SECONDS = 60.0
"""Counting reads every stream, so it is not done for every scrape."""


class Metrics:
    """The counters of one process. Labels come from the settings and the code, never from a request."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.deliveries = Counter(
            "tenure_deliveries", "Webhook requests, by what became of them", ("source", "outcome"), registry=registry
        )
        self.refused = Counter(
            "tenure_deliveries_refused",
            "Deliveries and key requests that are not authentic",
            ("source", "reason"),
            registry=registry,
        )
        self.key_requests = Counter(
            "tenure_key_requests",
            "Requests of license generators, by what became of them",
            ("source", "outcome"),
            registry=registry,
        )
        self.appended = Counter(
            "tenure_events_appended", "Events made durable from deliveries", ("source",), registry=registry
        )
        self.repeated = Counter(
            "tenure_events_repeated", "Delivered events that were stored before", ("source",), registry=registry
        )
        self.set_aside = Counter(
            "tenure_events_set_aside",
            "Delivered events of the other mode than their source's",
            ("source",),
            registry=registry,
        )
        self.fetches = Counter(
            "tenure_fetches",
            "Questions to providers' APIs, by what became of them",
            ("source", "outcome"),
            registry=registry,
        )
        self.timers_rung = Counter(
            "tenure_timers_rung", "Events appended because so much time had passed", registry=registry
        )
        self.append_seconds = Histogram(
            "tenure_append_seconds",
            "From handing events to the store until they are durable",
            registry=registry,
            buckets=_APPEND_SECONDS,
        )
        counters = (each for each in vars(self).values() if isinstance(each, Counter))
        self._counters = {family.name: each for each in counters for family in each.collect()}

    def counts(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """The value of each counter, with its name and labels."""
        for counter in self._counters.values():
            for family in counter.collect():
                for sample in family.samples:
                    yield family.name, tuple(sample.labels.values()), sample.value

    def count(self, name: str, labels: Sequence[str], more: float) -> None:
        """Adds what another process counted by that name."""
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(more)


class Standing:
    """What the database holds, asked when somebody looks; shows nothing while it cannot be asked."""

    def __init__(
        self,
        reader: Reader,
        unsealed: Callable[[], Awaitable[Sequence[Unsealed]]],
        registry: CollectorRegistry,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reader = reader
        self._unsealed = unsealed
        self._clock = clock
        self._counted: float | None = None
        target, source = ("target",), ("source",)
        self._lag = Gauge("tenure_projection_lag_events", "Events not projected yet", (), registry=registry)
        self._seal_lag = Gauge("tenure_seal_lag_events", "Events not in the hash chain yet", (), registry=registry)
        self._lagging = Gauge(
            "tenure_seal_lag_partition_events",
            "The same by partition, for those that have any",
            ("partition",),
            registry=registry,
        )
        self._oldest_unsealed = Gauge(
            "tenure_oldest_unsealed_age_seconds", "How long the oldest of these is recorded", (), registry=registry
        )
        self._streams = Gauge("tenure_streams", "Streams by status and state", ("status", "state"), registry=registry)
        self._due = Gauge("tenure_pushes_due", "Streams with work for the pusher", target, registry=registry)
        self._failing = Gauge(
            "tenure_pushes_failing", "Streams whose push failed and is tried again", target, registry=registry
        )
        self._refused = Gauge("tenure_dead_letters", "Licenses that a target refused", target, registry=registry)
        self._wants = Gauge(
            "tenure_wants_open", "What a provider's API is asked and has not answered", source, registry=registry
        )
        self._oldest_want = Gauge(
            "tenure_oldest_want_age_seconds", "How long the oldest of these waits", source, registry=registry
        )

    async def look(self) -> None:
        """Brings the gauges up to date, as far as that takes no longer than a scrape may."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._ask()
        except (TimeoutError, LogUnavailable, psycopg.Error):
            self._forget()

    async def _ask(self) -> None:
        heads = await self._reader.log.heads(range(PARTITIONS))
        positions = await self._reader.queries.positions()
        self._lag.set(sum(head - positions.get(partition, 0) for partition, head in heads.items()))
        unsealed = await self._unsealed()
        self._seal_lag.set(sum(each.events for each in unsealed))
        self._oldest_unsealed.set(max((each.oldest for each in unsealed), default=0))
        self._lagging.clear()
        for each in unsealed:
            self._lagging.labels(str(each.partition)).set(each.events)
        known = {target for source in self._reader.sources.values() for target in source.targets}
        outstanding = {each.target: each for each in await self._reader.queries.outstanding()}
        for target in known | outstanding.keys():
            there = outstanding.get(target) or Outstanding(target=target)
            self._due.labels(target).set(there.due)
            self._failing.labels(target).set(there.failing)
            self._refused.labels(target).set(there.refused)
        wanted = {each.source: each for each in await self._reader.queries.wanted()}
        for source in self._reader.sources.keys() | wanted.keys():
            want = wanted.get(source) or Wanted(source=source)
            self._wants.labels(source).set(want.open)
            self._oldest_want.labels(source).set(want.oldest)
        if self._counted is None or self._clock() - self._counted >= COUNT_AGAIN_SECONDS:
            await self._count()

    async def _count(self) -> None:
        counts = await self._reader.queries.counts()
        self._counted = self._clock()
        self._streams.clear()
        for status, state, count in counts:
            self._streams.labels(status, state).set(count)

    def _forget(self) -> None:
        self._counted = None
        for gauge in (self._lag, self._seal_lag, self._oldest_unsealed):
            gauge.set(float("nan"))
        for gauge in (
            self._lagging,
            self._streams,
            self._due,
            self._failing,
            self._refused,
            self._wants,
            self._oldest_want,
        ):
            gauge.clear()


def metrics_route(
    metrics: Metrics, reader: Reader, unsealed: Callable[[], Awaitable[Sequence[Unsealed]]]
) -> HTTPRouteHandler:
    standing = Standing(reader, unsealed, metrics.registry)

    @get("/metrics", media_type=MediaType.TEXT, include_in_schema=False)
    async def show_metrics() -> Response[bytes]:
        await standing.look()
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return show_metrics
