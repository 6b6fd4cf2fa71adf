"""The license generator and the order tell of one purchase at the same moment, and processes die amid it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx2
import msgspec
import pytest

from domain.events import NewEvent, Stream
from domain.providers.fastspring import PROVIDER
from projections.authority import Place, keys_for
from projections.ports import Appended, EventLog
from projections.pusher import Pusher
from service.demo.matching import licenses_in
from service.sandbox.licensespring import running_sandbox
from tests.checkout import FULFILLMENT, SANDBOX, SUBSCRIBED, Selling, completed, deliver, selling_to, store
from tests.key_requests import ask, form
from tests.payloads.fastspring import BOUGHT, DAY, PRO, event, subscription
from tests.pushing import AT_ONCE, pushing_to
from tests.serving import Served, served

pytestmark = pytest.mark.anyio

GENERATED = "tenure.keys_generated"
TRIES, TOGETHER = 40, 4


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Selling]:
    async with selling_to(database) as selling:
        yield selling


class Interrupted:
    """The log of a process to which something happens just before or after it records generated keys."""

    def __init__(
        self,
        log: EventLog,
        *,
        before: Callable[[], Awaitable[object]] | None = None,
        after: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._log = log
        self._before = before
        self._after = after
        self.heads = log.heads
        self.grown = log.grown
        self.read_partition = log.read_partition
        self.read_lot = log.read_lot
        self.read_stream = log.read_stream
        self.appends: list[Sequence[NewEvent]] = []

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        self.appends.append(events)
        if not any(event.type == GENERATED for event in events):
            return await self._log.append(events)
        before, self._before = self._before, None
        if before:
            await before()
        appended = await self._log.append(events)
        after, self._after = self._after, None
        if after:
            await after()
        return appended


class Killed(BaseException):
    """No chance to say goodbye."""


async def die() -> None:
    raise Killed


def interrupt(pusher: Pusher, log: Interrupted) -> None:
    pusher._log = log


# --- at once ------------------------------------------------------------------------------------------------


async def test_checkout_and_order_at_once_agree_on_every_key(database: str) -> None:
    chance = random.Random(3)
    async with running_sandbox(SANDBOX) as sandbox:
        settings = store(database, sandbox.url, sandbox.api_key)
        async with (
            served(settings, database, ["receiver", "runner", "pusher"]) as one,
            served(settings, database) as two,
        ):
            started = asyncio.get_running_loop().time()
            await deliver(one.http, completed(1, "FAL-0", "0"))
            await settled(one.process.reader.open_work)
            way = asyncio.get_running_loop().time() - started
            bought = [("FAL-0", await insist(one.http, form(1, PRO, "FAL-0", test="1")))]
            for first in range(1, TRIES, TOGETHER):
                numbers = range(first, first + TOGETHER)
                purchases = (purchase(one.http, two.http, each, chance.uniform(0, way)) for each in numbers)
                bought += await asyncio.gather(*purchases)
            await settled(one.process.reader.open_work)
            views = await one.process.reader.queries.licenses(limit=1000)
            for reference, given in bought:
                mine = [view for view in views if view.desired.fulfillment == f"{reference}/{PRO}"]
                assert [view.key for view in sorted(mine, key=lambda view: view.desired.unit)] == given
            held = [each["license_key"] for each in licenses_in(sandbox.control.holdings())]
            assert sorted(held) == sorted(key for _, given in bought for key in given)
            assert {await first_event(one, reference) for reference, _ in bought} == {
                "fulfillment.requested",
                GENERATED,
            }


async def first_event(front: Served, reference: str) -> str:
    """Tells whether the checkout or the pusher chose the keys of a purchase."""
    events = await front.process.reader.log.read_stream(Stream(f"acme/fulfillment/{reference}"), limit=1)
    return events[0].type


async def purchase(
    one: httpx2.AsyncClient, two: httpx2.AsyncClient, number: int, delay: float
) -> tuple[str, list[str]]:
    """One purchase, told of by its order, and amid what follows from that asked keys for by three calls at once."""
    reference, quantity = f"FAL-{number}", number % 3 + 1
    asked = form(quantity, PRO, reference, test="1")

    async def checkout() -> tuple[list[str], list[str], list[str]]:
        # How far the order has come by then is left to chance.
        await asyncio.sleep(delay)
        return await asyncio.gather(
            insist(one, asked), insist(two, {**asked, "referrer": "newsletter"}), insist(one, asked)
        )

    answers, _ = await asyncio.gather(checkout(), deliver(two, completed(quantity, reference, str(number))))
    assert answers[0] == answers[1] == answers[2]
    return reference, answers[0]


async def insist(http: httpx2.AsyncClient, fields: Mapping[str, str]) -> list[str]:
    """Asks again where the keys were not there in time, as a buyer would."""
    answer = await ask(http, "acme", fields)
    while answer.status_code == 503:
        answer = await ask(http, "acme", fields)
    assert answer.status_code == 200, answer.text
    return answer.text.split("\n")


async def settled(open_work: Callable[[], Awaitable[msgspec.Struct]]) -> None:
    async with asyncio.timeout(60):
        while any(msgspec.structs.astuple(await open_work())):  # noqa: ASYNC110 - the work is in the database
            await asyncio.sleep(0.05)


async def test_the_pusher_that_comes_a_moment_late_takes_the_checkouts_keys(shop: Selling) -> None:
    given: list[str] = []

    async def checkout() -> None:
        given.extend(await shop.keys(2))

    interrupt(shop.pushed.pusher, Interrupted(shop.pushed.projected.log, before=checkout))
    await shop.tell(completed(2))
    await shop.settle()
    assert sorted(shop.held()) == sorted(given)
    assert len(given) == 2


async def test_the_checkout_that_comes_a_moment_late_takes_the_pushers_keys(shop: Selling) -> None:
    await shop.tell(completed(2))
    log = Interrupted(shop.pushed.projected.log, before=shop.settle)
    place = Place(stream=FULFILLMENT, target="ls", product=PRO)
    given = await keys_for(log, place, 2, mint=lambda count, *, known: ["too late"] * count, at=datetime.now(UTC))
    assert sorted(shop.held()) == sorted(given)
    assert await shop.keys(2) == [*given]


@pytest.mark.parametrize("asked", [3, 5])
async def test_units_that_are_added_while_the_checkout_asks_for_more_have_the_same_keys(
    shop: Selling, asked: int
) -> None:
    await shop.keys(2)
    await shop.tell(*SUBSCRIBED)
    await shop.settle()

    async def checkout() -> None:
        given.extend(await shop.keys(asked))

    given: list[str] = []
    interrupt(shop.pushed.pusher, Interrupted(shop.pushed.projected.log, before=checkout))
    more = subscription(quantity=4, subtotal=116.0)
    await shop.tell(event("subscription.updated", more, id_="EVUPDATED", created=BOUGHT + DAY))
    await shop.settle()
    assert len(given) == asked
    shared = min(asked, 4)
    now = await shop.keys(4)
    assert now[:shared] == given[:shared]
    assert sorted(shop.held()) == sorted(now)


# --- killed -------------------------------------------------------------------------------------------------


async def test_the_request_and_its_keys_are_one_append_and_one_transaction(shop: Selling) -> None:
    await shop.keys(2)
    async with shop.pushed.projected.pool.connection() as connection:
        cursor = await connection.execute(
            "select type, xmin::text from event where partition between 0 and 255 and stream = %s order by position",
            [FULFILLMENT],
        )
        (asked, in_one), (generated, in_other) = await cursor.fetchall()
    assert (asked, generated) == ("fulfillment.requested", GENERATED)
    assert in_one == in_other


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_pusher_killed_around_the_record_leaves_one_license_a_unit_with_the_checkouts_keys(
    database: str, moment: str
) -> None:
    async with selling_to(database) as shop:
        log = shop.pushed.projected.log
        interrupt(
            shop.pushed.pusher, Interrupted(log, before=die) if moment == "before" else Interrupted(log, after=die)
        )
        await shop.tell(completed(2))
        await shop.pushed.projected.runner.project_until_idle()
        with pytest.raises(Killed):
            await shop.pushed.pusher.push_until_idle()
        given = await shop.keys(2)
        async with shop.pushed.projected.pool.connection() as connection:
            await connection.execute("update projection_1.push set leased_until = now()")
        await shop.pushed.projected.runner._release()
        async with pushing_to(database, shop.pushed.sandbox, provider=PROVIDER, owner="another") as other:
            await other.settle()
            assert await other.mismatches() == []
        assert sorted(shop.held()) == sorted(given)
        assert len(await shop.recorded()) == 1


# --- waiting for the relay ----------------------------------------------------------------------------------


async def test_keys_that_were_relayed_end_the_wait_whatever_its_length(shop: Selling) -> None:
    shop.pushed.pusher._settings = msgspec.structs.replace(AT_ONCE, behind=3600)
    await shop.tell(completed(2))
    await shop.settle()
    assert len(shop.held()) == 2


async def test_while_the_relay_is_late_nothing_is_asked_again(shop: Selling) -> None:
    shop.pushed.pusher._settings = msgspec.structs.replace(AT_ONCE, behind=0)
    await shop.tell(completed(2))
    await shop.pushed.projected.runner.project_until_idle()
    for _ in range(5):
        (claim,) = await shop.pushed.pusher._claim(1)
        await shop.pushed.pusher._push(claim)
    assert [call.path for call in shop.pushed.sandbox.control.calls() if "generate" in call.path] == [
        "/api/v1/orders/generate_license/"
    ]
    await shop.settle()
    assert sorted(shop.held()) == sorted(await shop.keys(2))
