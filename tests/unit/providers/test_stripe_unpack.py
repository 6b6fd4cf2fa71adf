"""Given a delivery of Stripe, then its event, and the stream it belongs to for ever."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from domain.events import stream_of
from domain.providers import Unpacked
from tests.payloads import stripe
from tests.payloads.stripe import FEBRUARY, STRIPE, Json, at

NOW = datetime(2026, 11, 21, tzinfo=UTC)

REFUND: Json = {"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": None}
TAX_ID: Json = {"id": "txi_1", "object": "tax_id", "customer": "cus_1"}
PORTAL: Json = {"id": "b/1", "object": "billing_portal.session"}


def unpack(body: bytes, *, live: bool | None = False) -> Unpacked:
    [unpacked] = STRIPE.unpack("shop", body, live, NOW)
    return unpacked


def stream(type_: str, object_: Json) -> str:
    return unpack(msgspec.json.encode(stripe.event(type_, object_))).stream


class TestStream:
    @pytest.mark.parametrize(
        ("type_", "object_", "expected"),
        [
            ("customer.subscription.created", stripe.subscription(), "shop/subscription/sub_1"),
            ("customer.subscription.pending_update_applied", stripe.subscription(), "shop/subscription/sub_1"),
            ("checkout.session.completed", stripe.session("subscription"), "shop/subscription/sub_1"),
            ("checkout.session.completed", stripe.session(invoice="in_1"), "shop/invoice/in_1"),
            ("checkout.session.completed", stripe.session(), "shop/payment/pi_1"),
            ("checkout.session.async_payment_failed", stripe.session(), "shop/payment/pi_1"),
            ("checkout.session.completed", stripe.session("setup"), "shop/checkout/cs_test_1"),
            ("checkout.session.expired", stripe.session(payment_intent=None), "shop/checkout/cs_test_1"),
            ("invoice.paid", stripe.invoice("clover"), "shop/subscription/sub_1"),
            ("invoice.paid", stripe.invoice("basil"), "shop/subscription/sub_1"),
            ("invoice.paid", stripe.invoice("acacia"), "shop/subscription/sub_1"),
            ("invoice.finalized", stripe.invoice(subscription=None), "shop/invoice/in_1"),
            ("invoice.paid", stripe.invoice("acacia", subscription=None), "shop/invoice/in_1"),
            ("invoice_payment.paid", stripe.invoice_payment(), "shop/invoice/in_1"),
            ("charge.refunded", stripe.charge("clover"), "shop/payment/pi_1"),
            ("charge.refunded", stripe.charge("acacia"), "shop/invoice/in_1"),
            ("charge.refunded", stripe.charge("acacia", invoice=None), "shop/payment/pi_1"),
            ("charge.succeeded", stripe.charge(payment_intent=None), "shop/charge/ch_1"),
            ("charge.dispute.created", stripe.dispute(), "shop/payment/pi_1"),
            ("charge.dispute.closed", stripe.dispute(payment_intent=None), "shop/charge/ch_1"),
            ("charge.refund.updated", REFUND, "shop/charge/ch_1"),
            ("customer.updated", stripe.customer(), "shop/customer/cus_1"),
            ("customer.tax_id.created", TAX_ID, "shop/customer/cus_1"),
            ("price.updated", stripe.price(), "shop/price/price_pro"),
            ("billing_portal.session.created", PORTAL, "shop/billing_portal-session/b/1"),
        ],
    )
    def test_each_object_has_its_place(self, type_: str, object_: Json, expected: str) -> None:
        assert stream(type_, object_) == expected

    def test_an_invoice_that_is_only_upcoming_belongs_to_its_subscription(self) -> None:
        upcoming = stripe.invoice()
        del upcoming["id"]
        assert stream("invoice.upcoming", upcoming) == "shop/subscription/sub_1"

    def test_a_rendering_with_both_shapes_goes_by_the_new_one(self) -> None:
        assert stream("invoice.paid", stripe.invoice() | {"subscription": "sub_old"}) == "shop/subscription/sub_1"

    def test_an_invoice_of_a_quote_is_not_one_of_a_subscription(self) -> None:
        quoted = stripe.invoice()
        quoted["parent"]["type"] = "quote_details"
        assert stream("invoice.paid", quoted) == "shop/invoice/in_1"

    def test_expanded_objects_count_by_their_id(self) -> None:
        visit = stripe.session(payment_intent={"id": "pi_9", "object": "payment_intent"})
        assert stream("checkout.session.completed", visit) == "shop/payment/pi_9"

    @pytest.mark.parametrize("object_", [{}, {"object": "price"}, {"id": 7, "object": "price"}, [], None, "text", 5])
    def test_an_object_without_an_id_goes_by_the_event(self, object_: Any) -> None:
        assert stream("price.updated", object_) == "shop/other/evt_1"

    def test_a_known_type_whose_object_has_another_shape_goes_by_the_event(self) -> None:
        assert stream("invoice.paid", stripe.invoice() | {"parent": "sub_1"}) == "shop/other/evt_1"


class TestEvent:
    def test_time_is_the_providers_and_type_and_id_are_kept(self) -> None:
        unpacked = unpack(msgspec.json.encode(stripe.event("price.updated", stripe.price(), created=FEBRUARY)))
        assert unpacked == Unpacked(
            stream=unpacked.stream, event_id="evt_1", type="price.updated", occurred_at=at(FEBRUARY)
        )
        assert unpacked.occurred_at.tzinfo is UTC

    def test_an_event_of_a_connected_account_is_unique_with_the_account_only(self) -> None:
        body = msgspec.json.encode(stripe.event("price.updated", stripe.price(), account="acct_9"))
        assert unpack(body).event_id == "acct_9:evt_1"

    def test_a_thin_event_is_kept_under_its_id(self) -> None:
        thin = {
            "id": "evt_thin",
            "object": "v2.core.event",
            "type": "v1.customer.subscription.updated",
            "created": "2026-11-01T12:00:00.000+02:00",
            "livemode": False,
            "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
        }
        unpacked = unpack(msgspec.json.encode(thin))
        assert unpacked.stream == "shop/other/evt_thin"
        assert unpacked.occurred_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
        assert unpacked.occurred_at.tzinfo is UTC


class TestMode:
    @pytest.mark.parametrize(
        ("live", "livemode", "fits"),
        [
            (True, True, True),
            (False, False, True),
            (True, False, False),
            (False, True, False),
            (None, True, True),
            (None, False, True),
            (True, None, False),
        ],
    )
    def test_an_event_of_the_other_mode_is_set_aside(self, live: bool | None, livemode: bool, fits: bool) -> None:
        body = msgspec.json.encode(stripe.event("price.updated", stripe.price(), livemode=livemode))
        expected = "shop/price/price_pro" if fits else "shop/wrong-mode/evt_1"
        assert unpack(body, live=live).stream == expected


def changed(**changes: Any) -> bytes:
    return msgspec.json.encode({**stripe.event("price.updated", stripe.price()), **changes})


class TestUnreadable:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"id":"evt_1","type":"x","created":1,"data":' + b"[" * 100_000,
            b'{"id":"evt_\xff","type":"x","created":1}',
            changed(id=None),
            changed(id=""),
            changed(id=7),
            changed(id="evt_\n"),
            changed(id="evt_\x00"),
            changed(id="e" * 256),
            changed(id="é" * 128),
            changed(type=None),
            changed(type="x\x7f"),
            changed(created=None),
            changed(created=-1),
            changed(created=10**30),
            changed(created=1.5),
            changed(created=True),
            changed(created="0001-01-01T00:00:00+10:00"),
            changed(created="2026-01-01T00:00:00"),
            changed(account="acct_\x85"),
            changed(account="a" * 250),
            changed(data={"object": {"id": "price_\n", "object": "price"}}),
            changed(data={"object": {"id": "p" * 256, "object": "price"}}),
        ],
        ids=lambda body: repr(body[:40]),
    )
    def test_what_cannot_be_read_is_kept_under_its_digest(self, body: bytes) -> None:
        digest = sha256(body).hexdigest()[:32]
        assert unpack(body) == Unpacked(
            stream=stream_of("shop", "unreadable", digest), event_id=digest, type="unreadable", occurred_at=NOW
        )

    @pytest.mark.parametrize("longest", ["e" * 255, "é" * 127])
    def test_an_id_of_255_bytes_is_read(self, longest: str) -> None:
        assert unpack(changed(id=longest)).event_id == longest
