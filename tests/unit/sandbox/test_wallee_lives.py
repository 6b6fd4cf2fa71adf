"""What the named lives at wallee lead to, said from the books and told by the states of the webhooks."""

from datetime import UTC, datetime

import pytest

from service.sandbox.wallee import LIFECYCLES, Habits, Listening
from tests.expectations_wallee import Expected, expected, quantity_of
from tests.unit.sandbox.wallee_stories import every_life, lived, states

STATES_ONLY = Listening(every_change=False)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ENDS: dict[str, tuple[str, int, str | None]] = {
    "renewed": ("active", 2, "2026-05-31"),
    "failed_then_paid": ("active", 1, "2026-04-30"),
    "declined_then_charged_again": ("active", 1, "2026-03-31"),
    "suspended_and_back": ("active", 1, "2026-05-12"),
    "suspended_until_paid": ("active", 3, "2026-04-30"),
    "let_go_on_unpaid": ("active", 2, "2026-04-30"),
    "suspended_to_the_end": ("terminated", 0, "2026-03-31"),
    "termination_scheduled": ("active", 1, "2026-03-31"),
    "terminated_as_scheduled": ("terminated", 0, "2026-03-31"),
    "terminated_at_once": ("terminated", 0, "2026-02-10"),
    "terminated_lingering": ("terminated", 0, "2026-03-02"),
    "upgraded": ("active", 1, "2027-02-28"),
    "more_seats": ("active", 4, "2026-03-31"),
    "parts_by_themselves": ("active", 6, "2026-03-31"),
    "more_users": ("active", 1, "2026-02-28"),
    "refunded": ("active", 0, "2026-03-31"),
    "refunded_in_part": ("active", 1, "2026-02-28"),
    "bought_once": ("active", 2, None),
    "bought_once_and_refunded": ("terminated", 0, None),
    "bought_and_never_paid": ("terminated", 0, None),
    "never_began": ("terminated", 0, None),
    "left_again": ("terminated", 0, "2026-03-16"),
}


@every_life
@pytest.mark.parametrize("habits", [Habits(), Habits(nulls=True, touches=True, bills_at_start=True)])
def test_a_life_ends_as_its_books_say_whatever_the_habits(name: str, habits: Habits) -> None:
    [it] = expected(LIFECYCLES[name].space(habits=habits)).values()
    through = it.paid_through and it.paid_through.date().isoformat()
    assert (it.state, it.enabled, through) == ENDS[name]


def test_a_failed_charge_asks_level_by_level_while_the_subscription_stays_active() -> None:
    space, subscription = lived("suspended_until_paid")
    assert states(space, "ChargeFlowLevel") == ["PENDING", "FAILED", "PENDING", "FAILED", "PENDING", "FAILED"]
    assert states(space, "Subscription", STATES_ONLY) == ["PENDING", "INITIALIZING", "ACTIVE", "SUSPENDED", "ACTIVE"]
    assert states(space, "SubscriptionSuspension") == ["RUNNING", "ENDED"]
    assert [each.state for each in space.book.charges_of(subscription)] == [
        "SUCCESSFUL", "FAILED", "SUCCESSFUL", "SUCCESSFUL",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("life", "told"),
    [
        ("suspended_to_the_end", ["ACTIVE", "SUSPENDED", "TERMINATING", "TERMINATED"]),
        ("termination_scheduled", ["ACTIVE", "TERMINATION_SCHEDULED"]),
        ("terminated_as_scheduled", ["ACTIVE", "TERMINATION_SCHEDULED", "TERMINATING", "TERMINATED"]),
        ("terminated_at_once", ["ACTIVE", "TERMINATING", "TERMINATED"]),
        ("never_began", ["FAILED"]),
        ("left_again", ["ACTIVE", "SUSPENDED", "ACTIVE", "TERMINATING", "TERMINATED"]),
    ],
)
def test_states_are_told_in_the_order_in_which_they_came(life: str, told: list[str]) -> None:
    space, _ = lived(life)
    assert states(space, "Subscription", STATES_ONLY) == ["PENDING", "INITIALIZING", *told]


def test_a_payment_goes_through_all_its_states_and_is_paid_with_the_last() -> None:
    space = LIFECYCLES["bought_once"].space()
    assert states(space, "Transaction") == [
        "PENDING", "CONFIRMED", "PROCESSING", "AUTHORIZED", "COMPLETED", "FULFILL",
    ]  # fmt: skip


def test_a_change_that_waits_for_the_period_is_a_version_that_waits() -> None:
    space, subscription = lived("more_seats")
    assert [(each.state, quantity_of(each, "team-seat")) for each in space.book.versions_of(subscription)] == [
        ("TERMINATED", 2), ("TERMINATED", 5), ("TERMINATED", 3), ("ACTIVE", 3.5),
    ]  # fmt: skip


def test_one_that_is_owed_is_past_due_and_licensed_and_paid_as_far_as_before() -> None:
    space, subscription = lived("renewed")
    space.fail_charge(subscription)
    assert expected(space) == {
        f"subscription/{subscription}": Expected("past_due", 2, day("2026-05-31T09:30:12")),
    }
