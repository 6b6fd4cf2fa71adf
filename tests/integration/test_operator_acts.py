"""Operators' acts on a real database and a LicenseSpring: pushed, never wiped, undone, lapsed, rebuilt the same."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from domain import facts as f
from domain.acts import LicenseDisabled, OperatorActed, write_body
from domain.events import NewEvent, Stream, partition_of
from projections.timers import ring_due_timers
from service import acting
from service.acting import Acted, Said
from service.attention import retry_refused
from service.explaining import explain_one, explain_subscription
from service.lookup import tell_stream
from service.previewing import ActRefused
from tests.acting import DUPLICATE, END, NOW, SAID, START, THIRD, enabled_there, ended, reader_of, subscribed, take
from tests.converging import empty
from tests.projecting import as_new
from tests.pushing import ADA, Pushed, pushing
from tests.stories import STREAM, activated, described, happened, line, paid, period, refunded

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pushed(database: str) -> AsyncIterator[Pushed]:
    async with pushing(database) as pushed:
        yield pushed


async def license_ids(pushed: Pushed, stream: str = STREAM) -> list[str]:
    return [view.id for view in await pushed.projected.queries.licenses(stream=Stream(stream))]


async def summaries(pushed: Pushed, stream: str = STREAM) -> list[str]:
    return [line for entry in await tell_stream(reader_of(pushed), Stream(stream)) for line in entry.summary]


# --- reaching the license server ----------------------------------------------------------------------------


async def test_what_is_disabled_by_hand_stops_at_the_license_server_and_no_webhook_brings_it_back(
    pushed: Pushed,
) -> None:
    await take(pushed, subscribed())
    acted = await acting.disable(reader_of(pushed), STREAM, SAID)
    assert acted.recorded
    assert [(each.field, each.before, each.after) for each in acted.changes] == [("enabled", True, False)]
    assert "locked out by this act alone" in " ".join(acted.notes)
    await pushed.settle()
    assert await enabled_there(pushed) == [False]
    await take(pushed, happened(NOW, activated(), paid("in_2", period(END, END + timedelta(days=30)))))
    assert await enabled_there(pushed) == [False]
    undone = await acting.undo(reader_of(pushed), acted.act, SAID)
    await pushed.settle()
    assert await enabled_there(pushed) == [True]
    assert await pushed.mismatches() == []
    told = await summaries(pushed)
    [name] = await license_ids(pushed)
    assert f"license {name} disabled by ada: asked on the phone" in told
    assert f"license {name} disabled: undone by ada: asked on the phone" in told
    with pytest.raises(ActRefused, match="was undone before"):
        await acting.undo(reader_of(pushed), acted.act, SAID)
    await acting.undo(reader_of(pushed), undone.act, SAID)
    await pushed.settle()
    assert await enabled_there(pushed) == [False]


async def test_an_extension_reaches_the_license_server_and_outlives_the_end_of_the_subscription(
    pushed: Pushed,
) -> None:
    await take(pushed, subscribed())
    [before] = pushed.held()
    acted = await acting.extend(reader_of(pushed), STREAM, SAID, by="7d")
    await pushed.settle()
    [view] = await pushed.projected.queries.licenses()
    assert view.desired.expiry == END + timedelta(days=7)
    [held] = pushed.held()
    assert held["validity_period"] > before["validity_period"]
    await take(pushed, ended())
    assert await enabled_there(pushed) == [True]
    await acting.undo(reader_of(pushed), acted.act, SAID)
    await pushed.settle()
    assert await enabled_there(pushed) == [False]


async def test_a_field_that_is_set_by_hand_reaches_the_license_server(pushed: Pushed) -> None:
    await take(pushed, subscribed(max_activations="3"))
    await acting.set_field(reader_of(pushed), STREAM, "max_activations", "9", SAID)
    await pushed.settle()
    assert [each["max_activations"] for each in pushed.held()] == [9]
    [told] = await explain_one(reader_of(pushed), (await license_ids(pushed))[0], field="max_activations")
    [why] = told.fields
    assert (why.value, why.without_act and why.without_act.value) == (9, 3)
    assert told.holding.standing == "held"
    assert told.holding.receipt.startswith("tenure.license_changed:")


async def test_an_act_lapses_once_by_the_databases_clock_whichever_of_several_processes_notices(
    pushed: Pushed,
) -> None:
    await take(pushed, subscribed())
    [name] = await license_ids(pushed)
    expires = NOW - timedelta(seconds=30)
    fact = OperatorActed(author="ada", reason="for an hour", deed=LicenseDisabled(license=name), expires=expires)
    past = NewEvent(
        stream=STREAM,
        event_id=f"act_{partition_of(STREAM):02x}0",
        type="operator.license_disabled",
        origin="operator",
        occurred_at=NOW - timedelta(hours=1),
        received_at=NOW,
        body=write_body(fact),
    )
    projected = pushed.projected
    await projected.append([past])
    await projected.runner.project_until_idle()
    rings = (ring_due_timers(projected.log, projected.pool, projected.tables, range(256)) for _ in range(3))
    await asyncio.gather(*rings)
    await pushed.settle()
    timers = [event for event in await projected.log.read_stream(STREAM) if event.origin == "timer"]
    assert [(event.type, event.occurred_at) for event in timers] == [("tenure.override_lapsed", expires)]
    assert await enabled_there(pushed) == [True]


# --- never two licenses, nobody locked out -------------------------------------------------------------------


async def test_a_mistaken_duplicate_is_merged_if_the_other_has_its_license_and_the_merge_can_be_undone(
    pushed: Pushed,
) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    assert await enabled_there(pushed) == [True, True]
    acted = await acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID)
    assert acted.streams == (DUPLICATE, STREAM)
    await pushed.settle()
    assert sorted(await enabled_there(pushed)) == [False, True]
    [gone] = await pushed.projected.queries.licenses(stream=DUPLICATE)
    assert f"merged into {STREAM} by ada" in gone.desired.because["enabled"].rule
    assert any(f"{DUPLICATE} merged into {STREAM} by ada" in each for each in await summaries(pushed))
    told = await explain_subscription(reader_of(pushed), DUPLICATE)
    assert f"merged into {STREAM}" in told.reasons[0].what
    for refused in (
        acting.enable(reader_of(pushed), gone.id, SAID),
        acting.merge(reader_of(pushed), STREAM, DUPLICATE, SAID),
        acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID),
    ):
        with pytest.raises(ActRefused, match="as a duplicate"):
            await refused
    await take(pushed, subscribed(THIRD, invoice="in_8"))
    with pytest.raises(ActRefused, match=f"is kept for its duplicate {DUPLICATE}: undo that merge"):
        await acting.merge(reader_of(pushed), STREAM, THIRD, SAID)
    assert sorted(await enabled_there(pushed)) == [False, True, True]
    await acting.undo(reader_of(pushed), acted.act, SAID)
    await pushed.settle()
    assert await enabled_there(pushed) == [True, True, True]


async def test_a_merge_that_would_leave_somebody_without_a_license_is_refused(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, quantity=2, invoice="in_9"))
    with pytest.raises(ActRefused, match="somebody would be locked out"):
        await acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID)
    await take(pushed, ended())
    with pytest.raises(ActRefused, match="somebody would be locked out"):
        await acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID)
    with pytest.raises(ActRefused, match="into itself"):
        await acting.merge(reader_of(pushed), STREAM, STREAM, SAID)


async def test_acts_that_would_not_do_what_they_say_are_refused_and_leave_no_event(pushed: Pushed) -> None:
    two = described(line(quantity=2, start=START, end=END))
    one = happened(NOW - timedelta(hours=1), described(line(quantity=1, start=START, end=END)))
    await take(pushed, happened(START, ADA, two, activated(), paid("in_1", period(START, END))), one)
    rows = await pushed.projected.queries.licenses()
    second = next(view.id for view in rows if not view.enabled)
    first = next(view.id for view in rows if view.enabled)
    reader = reader_of(pushed)
    past, early = Said(author="ada", reason="x", expires=START), END - timedelta(days=1)
    for refused, told in (
        (acting.enable(reader, second, SAID), "lowered or replaced"),
        (acting.extend(reader, first, SAID, until=early), "already: nothing is shortened"),
        (acting.extend(reader, first, SAID, by="soon"), "a number and one of d, w, m, y"),
        (acting.disable(reader, first, past), "is past"),
        (acting.set_field(reader, first, "max_activations", "many", SAID), "a whole number"),
        (acting.undo(reader, "act_00nothing", SAID), "There is no act"),
    ):
        with pytest.raises(ActRefused, match=told):
            await refused
    assert [event for event in await pushed.projected.log.read_stream(STREAM) if event.origin == "operator"] == []


async def test_an_extension_does_not_give_back_what_was_refunded(pushed: Pushed) -> None:
    await take(pushed, subscribed(), happened(NOW - timedelta(hours=1), refunded("pi_1", 1000)))
    with pytest.raises(ActRefused, match="was refunded"):
        await acting.extend(reader_of(pushed), STREAM, SAID, by="7d")


async def test_the_same_request_sent_twice_is_one_act(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    keyed = Said(author="ada", reason="asked", key="ticket 7")
    first = await acting.disable(reader_of(pushed), STREAM, keyed)
    again = await acting.disable(reader_of(pushed), STREAM, keyed)
    await pushed.settle()
    third = await acting.disable(reader_of(pushed), STREAM, keyed)
    assert first.act == again.act == third.act
    assert "recorded before" in third.notes[0]
    acts = [event for event in await pushed.projected.log.read_stream(STREAM) if event.origin == "operator"]
    assert len(acts) == 1


async def test_a_dry_run_tells_what_would_change_and_records_nothing(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    acted = await acting.disable(reader_of(pushed), STREAM, Said(author="ada", reason="asked", dry_run=True))
    assert (acted.recorded, len(acted.changes)) == (False, 1)
    await pushed.settle()
    assert await enabled_there(pushed) == [True]


# --- history ------------------------------------------------------------------------------------------------


async def test_a_rebuild_gives_the_same_licenses_and_pushes_nothing(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    reader = reader_of(pushed)
    await acting.extend(reader, STREAM, SAID, by="7d")
    await acting.set_field(reader, DUPLICATE, "note", "look twice", SAID)
    await pushed.settle()
    merged: Acted = await acting.merge(reader, DUPLICATE, STREAM, SAID)
    await pushed.settle()
    await acting.undo(reader, merged.act, SAID)
    await take(pushed, ended(DUPLICATE))
    projected = pushed.projected
    before, held = await projected.rows(), pushed.held()
    kept = [as_new(each) for part in range(256) for each in await projected.log.read_partition(part, 0, 1000)]
    await empty(projected)
    for event in kept:
        await projected.append([event])
    await projected.runner.project_until_idle()
    assert await projected.rows() == before
    await pushed.settle()
    assert pushed.held() == held


async def test_a_retry_is_an_operators_act_with_author_and_reason(pushed: Pushed) -> None:
    await take(pushed, subscribed(product_short_code="UNKNOWN"))
    [view] = await pushed.projected.queries.licenses()
    assert view.refusal is not None
    told = await explain_subscription(reader_of(pushed), STREAM)
    assert "refused to" in told.reasons[0].what
    assert "dead-letters retry" in told.reasons[0].todo
    await retry_refused(reader_of(pushed), STREAM, "ada", "the product is there now")
    await pushed.projected.runner.project_until_idle()
    [retried] = [each for each in await pushed.projected.log.read_stream(STREAM) if each.origin == "operator"]
    assert retried.type == "operator.push_retried"
    assert "ada asked ls again: the product is there now" in await summaries(pushed)
    [view] = await pushed.projected.queries.licenses()
    assert view.refusal is None


# --- why there is none --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "told", "todo"),
    [
        ([happened(START, described(line()), f.SubscriptionOpened())], "pending", "first payment"),
        ([happened(START, described(line(attributes={})), activated())], "no product code", "short_code"),
        ([happened(START, described(line(quantity=0)), activated())], "quantity is 0", "nothing"),
        (
            [happened(START, described(line(attributes={"feature_code": "x"})), activated())],
            "add-on",
            "short_code",
        ),
        (
            [
                happened(
                    START,
                    described(line(attributes={"short_code": "APP", "ignore_product_in_licensespring": "true"})),
                    activated(),
                )
            ],
            "ignore_product_in_licensespring",
            "take that attribute away",
        ),
        ([subscribed(), ended()], "it ended", "a new purchase"),
        (
            [subscribed(), happened(NOW, f.SubscriptionSuspended(reason="paused"))],
            "suspended it (paused)",
            "policy on_pause",
        ),
        ([happened(START, f.Noted(about="x"))], "no event says", "nothing"),
        ([happened(START, refunded("pi_1", 1000))], "no subscription is known", "once an event links it"),
    ],
)
async def test_it_is_told_why_there_is_no_license_and_what_to_do(
    pushed: Pushed, events: list[Any], told: str, todo: str
) -> None:
    await take(pushed, *events)
    explained = await explain_subscription(reader_of(pushed), STREAM)
    assert told in " ".join(reason.what for reason in explained.reasons)
    assert todo in " ".join(reason.todo for reason in explained.reasons)
    assert all(reason.what and reason.todo for reason in explained.reasons)


async def test_what_works_has_no_reasons_and_every_field_says_what_would_change_it(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    explained = await explain_subscription(reader_of(pushed), STREAM)
    assert explained.reasons == ()
    [short] = explained.licenses
    assert (short.enabled, short.standing) == (True, "held")
    [told] = await explain_one(reader_of(pushed), short.license)
    assert all(each.rule and each.changes for each in told.fields)
    margin = next(each for each in told.fields if each.field == "margin_hours")
    assert margin.policy is not None
    assert (margin.policy.name, margin.policy.value) == ("renewal_margin_hours", 48)
