"""What the simulated store does by itself, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from service.sandbox.fastspring import LIFECYCLES, IllegalAct, Store, catalog, deliveries, demo_customers
from service.sandbox.fastspring.calendar import DAY, following, milliseconds, shifted
from tests.strategies.fastspring import stores
from tests.unit.sandbox.fastspring_stories import events_of, of_type, told

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def a_subscription() -> tuple[Store, str]:
    store = Store("unit", start=START)
    order = store.buy(store.account("Ada Marlow", "ada@example.com"), [(catalog.TEAM, 2)])
    return store, store.subscriptions_of(order)[0]


def day(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_the_31st_is_billed_on_the_last_day_of_shorter_months_and_on_the_31st_again() -> None:
    anchor = day("2026-01-31")
    assert shifted(anchor, "month", 1) == day("2026-02-28")
    assert shifted(anchor, "month", 2) == day("2026-03-31")
    assert following(anchor, "month", 1, day("2026-02-28")) == day("2026-03-31")
    assert following(anchor, "week", 2, anchor) == anchor + 14 * DAY


def test_days_of_billing_are_midnights_in_utc() -> None:
    store, subscription = a_subscription()
    it = store.book.subscriptions[subscription]
    assert (it.begin, it.next) == (day("2026-01-31"), day("2026-02-28"))


def test_the_same_seed_and_acts_give_the_same_bytes_and_another_seed_other_identifiers() -> None:
    life = LIFECYCLES["overdue_and_recovered"]
    assert [it.body for it in life()] == [it.body for it in life()]
    assert {i for it in life() for i in it.event_ids}.isdisjoint(i for it in life(seed="x") for i in it.event_ids)


def test_a_first_payment_sends_no_charge_and_a_proration_does() -> None:
    types = [event["type"] for event in told("quantity_up_and_down")]
    assert types[:4] == [
        "subscription.activated",
        "order.completed",
        "payoutEntry.created",
        "subscription.updated",
    ]
    assert types.count("subscription.charge.completed") == 2


def test_rebills_carry_an_order_of_their_own_whose_reference_ends_in_b() -> None:
    first = of_type(told("monthly_renewals"), "order.completed")[0]
    charges = of_type(told("monthly_renewals"), "subscription.charge.completed")
    assert not first["reference"].endswith("B")
    assert all(charge["order"]["reference"].endswith("B") for charge in charges)
    assert len({charge["order"]["id"] for charge in charges} | {first["id"]}) == 4
    assert [charge["subscription"]["nextDisplayISO8601"] for charge in charges] == [
        "2026-03-31", "2026-04-30", "2026-05-31",
    ]  # fmt: skip


def test_canceled_is_still_active_and_names_the_last_day() -> None:
    [canceled] = of_type(told("canceled_to_the_end"), "subscription.canceled")
    assert (canceled["state"], canceled["active"]) == ("canceled", True)
    assert canceled["deactivationDate"] == canceled["next"] - DAY
    assert "nextChargeDate" in canceled


def test_deactivated_now_has_an_end_and_no_further_charge_and_was_never_canceled() -> None:
    events = told("deactivated_now")
    [ended] = of_type(events, "subscription.deactivated")
    assert (ended["state"], ended["active"], ended["deactivationDate"]) == ("deactivated", False, None)
    assert ended["end"] == ended["canceledDate"]
    assert "nextChargeDate" not in ended
    assert not of_type(events, "subscription.canceled")


def test_the_fields_that_say_when_it_last_changed_do_not_move_with_every_change() -> None:
    events = told("canceled_and_uncanceled")
    changed = {it["changed"] for it in of_type(events, "subscription.activated", "subscription.canceled")}
    assert len(changed) == 1


def test_overdue_notices_are_counted_until_it_is_given_up() -> None:
    events = told("dunning_to_deactivation")
    notices = [it["paymentOverdue"] for it in of_type(events, "subscription.payment.overdue")]
    assert [it["sent"] for it in notices] == [1, 2, 3, 4]
    assert events[-1]["type"] == "subscription.deactivated"


def test_a_trial_costs_nothing_and_lasts_as_long_as_its_phase_says() -> None:
    events = told("trial_to_full")
    [began] = of_type(events, "subscription.activated")
    trial, regular = began["instructions"]
    assert (began["state"], trial["type"], trial["unitPrice"]) == ("trial", "trial", 0)
    assert trial["periodEndDate"] == regular["periodStartDate"] == began["next"] == began["begin"] + 14 * DAY
    assert of_type(events, "order.completed")[0]["total"] == 0


def test_all_money_back_returns_the_quantity_and_a_part_of_it_none() -> None:
    [full] = of_type(told("refund_full"), "return.created")
    parts = of_type(told("refund_partial"), "return.created")
    assert [item["quantity"] for item in full["items"]] == [1]
    assert full["totalReturn"] == full["original"]["total"] == 29.0
    assert [(it["totalReturn"], it["items"][0]["quantity"]) for it in parts] == [(5.0, 0), (7.0, 0)]


def test_an_end_that_comes_with_a_return_is_told_in_the_same_request() -> None:
    last = LIFECYCLES["refund_full_and_ended"]()[-1]
    assert {event.type for event in last.events} == {"return.created", "subscription.deactivated"}


def test_a_managed_subscription_has_no_rhythm_and_is_charged_at_will() -> None:
    events = told("managed")
    [began] = of_type(events, "subscription.activated")
    assert (began["adhoc"], began["intervalUnit"]) == (True, "adhoc")
    assert "next" not in began
    assert len(of_type(events, "subscription.charge.completed")) == 1


def test_what_is_sent_again_by_hand_has_a_new_id_and_the_same_object() -> None:
    orders = [it for it in told("resent_by_hand") if it["type"] == "order.completed"]
    assert len({it["id"] for it in orders}) == len({it["created"] for it in orders}) == 2
    assert orders[0]["data"]["id"] == orders[1]["data"]["id"]


def test_an_unfinished_order_names_no_subscription_and_a_failed_one_no_reference() -> None:
    events = told("order_declined")
    pending, failed = of_type(events, "order.approval.pending", "order.failed")
    assert "subscription" not in pending["items"][0]
    assert (pending["completed"], failed["completed"], failed["reference"]) == (False, False, None)


def test_a_set_up_fee_is_an_item_without_a_subscription_sold_along_with_its_product() -> None:
    [order] = of_type(told("several_products"), "order.completed")
    [fee] = [item for item in order["items"] if item["product"] == "falcon-studio-setup"]
    assert "subscription" not in fee
    assert fee["driver"] == {"type": "configuration", "path": "falcon-studio-monthly"}


def test_another_interval_that_is_charged_for_begins_a_whole_period_and_otherwise_waits_for_the_day() -> None:
    store, subscription = a_subscription()
    store.advance(timedelta(days=9))
    store.change_product(subscription, catalog.PRO_YEARLY)
    assert store.book.subscriptions[subscription].next == day("2026-02-28")
    store.change_product(subscription, catalog.TEAM)
    store.change_product(subscription, catalog.PRO_YEARLY, prorate=True)
    assert store.book.subscriptions[subscription].next == day("2027-02-09")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("recover", "is active, it would have to be one of overdue"),
        ("uncancel", "is active, it would have to be one of canceled"),
        ("reach_end", "no end is scheduled; renew it"),
        ("begin_pause", "no pause is scheduled"),
        ("reactivate", "is active, it would have to be one of deactivated"),
        ("charge_managed", "only a managed subscription is charged at will; renew it"),
    ],
)
def test_an_act_that_the_state_does_not_allow_is_refused_with_what_would_be(act: str, reason: str) -> None:
    store, subscription = a_subscription()
    with pytest.raises(IllegalAct, match=reason):
        getattr(store, act)(subscription)


def test_once_the_day_of_a_charge_is_over_nothing_else_is_done_before_it_is_settled() -> None:
    store, subscription = a_subscription()
    store.advance(timedelta(days=40))
    with pytest.raises(IllegalAct, match="settle it first"):
        store.change_quantity(subscription, 3)


def test_no_more_goes_back_than_was_paid() -> None:
    store, subscription = a_subscription()
    store.refund(subscription, 20_00)
    with pytest.raises(IllegalAct, match="1000 to give back, not 1001"):
        store.refund(subscription, 10_01)


def test_an_order_is_finished_once() -> None:
    store, _ = a_subscription()
    [order] = store.book.orders
    with pytest.raises(IllegalAct, match="place a new order"):
        store.complete(order)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Store("naive", start=datetime(2026, 1, 1))  # noqa: DTZ001


@settings(max_examples=60, deadline=None)
@given(store=stores())
def test_random_lives_are_told_in_true_order_and_every_event_once(store: Store) -> None:
    created = [event["created"] for event in events_of(store)]
    assert created == sorted(created)
    ids = [identifier for delivery in deliveries(store) for identifier in delivery.event_ids]
    assert len(ids) == len(set(ids)) == len(created)


def test_the_people_of_the_demonstration_live_up_to_now_and_who_pays_is_covered_today() -> None:
    people = demo_customers(NOW)
    assert len({person.email for person in people}) == len(people) == 5
    for person in people:
        assert all(it.created <= milliseconds(NOW) for it in person.deliveries)
        for subscription in person.store.book.subscriptions.values():
            assert subscription.state == "deactivated" or (subscription.next or 0) > milliseconds(NOW)
    attributes = {name for person in people for it in person.store.book.products.values() for name in it.attributes}
    assert {"is_product_bundle", "floating_users_from_quantity", "max_consumptions"} <= attributes
    assert [bool(person.calls) for person in people] == [True, False, True, False, False]


@pytest.mark.parametrize("now", [datetime(2024, 2, 29, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_the_demonstration_can_be_given_on_any_day(now: datetime) -> None:
    for person in demo_customers(now):
        assert all(it.created <= milliseconds(now) for it in person.deliveries)
