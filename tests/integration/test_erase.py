"""`tenure erase` and what it promises: the person is gone, the licenses, the proof and everybody else stay."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import psycopg
import pytest

from domain.erasure import Person, is_stand_in
from domain.events import NewEvent, Stream
from domain.providers.table import PROVIDERS
from service.erasure import Erasure
from service.store import EventStore, cleaning, erasing
from service.store.verifying import verify
from tests.erasing import forget, traces
from tests.payloads.stripe import (
    FEBRUARY,
    MARCH,
    answered,
    charge,
    customer,
    event,
    invoice,
    item,
    price,
    subscription,
)
from tests.projecting import Projected
from tests.pushing import Pushed, pushing
from tests.sealed import seal
from tests.shop import as_event

STRIPE = PROVIDERS["stripe"]
ADA = (
    *("ada@example.com", "ada@old.example.com", "ada example", "ada", "analytical", "engine street", "10115"),
    *("30 1234567", "203.0.113.9", "4242"),
)
"""All that is known of her, in lower case."""
BOB = ("bob@example.com", "Bob Builder")
TERMS = {"short_code": "APP", "max_activations": "3"}

pytestmark = pytest.mark.anyio


def life() -> list[bytes]:
    """A subscription of Ada's and one of Bob's, as Stripe tells of them; nothing is spelt the same throughout."""
    address = {"line1": "Engine Street 5", "line2": None, "city": "Berlin", "postal_code": "10115", "country": "DE"}
    person = customer(
        email="Ada@Example.com", phone="+49 30 1234567", address=address, description="Ada Example of Analytical Ltd"
    )
    card = {"type": "card", "card": {"brand": "visa", "last4": "4242", "fingerprint": "Xt5EWLLDS7FJjR1c"}}
    billing = {"email": "ADA@EXAMPLE.COM", "name": "Ada Example", "phone": None, "address": address}
    paid = charge(
        billing_details=billing,
        payment_method_details=card,
        receipt_email="ada@example.com",
        description="Falcon for Ada Example, ada@example.com",
        metadata={"client_ip": "203.0.113.9", "company": "Analytical Ltd"},
        amount_refunded=100,
        refunded=False,
    )
    line = [item(price=price(**TERMS))]
    bobs: dict[str, Any] = {"customer": "cus_2", "customer_email": BOB[0], "customer_name": BOB[1]}
    told = (
        event("customer.created", person, id_="evt_cus", created=FEBRUARY - 5),
        event(
            "customer.updated", person, id_="evt_cus2", created=FEBRUARY - 4, previous={"email": "ada@old.example.com"}
        ),
        event("customer.subscription.created", subscription(items=line), id_="evt_sub", created=FEBRUARY),
        event("invoice.paid", invoice(customer_email="Ada@Example.com"), id_="evt_paid", created=FEBRUARY + 2),
        event("invoice.paid", invoice(id="in_2", lines=[]), id_="evt_again", created=FEBRUARY + 9),
        event("charge.refunded", paid, id_="evt_charge", created=FEBRUARY + 60),
        event(
            "customer.subscription.created",
            subscription(id="sub_2", items=[item(id_="si_2", price=price(**TERMS), quantity=1)], customer="cus_2"),
            id_="evt_sub2",
            created=FEBRUARY,
        ),
        event("invoice.paid", invoice(subscription="sub_2", id="in_9", lines=[], **bobs), id_="evt_paid2"),
    )
    return [msgspec.json.encode(each) for each in told]


def arrived(bodies: list[bytes], source: str = "acme") -> list[NewEvent]:
    answers = [
        NewEvent(
            **{
                name: getattr(each, name)
                for name in ("event_id", "type", "origin", "occurred_at", "received_at", "body")
            },
            stream=each.stream,
        )
        for each in answered("customers/cus_1", customer(), stream=Stream(f"{source}/customer/cus_1"), asked=FEBRUARY)
    ]
    return [*(as_event(body, source) for body in bodies), *answers]


@pytest.fixture
async def pushed(database: str) -> AsyncIterator[Pushed]:
    """Both subscriptions, projected, and their licenses at LicenseSpring."""
    async with pushing(database, provider=STRIPE) as pushed:
        for each in arrived(life()):
            await pushed.projected.append([each])
        await pushed.settle()
        yield pushed


async def licenses(projected: Projected) -> list[Any]:
    """Every license as it is desired and known, but for who the customer is."""
    views = await projected.queries.licenses(limit=1000)
    return [
        (each.id, each.stream, each.key, each.enabled, each.due, each.desired.expiry, each.desired.max_activations)
        for each in views
    ]


async def erase(pushed: Pushed, person: Person) -> Any:
    return await asyncio.to_thread(forget, pushed.projected.dsn, pushed.projected.sources, person)


ADAS = Person(emails=frozenset({"ada@example.com"}))


async def test_after_an_erasure_no_table_holds_anything_of_the_person(pushed: Pushed) -> None:
    dsn = pushed.projected.dsn
    assert {trace.split(": ")[1] for trace in traces(dsn, ADA)} == set(ADA), "all of it is there before"
    found = await erase(pushed, ADAS)
    assert traces(dsn, ADA) == [], "and gone at once"
    await pushed.settle()
    assert traces(dsn, ADA) == [], "and does not come back when the runner folds anew"
    assert found.references == ("acme/cus_1",)
    assert "ada@old.example.com" not in str(found)


async def test_after_an_erasure_licenses_are_the_same_and_nobody_else_changed(pushed: Pushed) -> None:
    before, bob = await licenses(pushed.projected), traces(pushed.projected.dsn, BOB)
    await erase(pushed, ADAS)
    await pushed.settle()
    assert await licenses(pushed.projected) == before
    assert len(before) == 3
    assert [each for each in traces(pushed.projected.dsn, BOB) if "pg_stats" not in each] == bob
    assert bob


async def test_a_rebuild_from_the_erased_store_gives_what_is_there(pushed: Pushed) -> None:
    await erase(pushed, ADAS)
    await pushed.settle()
    live = await pushed.projected.rows()
    async with pushed.projected.pool.connection() as connection:
        for table in ("stream", "license", "push", "want", "timer"):
            await connection.execute(f"truncate projection_1.{table}".encode())
        await connection.execute("update projection_1.lease set position = 0, owner = null, expires_at = null")
    await pushed.projected.runner._release()
    await pushed.projected.runner.project_until_idle()
    rebuilt = await pushed.projected.rows()
    assert {name: rebuilt[name] for name in ("stream", "license")} == {
        name: live[name] for name in ("stream", "license")
    }


async def test_the_license_server_is_told_nothing_and_is_named_as_holding_the_data(pushed: Pushed) -> None:
    held, calls = pushed.held(), len(pushed.sandbox.control.calls())
    found = await erase(pushed, ADAS)
    await pushed.settle()
    assert len(pushed.sandbox.control.calls()) == calls
    assert pushed.held() == held
    [holder] = found.holders
    assert (holder.target, holder.stream, len(holder.licenses)) == ("ls", "acme/subscription/sub_1", 2)


async def test_a_renewal_after_the_erasure_reaches_the_same_licenses(pushed: Pushed) -> None:
    held = {each["license_key"] for each in pushed.held() if "license_key" in each}
    await erase(pushed, ADAS)
    updated = subscription(items=[item(price=price(**TERMS), quantity=3, current_period_end=MARCH)])
    body = msgspec.json.encode(event("customer.subscription.updated", updated, id_="evt_more", created=MARCH))
    await pushed.projected.append([as_event(body, "acme")])
    await pushed.settle()
    assert len(pushed.held()) == 4, "one more unit, and none twice"
    assert held <= {each["license_key"] for each in pushed.held() if "license_key" in each}
    customers = pushed.sandbox.control.holdings()["customers"]
    assert not [each for each in customers if is_stand_in(each.get("email") or "")]


async def test_data_that_the_provider_sends_again_is_there_again_and_can_be_erased_again(pushed: Pushed) -> None:
    await erase(pushed, ADAS)
    held = len(pushed.held())
    again = msgspec.json.encode(event("customer.updated", customer(), id_="evt_new", created=MARCH))
    await pushed.projected.append([as_event(again, "acme")])
    await pushed.settle()
    assert traces(pushed.projected.dsn, ["ada@example.com"])
    found = await erase(pushed, ADAS)
    await pushed.settle()
    assert traces(pushed.projected.dsn, ADA) == []
    assert 1 <= found.events <= 3, "what is erased is not erased again"
    assert len(pushed.held()) == held


async def test_verify_passes_and_says_how_many_bodies_are_erased_sealed_before_or_after(pushed: Pushed) -> None:
    dsn = pushed.projected.dsn
    await seal(dsn)
    late = msgspec.json.encode(event("customer.updated", customer(), id_="evt_late", created=MARCH))
    await pushed.projected.append([as_event(late, "acme")])
    found = await erase(pushed, ADAS)
    await seal(dsn)
    verified = await asyncio.to_thread(verify, dsn)
    assert verified.findings == []
    assert verified.erased == found.events
    assert found.events == sum(len(each.positions) for each in found.streams)


async def test_a_body_that_is_altered_without_an_erasure_event_is_still_found(pushed: Pushed) -> None:
    await erase(pushed, ADAS)
    with psycopg.connect(pushed.projected.dsn) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update event set body = 'forged' where stream = 'acme/subscription/sub_2' and origin = 'webhook'"
        )
    assert (await asyncio.to_thread(verify, pushed.projected.dsn)).findings


async def test_a_customer_is_found_by_reference_alone(pushed: Pushed) -> None:
    found = await erase(pushed, Person(references=frozenset({("acme", "cus_1")})))
    assert found.addresses >= 1
    assert traces(pushed.projected.dsn, ADA) == []


async def test_events_that_arrive_during_the_act_are_erased_too(pushed: Pushed) -> None:
    dsn = pushed.projected.dsn
    late = msgspec.json.encode(event("customer.updated", customer(), id_="evt_late", created=MARCH))

    def act() -> None:
        with erasing.connect(dsn) as connection:
            erasure = Erasure(connection, pushed.projected.sources, ADAS)
            replacements = erasure.look()
            asyncio.run(append(dsn, as_event(late, "acme")))
            erasure.run(replacements, "tests", "request 7")
            assert cleaning.tidy(connection)

    await asyncio.to_thread(act)
    assert traces(dsn, ADA) == []


async def append(dsn: str, new: NewEvent) -> None:
    async with EventStore.open(dsn) as store:
        await store.append([new])


async def test_of_two_acts_at_once_the_later_begins_anew_and_finds_nothing_left(pushed: Pushed) -> None:
    dsn = pushed.projected.dsn

    def act() -> int:
        with erasing.connect(dsn) as one, erasing.connect(dsn) as other:
            first, second = (Erasure(each, pushed.projected.sources, ADAS) for each in (one, other))
            seen = second.look()
            first.run(first.look(), "tests", "request 7")
            second.run(seen, "tests", "request 8")
            found = second.found([])
            assert (found.events, found.left, found.why_left) == (0, 0, "")
            return len(one.execute("select from event where type = 'tenure.erased'").fetchall())

    assert await asyncio.to_thread(act) == len(set(await streams_erased(dsn)))


async def streams_erased(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [
            row[0] for row in connection.execute("select stream from event where sha256(body) <> digest group by 1")
        ]


async def test_an_act_that_is_killed_has_erased_all_or_nothing(pushed: Pushed) -> None:
    dsn = pushed.projected.dsn

    def act() -> list[Any]:
        with erasing.connect(dsn) as connection, psycopg.connect(dsn, autocommit=True) as killer:
            erasure = Erasure(connection, pushed.projected.sources, ADAS)
            replacements = erasure.look()
            # Before the last statements of the transaction, whichever they are.
            first = psycopg.connect(dsn)
            first.execute("lock table projection_1.stream in exclusive mode")
            pid = connection.info.backend_pid
            killing = subprocess.Popen(
                [sys.executable, "-c", KILL, dsn, str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            with pytest.raises(psycopg.OperationalError):
                erasure.run(replacements, "tests", "request 7")
            killing.wait(30)
            first.close()
            changed = killer.execute("select stream from event where sha256(body) <> digest").fetchall()
            told = killer.execute("select stream from event where type = 'tenure.erased'").fetchall()
        return [*changed, *told]

    assert await asyncio.to_thread(act) == []
    await erase(pushed, ADAS)
    assert traces(dsn, ADA) == []


KILL = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    waiting = "select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    while not connection.execute(waiting, [int(sys.argv[2])]).fetchall():
        time.sleep(0.05)
    connection.execute("select pg_terminate_backend(%s)", [int(sys.argv[2])])
"""
