"""The simulated events keep the promises that Stripe keeps, so that tests built on them mean something."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.sandbox.stripe import (
    LICENSING,
    LIFECYCLES,
    Account,
    Delivery,
    Shape,
    catalog,
    sign,
)
from service.sandbox.stripe.calendar import seconds
from tests.strategies import stripe as drawn
from tests.unit.sandbox.stripe_stories import FIXTURES, Json, every_story, of_type, parsed, told, with_fixtures

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@every_story
def test_every_event_has_the_fields_of_a_stripe_event(name: str, shape: Shape) -> None:
    for delivery in LIFECYCLES[name](shape, livemode=True):
        event = json.loads(delivery.body)
        assert set(event) == {
            "id", "object", "api_version", "created", "data", "livemode", "pending_webhooks", "request", "type",
        }  # fmt: skip
        assert (event["id"], event["type"], event["created"]) == (delivery.event_id, delivery.type, delivery.created)
        assert event["object"] == "event"
        assert event["api_version"] == shape
        assert type(event["created"]) is int
        assert event["livemode"] is True
        assert event["data"]["object"].get("livemode", True) is True
        assert set(event["request"]) == {"id", "idempotency_key"}
        assert (event["request"]["id"] is None) == (event["request"]["idempotency_key"] is None)


@every_story
def test_deliveries_are_in_true_order_and_no_event_is_told_twice(name: str, shape: Shape) -> None:
    deliveries = LIFECYCLES[name](shape)
    assert deliveries
    assert [it.created for it in deliveries] == sorted(it.created for it in deliveries)
    assert len({it.event_id for it in deliveries}) == len(deliveries)


def test_no_two_lifecycles_share_an_identifier() -> None:
    owners: dict[str, str] = {}
    for name, lifecycle in LIFECYCLES.items():
        for event in parsed(lifecycle()):
            for identifier in (event["id"], event["data"]["object"]["id"]):
                assert owners.setdefault(identifier, name) == name


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_identifiers() -> None:
    lifecycle = LIFECYCLES["past_due_recovered"]
    assert lifecycle(seed="one") == lifecycle(seed="one")
    assert not {it.event_id for it in lifecycle(seed="one")} & {it.event_id for it in lifecycle(seed="two")}


def test_bodies_are_compact_and_a_subscription_event_has_three_to_four_kilobytes() -> None:
    sizes = [len(it.body) for it in LIFECYCLES["cancel_at_period_end"]() if it.type.endswith("subscription.created")]
    assert all(3_000 < size < 4_200 for size in sizes)
    assert sizes
    for delivery in LIFECYCLES["cancel_at_period_end"]():
        compact = json.dumps(json.loads(delivery.body), separators=(",", ":"), ensure_ascii=False)
        assert delivery.body == compact.encode()


def test_all_events_of_one_api_call_name_it_and_what_stripe_does_by_itself_names_none() -> None:
    account = Account("calls", start=NOW)
    subscription = account.subscribe(account.customer("A", "a@example.com"), [(catalog.TEAM_MONTHLY, 2)])
    account.change_quantity(subscription, 5)
    account.renew(subscription)
    requests = [(it.type, it.request.id if it.request else None) for it in account.happenings]
    by_request: dict[str | None, list[str]] = {}
    for kind, request in requests:
        by_request.setdefault(request, []).append(kind)
    changed = [types for request, types in by_request.items() if request and "invoice_payment.paid" in types]
    assert len(changed) == 2
    assert all({"invoice.created", "invoice.paid", "charge.succeeded"} <= set(types) for types in changed)
    assert by_request[None][0] == "customer.subscription.updated"
    assert "invoice.paid" in by_request[None]


def test_with_no_lag_an_act_and_its_consequences_share_one_second() -> None:
    account = Account("ties", start=NOW, lag=0)
    account.subscribe(account.customer("A", "a@example.com"), [(catalog.PRO_MONTHLY, 1)])
    assert {it.created for it in account.happenings} == {seconds(NOW)}
    assert [it.type for it in account.happenings if "subscription" in it.type] == [
        "customer.subscription.created",
        "customer.subscription.updated",
    ]


def test_an_endpoint_gets_only_the_types_it_enabled() -> None:
    everything = LIFECYCLES["refund_full"]()
    chosen = LIFECYCLES["refund_full"](types=LICENSING)
    assert chosen == [it for it in everything if it.type in LICENSING]
    assert 0 < len(chosen) < len(everything)


def test_an_upgrade_of_the_account_changes_later_events_only() -> None:
    lifecycle = LIFECYCLES["trial_to_active_to_renewals"]
    moment = lifecycle()[-8].created
    mixed = lifecycle(lambda created: Shape.ACACIA if created < moment else Shape.CLOVER)
    versions = [event["api_version"] for event in parsed(mixed)]
    assert versions == sorted(versions)
    assert set(versions) == {Shape.ACACIA, Shape.CLOVER}


def rewound(after: Json, previous: Json) -> Json:
    """The object as it was, from what it is and the previous values; written apart from what makes them."""
    before = dict(after)
    for name, old in previous.items():
        new = after.get(name)
        if isinstance(new, dict) and new.get("object") == "list":
            before[name] = {**new, "data": old["data"], "total_count": len(old["data"])}
        elif isinstance(new, dict) and isinstance(old, dict) and new.get("id") == old.get("id"):
            before[name] = rewound(new, old)
        else:
            before[name] = old
    return before


def assert_previous_attributes_chain(events: list[Json]) -> int:
    """Every object's events lead from one to the next; gives how many links were followed."""
    last: dict[str, Json] = {}
    links = 0
    for event in events:
        current, previous = event["data"]["object"], event["data"].get("previous_attributes")
        known = last.get(current["id"])
        if previous is not None and known is not None:
            assert previous
            # `paused` and `resumed` repeat what the `updated` of the same second said.
            if current != known:
                assert rewound(current, previous) == known
                links += 1
        elif known is not None and event["type"] == "customer.subscription.trial_will_end":
            assert current == known
        last[current["id"]] = current
    return links


@every_story
def test_previous_attributes_really_are_the_previous_values(name: str, shape: Shape) -> None:
    assert_previous_attributes_chain(told(name, shape))


def test_a_chain_of_previous_attributes_leads_back_to_the_beginning() -> None:
    assert assert_previous_attributes_chain(told("two_lines")) >= 6


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn.lifecycles())
def test_previous_attributes_chain_through_any_legal_life(deliveries: list[Delivery]) -> None:
    events = parsed(deliveries)
    assert_previous_attributes_chain(events)
    assert len({event["id"] for event in events}) == len(events)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn.lifecycles())
def test_a_final_subscription_says_nothing_more(deliveries: list[Delivery]) -> None:
    final: set[str] = set()
    for event in parsed(deliveries):
        if event["type"].startswith("customer.subscription."):
            subscription = event["data"]["object"]
            assert subscription["id"] not in final
            if subscription["status"] in {"canceled", "incomplete_expired"}:
                final.add(subscription["id"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn.lifecycles())
def test_the_end_of_a_trial_is_announced_at_most_once(deliveries: list[Delivery]) -> None:
    announced = of_type(parsed(deliveries), "customer.subscription.trial_will_end")
    assert len({it["id"] for it in announced}) == len(announced)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_shuffling_and_doubling_loses_and_invents_nothing(data: st.DataObject) -> None:
    deliveries = data.draw(drawn.lifecycles(most_subscriptions=1, most_acts=3, types=LICENSING))
    mixed = data.draw(drawn.shuffled_and_doubled(deliveries))
    assert set(mixed) == set(deliveries)
    assert len(mixed) >= len(deliveries)


def test_a_quantity_change_tells_the_whole_old_item_and_a_status_change_the_status_alone() -> None:
    updates = [it["data"] for it in told("quantity_change") if it["type"] == "customer.subscription.updated"]
    changed = next(it for it in updates if it["object"]["quantity"] == 5)
    old = changed["previous_attributes"]
    assert (old["quantity"], old["items"]["data"][0]["quantity"]) == (2, 2)
    assert set(old["items"]["data"][0]) == set(changed["object"]["items"]["data"][0])
    updates = [it["data"] for it in told("past_due_recovered") if it["type"] == "customer.subscription.updated"]
    fell = next(it for it in updates if it["object"]["status"] == "past_due")
    assert fell["previous_attributes"] == {"status": "active"}


def test_a_change_of_mind_clears_the_three_fields_that_the_cancellation_set() -> None:
    updates = [it["data"] for it in told("cancel_at_period_end_and_change_of_mind") if "updated" in it["type"]]
    asked, withdrawn = (it for it in updates if "cancel_at" in it.get("previous_attributes", {}))
    assert asked["object"]["cancel_at"] == asked["object"]["items"]["data"][0]["current_period_end"]
    assert asked["object"]["status"] == "active"
    assert asked["previous_attributes"]["cancellation_details"] == {"feedback": None, "reason": None}
    for field in ("cancel_at", "canceled_at"):
        assert withdrawn["object"][field] is None
        assert withdrawn["previous_attributes"][field] == asked["object"][field]


def test_the_signature_matches_an_hmac_computed_by_hand() -> None:
    """RFC 2104 written out: two nested hashes over the padded key."""
    secret, body = "whsec_0123456789", b'{"id":"evt_1"}'
    key = secret.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(it ^ 0x36 for it in key) + b"1772323200." + body).digest()
    outer = hashlib.sha256(bytes(it ^ 0x5C for it in key) + inner).hexdigest()
    assert sign(body, secret, 1772323200) == f"t=1772323200,v1={outer}"


@with_fixtures
def test_the_signature_matches_the_vectors() -> None:
    cases = json.loads((FIXTURES / "signature_vectors.json").read_text())
    valid = [case for case in cases if case["ok"] and "v1=" in case["header"]]
    assert valid
    for case in valid:
        timestamp = int(case["header"].split(",")[0].removeprefix("t="))
        made = sign((FIXTURES / case["file"]).read_bytes(), case["secret"], timestamp).split(",")[1]
        assert any(hmac.compare_digest(made, part) for part in case["header"].split(","))
