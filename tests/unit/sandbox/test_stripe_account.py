"""The simulated account does to subscriptions what Stripe does, and refuses what Stripe would."""

from datetime import UTC, datetime, timedelta

import pytest

from service.sandbox.stripe import LIFECYCLES, Account, IllegalAct, catalog
from service.sandbox.stripe.calendar import period_end, period_start, seconds, shifted
from tests.unit.sandbox.stripe_stories import Json, of_type, told

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", LIFECYCLES)
def test_periods_follow_each_other_without_a_gap_unless_the_anchor_moved(name: str) -> None:
    last: dict[str, tuple[Json, int]] = {}
    for subscription in of_type(told(name), "customer.subscription.updated"):
        for item in subscription["items"]["data"]:
            before, anchor = last.get(item["id"], (item, subscription["billing_cycle_anchor"]))
            same = item["current_period_start"] == before["current_period_start"]
            follows = item["current_period_start"] == before["current_period_end"]
            assert same or follows or subscription["billing_cycle_anchor"] != anchor
            assert item["current_period_start"] < item["current_period_end"]
            last[item["id"]] = (item, subscription["billing_cycle_anchor"])


def test_months_are_counted_from_the_anchor_so_the_thirty_first_comes_back() -> None:
    anchor = seconds(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    dates = [datetime.fromtimestamp(shifted(anchor, "month", count), UTC) for count in range(4)]
    assert [(it.month, it.day, it.hour) for it in dates] == [(1, 31, 9), (2, 28, 9), (3, 31, 9), (4, 30, 9)]
    february = shifted(anchor, "month", 1)
    assert period_end(anchor, "month", 1, february) == shifted(anchor, "month", 2)
    assert period_start(anchor, "month", 1, february + 5) == february
    assert period_start(anchor, "month", 1, february - 5) == anchor
    leap = seconds(datetime(2024, 2, 29, tzinfo=UTC))
    assert datetime.fromtimestamp(period_end(leap, "year", 1, leap), UTC) == datetime(2025, 2, 28, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Account("naive", start=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_renewal_shows_the_new_period_about_an_hour_before_it_is_paid() -> None:
    events = told("trial_to_active_to_renewals")
    updated = [it for it in events if it["type"] == "customer.subscription.updated"]
    paid = [it for it in events if it["type"] == "invoice.paid"][1:]
    assert len(updated) == len(paid) == 3
    for update, payment in zip(updated, paid, strict=True):
        (item,), (line,) = update["data"]["object"]["items"]["data"], payment["data"]["object"]["lines"]["data"]
        assert 3600 <= payment["created"] - update["created"] < 3700
        assert line["period"] == {"start": item["current_period_start"], "end": item["current_period_end"]}
        assert update["data"]["object"]["latest_invoice"] == payment["data"]["object"]["id"]


def test_only_the_items_that_are_due_are_renewed_and_billed() -> None:
    events = told("mixed_intervals")
    first, *renewals = of_type(events, "invoice.paid")
    assert len(first["lines"]["data"]) == 2
    assert [len(it["lines"]["data"]) for it in renewals] == [1, 1]
    yearly, monthly = of_type(events, "customer.subscription.updated")[-1]["items"]["data"]
    assert yearly["current_period_end"] - yearly["current_period_start"] == 365 * 86_400
    assert monthly["current_period_start"] > yearly["current_period_start"]


def statuses(name: str) -> list[str]:
    seen: list[str] = []
    for event in told(name):
        if event["type"].startswith("customer.subscription."):
            status = event["data"]["object"]["status"]
            seen += [status] if seen[-1:] != [status] else []
    return seen


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trial_to_active_to_renewals", ["trialing", "active"]),
        ("past_due_recovered", ["incomplete", "active", "past_due", "active"]),
        ("past_due_unpaid_canceled", ["incomplete", "active", "past_due", "unpaid", "canceled"]),
        ("past_due_lapsed", ["incomplete", "active", "past_due", "canceled"]),
        ("unpaid_recovered", ["incomplete", "active", "past_due", "unpaid", "active"]),
        ("incomplete_expired", ["incomplete", "incomplete_expired"]),
        ("first_payment_after_authentication", ["incomplete", "active"]),
        ("send_invoice", ["active", "past_due", "active"]),
        ("pause_and_resume_collection", ["incomplete", "active"]),
        ("trial_paused_and_resumed", ["trialing", "paused", "active"]),
        ("cancel_at_period_end", ["incomplete", "active", "canceled"]),
        ("dispute_lost", ["incomplete", "active", "canceled"]),
    ],
)
def test_a_life_passes_through_these_states(name: str, expected: list[str]) -> None:
    assert statuses(name) == expected


def test_a_trial_begins_with_an_invoice_paid_with_nothing_and_its_end_is_announced() -> None:
    events = told("trial_to_active_to_renewals")
    first = of_type(events, "invoice.paid")[0]
    assert (first["amount_paid"], first["billing_reason"]) == (0, "subscription_create")
    (session,) = of_type(events, "checkout.session.completed")
    assert (session["payment_status"], session["payment_intent"]) == ("no_payment_required", None)
    (announced,) = (it for it in events if it["type"] == "customer.subscription.trial_will_end")
    assert announced["created"] == announced["data"]["object"]["trial_end"] - 3 * 86_400


def test_a_failed_payment_and_past_due_are_two_events_of_one_second() -> None:
    events = told("past_due_recovered")
    failed = next(it for it in events if it["type"] == "invoice.payment_failed")
    fell = next(it for it in events if it["data"]["object"].get("status") == "past_due")
    assert failed["created"] == fell["created"]
    attempts = of_type(told("past_due_unpaid_canceled"), "invoice.payment_failed")
    assert [it["attempt_count"] for it in attempts] == [1, 2, 3, 4]
    assert all(it["next_payment_attempt"] for it in attempts[:-1])
    assert attempts[-1]["next_payment_attempt"] is None
    assert len({it["id"] for it in attempts}) == 1


def test_an_expired_first_payment_is_told_by_updated_alone() -> None:
    types = [it["type"] for it in told("incomplete_expired")]
    assert "customer.subscription.deleted" not in types
    assert types[-1] == "customer.subscription.updated"


def test_a_cancellation_keeps_the_moment_it_was_asked_for() -> None:
    (ended,) = of_type(told("cancel_at_period_end"), "customer.subscription.deleted")
    assert ended["canceled_at"] < ended["ended_at"] == ended["cancel_at"]
    assert ended["cancellation_details"]["reason"] == "cancellation_requested"
    (disputed,) = of_type(told("dispute_lost"), "customer.subscription.deleted")
    assert disputed["canceled_at"] == disputed["ended_at"]
    assert disputed["cancellation_details"]["reason"] == "payment_disputed"


def test_prorations_give_back_and_charge_the_rest_of_the_period() -> None:
    invoices = of_type(told("quantity_change"), "invoice.paid")
    change = next(it for it in invoices if it["billing_reason"] == "subscription_update")
    credit, debit = change["lines"]["data"]
    assert (credit["quantity"], debit["quantity"]) == (2, 5)
    assert credit["amount"] < 0 < debit["amount"]
    assert credit["period"] == debit["period"]
    details = credit["parent"]["subscription_item_details"]
    assert details["proration"]
    assert details["proration_details"]["credited_items"]["invoice"] == invoices[0]["id"]


def test_another_interval_begins_a_whole_period_and_moves_the_anchor() -> None:
    events = told("upgrade_to_yearly")
    change = next(it for it in of_type(events, "invoice.paid") if it["billing_reason"] == "subscription_update")
    credit, whole = (it["parent"]["subscription_item_details"] for it in change["lines"]["data"])
    assert (credit["proration"], whole["proration"]) == (True, False)
    assert change["lines"]["data"][1]["amount"] == 290_00
    moved = next(it for it in events if "billing_cycle_anchor" in it["data"].get("previous_attributes", {}))
    (item,) = moved["data"]["object"]["items"]["data"]
    assert item["current_period_start"] == moved["created"] == moved["data"]["object"]["billing_cycle_anchor"]
    assert item["price"]["metadata"]["max_activations"] == "5"


def test_a_downgrade_is_paid_with_nothing_and_its_credit_pays_the_next_bill() -> None:
    first, change, renewal = of_type(told("downgrade"), "invoice.paid")
    assert first["amount_paid"] == 59_00
    assert change["total"] < 0 == change["amount_paid"]
    assert change["ending_balance"] == renewal["starting_balance"] == change["total"]
    assert (renewal["amount_paid"], renewal["ending_balance"]) == (29_00 + change["total"], 0)
    balances = [it["balance"] for it in of_type(told("downgrade"), "customer.updated")]
    assert balances == [change["total"], 0]


def test_paused_collection_changes_no_status_and_voids_the_bill() -> None:
    events = told("pause_and_resume_collection")
    paused = [it for it in of_type(events, "customer.subscription.updated") if it["pause_collection"]]
    assert {it["status"] for it in paused} == {"active"}
    assert len(of_type(events, "invoice.voided")) == 1
    assert len(of_type(events, "invoice.paid")) == 2


def test_bills_by_mail_begin_active_before_the_money_is_there() -> None:
    events = told("send_invoice")
    (created,) = of_type(events, "customer.subscription.created")
    assert (created["status"], created["collection_method"], created["days_until_due"]) == (
        "active",
        "send_invoice",
        14,
    )
    types = [it["type"] for it in events]
    assert types.index("invoice.sent") < types.index("invoice.paid")
    (overdue,) = (it for it in events if it["type"] == "invoice.overdue")
    assert overdue["created"] == overdue["data"]["object"]["due_date"]


def test_a_line_without_a_short_code_stands_beside_one_with_it() -> None:
    (created,) = of_type(told("two_lines"), "customer.subscription.created")
    codes = [it["price"]["metadata"].get("short_code") for it in created["items"]["data"]]
    assert codes == ["falcon-team", None]
    assert (created["plan"], created["quantity"]) == (None, None)


def test_a_new_address_is_told_of_the_customer_and_stands_on_later_invoices() -> None:
    events = told("customer_changes_email")
    (changed,) = (it["data"] for it in events if it["type"] == "customer.updated")
    assert changed["previous_attributes"] == {"email": "wanda@example.com"}
    assert [it["customer_email"] for it in of_type(events, "invoice.paid")] == [
        "wanda@example.com",
        "wanda.zell@example.com",
    ]


def test_an_act_that_the_state_does_not_allow_is_refused_with_the_reason() -> None:
    account = Account("refused", start=NOW)
    subscription = account.subscribe(account.customer("A", "a@example.com"), [(catalog.PRO_MONTHLY, 1)])
    with pytest.raises(IllegalAct, match="is active"):
        account.recover(subscription)
    with pytest.raises(IllegalAct, match="nothing is scheduled"):
        account.reach_period_end(subscription)
    with pytest.raises(IllegalAct, match="the last item stays"):
        account.remove_item(subscription, account.book.subscriptions[subscription].items[0].id)
    with pytest.raises(IllegalAct, match="between 1 and the 2900"):
        account.refund(subscription, 29_01)
    account.advance(timedelta(days=40))
    with pytest.raises(IllegalAct, match="settle it first"):
        account.change_quantity(subscription, 2)
    account.renew(subscription)
    account.change_quantity(subscription, 2)
