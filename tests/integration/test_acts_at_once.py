"""Acts that meet: two operators at once, a request sent twice, merges that come back; nobody is locked out by them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.events import NewEvent, Stream
from domain.policy import Policy
from projections.ports import Appended
from service import acting
from service.acting import Acted, Said
from service.explaining import explain_one, explain_subscription
from service.lookup import Reader
from service.previewing import ActRefused
from service.store import EventStore
from tests.acting import DUPLICATE, END, NOW, SAID, THIRD, enabled_there, ended, reader_of, subscribed, take
from tests.pushing import Pushed, pushing
from tests.stories import STREAM, happened, refunded

pytestmark = pytest.mark.anyio

KEYED = Said(author="ada", reason="asked", key="ticket 7")


@pytest.fixture
async def pushed(database: str) -> AsyncIterator[Pushed]:
    async with pushing(database) as pushed:
        yield pushed


async def stored(pushed: Pushed, stream: str = STREAM) -> list[str]:
    events = await pushed.projected.log.read_stream(Stream(stream))
    return [event.type.removeprefix("operator.") for event in events if event.origin == "operator"]


async def three(pushed: Pushed) -> Reader:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"), subscribed(THIRD, invoice="in_8"))
    return reader_of(pushed)


async def off(pushed: Pushed) -> list[str]:
    return sorted(each.stream for each in await pushed.projected.queries.licenses() if not each.enabled)


# --- merges -------------------------------------------------------------------------------------------------


async def test_three_that_are_merged_in_a_circle_at_once_leave_somebody_licensed_and_the_others_are_told(
    pushed: Pushed,
) -> None:
    reader = await three(pushed)
    told = await asyncio.gather(
        acting.merge(reader, STREAM, DUPLICATE, SAID),
        acting.merge(reader, DUPLICATE, THIRD, SAID),
        acting.merge(reader, THIRD, STREAM, SAID),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Acted) for each in told) == 1
    assert all(isinstance(each, Acted | ActRefused) for each in told)
    await pushed.settle()
    assert len(await off(pushed)) == 1
    assert sorted(await enabled_there(pushed)) == [False, True, True]


async def test_a_merge_that_an_undoing_would_bring_back_is_judged_as_if_it_were_new(pushed: Pushed) -> None:
    reader = await three(pushed)
    merged = await acting.merge(reader, STREAM, DUPLICATE, SAID)
    undone = await acting.undo(reader, merged.act, SAID)
    await pushed.settle()
    await acting.merge(reader, DUPLICATE, THIRD, SAID)
    await pushed.settle()
    with pytest.raises(ActRefused, match=f"would count again.*{DUPLICATE} was merged into {THIRD} as a duplicate"):
        await acting.undo(reader, undone.act, SAID)
    assert await off(pushed) == [DUPLICATE]


async def test_a_merge_is_not_brought_back_when_what_it_was_merged_into_has_ended(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    reader = reader_of(pushed)
    merged = await acting.merge(reader, DUPLICATE, STREAM, SAID)
    undone = await acting.undo(reader, merged.act, SAID)
    await take(pushed, ended())
    with pytest.raises(ActRefused, match=r"would count again.*somebody would be locked out"):
        await acting.undo(reader, undone.act, SAID)
    await pushed.settle()
    assert await off(pushed) == [STREAM]


async def test_the_undoing_of_an_undoing_stands_in_both_streams_of_a_merge(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    reader = reader_of(pushed)
    merged = await acting.merge(reader, DUPLICATE, STREAM, SAID)
    undone = await acting.undo(reader, merged.act, SAID)
    await pushed.settle()
    again = await acting.undo(reader, undone.act, SAID)
    assert again.streams == (DUPLICATE, STREAM)
    assert await stored(pushed) == await stored(pushed, DUPLICATE) == ["merged", "undone", "undone"]


async def test_a_license_that_was_never_made_at_one_of_two_targets_stands_for_none_there(database: str) -> None:
    async with pushing(database, feeds={"ls": Policy(), "nl": Policy()}) as pushed:
        await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
        with pytest.raises(ActRefused, match=f"'APP' at 'nl', and {STREAM} has 0 there"):
            await acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID)


async def test_what_is_disabled_at_the_license_server_still_stands_for_none(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    reader = reader_of(pushed)
    disabled = await acting.disable(reader, STREAM, SAID)
    await pushed.settle()
    await acting.undo(reader, disabled.act, SAID)
    # It is to work again, and the license server was not told yet.
    with pytest.raises(ActRefused, match="somebody would be locked out"):
        await acting.merge(reader, DUPLICATE, STREAM, SAID)
    await pushed.settle()
    await acting.merge(reader, DUPLICATE, STREAM, SAID)


async def test_who_disables_a_license_that_stands_for_others_is_told(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    merged = await acting.merge(reader_of(pushed), DUPLICATE, STREAM, SAID)
    told = " ".join((await acting.disable(reader_of(pushed), STREAM, SAID)).notes)
    assert f"it stands for those of {DUPLICATE}, too" in told
    assert merged.act in told


# --- at once ------------------------------------------------------------------------------------------------


async def test_of_several_who_undo_an_act_at_once_one_does_and_undoing_that_restores_the_act(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    reader = reader_of(pushed)
    disabled = await acting.disable(reader, STREAM, SAID)
    told = await asyncio.gather(*(acting.undo(reader, disabled.act, SAID) for _ in range(4)), return_exceptions=True)
    [undone] = [each for each in told if isinstance(each, Acted)]
    assert sum("was undone before" in str(each) for each in told) == 3
    await acting.undo(reader, undone.act, SAID)
    await pushed.settle()
    assert await enabled_there(pushed) == [False]


async def test_what_never_stops_changing_is_not_acted_upon_and_that_is_said(pushed: Pushed) -> None:
    class Restless(EventStore):
        async def append_if_unmoved(
            self, events: Sequence[NewEvent], upto: Mapping[Stream, int]
        ) -> list[Appended] | None:
            return None

    await take(pushed, subscribed())
    log = pushed.projected.log
    restless = Restless(log._shared, log._pool, log._limits)
    with pytest.raises(ActRefused, match="Try again in a moment"):
        await acting.disable(msgspec.structs.replace(reader_of(pushed), log=restless), STREAM, SAID)
    assert await stored(pushed) == []


# --- a request sent twice -----------------------------------------------------------------------------------


async def test_a_key_that_was_used_for_another_act_is_refused_be_it_projected_or_not(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    reader = reader_of(pushed)
    await acting.disable(reader, STREAM, KEYED)
    for _ in range(2):
        for other in (
            acting.enable(reader, STREAM, KEYED),
            acting.set_field(reader, STREAM, "note", "x", KEYED),
            acting.extend(reader, STREAM, KEYED, by="7d"),
            acting.disable(reader, STREAM, msgspec.structs.replace(KEYED, author="mallory")),
            acting.disable(reader, STREAM, msgspec.structs.replace(KEYED, reason="another")),
            acting.disable(reader, STREAM, msgspec.structs.replace(KEYED, expires=NOW + timedelta(days=9))),
        ):
            with pytest.raises(ActRefused, match="The key was used for another act"):
                await other
        assert await stored(pushed) == ["license_disabled"]
        await pushed.settle()


async def test_of_different_acts_under_one_key_at_once_one_is_recorded_and_no_other_is_answered_so(
    pushed: Pushed,
) -> None:
    await take(pushed, subscribed())
    reader = reader_of(pushed)
    told = await asyncio.gather(
        acting.disable(reader, STREAM, KEYED),
        acting.enable(reader, STREAM, KEYED),
        acting.set_field(reader, STREAM, "note", "n", KEYED),
        return_exceptions=True,
    )
    [done] = [each for each in told if isinstance(each, Acted)]
    assert [f"operator.{each}" for each in await stored(pushed)] == [done.type]


@pytest.mark.parametrize("asked", [{"by": "7d"}, {"until": END + timedelta(days=3)}])
async def test_an_extension_that_is_sent_twice_is_one(pushed: Pushed, asked: dict[str, object]) -> None:
    await take(pushed, subscribed())
    reader = reader_of(pushed)
    first = await acting.extend(reader, STREAM, KEYED, **asked)  # type: ignore[arg-type]
    again = await acting.extend(reader, STREAM, KEYED, **asked)  # type: ignore[arg-type]
    await pushed.settle()
    third = await acting.extend(reader, STREAM, KEYED, **asked)  # type: ignore[arg-type]
    assert {each.what for each in (again, third)} == {first.what}
    assert "recorded before" in third.notes[0]
    with pytest.raises(ActRefused, match="The key was used for another act"):
        await acting.extend(reader, STREAM, KEYED, by="8d")
    assert await stored(pushed) == ["license_extended"]


async def test_a_request_that_is_sent_again_after_its_act_was_undone_is_told_so(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    reader = reader_of(pushed)
    first = await acting.disable(reader, STREAM, KEYED)
    await acting.undo(reader, first.act, SAID)
    again = await acting.disable(reader, STREAM, KEYED)
    assert "undone since, and counts no more" in " ".join(again.notes)
    assert again.act == first.act


# --- bounds and words ---------------------------------------------------------------------------------------


async def test_nothing_is_promised_beyond_the_last_day_that_is_told_apart(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    reader, far = reader_of(pushed), datetime(9999, 12, 31, tzinfo=UTC)
    with pytest.raises(ActRefused, match="beyond 9000-01-01"):
        await acting.extend(reader, STREAM, SAID, until=far)
    with pytest.raises(ActRefused, match="after 9000-01-01"):
        await acting.disable(reader, STREAM, msgspec.structs.replace(SAID, expires=far))


async def test_who_locks_a_customer_out_for_a_while_is_told_until_when(pushed: Pushed) -> None:
    await take(pushed, subscribed())
    expires = NOW + timedelta(days=1)
    acted = await acting.disable(reader_of(pushed), STREAM, msgspec.structs.replace(SAID, expires=expires))
    assert f"until {expires:%Y-%m-%d %H:%M} UTC, or until it is undone" in " ".join(acted.notes)


async def test_a_key_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ActRefused, match="A key is one line"):
        Said(author="ada", reason="x", key="\ud800")


async def test_why_nothing_works_names_the_act_to_undo_and_no_other_act_over_a_merge(pushed: Pushed) -> None:
    await take(pushed, subscribed(), subscribed(DUPLICATE, invoice="in_9"))
    reader = reader_of(pushed)
    merged = await acting.merge(reader, DUPLICATE, STREAM, SAID)
    disabled = await acting.disable(reader, STREAM, SAID)
    await pushed.settle()
    told = await explain_subscription(reader, STREAM)
    assert any(f"tenure license undo {disabled.act}" in reason.todo for reason in told.reasons)
    [gone] = (await explain_subscription(reader, DUPLICATE)).licenses
    [explained] = await explain_one(reader, gone.license, field="enabled")
    assert explained.fields[0].changes == (f"tenure license undo {merged.act}",)


async def test_an_extension_is_suggested_where_it_would_be_accepted_and_by_name(pushed: Pushed) -> None:
    await take(pushed, subscribed(), ended())
    reader = reader_of(pushed)
    told = await explain_subscription(reader, STREAM)
    [license_] = told.licenses
    suggested = f"tenure license extend {license_.license} --by 7d"
    assert any(suggested in reason.todo for reason in told.reasons)
    await acting.extend(reader, license_.license, SAID, by="7d")
    await pushed.settle()
    await take(pushed, happened(NOW, refunded("pi_1", 1000)))
    told = await explain_subscription(reader, STREAM)
    assert told.reasons
    assert not any("tenure license extend" in reason.todo for reason in told.reasons)
