"""Whole lives of wallee's sandbox through a service that receives, reads back and projects, over real HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from domain.events import stream_of
from service.sandbox.faults import Answer, Fault
from service.sandbox.wallee import (
    DEFAULT_KEY,
    LIFECYCLES,
    SPACE,
    Habits,
    RunningWalleeApi,
    Space,
    deliver,
    deliveries,
    running_wallee_api,
)
from service.secrets import Secret
from service.settings import Api, Fetch, Settings, Source
from tests.serving import VIEWER, Served, served, settings

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ENDS = {
    "renewed": "active",
    "suspended_until_paid": "active",
    "suspended_to_the_end": "terminated",
    "termination_scheduled": "active",
    "never_began": "terminated",
}


def configured(dsn: str, url: str) -> Settings:
    base = settings(dsn)
    api = Api(url=url, requests_per_minute=100_000)
    return msgspec.structs.replace(
        base,
        sources={"pay": Source(provider="wallee", target="ls", account=str(SPACE), api=api)},
        secrets=msgspec.structs.replace(base.secrets, sources={}, api_keys={"pay": Secret(DEFAULT_KEY)}),
        fetch=Fetch(poll_seconds=0.05, patience_seconds=0),
    )


@asynccontextmanager
async def selling(
    database: str, name: str, habits: Habits | None = None
) -> AsyncIterator[tuple[Served, RunningWalleeApi, Space]]:
    space = LIFECYCLES[name].space(habits=habits)
    async with (
        running_wallee_api([space]) as running,
        served(configured(database, running.host), database, ("receiver", "runner", "fetcher")) as service,
    ):
        yield service, running, space


async def send(service: Served, space: Space) -> None:
    """All webhooks, mixed up and some twice."""
    sent = deliveries(space)
    sent += random.Random(7).sample(sent, len(sent) // 3)
    random.Random(8).shuffle(sent)

    async def at_once(_: int) -> None:
        return

    taken = await deliver(service.http, "/webhooks/pay", sent, backoff=at_once, attempts=1)
    assert taken == list(range(len(sent))), "each is answered 2xx at once"


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await done():  # noqa: ASYNC110 - the work is in the database
            await asyncio.sleep(0.05)


async def settled(service: Served) -> None:
    reader = service.process.reader

    async def done() -> bool:
        work = await reader.queries.open_work(reader.log)
        return not (work.unprojected or work.links or work.wants)

    await until(done)


@pytest.mark.parametrize(("name", "state"), ENDS.items())
async def test_a_life_ends_as_it_did_at_wallee(database: str, name: str, state: str) -> None:
    async with selling(database, name) as (service, running, space):
        await send(service, space)
        await settled(service)
        [identifier] = space.book.subscriptions
        reader = service.process.reader
        found = await reader.queries.stream(stream_of("pay", "subscription", str(identifier)))
        assert found is not None
        view, _ = found
        assert (view.state, view.problem) == (state, "")
        stopped = [each for each in await reader.queries.streams(limit=100) if each.status == "stopped"]
        assert stopped == []
        keys = [call for call in running.api.calls if call.startswith("/webhooks/")]
        assert len(keys) == 1


async def test_webhooks_are_taken_while_nothing_can_be_read_and_followed_up_afterwards(database: str) -> None:
    async with selling(database, "renewed") as (service, running, space):
        down = [
            running.api.faults.place(Fault(path=path, times=None, effect=Answer(status=503)))
            for path in ("/subscriptions/*", "/payment/*")
        ]
        await send(service, space)

        async def lagging() -> bool:
            return await service.metric('tenure_oldest_want_age_seconds{source="pay"}') > 0

        await until(lagging)
        assert await service.metric('tenure_wants_open{source="pay"}') > 0
        for each in down:
            running.api.faults.remove(each.id)
        await settled(service)
        [identifier] = space.book.subscriptions
        found = await service.process.reader.queries.stream(stream_of("pay", "subscription", str(identifier)))
        assert found is not None
        assert found[0].state == "active"
        assert await service.metric('tenure_wants_open{source="pay"}') == 0


async def test_what_was_paid_as_a_test_is_withheld_by_a_live_source(database: str) -> None:
    async with selling(database, "renewed", Habits(live=False)) as (service, _, space):
        await send(service, space)
        await settled(service)
        licenses = await service.process.reader.queries.licenses(limit=100)
        assert licenses
        assert all("test environment" in each.withheld and not each.due for each in licenses)
        view = {"authorization": f"Bearer {VIEWER}"}
        listed = (await service.http.get("/api/v1/subscriptions?problem=true", headers=view)).json()
        assert "test environment" in str(listed)
