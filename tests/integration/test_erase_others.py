"""Who is taken for the person by `tenure erase`: whoever has one of the addresses, and nobody of a similar one."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from domain.erasure import Person
from domain.providers.table import PROVIDERS
from service.erasure import Erasure
from service.store import erasing
from tests.erasing import forget
from tests.payloads.stripe import FEBRUARY, customer, event, invoice, subscription
from tests.projecting import Projected, projecting
from tests.shop import as_event

STRIPE = PROVIDERS["stripe"]

pytestmark = pytest.mark.anyio


def buyer(number: int, email: str, name: str) -> list[bytes]:
    """A customer with a subscription and an invoice."""
    id_, sub = f"cus_{number}", f"sub_{number}"
    told = (
        event("customer.created", customer(id=id_, email=email, name=name), id_=f"evt_c{number}", created=FEBRUARY - 5),
        event("customer.subscription.created", subscription(id=sub, customer=id_), id_=f"evt_s{number}"),
        event(
            "invoice.paid",
            invoice(id=f"in_{number}", subscription=sub, customer=id_, customer_email=email, customer_name=name),
            id_=f"evt_i{number}",
        ),
    )
    return [msgspec.json.encode(each) for each in told]


async def append(projected: Projected, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        await projected.append([as_event(body, "acme")])


def stored(dsn: str, word: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select partition, position, body, headers from event order by 1, 2").fetchall()
    return [row for row in rows if word.encode() in row[2]]


async def test_somebody_of_the_same_name_whose_address_contains_this_one_keeps_every_byte(database: str) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        await append(projected, [*buyer(1, "ann@same.org", "Ann Lee"), *buyer(2, "joann@same.org", "Ann Lee")])
        before = stored(database, "cus_2")
        assert len(before) == 3
        await asyncio.to_thread(forget, database, projected.sources, Person(emails=frozenset({"ann@same.org"})))
        assert stored(database, "cus_2") == before
        assert not stored(database, '"ann@same.org')


async def test_an_address_that_becomes_known_meanwhile_is_looked_for_in_all_that_came_before(database: str) -> None:
    async with projecting(database, provider=STRIPE) as projected:
        gift = event("invoice.paid", invoice(id="in_9", subscription="sub_9", customer="cus_9"), id_="evt_gift")
        gift["data"]["object"]["description"] = "Given by ann@other.org"
        await append(projected, [msgspec.json.encode(gift), *buyer(1, "ann@same.org", "Ann Lee")])

        def look(erasure: Erasure) -> set[str]:
            return {each.event.event_id for each in erasure.look()}

        with erasing.connect(database) as connection:
            erasure = Erasure(connection, projected.sources, Person(emails=frozenset({"ann@same.org"})))
            assert "evt_gift" not in await asyncio.to_thread(look, erasure)
            moved = event("customer.updated", customer(email="ann@other.org", name="Ann Lee"), id_="evt_moved")
            await append(projected, [msgspec.json.encode(moved)])
            assert {"evt_moved", "evt_gift"} <= await asyncio.to_thread(look, erasure)
