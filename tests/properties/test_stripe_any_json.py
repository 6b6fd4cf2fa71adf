"""No body, of whatever shape, makes unpacking fail, or translation fail in any way but Untranslatable."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import PARTITIONS, partition_of
from domain.facts import AnswerRead, Fact
from domain.providers import Untranslatable
from domain.providers.stripe.translate import TRANSLATED_TYPES
from tests.payloads import stripe
from tests.payloads.stripe import STRIPE, Json

NOW = datetime(2026, 11, 21, tzinfo=UTC)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["active", "payment", "subscription", "in_1", "\0", "a" * 300, 10**30, -1, 1_769_904_000])
)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)

VALID: dict[str, list[Json]] = {
    "customer.subscription": [stripe.subscription(era) for era in stripe.ERAS],
    "checkout.session": [stripe.session("payment"), stripe.session("subscription", invoice="in_1")],
    "customer.updated": [stripe.customer()],
    "invoice.": [stripe.invoice(era, subscription=sub) for era in stripe.ERAS for sub in ("sub_1", None)],
    "invoice_payment": [stripe.invoice_payment()],
    "charge.refund.": [{"id": "re_1", "object": "refund", "charge": "ch_1", "status": "failed"}],
    "charge.refunded": [stripe.charge(era) for era in stripe.ERAS],
    "charge.dispute": [stripe.dispute(), stripe.dispute(status="won")],
}


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """The value with one part of it, at any depth, taken out or replaced by anything."""
    inner = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not inner or draw(st.integers(0, 3)) == 0:
        return draw(anything)
    place = draw(st.sampled_from(inner))
    copy = value.copy()
    if draw(st.booleans()):
        copy[place] = draw(damaged(copy[place]))
    else:
        del copy[place]
    return copy


@st.composite
def damaged_events(draw: st.DrawFn) -> Json:
    type_ = draw(st.sampled_from(sorted(TRANSLATED_TYPES)))
    [shapes] = [shapes for prefix, shapes in VALID.items() if type_.startswith(prefix)]
    object_ = draw(damaged(draw(st.sampled_from(shapes))))
    return stripe.event(type_, object_)


def translate(payload: Any) -> list[Fact] | None:
    try:
        facts = list(STRIPE.translate(stripe.stored(payload)))
    except Untranslatable:
        return None
    # What is told can be kept: PostgreSQL's jsonb refuses a zero character.
    assert b"\\u0000" not in msgspec.json.encode(facts)
    return facts


def check_unpacks(body: bytes) -> None:
    [unpacked] = STRIPE.unpack("shop", body, None, NOW)
    source, kind, identifier = unpacked.stream.split("/", 2)
    assert (source, unpacked.item) == ("shop", "")
    assert kind
    assert identifier
    for text in (unpacked.stream, unpacked.event_id, unpacked.type):
        assert not any(ord(letter) < 32 for letter in text)
        assert len(text.encode()) < 700
    assert unpacked.occurred_at.tzinfo is UTC
    assert 0 <= partition_of(unpacked.stream) < PARTITIONS
    assert STRIPE.unpack("shop", body, None, NOW) == [unpacked]


@given(st.binary(max_size=200))
def test_any_bytes_are_unpacked(body: bytes) -> None:
    check_unpacks(body)


@given(anything)
def test_any_json_is_unpacked(value: Any) -> None:
    check_unpacks(msgspec.json.encode(value))


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["id", "type", "created", "livemode", "account", "data"], anything)
    )
)
def test_any_values_in_the_places_of_an_event_are_unpacked(value: Json) -> None:
    check_unpacks(msgspec.json.encode(value))


@given(st.sampled_from(sorted(TRANSLATED_TYPES)) | st.text(), anything)
def test_any_object_is_unpacked_and_translated_or_refused(type_: str, object_: Any) -> None:
    payload = stripe.event(type_, object_)
    check_unpacks(msgspec.json.encode(payload))
    translate(payload)


@settings(max_examples=1000)
@given(damaged_events())
def test_a_damaged_object_is_unpacked_and_translated_or_refused(payload: Json) -> None:
    check_unpacks(msgspec.json.encode(payload))
    translate(payload)


@pytest.mark.parametrize("type_", sorted(TRANSLATED_TYPES))
def test_an_undamaged_object_is_translated(type_: str) -> None:
    [shapes] = [shapes for prefix, shapes in VALID.items() if type_.startswith(prefix)]
    closed = {"status": "won"} if type_ == "charge.dispute.closed" else {}
    for object_ in shapes:
        assert translate(stripe.event(type_, object_ | closed))


ANSWERS: dict[str, list[Json]] = {
    "checkout/sessions/cs_1/line_items": [stripe.page(stripe.line_item(), stripe.line_item(id="li_2"))],
    "customers/cus_1": [stripe.customer(), {"id": "cus_1", "object": "customer", "deleted": True}],
    "invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_1": [
        stripe.page(stripe.invoice_payment())
    ],
    "invoices/in_1": [stripe.invoice(), stripe.invoice(subscription=None), stripe.invoice(status="open")],
    "invoices?subscription=sub_1&status=paid#in_1": [stripe.page(stripe.invoice())],
    "invoices/in_1/lines": [stripe.page(stripe.line(item=None))],
    "prices/price_pro": [stripe.price(short_code="falcon-pro")],
    "subscription_items?subscription=sub_1#5": [stripe.page(stripe.item())],
    "subscriptions/sub_1": [stripe.subscription()],
    "something/else": [{}],
}


@settings(max_examples=500)
@given(st.data())
def test_a_damaged_answer_is_unpacked_and_translated_or_refused(data: st.DataObject) -> None:
    about = data.draw(st.sampled_from(sorted(ANSWERS)))
    page = data.draw(damaged(data.draw(st.sampled_from(ANSWERS[about]))))
    for event in stripe.answered(about, page, stream=stripe.STREAM):
        assert len(event.stream.encode()) < 700
        try:
            facts = list(STRIPE.translate(event))
        except Untranslatable:
            continue
        assert isinstance(facts[0], AnswerRead)
        assert b"\\u0000" not in msgspec.json.encode(facts)


@pytest.mark.parametrize("about", sorted(ANSWERS))
def test_an_undamaged_answer_is_translated(about: str) -> None:
    for page in ANSWERS[about]:
        for event in stripe.answered(about, page, stream=stripe.STREAM):
            assert isinstance(STRIPE.translate(event)[0], AnswerRead)


@given(st.binary(max_size=200))
def test_any_bytes_as_an_answer_belong_to_whoever_asked(body: bytes) -> None:
    for about in ANSWERS:
        streams = STRIPE.unpack_answer(stripe.STREAM, about, body)
        assert [stream for stream, _ in streams] == [stripe.STREAM]


@given(st.lists(damaged_events(), max_size=5))
def test_damaged_events_of_one_second_are_settled(payloads: list[Json]) -> None:
    tied = [stripe.stored(payload | {"id": f"evt_{number}"}) for number, payload in enumerate(payloads)]
    order = [each.event_id for each in STRIPE.settle(tied)]
    assert sorted(order) == sorted(each.event_id for each in tied)
    assert order == [each.event_id for each in STRIPE.settle(tied[::-1])]
