"""Erasure with other stores and license servers than the usual ones, and with licenses by user; and what logs hold."""

import asyncio

import msgspec
import pytest

from domain import facts as f
from domain.erasure import Person
from projections.targets.netlicensing.options import Options
from service.sandbox.licensespring.settings import ProductSeed
from service.wiring.projecting import projected
from tests.erasing import forget, traces
from tests.gateway import ADA, EVE, PRO, gateway, settings_of
from tests.integration.test_wallee_lives import configured, selling, send, settled
from tests.pushing import QUIET, pushing
from tests.stories import FEBRUARY, JANUARY, MARCH, activated, described, happened, line, paid, period

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

PEOPLE = ProductSeed(short_code="APP", authorization_method="user", terms={"max_license_users": 0})


async def test_a_buyer_at_fastspring_is_gone_from_forms_orders_and_logs_and_netlicensing_keeps_the_licensee(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database, save_buyer=True) as shop:
        [key] = await shop.sell(buyer=ADA)
        await shop.sell(buyer=EVE)
        assert traces(database, ADA)
        held, licenses = shop.licensees(), shop.licenses()
        assert held[key]["customerEmail"] == ADA[1]
        sources = projected(settings_of(database, shop.sandbox.url, Options()))
        calls = len(shop.sandbox.control.calls())
        found = await asyncio.to_thread(forget, database, sources, Person(emails=frozenset({ADA[1]})))
        await shop.settle()
        assert traces(database, ADA) == []
        assert traces(database, EVE)
        assert (shop.licensees(), shop.licenses()) == (held, licenses)
        assert len(shop.sandbox.control.calls()) == calls
        assert key in {customer for holder in found.holders for customer in holder.customers}
        assert await shop.problems() == []
        again = await shop.sell(PRO, buyer=ADA)
        assert again != [key], "nobody knows any more whose licensee that was"
    told = capfd.readouterr()
    assert [each for each in (*ADA, *EVE) if each in told.out + told.err] == []


async def test_a_subscriber_at_wallee_is_gone_from_all_that_was_read_back(database: str) -> None:
    async with selling(database, "renewed") as (service, running, space):
        await send(service, space)
        await settled(service)
        [person] = space.book.subscribers.values()
        sought = (person.email, person.name)
        assert traces(database, sought)
        before = await service.process.reader.queries.licenses(limit=10)
        sources = projected(configured(database, running.host))
        await asyncio.to_thread(forget, database, sources, Person(emails=frozenset({person.email})))
        await settled(service)
        assert traces(database, sought) == []
        after = await service.process.reader.queries.licenses(limit=10)
        assert [(e.id, e.enabled, e.desired.expiry) for e in after] == [
            (e.id, e.enabled, e.desired.expiry) for e in before
        ]
        assert before


async def test_who_uses_a_license_by_address_keeps_it_through_a_renewal_and_news_of_the_address(database: str) -> None:
    customer = f.CustomerDescribed(reference="cus_ada", email="ada@example.com", name="Ada Example")
    bought = happened(
        JANUARY,
        customer,
        described(line(start=JANUARY, end=FEBRUARY)),
        activated(),
        paid("in_1", period(JANUARY, FEBRUARY)),
    )
    settings = msgspec.structs.replace(QUIET, products=(PEOPLE,))
    async with pushing(database, settings) as pushed:
        await pushed.projected.append([bought])
        await pushed.settle()
        assert [each["users"] for each in pushed.held()] == [["ada@example.com"]]
        sought = Person(emails=frozenset({"ada@example.com"}))
        await asyncio.to_thread(forget, database, pushed.projected.sources, sought)
        await pushed.settle()
        assert traces(database, ["ada@example.com", "ada example"]) == []
        renewed = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)))
        await pushed.projected.append([renewed])
        await pushed.settle()
        [held] = pushed.held()
        assert (held["users"], held["enabled"], held["validity_period"][:10]) == (
            ["ada@example.com"],
            True,
            "2026-03-01",
        )
        await pushed.projected.append([happened(MARCH, customer, paid("in_3", period(FEBRUARY, MARCH)))])
        await pushed.settle()
        assert [each["users"] for each in pushed.held()] == [["ada@example.com"]]
        assert [each["email"] for each in pushed.sandbox.control.holdings()["customers"]] == ["ada@example.com"]
