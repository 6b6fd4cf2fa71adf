"""The state machine: the lookup that folds use is the machine, and the machine is the table a product manager reads."""

import pytest
from transitions import Machine, MachineError

from domain.facts import (
    PaymentFellOverdue,
    SubscriptionActivated,
    SubscriptionOpened,
    SubscriptionReactivated,
    SubscriptionSuspended,
    SubscriptionTerminated,
    TrialStarted,
)
from domain.lifecycle import LICENSED, LOOKUP, TABLE, State, _compile, build_machine, next_state
from domain.triggers import TRIGGERS
from tests.stories import JANUARY, given, happened

EVERY_TRIGGER = sorted({trigger for trigger, _, _ in TABLE})


class Model:
    state: State


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", EVERY_TRIGGER)
def test_the_lookup_agrees_with_a_machine_that_is_really_triggered(state: State, trigger: str) -> None:
    model = Model()
    machine = build_machine(model=model)
    machine.set_state(state)
    try:
        model.trigger(trigger)  # type: ignore[attr-defined]
    except MachineError:
        assert next_state(state, trigger) is None
    else:
        assert next_state(state, trigger) is model.state


def test_the_lookup_knows_every_trigger_of_the_table_and_no_other() -> None:
    assert sorted(LOOKUP) == EVERY_TRIGGER


def test_every_trigger_that_a_fact_pulls_is_in_the_table() -> None:
    assert set(TRIGGERS.values()) <= set(LOOKUP)


def test_a_machine_with_conditions_is_refused_because_a_lookup_cannot_keep_them() -> None:
    machine = Machine(model=None, states=list(State), initial=State.PENDING, auto_transitions=False)
    machine.add_transition("subscription_activated", State.PENDING, State.ACTIVE, conditions=lambda: True)
    with pytest.raises(TypeError, match="subscription_activated from PENDING has conditions"):
        _compile(machine)


@pytest.mark.parametrize("state", [state for state in State if state is not State.TERMINATED])
@pytest.mark.parametrize(
    ("fact", "leads_to"),
    [
        (TrialStarted(), State.TRIALING),  # Stripe trialing
        (SubscriptionActivated(), State.ACTIVE),  # active
        (PaymentFellOverdue(), State.PAST_DUE),  # past_due
        (SubscriptionSuspended(reason="unpaid"), State.SUSPENDED),  # unpaid
        (SubscriptionSuspended(reason="paused"), State.SUSPENDED),  # paused
        (SubscriptionTerminated(), State.TERMINATED),  # canceled
        (SubscriptionTerminated(reason="incomplete_expired"), State.TERMINATED),  # incomplete_expired
    ],
)
def test_the_providers_status_decides_from_every_state_of_a_living_subscription(
    state: State, fact: SubscriptionActivated, leads_to: State
) -> None:
    assert next_state(state, TRIGGERS[type(fact)]) is leads_to


def test_a_subscription_whose_first_payment_is_open_is_pending() -> None:
    assert given(happened(JANUARY, SubscriptionOpened())).subscription.state is State.PENDING


def test_a_late_word_that_the_first_payment_is_open_does_not_take_an_active_subscription_back() -> None:
    assert all(next_state(state, "subscription_opened") is None for state in State if state is not State.PENDING)


def test_terminated_is_left_by_a_reactivation_or_a_payment_after_a_failed_one_only() -> None:
    ways_out = {
        trigger for trigger in EVERY_TRIGGER if next_state(State.TERMINATED, trigger) not in {None, State.TERMINATED}
    }
    assert ways_out == {"subscription_reactivated", "trial_reopened", "failed_purchase_completed"}
    assert next_state(State.TERMINATED, TRIGGERS[SubscriptionReactivated]) is State.ACTIVE


def test_only_terminated_can_be_reactivated() -> None:
    assert [state for state in State if next_state(state, "subscription_reactivated")] == [State.TERMINATED]


def test_a_paid_period_starts_a_pending_subscription_and_moves_no_other() -> None:
    moved = {state: next_state(state, "period_paid") for state in State}
    assert moved.pop(State.PENDING) is State.ACTIVE
    assert moved.pop(State.TERMINATED) is None
    assert all(before is after for before, after in moved.items())


def test_a_purchase_is_active_when_paid_and_terminated_when_refunded() -> None:
    assert next_state(State.PENDING, "purchase_completed") is State.ACTIVE
    assert next_state(State.ACTIVE, "purchase_refunded") is State.TERMINATED
    assert next_state(State.TERMINATED, "purchase_completed") is None


def test_licenses_work_in_trial_in_good_standing_and_while_the_provider_still_collects() -> None:
    assert sorted(LICENSED) == sorted([State.TRIALING, State.ACTIVE, State.PAST_DUE])
