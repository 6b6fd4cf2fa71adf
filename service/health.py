"""Whether the process is alive, and whether it can do its work."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from litestar import Response, Router, get

from service.problems import documented

Check = Callable[[], Awaitable[str]]
"""Answers what is wrong, with the remedy; empty when all is well."""


class Readiness(msgspec.Struct, frozen=True):
    """The outcome of every check: `ok`, or what is wrong."""

    ready: bool
    checks: dict[str, str]


def health_routes(checks: Mapping[str, Check]) -> Router:
    """`/health/live` for the supervisor that restarts, `/health/ready` for the balancer that sends traffic."""

    @get("/live", sync_to_thread=False)
    def live() -> dict[str, str]:
        """Answers as long as the event loop runs."""
        return {"status": "live"}

    @get("/ready", responses=documented(500))
    async def ready() -> Response[Readiness]:
        """200 when the database is reachable and migrated and the parts of this process run, else 503."""
        outcomes = {name: await check() or "ok" for name, check in checks.items()}
        passed = all(outcome == "ok" for outcome in outcomes.values())
        return Response(Readiness(ready=passed, checks=outcomes), status_code=200 if passed else 503)

    return Router("/health", route_handlers=[live, ready], tags=["health"])
