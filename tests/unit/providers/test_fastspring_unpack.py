"""Given a delivery of FastSpring, then its events, and the streams they belong to for ever."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from domain.providers import Unpacked
from domain.providers.fastspring import PROVIDER
from domain.providers.fastspring.unpack import MOST
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, ORDER, SUBSCRIPTION, Json

NOW = datetime(2026, 11, 21, tzinfo=UTC)
IN_SUBSCRIPTION = f"store/subscription/{SUBSCRIPTION}"
IN_ORDER = f"store/order/{ORDER}"
FEE = fs.item("set-up", quantity=1, subtotal=10.0)
BOTH = fs.order(items=[fs.item(subscription=fs.embedded()), FEE])
OTHER = fs.item("other", subscription=fs.embedded(id="sub2", subscription="sub2"))


def unpack(body: Any, *, live: bool | None = False) -> list[Unpacked]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return PROVIDER.unpack("store", raw, live, NOW)


def streams(type_: str, data: Any) -> list[str]:
    return [one.stream for one in unpack(fs.batch(fs.event(type_, data)))]


class TestStreams:
    @pytest.mark.parametrize("form", [lambda data: data, fs.unexpanded], ids=["expanded", "unexpanded"])
    @pytest.mark.parametrize(
        ("type_", "data", "expected"),
        [
            ("subscription.activated", fs.subscription(), [IN_SUBSCRIPTION]),
            ("subscription.group.prorated", fs.subscription(), [IN_SUBSCRIPTION]),
            ("subscription.charge.completed", fs.charge(), [IN_SUBSCRIPTION]),
            ("subscription.charge.failed", fs.charge_failed(), [IN_SUBSCRIPTION]),
            ("order.completed", fs.order(), [IN_SUBSCRIPTION, IN_ORDER]),
            ("order.payment.pending", fs.order(), [IN_SUBSCRIPTION]),
            ("order.payment.pending", fs.order(items=[fs.item()]), [IN_ORDER]),
            ("order.completed", fs.order(items=[FEE]), [IN_ORDER]),
            ("order.completed", BOTH, [IN_SUBSCRIPTION, IN_ORDER]),
            ("order.completed", fs.order(items=[]), [IN_ORDER]),
            ("order.failed", fs.order(items=[fs.item(subscription=fs.embedded()), OTHER]),
             [IN_SUBSCRIPTION, "store/subscription/sub2"]),
            ("order.chargeback", fs.chargeback(), [IN_ORDER]),
            ("return.created", fs.returned(), [IN_SUBSCRIPTION, IN_ORDER]),
            ("fulfillment.failed", {"subscription": fs.subscription(), "order": fs.order()}, [IN_SUBSCRIPTION]),
            ("fulfillment.failed", {"subscription": None, "order": fs.order()}, [IN_ORDER]),
            ("account.updated", fs.account(), [f"store/account/{ACCOUNT}"]),
            ("payoutEntry.created", {"id": "p1", "order": ORDER}, ["store/payoutentry/p1"]),
            ("quote.created", {"id": "q/1"}, ["store/quote/q/1"]),
        ],
    )  # fmt: skip
    def test_each_object_has_its_place(self, type_: str, data: Json, expected: list[str], form: Any) -> None:
        assert streams(type_, form(data)) == expected

    @pytest.mark.parametrize("name", ["id", "subscription"])
    def test_one_of_the_two_names_of_a_subscription_is_enough(self, name: str) -> None:
        assert streams("subscription.updated", {name: "sub1"}) == ["store/subscription/sub1"]

    def test_an_order_is_named_by_either_field(self) -> None:
        assert streams("order.chargeback", {"order": "o1"}) == ["store/order/o1"]
        assert streams("order.chargeback", {"id": "o1"}) == ["store/order/o1"]

    def test_a_return_of_something_bought_once_belongs_to_the_order(self) -> None:
        original = {"id": ORDER, "order": ORDER, "total": 58.0}
        once = fs.returned(items=[{"product": "app", "quantity": 1}]) | {"original": original}
        assert streams("return.created", once) == [IN_ORDER]
        mixed = fs.returned(items=[{"subscription": SUBSCRIPTION}, {"product": "app"}])
        assert streams("return.created", mixed) == [IN_SUBSCRIPTION, IN_ORDER]

    def test_a_return_finds_its_subscription_by_the_order_it_names(self) -> None:
        named = {"id": ORDER, "subscriptions": [{"id": SUBSCRIPTION}, SUBSCRIPTION]}
        assert streams("return.created", fs.returned(items=[]) | {"original": named}) == [IN_SUBSCRIPTION, IN_ORDER]

    def test_a_return_whose_order_is_only_an_id_belongs_to_that(self) -> None:
        assert streams("return.created", fs.returned(items=[]) | {"original": ORDER}) == [IN_ORDER]

    @pytest.mark.parametrize("data", [{}, {"id": None}, {"id": 7}, [], None, "text", 5])
    def test_an_object_without_an_id_goes_by_the_event(self, data: Any) -> None:
        for type_ in ("subscription.updated", "order.completed", "return.created", "account.updated", "x", "quote.x"):
            assert streams(type_, data) == ["store/other/EV33PRZY1LXAGXCX8ZJJAJQGABCDEF"]


class TestBatch:
    def test_each_event_is_one_of_its_own_with_its_place_in_the_body(self) -> None:
        first = fs.event("subscription.activated", fs.subscription(), id_="a", created=fs.BOUGHT)
        second = fs.event("order.completed", BOTH, id_="b", created=fs.BOUGHT - 1)
        assert [(one.item, one.event_id, one.type) for one in unpack(fs.batch(first, second))] == [
            ("/events/0", "a", "subscription.activated"),
            ("/events/1", "b", "order.completed"),
            ("/events/1", "b", "order.completed"),
        ]

    def test_time_is_kept_to_the_millisecond(self) -> None:
        [one] = unpack(fs.batch(fs.event("x", {}, created=1_769_940_000_543)))
        assert one.occurred_at == datetime(2026, 2, 1, 10, 0, 0, 543_000, tzinfo=UTC)
        assert one.occurred_at.tzinfo is UTC

    def test_an_event_without_the_wrapper_is_the_whole_body(self) -> None:
        [one] = unpack(fs.event("subscription.activated", fs.subscription()))
        assert (one.stream, one.item) == (IN_SUBSCRIPTION, "")

    def test_an_empty_batch_holds_no_event(self) -> None:
        assert unpack(b'{"events":[]}') == []

    def test_an_event_that_cannot_be_read_spoils_none_beside_it(self) -> None:
        good = fs.event("x", {}, id_="good")
        body = msgspec.json.encode(fs.batch(good, {"id": "bad"}, fs.event("x", {}, id_="good2")))
        one, bad, two = unpack(body)
        assert (one.event_id, two.event_id, two.item) == ("good", "good2", "/events/2")
        digest = sha256(b'{"id":"bad"}').hexdigest()[:32]
        assert bad == Unpacked(stream=bad.stream, event_id=digest, type="unreadable", occurred_at=NOW, item="/events/1")
        assert bad.stream == f"store/unreadable/{digest}"

    def test_a_batch_of_absurd_size_is_kept_whole(self) -> None:
        assert len(unpack({"events": [1] * MOST})) == MOST
        body = msgspec.json.encode({"events": [1] * (MOST + 1)})
        [one] = unpack(body)
        assert (one.event_id, one.item) == (sha256(body).hexdigest()[:32], "")


class TestMode:
    @pytest.mark.parametrize(
        ("live", "said", "fits"),
        [(True, True, True), (False, False, True), (True, False, False), (False, True, False), (None, True, True),
         (None, False, True), (True, None, False)],
    )  # fmt: skip
    def test_an_event_of_the_other_mode_is_set_aside(self, live: bool | None, said: Any, fits: bool) -> None:
        event = fs.event("subscription.updated", fs.subscription(), live=said)
        [one] = unpack(fs.batch(event), live=live)
        assert one.stream == (IN_SUBSCRIPTION if fits else f"store/wrong-mode/{event['id']}")

    def test_a_batch_may_hold_both(self) -> None:
        test, live = fs.event("x.y", {"id": "1"}), fs.event("x.y", {"id": "1"}, id_="b", live=True)
        assert [one.stream for one in unpack(fs.batch(test, live), live=True)] == [
            f"store/wrong-mode/{test['id']}",
            "store/x/1",
        ]


class TestUnreadable:
    @pytest.mark.parametrize(
        "body",
        [b"", b"not json", b"[]", b"{}", b"null", b'{"events":{}}', b'{"events":null}', b"\xff\xfe", b"[" * 100_000,
         b'{"events":' + b"[" * 100_000],
        ids=lambda body: repr(body[:20]),
    )  # fmt: skip
    def test_a_body_that_cannot_be_read_is_kept_under_its_digest(self, body: bytes) -> None:
        [one] = unpack(body)
        assert (one.type, one.event_id, one.item) == ("unreadable", sha256(body).hexdigest()[:32], "")

    @pytest.mark.parametrize(
        "changes",
        [{"id": None}, {"id": ""}, {"id": 7}, {"id": "e\n"}, {"id": "e\x00"}, {"id": "e" * 256}, {"id": "é" * 128},
         {"type": None}, {"type": "x\x7f"}, {"created": None}, {"created": -1}, {"created": 10**30}, {"created": 1.5},
         {"created": True}, {"created": "2026-01-01T00:00:00Z"}, {"type": "x", "data": {"id": "\n"}},
         {"type": "x", "data": {"id": "p" * 256}}],
        ids=repr,
    )  # fmt: skip
    def test_an_event_without_what_names_it_is_kept_by_itself(self, changes: Json) -> None:
        [one] = unpack(fs.batch({**fs.event("x", {}), **changes}))
        assert (one.type, one.item, one.occurred_at) == ("unreadable", "/events/0", NOW)

    @pytest.mark.parametrize("longest", ["e" * 255, "é" * 127])
    def test_an_id_of_255_bytes_is_read(self, longest: str) -> None:
        [one] = unpack(fs.batch(fs.event("x", {}, id_=longest)))
        assert one.event_id == longest
