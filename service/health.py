"""Whether the process is alive, and whether it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import psycopg
from litestar import Response, Router, get

from projections.tables import Pool, Tables
from service.problems import documented

CHECK_SECONDS = 2.0

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


def database_check(pool: Pool, tables: Tables) -> Check:
    """Whether the database answers soon and has this version's tables."""

    async def check() -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS), pool.connection(timeout=CHECK_SECONDS) as connection:
                await connection.execute(tables["positions"])
        except psycopg.errors.UndefinedTable:
            return "lacks Tenure's tables: run `tenure migrate`"
        except (psycopg.OperationalError, TimeoutError):
            return "cannot be reached"
        except psycopg.Error as error:
            return f"refuses to be read (SQLSTATE {error.sqlstate}): check the rights of Tenure's user"
        return ""

    return check


def part_check(name: str, running: Mapping[str, "asyncio.Task[None]"]) -> Check:
    """Whether a part that this process is to run does run."""

    async def check() -> str:
        task = running.get(name)
        return "" if task is not None and not task.done() else "does not run"

    return check
