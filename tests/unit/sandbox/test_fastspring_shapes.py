"""What FastSpring's events look like: with expansion, without it, as of 2019; and what signs them."""

import json
from typing import Any

import pytest

from service.sandbox.fastspring import LIFECYCLES, Shape, Store, catalog, deliveries, form, request_hash, sign
from service.sandbox.fastspring.lifecycle import START
from tests.unit.sandbox.fastspring_stories import FIXTURES, Json, events_of, every_story, of_type, told, with_fixtures


def paths(value: Any, at: str = "") -> set[str]:
    """Every field of an object, as deep as it goes; what attributes and fulfillments hold is the vendor's own."""
    if isinstance(value, dict):
        found = {f"{at}{name}" for name in value}
        for name, each in value.items():
            if name not in {"attributes", "fulfillments", "tags", "previous"}:
                found |= paths(each, f"{at}{name}.")
        return found
    if isinstance(value, list):
        return set().union(*(paths(each, at) for each in value)) if value else set()
    return set()


@every_story
def test_every_request_is_a_batch_whose_events_have_an_id_a_type_a_time_and_a_mode(name: str, shape: Shape) -> None:
    for delivery in LIFECYCLES[name](shape):
        [(key, events)] = json.loads(delivery.body).items()
        assert key == "events"
        assert tuple(event["id"] for event in events) == delivery.event_ids
        for event in events:
            assert event.keys() == {"id", "processed", "created", "type", "live", "data"}
            assert (event["processed"], event["live"]) == (False, False)


def test_events_of_one_act_come_together_and_not_always_in_order() -> None:
    batches = [delivery.events for life in LIFECYCLES.values() for delivery in life()]
    assert any(len(batch) > 2 for batch in batches)
    assert any([it.created for it in batch] != sorted(it.created for it in batch) for batch in batches)


def test_events_can_come_one_by_one() -> None:
    assert all(len(delivery.events) == 1 for delivery in LIFECYCLES["several_products"](most=1))


def test_with_expansion_the_subscription_of_a_charge_still_names_its_account_and_product_as_strings() -> None:
    [charge, *_] = of_type(told("monthly_renewals"), "subscription.charge.completed")
    assert isinstance(charge["order"], dict)
    assert charge["subscription"]["product"] == "falcon-team-monthly"
    assert charge["subscription"]["account"] == charge["account"]["id"]
    assert charge["order"]["items"][0]["subscription"] == charge["subscription"]["id"]


def test_without_expansion_accounts_products_orders_and_subscriptions_are_strings() -> None:
    events = told("monthly_renewals", Shape.PLAIN)
    [charge, *_] = of_type(events, "subscription.charge.completed")
    assert all(isinstance(charge[name], str) for name in ("order", "subscription", "account"))
    [began] = of_type(events, "subscription.activated")
    assert (began["product"], began["subscription"]) == ("falcon-team-monthly", charge["subscription"])
    [order] = of_type(events, "order.completed")
    assert order["items"][0]["subscription"] == charge["subscription"]


def test_in_2019_nothing_linked_a_subscription_to_its_first_order_and_whole_amounts_had_no_point() -> None:
    [old] = of_type(told("monthly_renewals", Shape.OF_2019), "subscription.activated")
    [new] = of_type(told("monthly_renewals"), "subscription.activated")
    assert new["initialOrderReference"] == of_type(told("monthly_renewals"), "order.completed")[0]["reference"]
    assert "initialOrderId" not in old
    assert (str(old["price"]), str(new["price"])) == ("15", "15.0")
    assert "nextDisplayISO8601" not in old


def test_what_is_displayed_follows_the_buyers_language() -> None:
    store = Store("german", start=START)
    account = store.account("Rita", "rita@example.com", country="DE", language="de", currency="EUR")
    store.buy(account, [(catalog.PERPETUAL, 10)])
    [order] = of_type(events_of(store), "order.completed")
    assert order["totalDisplay"] == "1.990,00\N{NO-BREAK SPACE}€"
    assert order["changedDisplay"] == "31.01.26"
    assert (order["total"], order["totalInPayoutCurrency"]) == (1990.0, 2169.1)


def test_a_gift_names_the_recipient_beside_the_customer() -> None:
    [order] = of_type(told("gift"), "order.completed")
    assert order["customer"]["email"] == "anton@example.com"
    assert [each["recipient"]["email"] for each in order["recipients"]] == ["zeno@example.com"]


def test_keys_that_were_answered_at_checkout_show_in_the_order() -> None:
    store = Store("keys", start=START)
    order = store.check_out(store.account("Ada", "ada@example.com"), [(catalog.PERPETUAL, 2)])
    [call] = store.calls
    store.answer(call, ["AAAA-1", "AAAA-2"])
    store.complete(order)
    [completed] = of_type(events_of(store), "order.completed")
    [keys] = completed["items"][0]["fulfillments"].values()
    assert [each["license"] for each in keys] == ["AAAA-1", "AAAA-2"]
    assert call.reference == completed["reference"]


def test_no_key_is_asked_for_what_has_no_generator() -> None:
    store = Store("no-keys", start=START)
    store.buy(store.account("Ada", "ada@example.com"), [(catalog.TEAM, 2)])
    assert store.calls == []


def test_the_form_names_the_purchase_and_carries_the_attributes() -> None:
    store = Store("form", start=START)
    store.buy(store.account("Ada Marlow", "ada@example.com"), [(catalog.PRO, 2)])
    fields = form(store.calls[0], "private")
    assert fields["subscriptionReference"] == fields["reference"] + "S"
    assert (fields["quantity"], fields["internalProductName"]) == ("2", "falcon-pro-monthly")
    assert (fields["product_short_code"], fields["test"]) == ("falcon-pro", "1")
    assert fields["security_request_hash"] == request_hash(fields, "private") != request_hash(fields, "other")


def test_values_are_hashed_in_the_ordinal_order_of_their_names() -> None:
    # printf 'upperlower-ükey' | md5sum
    assert request_hash({"b": "lower-", "B": "upper", "c": "ü"}, "key") == "0ba0767b5be5093adc625d91352affe1"


@with_fixtures
def test_the_signature_and_the_hash_are_those_of_the_vectors() -> None:
    for vector in json.loads((FIXTURES / "signature_vectors.json").read_bytes()):
        body = vector["body_utf8"].encode() if "body_utf8" in vector else (FIXTURES / vector["file"]).read_bytes()
        assert sign(body, vector["secret"]) == vector["x_fs_signature"]
    request = json.loads((FIXTURES / "remote_license_request_vector.json").read_bytes())
    assert request_hash(request["form"], request["private_key"]) == request["form"]["security_request_hash"]


RECORDED = "recorded/archrebel/"


@with_fixtures
@pytest.mark.parametrize(
    ("file", "name", "type_"),
    [
        ("event-monthly-subscription-activated.json", "monthly_renewals", "subscription.activated"),
        ("event-order-completed.json", "several_products", "order.completed"),
        ("subscriptionChargeCompleted.json", "monthly_renewals", "subscription.charge.completed"),
        ("subscriptionDeactivated.json", "deactivated_now", "subscription.deactivated"),
    ],
)
def test_what_was_captured_in_2019_is_among_what_the_shape_of_2019_says(file: str, name: str, type_: str) -> None:
    captured = json.loads((FIXTURES / RECORDED / file).read_bytes())
    event: Json = captured["events"][0] if "events" in captured else captured
    ours = of_type(told(name, Shape.OF_2019), type_)[0]
    missing = {path for path in paths(event["data"]) - paths(ours) if not _is_beside_the_point(path)}
    assert not missing


def _is_beside_the_point(path: str) -> bool:
    """Texts and pictures of the shop, discounts, notices that are planned, addresses."""
    beside = ("product.", "discountDuration", "nextNotification", "address.", "account.lookup", "recipients")
    return any(each in path for each in beside)


def test_a_delivery_does_not_show_its_body_where_it_is_printed() -> None:
    assert "ada@example.com" not in repr(deliveries(LIFECYCLES["trial_to_full"].store()))
