"""Three API versions say the same in other places, and nothing that Stripe does not say."""

import json

import pytest

from service.sandbox.stripe import (
    LIFECYCLES,
    Shape,
)
from tests.unit.sandbox.stripe_stories import FIXTURES, Json, every_story, of_type, told, with_fixtures


def period_of(thing: Json, holder: Json) -> tuple[int, int]:
    where = thing if "current_period_start" in thing else holder
    return where["current_period_start"], where["current_period_end"]


def meaning(event: Json) -> object:
    """What an event says, read with the words of whichever version it is in."""
    it, old = event["data"]["object"], event["api_version"] == Shape.ACACIA
    match it["object"]:
        case "subscription":
            items = [
                (line["id"], line["price"]["id"], line["price"]["metadata"], line["quantity"], period_of(line, it))
                for line in it["items"]["data"]
            ]
            names = ("id", "status", "cancel_at", "canceled_at", "ended_at", "pause_collection", "latest_invoice")
            return [it[name] for name in names], items, it["customer"]
        case "invoice":
            subscription = (
                it["subscription"] if old else (it["parent"] or {}).get("subscription_details", {}).get("subscription")
            )
            return (
                it["id"],
                it["status"],
                it["amount_paid"],
                it["billing_reason"],
                subscription,
                [line_meaning(line, old=old) for line in it["lines"]["data"]],
            )
        case "charge":
            return it["id"], it["payment_intent"], it["amount"], it["amount_refunded"], it["refunded"]
        case "checkout.session":
            return [it[name] for name in ("id", "mode", "payment_status", "subscription", "invoice", "customer")]
        case _:
            return it["id"], it.get("status")


def line_meaning(line: Json, *, old: bool) -> object:
    common = line["id"], line["amount"], line["quantity"], line["period"]
    if old:
        return *common, line["price"]["id"], line["proration"], line["subscription"], line.get("subscription_item")
    details = line["parent"][line["parent"]["type"]]
    price = line["pricing"]["price_details"]["price"]
    return *common, price, details["proration"], details["subscription"], details.get("subscription_item")


@every_story
def test_the_shapes_agree_on_meaning(name: str, shape: Shape) -> None:
    newest = {event["id"]: meaning(event) for event in told(name)}
    here = {event["id"]: meaning(event) for event in told(name, shape)}
    missing = {event["type"] for event in told(name) if event["id"] not in here}
    assert here == {identifier: newest[identifier] for identifier in here}
    assert missing <= ({"invoice_payment.paid"} if shape is Shape.ACACIA else set())


def test_acacia_ties_payments_to_invoices_in_both_objects_instead_of_by_an_event_of_their_own() -> None:
    events = told("refund_full", Shape.ACACIA)
    (invoice,) = of_type(events, "invoice.paid")
    (charge,) = of_type(events, "charge.refunded")
    assert (charge["invoice"], invoice["charge"]) == (invoice["id"], charge["id"])
    assert invoice["payment_intent"] == charge["payment_intent"]
    assert not of_type(events, "invoice_payment.paid")
    paid = {event["type"]: event["data"]["object"].get("paid") for event in events}
    assert (paid["invoice.created"], paid["invoice.finalized"], paid["invoice.paid"]) == (False, False, True)


def test_each_shape_says_things_in_its_own_place_only() -> None:
    for shape in Shape:
        old = shape is Shape.ACACIA
        events = told("quantity_change", shape)
        (subscription,) = of_type(events, "customer.subscription.created")
        assert ("current_period_end" in subscription) is old
        assert ("current_period_end" in subscription["items"]["data"][0]) is not old
        invoice = of_type(events, "invoice.paid")[0]
        assert ("subscription" in invoice, "parent" in invoice) == (old, not old)
        line = invoice["lines"]["data"][0]
        assert ("price" in line, "pricing" in line) == (old, not old)
    assert of_type(told("quantity_change", Shape.BASIL), "customer.subscription.created")[0]["billing_mode"] == {
        "type": "classic"
    }


def test_acacia_has_no_words_for_items_of_different_periods() -> None:
    with pytest.raises(ValueError, match="use basil or later"):
        LIFECYCLES["mixed_intervals"](Shape.ACACIA)


def places(value: object, path: str = "", *, opaque: frozenset[str] = frozenset({"metadata"})) -> set[str]:
    """The paths of all fields of an object; list elements count as one."""
    if isinstance(value, list):
        return {place for each in value for place in places(each, f"{path}[]", opaque=opaque)}
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, inner in value.items():
        found.add(f"{path}.{name}")
        if name not in opaque:
            found |= places(inner, f"{path}.{name}", opaque=opaque)
    return found


@with_fixtures
def test_clover_objects_have_only_fields_that_the_fixtures_have() -> None:
    known: dict[str, set[str]] = {}
    spec = json.loads((FIXTURES / "openapi_resources_2026-01-28.clover.json").read_text())
    composed = [json.loads(file.read_text())["data"]["object"] for file in (FIXTURES / "events").glob("*.json")]
    for thing in [*composed, *spec.values()]:
        known.setdefault(thing["object"], set()).update(places(thing))
    checked = set()
    for name in LIFECYCLES:
        for event in told(name):
            thing = event["data"]["object"]
            if thing["object"] in known:
                assert places(thing) <= known[thing["object"]]
                checked.add(thing["object"])
    assert checked == {"checkout.session", "customer", "invoice", "subscription"}


@with_fixtures
def test_clover_events_have_every_field_that_the_composed_events_have() -> None:
    for kind, name in (
        ("customer.subscription.updated.renewal", "past_due_recovered"),
        ("invoice.paid.subscription_cycle", "past_due_recovered"),
        ("invoice.paid.subscription_update_proration", "quantity_change"),
        ("checkout.session.completed.payment_no_invoice", "one_time_purchase"),
    ):
        fixture = json.loads((FIXTURES / "events" / f"{kind}.json").read_text())
        mine = of_type(told(name), fixture["type"])[-1]
        assert set(mine) == set(fixture["data"]["object"])
