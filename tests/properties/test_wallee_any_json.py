"""No body, of whatever shape, makes unpacking fail, or translation fail in any way but Untranslatable."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import stream_of
from domain.providers import Untranslatable
from domain.providers.wallee import PROVIDER
from domain.providers.wallee.comment import read_comment
from domain.providers.wallee.wants import PATHS
from tests.payloads import wallee as w
from tests.payloads.wallee import FEBRUARY, MARCH, SOURCE, Json
from tests.properties.test_stripe_any_json import anything, damaged

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CHARGES = [w.charge("PROCESSING", 8002, FEBRUARY), w.charge(paid_by={"refundedAmount": 3.5})]
WHOLE = w.whole(
    charges=CHARGES,
    suspensions=[w.suspension(state="ENDED", effectiveEndDate=w.date(MARCH))],
    periodBills=[w.bill(), w.bill(FEBRUARY, MARCH, 7202)],
    levels=[w.level()],
)
PURCHASE = {"transaction": w.transaction(lineItems=[w.item(product_short_code="falcon")]), "charges": []}
OWNED = {"id": 12, "version": 1, "subscription": {"id": 7001}, "transaction": {"id": 9001}}


def page_of(kind: str) -> Json:
    return {"subscription": WHOLE, "transaction": PURCHASE}.get(kind, OWNED)


@st.composite
def damaged_answers(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(st.sampled_from(sorted(PATHS)))
    return kind, draw(damaged(page_of(kind)))


def check(body: bytes) -> None:
    unpacked = PROVIDER.unpack(SOURCE, body, None, NOW)
    assert PROVIDER.unpack(SOURCE, body, None, NOW) == unpacked
    [told] = unpacked
    for text in (told.stream, told.event_id, told.type):
        assert text
        assert not any(ord(letter) < 32 for letter in text)
        assert len(text.encode()) < 700
    assert told.occurred_at.tzinfo is UTC


def read(kind: str, page: Any) -> None:
    stream = stream_of(SOURCE, kind, {"subscription": "7001", "transaction": "9001"}.get(kind, "12"))
    about = PATHS[kind].format(stream.rpartition("/")[2]) + "#1"
    for event in w.answered(about, page, stream=stream):
        try:
            facts = PROVIDER.translate(event)
        except Untranslatable:
            continue
        # What is told can be kept: PostgreSQL's jsonb refuses a zero character.
        assert b"\\u0000" not in msgspec.json.encode(facts)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_unpacked(body: bytes) -> None:
    check(body)


@given(anything)
def test_any_json_is_unpacked(value: Any) -> None:
    check(msgspec.json.encode(value))


@given(damaged(w.webhook()))
def test_a_damaged_webhook_is_unpacked(payload: Json) -> None:
    check(msgspec.json.encode(payload))


@given(st.sampled_from(sorted(PATHS)), anything)
def test_any_answer_is_translated_or_refused(kind: str, page: Any) -> None:
    read(kind, page)


@settings(max_examples=500)
@given(damaged_answers())
def test_a_damaged_answer_is_translated_or_refused(damage: tuple[str, Any]) -> None:
    read(*damage)


@given(st.lists(damaged_answers(), max_size=4))
def test_damaged_answers_of_one_instant_are_settled(damages: list[tuple[str, Any]]) -> None:
    about = "subscriptions/7001#{}"
    tied = [w.answered(about.format(number), page)[0] for number, (_, page) in enumerate(damages)]
    order = [each.event_id for each in PROVIDER.settle(tied)]
    assert order == [each.event_id for each in PROVIDER.settle(tied[::-1])]


@given(st.text())
def test_any_comment_is_read(comment: str) -> None:
    said = read_comment(comment)
    assert all(name and "=" not in name for name in said.product)


def test_an_undamaged_answer_is_translated() -> None:
    for kind in PATHS:
        read(kind, page_of(kind))
    assert len(w.facts_of(WHOLE)) > 5
