"""What is read back from Stripe gives the same licenses, whatever came first, was asked when, or never came at all.

Real store, runner and fetcher, and Stripe's API over real HTTP. Nobody is patient: whatever a stream lacks is asked
at once, before the webhook that would have said it, so every answer races with every event.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, permutations

import msgspec
import pytest

from domain.providers.stripe import PROVIDER
from projections.fetcher import Asked, Fetcher
from service.sandbox.stripe import LICENSING, LIFECYCLES, Account, Delivery, Shape, catalog, deliveries
from service.sandbox.stripe.api import SimulatedApi
from service.sandbox.stripe.runner import running_stripe_api
from service.sources.stripe_api import StripeApi, open_stripe
from tests.asking import AT_ONCE, PLENTY
from tests.deliveries import events_of
from tests.projecting import Projected, projecting

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DAYS = timedelta(days=1)
Held = frozenset[tuple[str, str, int, str]]
"""Id, line, unit and product of licenses."""


class World(msgspec.Struct, frozen=True):
    """Tenure beside one Stripe account at a time; nothing runs but when told to."""

    projected: Projected
    fetcher: Fetcher
    accounts: list[Account]
    api: SimulatedApi

    async def begin(self, account: Account) -> None:
        """Forgets everything, past the triggers that forbid it: only a test may."""
        self.accounts[:] = [account]
        self.api.calls.clear()
        names = ("stream", "license", "link", "push", "want", "timer")
        tables = ", ".join(f"projection_1.{name}" for name in names)
        async with self.projected.pool.connection() as connection, connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(f"truncate event, {tables}".encode())
            await connection.execute("update head set position = 0 where position > 0")
            await connection.execute("update projection_1.lease set position = 0")

    async def take(self, *arriving: Delivery) -> None:
        await self.projected.append(events_of(arriving))
        await self.projected.runner.project_until_idle()

    async def settle(self) -> None:
        """Projects and asks until nothing is left to do."""
        for _ in range(30):
            await self.projected.runner.project_until_idle()
            async with self.projected.pool.connection() as connection:
                await connection.execute("update projection_1.want set next_at = now()")
            if await self.fetcher.fetch_until_idle() == 0:
                return
        raise AssertionError("projecting and asking do not come to an end")

    async def licenses(self, *, enabled: bool = True) -> Held:
        async with self.projected.pool.connection() as connection:
            cursor = await connection.execute(
                "select id, desired ->> 'line', (desired ->> 'unit')::int, desired ->> 'product_code'"
                " from projection_1.license where enabled = %s",
                (enabled,),
            )
            return frozenset(await cursor.fetchall())

    async def unsettled(self) -> list[tuple[str, str, str]]:
        """Streams in need of a person."""
        async with self.projected.pool.connection() as connection:
            cursor = await connection.execute(
                "select stream, status, problem from projection_1.stream as stream"
                " where status in ('stopped', 'waiting') or (status = 'unrouted' and not exists"
                " (select from projection_1.link where link.from_stream = stream.stream))"
            )
            return [(stream, status, problem) for stream, status, problem in await cursor.fetchall()]


@asynccontextmanager
async def _world(dsn: str) -> AsyncIterator[World]:
    accounts: list[Account] = []
    async with (
        running_stripe_api(accounts) as running,
        open_stripe(running.url, running.key) as stripe,
        projecting(dsn, provider=PROVIDER) as projected,
    ):
        yield World(projected, _fetcher(projected, stripe), accounts, running.api)


def _fetcher(projected: Projected, stripe: StripeApi) -> Fetcher:
    return Fetcher(
        log=projected.log,
        pool=projected.pool,
        tables=projected.tables,
        sources={"acme": Asked(provider=PROVIDER, provided=stripe, budget=PLENTY)},
        owner="fetcher-1",
        # What lies behind its stream is left until that is projected, which happens between the questions.
        settings=msgspec.structs.replace(AT_ONCE, behind=60, pause=60),
    )


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with _world(database) as world:
        yield world


def told(account: Account, shape: Shape = Shape.CLOVER) -> list[Delivery]:
    return deliveries(account.happenings, account.merchant, shape, types=LICENSING)


def some_of(everything: Sequence[Delivery]) -> Iterable[tuple[Delivery, ...]]:
    """Every selection of them, in their order, but for none."""
    return chain.from_iterable(combinations(everything, size) for size in range(1, len(everything) + 1))


PURCHASES = sorted(name for name in LIFECYCLES if name.startswith("one_time_purchase"))


@pytest.mark.parametrize("shape", [Shape.CLOVER, Shape.ACACIA])
@pytest.mark.parametrize("name", PURCHASES)
async def test_a_purchase_is_licensed_once_whatever_comes_and_is_answered_first(
    world: World, name: str, shape: Shape
) -> None:
    account = LIFECYCLES[name].account()
    everything = told(account, shape)
    await world.begin(account)
    await world.take(*everything)
    await world.settle()
    expected, taken_back = await world.licenses(), await world.licenses(enabled=False)
    units = sum(quantity for session in account.book.sessions.values() for _, quantity in session.lines)
    assert len(expected | taken_back) == units
    assert bool(expected) is not name.endswith(("never_paid", "refunded"))
    assert await world.unsettled() == []

    for arriving in permutations(everything):
        await world.begin(account)
        for delivery in arriving:
            await world.take(delivery)
            await world.settle()
            assert await world.licenses() <= expected | taken_back
        assert (await world.licenses(), await world.licenses(enabled=False)) == (expected, taken_back)
        assert await world.unsettled() == []


TELLS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.paid", "invoice_payment.")


@pytest.mark.parametrize("name", [name for name in PURCHASES if "refunded" not in name and "never" not in name])
async def test_a_purchase_is_licensed_all_the_same_when_some_of_its_events_never_come(world: World, name: str) -> None:
    account = LIFECYCLES[name].account()
    everything = told(account)
    await world.begin(account)
    await world.take(*everything)
    await world.settle()
    expected = await world.licenses()
    assert expected
    late = "paid_later" in name
    for arriving in some_of(everything):
        await world.begin(account)
        await world.take(*arriving)
        await world.settle()
        held = await world.licenses()
        assert held <= expected
        first = "checkout.session.completed" if late else ""
        if any(each.type.startswith(TELLS) and each.type != first for each in arriving):
            assert held == expected, [each.type for each in arriving]


def subscribed() -> tuple[Account, str]:
    """Two months paid."""
    account = Account("readbacks", start=START)
    customer = account.customer("Ada Marlow", "ada@example.com")
    subscription = account.subscribe(customer, [(catalog.PRO_MONTHLY, 2)])
    account.renew(subscription)
    account.advance(3 * DAYS)
    return account, subscription


LINKING = ("invoice_payment.paid", "invoice.paid")


@pytest.mark.parametrize("shape", [Shape.CLOVER, Shape.BASIL])
async def test_a_refund_known_by_its_payment_alone_disables_before_between_and_after_what_links_it(
    world: World, shape: Shape
) -> None:
    account, subscription = subscribed()
    before = len(account.happenings)
    account.refund(subscription)
    everything = told(account, shape)
    [refund] = [each for each in everything if each.type == "charge.refunded"]
    latest = max(each.created for each in everything if each.type in LINKING)
    linking = [each for each in everything if each.type in LINKING and each.created == latest]
    others = [each for each in everything if each is not refund and each not in linking]
    assert len(linking) == 2
    assert len(account.happenings) > before

    for order in permutations([refund, *linking]):
        for asked in (True, False):
            await world.begin(account)
            await world.take(*others)
            for delivery in order:
                await world.take(delivery)
                if asked:
                    await world.settle()
            if not asked:
                # Once everything has come, nobody has to be asked whose the money is.
                await world.settle()
                assert not [call for call in world.api.calls if "invoice" in call]
            assert await world.licenses() == frozenset()
            assert len(await world.licenses(enabled=False)) == 2
            assert await world.unsettled() == []


@pytest.mark.parametrize("kept", [("customer.subscription.",), ("customer.subscription.created",), ()])
async def test_a_refund_whose_links_never_come_disables_by_what_is_read_back(
    world: World, kept: tuple[str, ...]
) -> None:
    account, subscription = subscribed()
    account.refund(subscription)
    arriving = [each for each in told(account) if each.type.startswith((*kept, "charge.refunded"))]
    for order in (arriving, arriving[::-1]):
        await world.begin(account)
        for delivery in order:
            await world.take(delivery)
            await world.settle()
        assert await world.licenses() == frozenset()
        assert len(await world.licenses(enabled=False)) == 2
        assert await world.unsettled() == []


async def test_a_refund_of_an_earlier_period_disables_nothing_however_it_is_found(world: World) -> None:
    account = Account("earlier", start=START)
    subscription = account.subscribe(account.customer("Ada Marlow", "ada@example.com"), [(catalog.PRO_MONTHLY, 2)])
    account.advance(3 * DAYS)
    account.refund(subscription)
    account.renew(subscription)
    everything = told(account)
    for kept in (("customer.", "invoice", "charge."), ("customer.", "invoice.", "charge."), ("charge.",)):
        await world.begin(account)
        for delivery in everything:
            if delivery.type.startswith(kept):
                await world.take(delivery)
                await world.settle()
        # Of a period that nobody told of nothing is known but that the subscription is in good standing.
        assert len(await world.licenses()) == 2, kept
        assert await world.unsettled() == []


async def test_a_dispute_whose_links_never_come_disables_and_restores(world: World) -> None:
    account, subscription = subscribed()
    dispute = account.open_dispute(subscription)
    kept = ("customer.subscription.", "charge.dispute.")
    await world.begin(account)
    await world.take(*(each for each in told(account) if each.type.startswith(kept)))
    await world.settle()
    assert await world.licenses() == frozenset()
    known = len(told(account))
    account.close_dispute(dispute, "won")
    await world.take(*told(account)[known:])
    await world.settle()
    assert len(await world.licenses()) == 2


async def test_a_subscription_heard_of_by_its_invoice_alone_is_read_whole(world: World) -> None:
    account, _ = subscribed()
    await world.begin(account)
    await world.take(*(each for each in told(account) if each.type == "invoice.paid"))
    await world.settle()
    assert len(await world.licenses()) == 2
    assert await world.unsettled() == []


async def test_what_is_answered_is_not_asked_again_and_a_webhook_in_time_is_not_asked_at_all(world: World) -> None:
    account, subscription = subscribed()
    everything = told(account)
    await world.begin(account)
    await world.take(*everything)
    await world.settle()
    assert list(world.api.calls) == []
    account.renew(subscription)
    await world.take(*told(account)[len(everything) :])
    await world.settle()
    assert list(world.api.calls) == []
