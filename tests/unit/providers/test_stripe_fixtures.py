"""The shared fixtures, where they are at hand: composed events, and the resources of Stripe's own specification."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain import facts as f
from domain.events import kind_of
from domain.providers import Untranslatable
from tests.payloads import stripe
from tests.payloads.stripe import STRIPE

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "stripe"
EVENTS = sorted((FIXTURES / "events").glob("*.json"))
RESOURCES = FIXTURES / "openapi_resources_2026-01-28.clover.json"

TYPES = {
    "checkout.session": ("checkout.session.completed", "checkout.session.async_payment_succeeded"),
    "subscription": ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"),
    "invoice": ("invoice.paid", "invoice.payment_failed", "invoice.payment_action_required"),
    "customer": ("customer.updated",),
    "price": ("price.updated",),
    "product": ("product.updated",),
}

pytestmark = pytest.mark.skipif(not EVENTS, reason="the shared fixtures are not here")


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_composed_event_finds_its_stream_and_is_translated(path: Path) -> None:
    event = stripe.stored_bytes(path.read_bytes())
    assert kind_of(event.stream) in {"subscription", "invoice", "payment"}
    assert event.type in path.name
    assert not all(isinstance(fact, f.Noted) for fact in STRIPE.translate(event))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customer.subscription.updated.active_to_past_due", f.PaymentFellOverdue),
        ("customer.subscription.updated.cancel_at_period_end", f.CancellationScheduled),
        ("customer.subscription.updated.uncanceled", f.CancellationWithdrawn),
        ("customer.subscription.updated.past_due_to_unpaid", f.SubscriptionSuspended),
        ("customer.subscription.updated.pause_collection_set", f.CollectionPaused),
        ("invoice.paid.trial_zero_amount", f.PeriodPaid),
        ("invoice.paid.manual_one_time", f.PurchaseCompleted),
    ],
)
def test_a_composed_event_says_what_its_name_says(name: str, expected: type[f.Fact]) -> None:
    event = stripe.stored_bytes((FIXTURES / "events" / f"{name}.json").read_bytes())
    assert expected in {type(fact) for fact in STRIPE.translate(event)}


def _resources() -> dict[str, Any]:
    return dict(json.loads(RESOURCES.read_text())) if RESOURCES.exists() else {}


@pytest.mark.parametrize("name", sorted(_resources().keys() - {"event"}))
def test_a_resource_of_the_specification_fits_the_shapes(name: str) -> None:
    for type_ in TYPES.get(name, (f"{name}.updated",)):
        event = stripe.stored(stripe.event(type_, _resources()[name]))
        assert kind_of(event.stream) not in {"unreadable", "other", "wrong-mode"}
        assert STRIPE.translate(event)


def test_the_event_of_the_specification_is_taken() -> None:
    event = stripe.stored(_resources()["event"])
    assert event.stream == "shop/plan/price_1PgafmB7WZ01zgkW6dKueIc5"
    assert STRIPE.translate(event) == [f.Noted()]


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_composed_event_under_every_type_is_translated_or_refused(path: Path) -> None:
    payload = json.loads(path.read_bytes())
    refused = 0
    for type_ in (type_ for types in TYPES.values() for type_ in types):
        try:
            STRIPE.translate(stripe.stored(payload | {"type": type_}))
        except Untranslatable:
            refused += 1
    assert refused
