"""Refunds, disputes, purchases, and what can be read back, in the simulated account."""

import pytest

from service.sandbox.stripe import (
    LIFECYCLES,
)
from service.sandbox.stripe.reading import listed, read
from tests.unit.sandbox.stripe_stories import of_type, told


def test_refunds_tell_the_cumulative_amount_and_only_a_full_one_says_refunded() -> None:
    partial = of_type(told("refund_partial"), "charge.refunded")
    assert [(it["amount_refunded"], it["refunded"]) for it in partial] == [(5_00, False), (12_00, False)]
    (full,) = of_type(told("refund_full"), "charge.refunded")
    assert (full["amount_refunded"], full["refunded"]) == (29_00, True)


@pytest.mark.parametrize(("name", "outcome"), [("dispute_won", "won"), ("dispute_lost", "lost")])
def test_a_dispute_is_opened_and_closed_and_names_a_payment_that_an_invoice_payment_named(
    name: str, outcome: str
) -> None:
    events = told(name)
    (opened,) = of_type(events, "charge.dispute.created")
    (closed,) = of_type(events, "charge.dispute.closed")
    assert (opened["status"], closed["status"]) == ("needs_response", outcome)
    payments = {it["payment"]["payment_intent"]: it["invoice"] for it in of_type(events, "invoice_payment.paid")}
    assert opened["payment_intent"] in payments


def test_a_purchase_by_a_guest_has_neither_customer_nor_invoice_nor_lines() -> None:
    (session,) = of_type(told("one_time_purchase"), "checkout.session.completed")
    assert (session["mode"], session["payment_status"]) == ("payment", "paid")
    assert (session["customer"], session["invoice"], session["subscription"]) == (None, None, None)
    assert session["customer_details"]["email"] == "yara@example.com"
    assert "line_items" not in session


def test_a_delayed_payment_says_unpaid_first_and_later_how_it_went() -> None:
    for name, answer in (
        ("one_time_purchase_paid_later", "checkout.session.async_payment_succeeded"),
        ("one_time_purchase_never_paid", "checkout.session.async_payment_failed"),
    ):
        events = told(name)
        (first,) = of_type(events, "checkout.session.completed")
        assert first["payment_status"] == "unpaid"
        (later,) = of_type(events, answer)
        assert later["id"] == first["id"]
        assert later["payment_intent"] == first["payment_intent"]


def test_what_events_leave_out_can_be_read_back() -> None:
    account = LIFECYCLES["one_time_purchase_with_invoice_refunded"].account()
    (session,) = account.book.sessions
    answer = read(account, f"/v1/checkout/sessions/{session}")
    assert answer is not None
    (line,) = answer["line_items"]["data"]
    assert line["price"]["metadata"]["short_code"] == "falcon-pro"
    assert line["quantity"] == 2
    payments = listed(account, "invoice_payments", {"payment[payment_intent]": answer["payment_intent"]})
    assert payments is not None
    (payment,) = payments
    assert payment["invoice"] == answer["invoice"]
    invoice = read(account, f"/v1/invoices/{answer['invoice']}")
    assert invoice is not None
    assert invoice["parent"] is None
    assert read(account, f"/v1/prices/{line['price']['id']}") == line["price"]
    assert read(account, "/v1/customers/cus_unknown") is None
