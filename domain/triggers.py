"""What a fact pulls at the state machine, given what is known already; and which facts count for nothing."""

from collections.abc import Callable
from typing import Any

from domain import debt
from domain import facts as f
from domain.lifecycle import State
from domain.subscription import Subscription, all_given_back

TRIGGERS: dict[type[f.Fact], str] = {
    f.SubscriptionOpened: "subscription_opened",
    f.TrialStarted: "trial_started",
    f.SubscriptionActivated: "subscription_activated",
    f.PeriodPaid: "period_paid",
    f.PaymentFellOverdue: "payment_fell_overdue",
    f.SubscriptionSuspended: "subscription_suspended",
    f.SubscriptionTerminated: "subscription_terminated",
    f.SubscriptionReactivated: "subscription_reactivated",
    f.PurchaseFailed: "purchase_failed",
}


def objection_to(subscription: Subscription, fact: f.Fact) -> str | None:
    """Why a fact counts for nothing, beyond what the state machine says; empty where that is not worth a word."""
    objection = _OBJECTIONS.get(type(fact))
    return None if objection is None else objection(subscription, fact)


def _told_before(subscription: Subscription, fact: f.SubscriptionActivated | f.TrialStarted) -> str | None:
    if fact.key not in subscription.activations:
        return None
    well = subscription.state in {State.TRIALING, State.ACTIVE}
    return "" if well else "an activation that was told before brings nothing back"


_OBJECTIONS: dict[type[f.Fact], Callable[[Subscription, Any], str | None]] = {
    f.GraceEnded: lambda subscription, fact: debt.objection_to_end_of_grace(subscription, fact) or None,
    f.PartsLeftOut: lambda _, fact: f"could not be read and was left out: {', '.join(fact.places)}",
    f.SubscriptionActivated: _told_before,
    f.TrialStarted: _told_before,
}


def trigger_of(subscription: Subscription, fact: f.Fact) -> str | None:
    """The trigger that a fact pulls, if any, once what it says has been taken down."""
    depends = _DEPENDING.get(type(fact))
    return TRIGGERS.get(type(fact)) if depends is None else depends(subscription, fact)


def ended_with_a_charge(subscription: Subscription, fact: f.TrialStarted) -> bool:
    """Whether a trial that only the calendar still shows is over; one that begins after an end is not."""
    return fact.ends_with_a_charge and subscription.charged and subscription.state is not State.TERMINATED


def _activated(subscription: Subscription, fact: f.SubscriptionActivated) -> str:
    again = fact.reopens and subscription.state is State.TERMINATED
    return "subscription_reactivated" if again else TRIGGERS[f.SubscriptionActivated]


def _trial_started(subscription: Subscription, fact: f.TrialStarted) -> str:
    if fact.reopens and subscription.state is State.TERMINATED:
        return "trial_reopened"
    over = ended_with_a_charge(subscription, fact)
    return TRIGGERS[f.SubscriptionActivated if over else f.TrialStarted]


def _paid(subscription: Subscription, fact: f.PeriodPaid) -> str | None:  # noqa: ARG001 - one of a table's functions
    if subscription.purchase:
        return None
    return "overdue_paid" if debt.settled(subscription) else TRIGGERS[f.PeriodPaid]


def _fell_overdue(subscription: Subscription, fact: f.PaymentFellOverdue) -> str | None:
    """Nothing new: what is past due is suspended already, and a reminder of it must not bring it back."""
    suspended = subscription.grace is not None and subscription.grace.last
    return None if suspended and not debt.is_another(subscription, fact) else TRIGGERS[f.PaymentFellOverdue]


def _grace_ended(subscription: Subscription, fact: f.GraceEnded) -> str | None:  # noqa: ARG001
    over = subscription.grace is not None and subscription.grace.last
    return "grace_ended" if over and subscription.state is State.PAST_DUE else None


def _purchase_completed(subscription: Subscription, fact: f.PurchaseCompleted) -> str | None:
    if not fact.paid:
        return None
    if subscription.state is not State.TERMINATED:
        return "purchase_completed"
    # One attempt to pay failed and another did not; what was given back stays so.
    return None if all_given_back(subscription) else "failed_purchase_completed"


def _refunded(subscription: Subscription, fact: f.PaymentRefunded) -> str | None:  # noqa: ARG001
    return "purchase_refunded" if subscription.purchase and all_given_back(subscription) else None


def _became_subscriptions(
    subscription: Subscription,
    fact: f.PurchaseBecameSubscriptions,  # noqa: ARG001
) -> str | None:
    """Only one that waited for its payment was taken for a purchase of its own."""
    waited = subscription.purchase and subscription.state is State.PENDING
    return "purchase_failed" if waited else None


_DEPENDING: dict[type[f.Fact], Callable[[Subscription, Any], str | None]] = {
    f.SubscriptionActivated: _activated,
    f.TrialStarted: _trial_started,
    f.PeriodPaid: _paid,
    f.PaymentFellOverdue: _fell_overdue,
    f.GraceEnded: _grace_ended,
    f.PurchaseCompleted: _purchase_completed,
    f.PaymentRefunded: _refunded,
    f.PurchaseBecameSubscriptions: _became_subscriptions,
}
"""The facts whose trigger depends on what is known already."""
