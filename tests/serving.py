"""The service on a free port over real HTTP, for tests."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import msgspec

from service.bootstrap import wired
from service.process import Process
from service.secrets import Secret, Secrets
from service.serving import bound, serve_until_stopped, url_of
from service.settings import Database, Part, Project, Push, Server, Settings, Source, Target

SECRET = "whsec_first"
SECOND_SECRET = "whsec_second"
VIEWER, OPERATOR = "v" * 24, "o" * 24


class Served(msgspec.Struct, frozen=True):
    """A process that answers, and a client of it."""

    process: Process
    http: httpx2.AsyncClient
    url: str

    async def deliver(self, body: bytes, *, source: str = "shop", secret: str = SECRET) -> httpx2.Response:
        """Posts a delivery that is signed as Stripe does."""
        return await self.http.post(f"/webhooks/{source}", content=body, headers=signed(body, secret))

    async def metric(self, line: str) -> float:
        """The value of the line of /metrics that starts so; 0 when there is none."""
        text = (await self.http.get("/metrics")).text
        return next((float(each.split()[-1]) for each in text.splitlines() if each.startswith(f"{line} ")), 0.0)


def signed(body: bytes, secret: str = SECRET, *, age: float = 0) -> dict[str, str]:
    """The headers of a delivery that was signed `age` seconds ago."""
    seconds = int(time.time() - age)
    signature = hmac.new(secret.encode(), b"%d.%b" % (seconds, body), "sha256").hexdigest()
    return {"content-type": "application/json; charset=utf-8", "stripe-signature": f"t={seconds},v1={signature}"}


def settings(
    dsn: str, *, server: Server | None = None, target_url: str = "http://127.0.0.1:9", timeout: float = 10
) -> Settings:
    """Two sources of Stripe in test mode, `shop` with two live secrets, and one target."""
    return Settings(
        directory=Path("/nonexistent"),
        database=Database(url=dsn, timeout_seconds=timeout),
        server=server or Server(port=0, stop_timeout_seconds=5),
        sources={
            "shop": Source(provider="stripe", mode="test", target="ls"),
            "other": Source(provider="stripe", mode="test", target="ls"),
        },
        targets={"ls": Target(server="licensespring", url=target_url)},
        project=Project(poll_seconds=0.05),
        push=Push(poll_seconds=0.05),
        secrets=Secrets(
            sources={"shop": (Secret(SECRET), Secret(SECOND_SECRET)), "other": (Secret("whsec_other"),)},
            targets={"ls": Secret("ABCDEFGH.0123456789")},
            viewer_tokens=(Secret(VIEWER),),
            operator_tokens=(Secret(OPERATOR),),
        ),
    )


@asynccontextmanager
async def served(
    settings: Settings, dsn: str, parts: Sequence[Part] = ("receiver",), *, open_to_all: bool = False
) -> AsyncIterator[Served]:
    """The process with those parts, stopped in good order at the end."""
    stop = asyncio.Event()
    async with wired(settings, dsn, parts, open_to_all=open_to_all) as process:
        listener = bound("127.0.0.1", 0)
        url = url_of(listener)
        # The client may come before the task has begun.
        listener.listen()
        serving = asyncio.create_task(serve_until_stopped(process, settings.server, listener, stop))
        try:
            async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
                yield Served(process, http, url)
        finally:
            stop.set()
            await serving
