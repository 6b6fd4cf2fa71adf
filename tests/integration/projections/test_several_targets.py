"""Two accounts of a license server as targets of one source: each holds its own, and neither waits for the other."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event
from domain.policy import Policy
from domain.receipts import AnyReceipt
from projections.budget import Budget, take_turn
from projections.pusher import Account, Pusher
from projections.queries import LastLicense
from projections.retrying import retry_refused
from projections.targets import Call, Target
from projections.targets.errors import Paced
from projections.targets.licensespring.client import open_licensespring
from projections.targets.licensespring.target import LicenseSpringTarget
from service.attention import Retried
from service.attention import retry_refused as retry_everywhere
from service.demo.matching import differences, licenses_in
from service.lookup import Ambiguous, Reader, find_license
from service.sandbox.faults import Answer
from service.sandbox.licensespring import RunningSandbox, running_sandbox
from service.sandbox.licensespring.settings import ProductSeed
from tests.projecting import projecting
from tests.pushing import ADA, AT_ONCE, ENDED, LIFE, PLENTY, QUIET, RENEWED, Pushed, bought, live
from tests.stories import APRIL, FEBRUARY, JANUARY, MARCH, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

USUAL = Policy()
BOTH = {"ls": USUAL, "other": USUAL}
ONE_AN_HOUR = Budget(per_second=1 / 3600, burst=1)


class Two(msgspec.Struct, frozen=True, kw_only=True):
    """A source between two license servers, by the names of its targets."""

    pushed: Pushed
    sandboxes: Mapping[str, RunningSandbox]

    async def mismatches(self, target: str) -> list[str]:
        """How what a sandbox holds differs from what is desired at its target."""
        views = await self.pushed.projected.queries.licenses(target=target, limit=1000)
        return differences(views, self.held(target))

    def held(self, target: str) -> list[dict[str, Any]]:
        return licenses_in(self.sandboxes[target].control.holdings())

    async def one(self, statement: str) -> tuple[Any, ...]:
        """The only row of a query of the database."""
        async with self.pushed.projected.pool.connection() as connection:
            (row,) = await (await connection.execute(statement.encode())).fetchall()
        return tuple(row)

    def feed(self, feeds: Mapping[str, Policy]) -> None:
        """The source has these targets from now on."""
        acme = self.pushed.projected.sources["acme"]
        self.pushed.projected.sources["acme"] = msgspec.structs.replace(acme, targets=feeds)


@asynccontextmanager
async def two(
    dsn: str, feeds: Mapping[str, Policy] = BOTH, *, other: Budget = PLENTY, paced: bool = False
) -> AsyncIterator[Two]:
    """Nothing runs but when told to; the account `other` has that pace, which its client counts if it is `paced`."""
    both = msgspec.structs.replace(QUIET, products=(ProductSeed(short_code="APP"), ProductSeed(short_code="PRO")))
    seeds = {"ls": both, "other": msgspec.structs.replace(QUIET, seed=2)}
    async with AsyncExitStack() as stack:
        sandboxes = {name: await stack.enter_async_context(running_sandbox(seed)) for name, seed in seeds.items()}
        targets = {
            name: LicenseSpringTarget(
                name, await stack.enter_async_context(open_licensespring(f"{at.url}/api/v1/", at.api_key))
            )
            for name, at in sandboxes.items()
        }
        projected = await stack.enter_async_context(projecting(dsn, feeds=feeds, targets=targets))
        accounts = {"ls": Account(target=targets["ls"], budget=PLENTY)}
        accounts["other"] = Account(target=targets["other"], budget=other, paced=paced)
        pusher = Pusher(
            log=projected.log,
            pool=projected.pool,
            tables=projected.tables,
            accounts=accounts,
            owner="pusher-1",
            settings=AT_ONCE,
        )
        pushed = Pushed(projected=projected, pusher=pusher, sandbox=sandboxes["ls"])
        yield Two(pushed=pushed, sandboxes=sandboxes)


def sold(*targets: str, product: str = "APP") -> Event:
    """A paid January of one line for each of these `license_target`s."""
    lines = [
        line(
            f"si_{number}",
            start=JANUARY,
            end=FEBRUARY,
            attributes={"short_code": product} | ({"license_target": target} if target else {}),
        )
        for number, target in enumerate(targets, 1)
    ]
    periods = [period(JANUARY, FEBRUARY, each.id) for each in lines]
    return happened(JANUARY, ADA, described(*lines), activated(), paid("in_1", *periods))


async def test_a_whole_life_is_the_same_at_both(database: str) -> None:
    async with two(database) as pair:
        for events in LIFE:
            await live(pair.pushed, (events,))
            assert [await pair.mismatches(target) for target in BOTH] == [[], []]
            assert [len(pair.held(target)) for target in BOTH] == [2, 2]
        keys = {held["license_key"] for target in BOTH for held in pair.held(target)}
        assert len(keys) == 4, "each license server makes keys of its own"


async def test_a_product_that_names_a_target_is_only_there(database: str) -> None:
    async with two(database) as pair:
        await live(pair.pushed, (sold("other", ""),))
        assert [len(pair.held(target)) for target in BOTH] == [1, 2]
        assert [await pair.mismatches(target) for target in BOTH] == [[], []]


async def test_each_target_follows_its_own_policy(database: str) -> None:
    async with two(database, {"ls": USUAL, "other": Policy(on_refund="keep")}) as pair:
        back = f.PaymentRefunded(payment="pi_1", amount=1000, refunded=1000, currency="eur", invoice="in_1")
        await live(pair.pushed, (bought(), happened(FEBRUARY, back)))
        assert [{held["enabled"] for held in pair.held(target)} for target in BOTH] == [{False}, {True}]


async def test_a_dead_letter_at_one_does_not_hold_up_the_other(database: str) -> None:
    """PRO is no product of the other account."""
    async with two(database) as pair:
        await live(pair.pushed, (sold("", product="PRO"),))
        assert await pair.mismatches("ls") == []
        queries = pair.pushed.projected.queries
        (letter,) = await queries.licenses(refused=True)
        assert (letter.target, pair.held("other")) == ("other", [])
        assert {each.target: each.refused for each in await queries.outstanding()} == {"other": 1}
        renewal = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)))
        await live(pair.pushed, (renewal,))
        assert await pair.mismatches("ls") == []
        pair.sandboxes["other"].control.add_product(ProductSeed(short_code="PRO"))
        reader = Reader(log=pair.pushed.projected.log, queries=queries, sources=pair.pushed.projected.sources)
        assert await retry_everywhere(reader, letter.id, "ada", "moved") == Retried(accepted=letter.id)
        await pair.pushed.settle()
        assert [await pair.mismatches(target) for target in BOTH] == [[], []]


async def test_a_license_server_that_is_down_does_not_hold_up_the_other(database: str) -> None:
    async with two(database) as pair:
        pair.sandboxes["other"].control.fault(Answer(status=503), times=None)
        await pair.pushed.projected.take([bought()])
        for _ in range(10):
            for claim in await pair.pushed.pusher._claim(2):
                await pair.pushed.pusher._push(claim)
            await pair.pushed.projected.runner.project_until_idle()
        assert await pair.mismatches("ls") == []
        pair.sandboxes["other"].control.clear_faults()
        await pair.pushed.settle()
        assert await pair.mismatches("other") == []


class Until(LicenseSpringTarget):
    """A license server that answers a call only when it may, and says when it was called."""

    def __init__(self, target: Target, may: asyncio.Event, called: asyncio.Event) -> None:
        assert isinstance(target, LicenseSpringTarget)
        super().__init__(target.name, target._client)
        self._may, self._called = may, called

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:
        self._called.set()
        await self._may.wait()
        return await super().perform(call, fresh=fresh)


async def test_a_license_server_that_does_not_answer_fills_no_others_places(database: str) -> None:
    """With one place each: while a call to the one hangs, the other gets its turn."""
    at_once, may, hangs, goes_on, stop = (asyncio.Event() for _ in range(5))
    at_once.set()
    async with two(database) as pair, asyncio.timeout(30):
        pusher = pair.pushed.pusher
        pusher._settings = msgspec.structs.replace(AT_ONCE, concurrency=1)
        ls, other = pusher._accounts["ls"], pusher._accounts["other"]
        slow = msgspec.structs.replace(other, target=Until(other.target, may, hangs))
        quick = msgspec.structs.replace(ls, target=Until(ls.target, at_once, goes_on))
        pusher._accounts = {"other": slow, "ls": quick}
        await pair.pushed.projected.take([bought(stream=f"acme/subscription/sub_{number}") for number in range(3)])
        running = asyncio.create_task(pusher.run(stop))
        await hangs.wait()
        await goes_on.wait()
        assert not may.is_set()
        may.set()
        stop.set()
        await running
        await pair.pushed.settle()
        assert [await pair.mismatches(target) for target in BOTH] == [[], []]


async def test_each_account_has_its_own_pace(database: str) -> None:
    async with two(database, other=ONE_AN_HOUR) as pair:
        await live(pair.pushed, (bought(), RENEWED, ENDED))
        assert await pair.mismatches("ls") == []
        assert len(pair.sandboxes["other"].control.calls()) <= 2, "one call, and what it looks up in the catalog"
        waiting = await pair.one("select attempts, error, doubt from projection_1.push where target = 'other' and due")
        assert waiting == (0, None, []), "it waits for its turn, and nothing failed"
        assert await pair.pushed.pusher._claim(1) == []


class TakingTurns(LicenseSpringTarget):
    """A client that counts its requests itself."""

    def __init__(self, pair: Two, budget: Budget) -> None:
        target = pair.pushed.pusher._accounts["other"].target
        assert isinstance(target, LicenseSpringTarget)
        super().__init__("other", target._client)
        self._pair, self._budget = pair, budget

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:
        projected = self._pair.pushed.projected
        await take_turn(projected.pool, projected.tables, self.name, self._budget)
        return await super().perform(call, fresh=fresh)


async def test_a_client_that_takes_its_turns_itself_goes_on_call_by_call(database: str) -> None:
    async with two(database, {"other": USUAL}, paced=True) as pair:
        pusher = pair.pushed.pusher
        account = msgspec.structs.replace(pusher._accounts["other"], target=TakingTurns(pair, ONE_AN_HOUR))
        pusher._accounts = {"other": account}
        await pair.pushed.projected.take([bought()])
        calls = []
        for _ in range(5):
            assert await pusher.push_until_idle() <= 2
            await pair.pushed.projected.runner.project_until_idle()
            assert await pusher._claim(1) == [], "the account bears no further request"
            calls.append(len(pair.sandboxes["other"].control.calls()))
            # An hour later.
            pusher._paced.clear()
            async with pair.pushed.projected.pool.connection() as connection:
                await connection.execute("update call_budget set tokens = 1")
                await connection.execute("update projection_1.push set next_at = now()")
        assert calls == sorted(calls)
        assert calls[0] < calls[1], "a call at a time"
        assert await pair.mismatches("other") == []


async def test_a_turn_that_is_far_off_is_told_and_not_waited_for(database: str) -> None:
    async with projecting(database) as projected:
        await take_turn(projected.pool, projected.tables, "other", ONE_AN_HOUR)
        with pytest.raises(Paced) as paced:
            await take_turn(projected.pool, projected.tables, "other", ONE_AN_HOUR)
        assert 3500 < (paced.value.retry_after or 0) <= 3600
        await take_turn(projected.pool, projected.tables, "another", ONE_AN_HOUR)


async def test_a_target_that_is_taken_out_leads_to_no_second_license(database: str) -> None:
    async with two(database, {"ls": USUAL}) as pair:
        await live(pair.pushed, (bought(),))
        pair.feed({"other": USUAL})
        await live(pair.pushed, (RENEWED,))
        assert (len(pair.held("ls")), pair.held("other")) == (2, [])
        (view,) = await pair.pushed.projected.queries.streams(problems=True)
        assert "held at 'ls'" in view.problem
        pair.feed({"ls": USUAL})
        await live(pair.pushed, (happened(APRIL, activated()),))
        assert await pair.mismatches("ls") == []
        assert pair.held("other") == []


async def test_a_product_that_names_another_target_now_leads_to_no_second_license(database: str) -> None:
    renamed = described(
        line("si_1", start=JANUARY, end=FEBRUARY, attributes={"short_code": "APP", "license_target": "other"})
    )
    async with two(database) as pair:
        await live(pair.pushed, (sold("ls"), happened(FEBRUARY, renamed, named="renamed")))
        assert (len(pair.held("ls")), pair.held("other")) == (1, [])
        assert {held["enabled"] for held in pair.held("ls")} == {True}


async def test_a_product_that_comes_to_name_one_of_two_is_disabled_at_the_other(database: str) -> None:
    renamed = described(
        line("si_1", start=JANUARY, end=FEBRUARY, attributes={"short_code": "APP", "license_target": "other"})
    )
    async with two(database) as pair:
        await live(pair.pushed, (sold(""), happened(FEBRUARY, renamed, named="renamed")))
        assert [[held["enabled"] for held in pair.held(target)] for target in BOTH] == [[False], [True]]


async def test_a_license_is_found_at_each_of_its_targets(database: str) -> None:
    async with two(database) as pair:
        await live(pair.pushed, (sold(""),))
        queries = pair.pushed.projected.queries
        reader = Reader(log=pair.pushed.projected.log, queries=queries, sources=pair.pushed.projected.sources)
        (first,) = await queries.licenses(limit=1)
        (second,) = await queries.licenses(after=LastLicense(first.id, first.target), limit=1)
        assert (first.id, first.target, second.target) == (second.id, "ls", "other")
        assert (await find_license(reader, first.id, "other")).target == "other"
        with pytest.raises(Ambiguous) as ambiguous:
            await find_license(reader, first.id)
        assert ambiguous.value.candidates == ("ls", "other")


async def test_what_one_refused_is_tried_again_at_that_one(database: str) -> None:
    async with two(database) as pair:
        await live(pair.pushed, (sold("", product="PRO"),))
        (letter,) = await pair.pushed.projected.queries.licenses(refused=True)
        before = len(pair.sandboxes["ls"].control.calls())
        await retry_refused(
            pair.pushed.projected.log, letter.stream, letter.target, (letter.id,), "ada", "it is there", MARCH
        )
        await pair.pushed.settle()
        assert len(pair.sandboxes["ls"].control.calls()) == before
