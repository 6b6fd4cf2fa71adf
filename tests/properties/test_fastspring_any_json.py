"""No body, of whatever shape, makes unpacking fail, or translation fail in any way but Untranslatable."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import PARTITIONS, Event, partition_of
from domain.providers import Untranslatable
from domain.providers.fastspring import PROVIDER
from domain.providers.fastspring.translate import TRANSLATED_TYPES
from domain.providers.item import part_of
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import Json
from tests.properties.test_stripe_any_json import anything, damaged

NOW = datetime(2026, 11, 21, tzinfo=UTC)

SUBSCRIPTIONS = [fs.subscription(), fs.trial(), fs.canceled(), fs.deactivated(), fs.overdue(), fs.embedded()]
ONCE = fs.order(items=[fs.item("app")], recipients=[fs.recipient("eve@example.com")])
VALID: dict[str, list[Json]] = {
    "subscription.charge.completed": [fs.charge()],
    "subscription.charge.failed": [fs.charge_failed()],
    "subscription.": SUBSCRIPTIONS,
    "order.": [fs.order(), ONCE],
    "return.": [fs.returned()],
    "fulfillment.": [{"product": "app", "subscription": fs.SUBSCRIPTION, "order": fs.ORDER}],
    "account.": [fs.account()],
}


def valid(type_: str) -> list[Json]:
    shapes = next(shapes for prefix, shapes in VALID.items() if type_.startswith(prefix))
    return [*shapes, *map(fs.unexpanded, shapes), *map(fs.as_of_2019, shapes)]


@st.composite
def damaged_events(draw: st.DrawFn) -> Json:
    type_ = draw(st.sampled_from(sorted(TRANSLATED_TYPES)))
    return fs.event(type_, draw(damaged(draw(st.sampled_from(valid(type_))))))


def check(body: bytes) -> list[Event]:
    """Unpacks and translates a body; gives its events."""
    unpacked = PROVIDER.unpack("store", body, None, NOW)
    assert PROVIDER.unpack("store", body, None, NOW) == unpacked
    for one in unpacked:
        source, kind, identifier = one.stream.split("/", 2)
        assert source == "store"
        assert kind
        assert identifier
        for text in (one.stream, one.event_id, one.type):
            assert not any(ord(letter) < 32 for letter in text)
            assert len(text.encode()) < 700
        assert one.occurred_at.tzinfo is UTC
        assert 0 <= partition_of(one.stream) < PARTITIONS
        assert part_of(body, one.item)
    events = fs.stored_bytes(body, live=None)
    for event in events:
        try:
            facts = PROVIDER.translate(event)
        except Untranslatable:
            continue
        # What is told can be kept: PostgreSQL's jsonb refuses a zero character.
        assert b"\\u0000" not in msgspec.json.encode(facts)
    return events


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_unpacked(body: bytes) -> None:
    assert check(body)


@given(anything)
def test_any_json_is_unpacked(value: Any) -> None:
    check(msgspec.json.encode(value))


@given(st.lists(anything, max_size=5))
def test_any_batch_is_unpacked(values: list[Any]) -> None:
    assert len(check(msgspec.json.encode({"events": values}))) >= len(values)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(["id", "type", "created", "live", "data", "events"], anything)),
)
def test_any_values_in_the_places_of_an_event_are_unpacked(value: Json) -> None:
    check(msgspec.json.encode(value))


@given(st.sampled_from(sorted(TRANSLATED_TYPES)) | st.text(), anything)
def test_any_object_is_unpacked_and_translated_or_refused(type_: str, data: Any) -> None:
    check(msgspec.json.encode(fs.batch(fs.event(type_, data))))


@settings(max_examples=1000)
@given(damaged_events())
def test_a_damaged_object_is_unpacked_and_translated_or_refused(payload: Json) -> None:
    check(msgspec.json.encode(payload))


@given(st.lists(damaged_events(), max_size=4))
def test_what_is_damaged_harms_nothing_beside_it(payloads: list[Json]) -> None:
    good = fs.event("subscription.updated", fs.subscription(), id_="good")
    events = check(msgspec.json.encode(fs.batch(*payloads, good)))
    assert (events[-1].event_id, events[-1].item) == ("good", f"/events/{len(payloads)}")
    assert PROVIDER.translate(events[-1])


@pytest.mark.parametrize("type_", sorted(TRANSLATED_TYPES))
def test_an_undamaged_object_is_translated(type_: str) -> None:
    for data in valid(type_):
        for event in fs.stored(fs.event(type_, data)):
            assert PROVIDER.translate(event)


@given(st.lists(damaged_events(), max_size=5))
def test_damaged_events_of_one_instant_are_settled(payloads: list[Json]) -> None:
    tied = [one for number, each in enumerate(payloads) for one in fs.stored(each | {"id": f"{number}"})[:1]]
    order = [each.event_id for each in PROVIDER.settle(tied)]
    assert sorted(order) == sorted(each.event_id for each in tied)
    assert order == [each.event_id for each in PROVIDER.settle(tied[::-1])]
