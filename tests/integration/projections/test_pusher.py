"""The pusher against a LicenseSpring sandbox over real HTTP: whatever goes wrong, one license per unit."""

import asyncio
from typing import Any
from zlib import crc32

import msgspec
import pytest

from domain import facts as f
from projections.pusher import PusherSettings
from projections.retrying import retry_refused
from projections.targets.errors import Unavailable
from service.sandbox.faults import Answer, Drop, Effect, HtmlPage, Stale, Throttle
from service.sandbox.licensespring.settings import ProductSeed
from tests.projecting import as_new
from tests.pushing import ENDED, QUIET, RENEWED, bought, live, pushing, pushing_to
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    STREAM,
    activated,
    described,
    happened,
    line,
    paid,
    period,
)

pytestmark = pytest.mark.anyio


async def test_a_purchase_becomes_licenses_at_licensespring(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        assert await pushed.mismatches() == []
        assert len(pushed.held()) == 2
        first = pushed.held()[0]
        assert (first["product"], first["subscription_id"], first["enabled"]) == ("APP", "sub_1", True)
        assert (first["validity_period"][:10], first["grace_period"]) == ("2026-02-01", 48)
        (customer,) = pushed.sandbox.control.holdings()["customers"]
        assert (customer["email"], customer["reference"]) == ("ada@example.com", "cus_ada")


async def test_a_renewal_moves_the_date_and_an_end_disables(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(), RENEWED))
        assert {held["validity_period"][:10] for held in pushed.held()} == {"2026-03-01"}
        await live(pushed, (ENDED,))
        assert {held["enabled"] for held in pushed.held()} == {False}
        assert await pushed.mismatches() == []


async def test_what_is_in_line_is_not_pushed_again(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed)
        calls = len(pushed.sandbox.control.calls())
        await live(pushed)
        assert len(pushed.sandbox.control.calls()) == calls


async def test_ten_changes_in_a_burst_cost_one_call_a_license(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(1),))
        before = len(pushed.sandbox.control.calls())
        for month in range(1, 11):
            start, end = JANUARY.replace(month=month), JANUARY.replace(month=month + 1)
            await pushed.projected.take([happened(start, paid(f"in_{month + 1}", period(start, end)))])
        await pushed.settle()
        assert len(pushed.sandbox.control.calls()) - before == 1
        assert await pushed.mismatches() == []


FAULTS: list[Effect] = [
    Drop(when="before"),
    Drop(when="after"),
    Answer(status=500, when="before"),
    Answer(status=502, when="after"),
    HtmlPage(status=503, when="after"),
    HtmlPage(status=502),
    Throttle(retry_after=0),
    Throttle(retry_after=None),
    Stale(changes=1),
]


@pytest.mark.parametrize("skip", range(6))
@pytest.mark.parametrize("effect", FAULTS, ids=lambda effect: f"{type(effect).__name__}-{getattr(effect, 'when', '')}")
async def test_a_fault_at_any_call_leaves_the_right_licenses_and_none_twice(
    database: str, effect: Effect, skip: int
) -> None:
    async with pushing(database) as pushed:
        pushed.sandbox.control.fault(effect, skip=skip)
        await live(pushed)
        assert await pushed.mismatches() == []
        assert len(pushed.held()) == 2


async def test_an_order_that_exists_but_cannot_be_seen_yet_is_waited_for(database: str) -> None:
    async with pushing(database) as pushed:
        pushed.sandbox.control.fault(Drop(when="after"), method="POST", path="/api/v1/orders/create_order")
        pushed.sandbox.control.fault(Stale(changes=1), method="GET", path="/api/v1/orders", times=2)
        await live(pushed, (bought(),))
        assert await pushed.projected.queries.licenses(refused=True) == []
        assert await pushed.mismatches() == []
        assert len(pushed.held()) == 2


DISPUTED = happened(FEBRUARY, f.DisputeOpened(dispute="dp_1", payment="pi_1", amount=1, currency="eur"))
WON = happened(MARCH, f.DisputeClosed(dispute="dp_1", payment="pi_1", outcome=f.DisputeOutcome.WON))


@pytest.mark.parametrize("effect", [Drop(when="after"), Answer(status=502, when="after")])
async def test_a_call_whose_answer_was_lost_is_looked_at_though_the_wish_went_back_to_what_it_was(
    database: str, effect: Effect
) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        pushed.sandbox.control.fault(effect, method="POST", path="/api/v1/licenses/*")
        await pushed.projected.take([DISPUTED])
        (claim,) = await pushed.pusher._claim(1)
        await pushed.pusher._push(claim)
        assert False in {held["enabled"] for held in pushed.held()}, "it was disabled, and nobody heard of it"
        await live(pushed, (WON,))
        assert {held["enabled"] for held in pushed.held()} == {True}
        assert await pushed.mismatches() == []


async def test_a_pusher_that_died_amid_a_call_leaves_its_doubt_to_the_next(database: str) -> None:
    """It wrote what it was about to do, did it, and was gone before it could record the answer."""
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        await pushed.projected.take([DISPUTED])
        (claim,) = await pushed.pusher._claim(1)
        account = pushed.pusher._accounts["ls"]
        work = await pushed.pusher._load(claim)
        assert work is not None
        for call in account.target.plan(work.desired, work.held):
            await pushed.pusher._take_turn(claim, account, call.subjects)
            await account.target.perform(call, fresh=False)
            break
        await pushed.projected.take([WON])
        async with pushed.projected.pool.connection() as connection:
            await connection.execute("update projection_1.push set leased_until = now()")
        await pushed.settle()
        assert await pushed.mismatches() == []


async def test_what_a_customer_has_stays_while_what_replaces_it_cannot_be_created(database: str) -> None:
    typo = line(start=JANUARY, end=FEBRUARY, price="price_2", attributes={"short_code": "TYPO"})
    async with pushing(database) as pushed:
        await live(pushed, (bought(1), happened(FEBRUARY, described(typo))))
        assert [(held["product"], held["enabled"]) for held in pushed.held()] == [("APP", True)]
        (letter,) = await pushed.projected.queries.licenses(refused=True)
        pushed.sandbox.control.add_product(ProductSeed(short_code="TYPO"))
        await retry_refused(
            pushed.projected.log, letter.stream, letter.target, (letter.id,), "ada", "it is there", MARCH
        )
        await pushed.settle()
        assert sorted((held["product"], held["enabled"]) for held in pushed.held()) == [("APP", False), ("TYPO", True)]


async def test_two_pushers_at_once_make_each_license_once(database: str) -> None:
    streams = [f"acme/subscription/sub_{number}" for number in range(12)]
    async with pushing(database) as one, pushing_to(database, one.sandbox, owner="pusher-2") as two:
        await one.projected.take([bought(stream=stream) for stream in streams])
        for _ in range(5):
            await asyncio.gather(one.pusher.push_until_idle(), two.pusher.push_until_idle())
            await one.projected.runner.project_until_idle()
        assert await one.mismatches() == []
        assert len(one.held()) == 24


async def test_a_pusher_that_overslept_its_lease_makes_no_second_license(database: str) -> None:
    """The first pusher sits on its claim while a second one does all the work; then the first goes on."""
    asleep = PusherSettings(first_delay=0, longest_delay=0, lease=0.000001)
    async with pushing(database) as one, pushing_to(database, one.sandbox, owner="pusher-2") as two:
        await one.projected.take([bought()])
        one.pusher._settings = asleep
        (claim,) = await one.pusher._claim(1)
        await two.pusher.push_until_idle()
        await one.pusher._push(claim)
        await one.settle()
        assert await one.mismatches() == []
        assert len(one.held()) == 2


async def test_what_the_pusher_was_refused_is_no_work_for_the_runner_either(database: str) -> None:
    typo = line(quantity=5, start=JANUARY, end=FEBRUARY, attributes={"short_code": "TYPO"})
    async with pushing(database) as pushed:
        await live(pushed, (happened(JANUARY, described(typo), activated()),))
        letters = await pushed.projected.queries.licenses(refused=True)
        assert [letter.due for letter in letters] == [False] * 5
        assert (await pushed.projected.queries.open_work(pushed.projected.log)).pushes == 0


async def test_an_unknown_product_is_a_dead_letter_in_the_servers_words_and_others_go_on(database: str) -> None:
    unknown = line("si_2", start=JANUARY, end=FEBRUARY, attributes={"short_code": "TYPO"})
    both = happened(JANUARY, described(line(start=JANUARY, end=FEBRUARY), unknown), activated())
    async with pushing(database) as pushed:
        await live(pushed, (both,))
        (letter,) = await pushed.projected.queries.licenses(refused=True)
        assert letter.refusal is not None
        assert (letter.desired.product_code, letter.due) == ("TYPO", False)
        assert "TYPO" in letter.refusal.text
        assert [held["product"] for held in pushed.held()] == ["APP"]
        calls = len(pushed.sandbox.control.calls())
        await pushed.settle()
        assert len(pushed.sandbox.control.calls()) == calls, "a dead letter is not sent again by itself"
        pushed.sandbox.control.add_product(ProductSeed(short_code="TYPO"))
        await retry_refused(
            pushed.projected.log, letter.stream, letter.target, (letter.id,), "ada", "it is there", MARCH
        )
        await pushed.settle()
        assert sorted(held["product"] for held in pushed.held()) == ["APP", "TYPO"]
        assert await pushed.projected.queries.licenses(refused=True) == []


async def test_a_wrong_key_makes_no_dead_letters(database: str) -> None:
    wrong = msgspec.structs.replace(QUIET, api_keys=("another-key",))
    async with pushing(database, wrong) as pushed:
        pushed.sandbox.control.company.settings = msgspec.structs.replace(wrong, api_keys=("rolled-key",))
        await pushed.projected.take([bought()])
        (claim,) = await pushed.pusher._claim(1)
        await pushed.pusher._push(claim)
        await pushed.projected.runner.project_until_idle()
        assert await pushed.projected.queries.licenses(refused=True) == []
        (postponed,) = await pushed.projected.queries.postponed()
        assert "key" in (postponed.error or "")


async def test_a_failed_push_waits_longer_each_time_and_not_at_all_for_a_new_wish(database: str) -> None:
    async with pushing(database) as pushed:
        pushed.pusher._settings = PusherSettings(first_delay=1000, longest_delay=100_000)
        pushed.sandbox.control.fault(Answer(status=503), times=None)
        await pushed.projected.take([bought()])
        assert await pushed.pusher.push_until_idle() == 1
        assert await pushed.pusher.push_until_idle() == 0
        await pushed.projected.take([RENEWED])
        pushed.sandbox.control.clear_faults()
        await pushed.settle()
        assert await pushed.mismatches() == []


async def test_a_clock_that_is_set_back_holds_up_nobody(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed, (bought(),))
        async with pushed.projected.pool.connection() as connection:
            await connection.execute("update call_budget set refilled_at = now() + interval '1 hour'")
        await live(pushed, (RENEWED,))
        assert await pushed.mismatches() == []


async def test_an_account_that_asks_for_a_pause_gets_it_from_everybody(database: str) -> None:
    async with pushing(database) as pushed:
        pushed.sandbox.control.fault(Throttle(retry_after=30))
        pushed.pusher._settings = PusherSettings(first_delay=0, longest_delay=100)
        await pushed.projected.take([bought(), bought(stream="acme/subscription/sub_2")])
        (claim, _other) = await pushed.pusher._claim(2)
        await pushed.pusher._push(claim)
        bucket = {"partition": crc32(b"ls") & 255, "account": "ls", "burst": 1000.0, "per_second": 10_000.0}
        async with pushed.projected.pool.connection() as connection:
            cursor = await connection.execute(pushed.projected.tables["take_tokens"], {**bucket, "count": 1})
            (wait,) = await cursor.fetchone() or (0.0,)
        assert 20 < wait <= 31
        assert len(pushed.sandbox.control.calls()) == 1


async def test_a_rebuilt_projection_knows_what_was_applied_and_pushes_nothing(database: str) -> None:
    async with pushing(database) as pushed:
        await live(pushed)
        expected, calls = await pushed.projected.rows(), len(pushed.sandbox.control.calls())
        async with pushed.projected.pool.connection() as connection:
            await connection.execute("drop schema projection_1 cascade")
            await pushed.projected.tables.prepare(connection)
        await pushed.settle()
        assert await pushed.projected.rows() == expected
        assert len(pushed.sandbox.control.calls()) == calls


async def test_a_running_pusher_finishes_its_call_and_records_it_before_it_stops(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought()])
        stop, called = asyncio.Event(), asyncio.Event()
        perform = pushed.pusher._accounts["ls"].target.perform

        async def watched(*arguments: Any, **named: Any) -> Any:
            called.set()
            return await perform(*arguments, **named)

        pushed.pusher._accounts["ls"].target.perform = watched  # type: ignore[method-assign]
        running = asyncio.create_task(pushed.pusher.run(stop))
        async with asyncio.timeout(20):
            await called.wait()
            stop.set()
            await running
        events = await pushed.projected.log.read_stream(STREAM)
        assert "tenure.keys_minted" in {event.type for event in events}
        await pushed.settle()
        assert await pushed.mismatches() == []


async def test_a_license_server_that_cannot_be_reached_costs_nothing_but_time(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.projected.take([bought()])
        perform = pushed.pusher._accounts["ls"].target.perform

        async def unreachable(*_: Any, **__: Any) -> Any:
            raise Unavailable("create order", text="no route")

        pushed.pusher._accounts["ls"].target.perform = unreachable  # type: ignore[method-assign]
        (claim,) = await pushed.pusher._claim(1)
        await pushed.pusher._push(claim)
        pushed.pusher._accounts["ls"].target.perform = perform  # type: ignore[method-assign]
        await pushed.settle()
        assert await pushed.mismatches() == []
        assert as_new(bought()) == as_new((await pushed.projected.log.read_stream(STREAM))[0])
