"""The shared fixtures, where they are at hand: captured and composed deliveries."""

from pathlib import Path

import pytest

from domain import facts as f
from domain.events import kind_of
from domain.history import refold
from domain.lifecycle import State
from domain.providers.fastspring import PROVIDER
from tests.payloads import fastspring as fs

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "fastspring"
DELIVERIES = sorted([*(FIXTURES / "composed").glob("*.json"), *(FIXTURES / "recorded").glob("*/*.json")])

pytestmark = pytest.mark.skipif(not DELIVERIES, reason="the shared fixtures are not here")


def facts_of(name: str) -> list[f.Fact]:
    [path] = [path for path in DELIVERIES if path.stem == name]
    return [fact for event in fs.stored_bytes(path.read_bytes()) for fact in PROVIDER.translate(event)]


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
def test_a_delivery_finds_its_streams_and_is_translated(path: Path) -> None:
    events = fs.stored_bytes(path.read_bytes())
    assert events
    for event in events:
        assert kind_of(event.stream) in {"subscription", "order"}
        assert not all(isinstance(fact, f.Noted) for fact in PROVIDER.translate(event))
        assert not refold([event], PROVIDER).stopped


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
def test_a_delivery_for_the_other_mode_is_set_aside(path: Path) -> None:
    events = fs.stored_bytes(path.read_bytes(), live=True)
    assert {kind_of(event.stream) for event in events} == {"wrong-mode"}
    assert all(isinstance(fact, f.Noted) for event in events for fact in PROVIDER.translate(event))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("order.completed.perpetual_qty3", f.PurchaseCompleted),
        ("order.completed.unexpanded", f.PriceDescribed),
        ("subscription.activated.trial", f.TrialStarted),
        ("subscription.charge.completed.rebill", f.SubscriptionActivated),
        ("subscription.charge.failed", f.PaymentFailed),
        ("subscription.payment.overdue", f.PaymentFellOverdue),
        ("subscription.uncanceled", f.CancellationWithdrawn),
        ("subscriptionDeactivated", f.SubscriptionTerminated),
        ("event-yearly-subscription-activated", f.SubscriptionBegan),
    ],
)
def test_a_delivery_says_what_its_name_says(name: str, expected: type[f.Fact]) -> None:
    assert expected in {type(fact) for fact in facts_of(name)}


def test_a_quantity_goes_up() -> None:
    [lines] = [fact for fact in facts_of("subscription.updated.quantity_2_to_5") if isinstance(fact, f.LinesDescribed)]
    assert [line.quantity for line in lines.lines] == [5]


def test_the_batch_of_a_purchase_makes_one_active_subscription() -> None:
    events = fs.stored_bytes((FIXTURES / "composed" / "batch.activated_and_order_completed.json").read_bytes())
    streams = {
        event.stream: refold([each for each in events if each.stream == event.stream], PROVIDER) for event in events
    }
    [subscription] = [fold.subscription for fold in streams.values() if fold.subscription.identified]
    assert subscription.state is State.ACTIVE
    assert [(name, paid.amount) for name, paid in subscription.invoices.items()] == [("LPEjgCD3i3QOLKhsBufsRw", 5800)]
    assert subscription.anomalies == 0
