"""Numbers for Prometheus, and the route that shows them."""

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

# When a counter began says little and doubles what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]

_APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one process. Labels come from the settings, never from a request."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.deliveries = Counter(
            "tenure_deliveries", "Webhook requests, by what became of them", ("source", "outcome"), registry=registry
        )
        self.refused = Counter(
            "tenure_deliveries_refused", "Deliveries that are not authentic", ("source", "reason"), registry=registry
        )
        self.appended = Counter(
            "tenure_events_appended", "Events made durable from deliveries", ("source",), registry=registry
        )
        self.repeated = Counter(
            "tenure_events_repeated", "Delivered events that were stored before", ("source",), registry=registry
        )
        self.append_seconds = Histogram(
            "tenure_append_seconds", "From handing events to the store until they are durable", registry=registry,
            buckets=_APPEND_SECONDS,
        )  # fmt: skip


def metrics_route(metrics: Metrics) -> HTTPRouteHandler:
    @get("/metrics", media_type=MediaType.TEXT, include_in_schema=False, sync_to_thread=False)
    def show_metrics() -> Response[bytes]:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return show_metrics
