"""An act of erasure that is not alone: other acts, words that name the person, live traffic, and what it then says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import msgspec
import psycopg
import pytest

from domain.erasure import Person
from domain.events import NewEvent
from service.commands.erase import erase_person
from service.erasure import Erasure, Found
from service.settings import load
from service.store import cleaning, erasing
from service.wiring.projecting import projected as projected_sources
from tests.commands import Tenure
from tests.erasing import forget, traces
from tests.integration.test_erase import ADA, ADAS, BOB, STRIPE, append, arrived, life
from tests.integration.test_erase_command import shop
from tests.payloads.stripe import MARCH, customer, event, invoice
from tests.projecting import Projected, projecting
from tests.shop import as_event

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

ADAS_BY_REFERENCE = Person(references=frozenset({("acme", "cus_1")}))

__all__ = ["shop"]


@pytest.fixture
async def projected(database: str) -> AsyncIterator[Projected]:
    async with projecting(database, provider=STRIPE) as projected:
        for each in arrived(life()):
            await projected.append([each])
        await projected.runner.project_until_idle()
        yield projected


def told(event_id: str, source: str = "acme", **changed: Any) -> NewEvent:
    """What arrives late of a customer, Ada unless it is said otherwise."""
    return as_event(
        msgspec.json.encode(event("customer.updated", customer(**changed), id_=event_id, created=MARCH)), source
    )


def acting(projected: Projected, meanwhile: Callable[[], object], reason: str = "request 7") -> Found:
    """An act during which something happens between looking and replacing."""
    with erasing.connect(projected.dsn) as connection:
        erasure = Erasure(connection, projected.sources, ADAS)
        replacements = erasure.look()
        meanwhile()
        erasure.run(replacements, "tests", reason)
        return erasure.found([])


def acts(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        told = connection.execute("select body from event where type = 'tenure.erased'").fetchall()
        return [body.decode() for (body,) in told]


@pytest.mark.parametrize(
    ("author", "reason", "option"),
    [
        ("dora", "Art. 17 request by ada@example.com", "--reason"),
        ("dora", "mail of 4 May from Ada Example", "--reason"),
        ("dora", "Ada rang", "--reason"),
        ("dora", "known as ADA@old.example.com", "--reason"),
        ("Ada Example", "request 7", "--author"),
    ],
)
async def test_words_that_name_a_person_given_as_customer_are_refused_by_option_and_nothing_is_erased(
    shop: Tenure, database: str, author: str, reason: str, option: str
) -> None:
    refused = shop.run("erase", "--customer", "shop/cus_1", "--author", author, "--reason", reason)
    assert refused.code == 2, refused.err
    assert option in refused.err
    assert "ada" not in refused.err.casefold()
    assert acts(database) == []
    assert traces(database, ["ada@example.com"])


async def test_words_that_name_an_address_that_becomes_known_during_the_act_end_it_and_are_cleaned_by_the_next(
    projected: Projected,
) -> None:
    late = told("evt_late", email="countess@new.example.com")
    found = await asyncio.to_thread(
        acting, projected, lambda: asyncio.run(append(projected.dsn, late)), "for countess@new.example.com"
    )
    assert found.events > 0
    assert found.left == 1, "the act's own events are not among them"
    assert "--reason" in found.why_left
    await asyncio.to_thread(forget, projected.dsn, projected.sources, ADAS_BY_REFERENCE)
    assert traces(projected.dsn, [*ADA, "countess@new.example.com"]) == []


async def test_the_events_that_tell_of_an_act_are_told_once_for_each_stream_and_pass(projected: Projected) -> None:
    late = told("evt_late")
    found = await asyncio.to_thread(acting, projected, lambda: asyncio.run(append(projected.dsn, late)))
    assert (found.left, found.why_left) == (0, "")
    positions = [position for each in acts(projected.dsn) for position in msgspec.json.decode(each)["positions"]]
    assert len(positions) == found.events


async def test_a_later_pass_reads_only_what_is_new(projected: Projected, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    scanned: list[int] = []
    originals, scan = erasing.originals, erasing.scan

    def looking_up(connection: Any, names: Any) -> Any:
        looked_up.extend(names)
        return originals(connection, names)

    def scanning(*arguments: Any) -> Any:
        events = list(scan(*arguments))
        scanned.append(len(events))
        return iter(events)

    monkeypatch.setattr(erasing, "originals", looking_up)
    monkeypatch.setattr(erasing, "scan", scanning)
    late = told("evt_late")
    found = await asyncio.to_thread(acting, projected, lambda: asyncio.run(append(projected.dsn, late)))
    assert looked_up
    assert len(looked_up) == len(set(looked_up))
    assert scanned[-2:] == [len(acts(projected.dsn)), 1], (
        "what the first act told with what arrived, then what was told"
    )
    assert found.events > 0


async def test_an_act_whose_bodies_another_act_changed_begins_anew_and_erases_the_person(projected: Projected) -> None:
    both = invoice(id="in_3", customer_email="ada@example.com", lines=[], description=f"shared with {BOB[0]}")
    body = msgspec.json.encode(event("invoice.paid", both, id_="evt_both", created=MARCH))
    await projected.append([as_event(body, "acme")])
    bob = Person(emails=frozenset({BOB[0]}))
    found = await asyncio.to_thread(acting, projected, lambda: forget(projected.dsn, projected.sources, bob))
    assert found.events > 0
    assert (found.left, found.why_left) == (0, "")
    with erasing.connect(projected.dsn) as connection:
        cleaning.tidy(connection)
    assert traces(projected.dsn, [*ADA, *BOB]) == []


@pytest.mark.parametrize("happens", ["arrived", "erased"])
async def test_what_is_left_when_the_act_has_looked_often_enough_is_said_and_ends_with_4(
    shop: Tenure, database: str, happens: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = count()
    real = erasing.erase

    def busy(*arguments: Any) -> None:
        if happens == "erased":
            raise erasing.ErasedMeanwhile
        real(*arguments)
        asyncio.run(append(database, told(f"evt_{next(numbers)}", "shop")))

    monkeypatch.setattr(erasing, "erase", busy)
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.folder)

    def act() -> int:
        return erase_person(
            None, email="ada@example.com", customer=None, dry_run=False, despite_pushes=False,
            all_references=False, author="dora", reason="request 7", as_json=False,
        )  # fmt: skip

    assert await asyncio.to_thread(act) == 4
    written = capsys.readouterr()
    assert "run it again" in written.err
    assert ("1 event of the person" in written.err) == (happens == "arrived")
    assert "holds nothing" not in written.out
    assert bool(acts(database)) == (happens == "arrived")
    monkeypatch.undo()
    again = shop.run("erase", "--email", "ada@example.com", "--author", "dora", "--reason", "request 7")
    assert again.code == 0, again.err
    assert traces(database, ADA) == []


async def test_several_customers_of_one_source_are_listed_and_erased_only_as_one_person(
    shop: Tenure, database: str
) -> None:
    await append(database, told("evt_other", "shop", id="cus_3", email="ada@example.com", name="Grace"))
    tried = shop.run("erase", "--customer", "shop/cus_1", "--dry-run")
    assert tried.code == 0, tried.err
    assert "shop/cus_1 is one of several" in tried.out
    assert "shop/cus_3 is one of several" in tried.out
    assert "--all-references" in tried.out
    refused = shop.run("erase", "--customer", "shop/cus_1", "--author", "dora", "--reason", "request 7")
    assert refused.code == 2
    assert "shop/cus_1\ntenure:   shop/cus_3" in refused.err
    assert "--all-references" in refused.err
    assert acts(database) == []
    both = ("--customer", "shop/cus_1", "--author", "dora", "--reason", "request 7", "--all-references")
    done = shop.run("erase", *both)
    assert done.code == 0, done.err
    assert traces(database, [*ADA, "Grace"]) == []


async def test_a_customer_that_shares_an_address_and_is_found_only_during_the_act_ends_it(projected: Projected) -> None:
    late = [told("evt_1", id="cus_3", email="ada@example.com", name="Grace")]
    found = await asyncio.to_thread(acting, projected, lambda: asyncio.run(append(projected.dsn, late[0])))
    assert found.events > 0
    assert "acme/cus_3" in found.why_left
    assert traces(projected.dsn, ["Grace"])


async def test_what_a_push_is_in_doubt_of_is_waited_for_and_cleaned(projected: Projected) -> None:
    streams = "update projection_1.push set due = false, doubt = array['create', 'customer:ada@example.com']"
    with psycopg.connect(projected.dsn) as connection:
        connection.execute(streams.encode())
    with erasing.connect(projected.dsn) as connection:
        stream = as_event(life()[2], "acme").stream
        assert [each for each, _ in cleaning.pending(connection, [stream])] == [stream]
    await asyncio.to_thread(forget, projected.dsn, projected.sources, ADAS)
    with psycopg.connect(projected.dsn) as connection:
        [doubt] = connection.execute("select doubt from projection_1.push where stream = %s", [stream]).fetchone() or [
            []
        ]
    assert doubt[0] == "create"
    assert doubt[1].startswith("customer:erased-")


async def test_tables_that_are_dropped_while_they_are_tidied_are_passed_over(
    projected: Projected, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(forget, projected.dsn, projected.sources, ADAS)
    gone = b"values ('projection_99', 'stream', '{}', '{}'), ('projection_1', 'gone', '{}', '{}')"
    monkeypatch.setitem(cleaning._ERASE, "rows_of_streams", gone)
    with erasing.connect(projected.dsn) as connection:
        assert cleaning.tidy(connection)


async def test_the_next_run_has_the_server_forget_what_it_sampled_before_an_act_that_was_killed(
    shop: Tenure, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("analyze event")
    sources = projected_sources(load(shop.folder / "tenure.toml", shop.environment))
    with erasing.connect(database) as connection:
        erasure = Erasure(connection, sources, ADAS)
        # All of it, but for what a killed act does not come to.
        await asyncio.to_thread(lambda: erasure.run(erasure.look(), "tests", "request 7"))
    assert {each.split(".")[1] for each in traces(database, ["ada@example.com"])} == {"pg_stats"}
    assert shop.run("erase", "--email", "ada@example.com", "--author", "d", "--reason", "request 7").code == 1
    assert traces(database, ADA) == []
