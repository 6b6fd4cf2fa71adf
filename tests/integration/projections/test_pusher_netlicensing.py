"""The pusher with NetLicensing: one request a turn, lost answers, several processes, several subscriptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.acts import LicenseDisabled
from domain.events import Event, stream_of
from projections.pusher import Account, Pusher
from projections.targets.errors import Paced
from projections.targets.netlicensing.client import open_netlicensing
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.target import NetLicensingTarget
from service import acting
from service.acting import Said
from service.lookup import Reader
from service.sandbox.faults import Answer, Drop, Effect
from service.sandbox.netlicensing import RunningSandbox, SandboxSettings, running_sandbox
from tests.netlicensing import ALONE
from tests.projecting import Projected, projecting
from tests.pushing import ADA, AT_ONCE, PLENTY
from tests.stories import FEBRUARY, JANUARY, MARCH, acted, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

A, B = (stream_of("acme", "subscription", name) for name in ("sub_a", "sub_b"))
SEATS = {"product_short_code": "FLOAT", "max_activations": "9", "floating_cloud": "3"}


class Turns:
    """The pace of an account: `held` once it is spent, until somebody gives more."""

    def __init__(self, at_once: int | None = None) -> None:
        self.left = at_once
        self.taken = 0

    async def __call__(self) -> None:
        if self.left == 0:
            self.left = 1
            raise Paced("turn", retry_after=0.001)
        self.taken += 1
        if self.left is not None:
            self.left -= 1


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    projected: Projected
    pusher: Pusher
    sandbox: RunningSandbox
    turns: Turns

    async def settle(self) -> None:
        """Projects and pushes until nothing is left to do, the pauses of a slow account passed over."""
        for _ in range(80):
            await self.projected.runner.project_until_idle()
            await self._wake()
            await self.pusher.push_until_idle()
            await self.projected.runner.project_until_idle()
            if not await self._due():
                return
        raise AssertionError("it does not come to an end")

    async def live(self, *events: Event) -> None:
        for event in events:
            await self.projected.append([event])
            await self.settle()

    def licenses(self) -> dict[str, dict[str, str]]:
        return self.sandbox.control.holdings()["licenses"]

    def licensees(self) -> dict[str, dict[str, str]]:
        return self.sandbox.control.holdings()["licensees"]

    async def _wake(self) -> None:
        self.pusher._paced.clear()
        waiting = "leased_until is not null or next_at > now()"
        await self._execute(f"update projection_1.push set next_at = now(), leased_until = null where {waiting}")

    async def _due(self) -> bool:
        return await self._execute("select from projection_1.push where due or doubt <> '{}'") > 0

    async def _execute(self, statement: str) -> int:
        async with self.projected.pool.connection() as connection:
            return (await connection.execute(statement.encode())).rowcount


@asynccontextmanager
async def pushing_to(
    dsn: str, sandbox: RunningSandbox, *, at_once: int | None = None, owner: str = "one", **options: Any
) -> AsyncIterator[Pushed]:
    turns = Turns(at_once)
    async with open_netlicensing(f"{sandbox.api_url}/", sandbox.api_key, turns) as client:
        target = NetLicensingTarget("ls", client, Options(**options))
        async with projecting(dsn, targets={"ls": target}, owner=owner) as projected:
            pusher = Pusher(
                log=projected.log,
                pool=projected.pool,
                tables=projected.tables,
                accounts={"ls": Account(target=target, budget=PLENTY, paced=True)},
                owner=owner,
                settings=AT_ONCE,
            )
            yield Pushed(projected=projected, pusher=pusher, sandbox=sandbox, turns=turns)


@asynccontextmanager
async def pushing(dsn: str, settings: SandboxSettings = ALONE, **options: Any) -> AsyncIterator[Pushed]:
    at = msgspec.structs.replace(settings, now=JANUARY)
    async with running_sandbox(at) as sandbox, pushing_to(dsn, sandbox, **options) as pushed:
        yield pushed


def bought(stream: str, quantity: int = 1) -> Event:
    return happened(
        JANUARY,
        f.SubscriptionBegan(),
        ADA,
        described(line(quantity=quantity, start=JANUARY, end=FEBRUARY, attributes=SEATS)),
        activated(),
        paid("in_1", period(JANUARY, FEBRUARY)),
        stream=stream,
    )


def renewed(stream: str) -> Event:
    return happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), stream=stream)


def ended(stream: str) -> Event:
    return happened(MARCH, f.SubscriptionTerminated(), stream=stream)


@pytest.mark.parametrize("at_once", [None, 1])
async def test_a_subscription_is_made_request_by_request_however_slow_the_account_is(
    database: str, at_once: int | None
) -> None:
    async with pushing(database, at_once=at_once) as pushed:
        await pushed.live(bought(A, 3))
        calls = pushed.sandbox.control.calls()
        assert [call.path for call in calls] == ["/productmodule", "/licensetemplate", "/licensee", *["/license"] * 3]
        assert len(calls) == pushed.turns.taken
        assert len(pushed.licensees()) == 1
        assert [each["maxSessions"] for each in pushed.licenses().values()] == ["3", "3", "3"]


async def test_one_subscription_of_two_that_share_a_licensee_ends_alone(database: str) -> None:
    async with pushing(database, at_once=1) as pushed:
        await pushed.live(bought(A), bought(B), ended(A))
        (licensee,) = pushed.licensees().values()
        assert licensee["active"] == "true"
        assert sorted(each["active"] for each in pushed.licenses().values()) == ["false", "true"]


async def test_what_is_decided_by_hand_reaches_netlicensing_and_is_not_wiped_and_can_be_undone(database: str) -> None:
    async with pushing(database) as pushed:
        await pushed.live(bought(A), bought(B))
        projected, said = pushed.projected, Said(author="ada", reason="asked on the phone")
        reader = Reader(log=projected.log, queries=projected.queries, sources=projected.sources)

        async def works() -> list[str]:
            await pushed.settle()
            return sorted(each["active"] for each in pushed.licenses().values())

        assert await works() == ["true", "true"]
        disabled = await acting.disable(reader, A, said)
        assert await works() == ["false", "true"]
        await pushed.live(renewed(A))
        assert await works() == ["false", "true"], "a payment does not wipe it"
        await acting.undo(reader, disabled.act, said)
        assert await works() == ["true", "true"]
        await acting.set_field(reader, A, "floating_users", "5", said)
        await works()
        assert sorted(each["maxSessions"] for each in pushed.licenses().values()) == ["3", "5"]
        merged = await acting.merge(reader, B, A, said)
        assert await works() == ["false", "true"]
        await acting.undo(reader, merged.act, said)
        assert await works() == ["true", "true"]
        [view] = await projected.queries.licenses(stream=B)
        lapses = datetime.now(UTC) - timedelta(minutes=1)
        await projected.append([acted(FEBRUARY, LicenseDisabled(license=view.id), expires=lapses, stream=B)])
        assert await works() == ["true", "true"], "it has lapsed"
        assert "tenure.override_lapsed" in [event.type for event in await projected.log.read_stream(B)]


@pytest.mark.parametrize("path", ["/licensee", "/license", "/license/*"])
@pytest.mark.parametrize("effect", [Drop(when="after"), Drop(), Answer(status=504, when="after"), Answer(status=500)])
async def test_a_lost_answer_never_makes_two_of_anything(database: str, path: str, effect: Effect) -> None:
    async with pushing(database) as pushed:
        pushed.sandbox.control.fault(effect, method="POST", path=path)
        await pushed.live(bought(A, 2), renewed(A), ended(A))
        assert len(pushed.licensees()) == 1
        assert [each["active"] for each in pushed.licenses().values()] == ["false", "false"]


async def test_a_process_that_died_between_call_and_receipt_is_followed_by_one_that_finds_what_it_made(
    database: str,
) -> None:
    async with running_sandbox(msgspec.structs.replace(ALONE, now=JANUARY)) as sandbox:
        async with pushing_to(database, sandbox) as first:
            target = first.pusher._accounts["ls"].target
            perform = target.perform

            async def die_after(call: Any, *, fresh: bool) -> Any:
                receipt = await perform(call, fresh=fresh)
                if call.name == "create license":
                    raise asyncio.CancelledError
                return receipt

            target.perform = die_after  # type: ignore[method-assign]
            await first.projected.append([bought(A)])
            await first.projected.runner.project_until_idle()
            with pytest.raises(asyncio.CancelledError):
                await first.pusher.push_until_idle()
            await first.projected.runner._release()
        async with pushing_to(database, sandbox, owner="two") as second:
            await second.settle()
            (held,) = await second.projected.queries.licenses(limit=10)
            assert held.applied is not None
            assert list(second.licenses()) == [held.applied.remote]
            assert held.key == held.applied.holder


async def test_two_processes_at_once_make_one_of_everything(database: str) -> None:
    async with (
        running_sandbox(msgspec.structs.replace(ALONE, now=JANUARY)) as sandbox,
        pushing_to(database, sandbox, owner="one") as one,
        pushing_to(database, sandbox, owner="two") as two,
    ):
        await one.projected.append([bought(A, 3), bought(B, 3)])
        await one.projected.runner.project_until_idle()
        await asyncio.gather(one.pusher.push_until_idle(), two.pusher.push_until_idle())
        await one.settle()
        assert len(one.licensees()) == 1
        assert len(one.licenses()) == 6
        assert await one.projected.queries.licenses(limit=10, due=True) == []


async def test_a_template_that_is_missing_is_a_dead_letter_that_a_person_can_retry(database: str) -> None:
    async with pushing(database) as pushed:
        typo = {**SEATS, "license_policy": "typo"}
        sold = happened(
            JANUARY,
            f.SubscriptionBegan(),
            described(line(start=JANUARY, end=FEBRUARY, attributes=typo)),
            activated(),
            paid("in_1", period(JANUARY, FEBRUARY)),
            stream=A,
        )
        await pushed.live(sold)
        (held,) = await pushed.projected.queries.licenses(limit=10)
        assert held.refusal is not None
        assert held.refusal.text == "FLOAT has no license template typo; it has float-seats"
        assert pushed.licensees() == {}
