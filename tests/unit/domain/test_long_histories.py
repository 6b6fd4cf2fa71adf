"""What an event costs does not grow with the events before it: none of them is looked at again."""

from typing import NoReturn

import pytest

from domain import facts as f
from domain.fold import fold_event
from domain.subscription import EventRef, Subscription
from tests.stories import FEBRUARY

REF = EventRef("evt_1", "told", FEBRUARY)
PAID = f.PeriodPaid(invoice="in_1", periods=(), amount=100, currency="eur")


class Unread(dict[str, object]):
    """Known by key alone: going through it, as for a copy, fails."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("gone through")

    keys = values = items = __iter__


@pytest.mark.parametrize(
    ("known", "fact", "key"),
    [
        ("invoices", PAID, "in_1"),
        ("invoices", f.PeriodPaid(invoice="in_1", periods=(), amount=100, currency="eur", first=True), "in_1"),
        ("payments", f.PaymentLinked(payment="pi_1", invoice="in_1"), "pi_1"),
        ("payments", f.PaymentLinked(payment="pi_1", invoice=""), "pi_1"),
        ("refunds", f.PaymentRefunded(payment="pi_1", amount=100, refunded=50, currency="eur"), "pi_1"),
        ("links", f.StreamsLinked(streams=("invoice/in_1",)), "invoice/in_1"),
        ("activations", f.SubscriptionActivated(key="on"), "on"),
        ("shown", f.Shown(key="abc"), "abc"),
        ("answered", f.AnswerRead(about="prices/1"), "prices/1"),
    ],
)
def test_an_event_is_taken_down_without_going_through_what_was_told_before(known: str, fact: f.Fact, key: str) -> None:
    subscription = Subscription()
    setattr(subscription, known, Unread({"before": None}))
    fold_event(subscription, REF, [fact])
    told = getattr(subscription, known)
    assert (len(told), key in told) == (2, True)
