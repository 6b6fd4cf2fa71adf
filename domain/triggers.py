"""What a fact pulls at the state machine, given what is known already; and which facts count for nothing."""

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
    match fact:
        case f.GraceEnded():
            return debt.objection_to_end_of_grace(subscription, fact) or None
        case f.PartsLeftOut():
            return f"could not be read and was left out: {', '.join(fact.places)}"
        case f.SubscriptionActivated() | f.TrialStarted() if fact.key in subscription.activations:
            well = subscription.state in {State.TRIALING, State.ACTIVE}
            return "" if well else "an activation that was told before brings nothing back"
    return None


def trigger_of(subscription: Subscription, fact: f.Fact) -> str | None:
    """The trigger that a fact pulls, if any, once what it says has been taken down."""
    usual = TRIGGERS.get(type(fact))
    match fact:
        case f.PurchaseCompleted() | f.PaymentRefunded() | f.PurchaseBecameSubscriptions():
            return _of_purchase(subscription, fact)
        case f.SubscriptionActivated() if fact.reopens and subscription.state is State.TERMINATED:
            return "subscription_reactivated"
        case f.TrialStarted() if fact.reopens and subscription.state is State.TERMINATED:
            return "trial_reopened"
        case f.TrialStarted() if ended_with_a_charge(subscription, fact):
            return "subscription_activated"
        case f.PeriodPaid():
            settled = "overdue_paid" if debt.settled(subscription) else usual
            return None if subscription.purchase else settled
        case f.PaymentFellOverdue() if subscription.grace is not None and subscription.grace.last:
            # Nothing new: what is past due is suspended already, and a reminder of it must not bring it back.
            return usual if debt.is_another(subscription, fact) else None
        case f.GraceEnded():
            over = subscription.grace is not None and subscription.grace.last
            return "grace_ended" if over and subscription.state is State.PAST_DUE else None
        case _:
            return usual


def ended_with_a_charge(subscription: Subscription, fact: f.TrialStarted) -> bool:
    """Whether a trial that only the calendar still shows is over; one that begins after an end is not."""
    return fact.ends_with_a_charge and subscription.charged and subscription.state is not State.TERMINATED


def _of_purchase(subscription: Subscription, fact: f.Fact) -> str | None:
    match fact:
        case f.PurchaseCompleted() if fact.paid:
            if subscription.state is not State.TERMINATED:
                return "purchase_completed"
            # One attempt to pay failed and another did not; what was given back stays so.
            return None if all_given_back(subscription) else "failed_purchase_completed"
        case f.PaymentRefunded() if subscription.purchase and all_given_back(subscription):
            return "purchase_refunded"
        case f.PurchaseBecameSubscriptions() if subscription.purchase and subscription.state is State.PENDING:
            # Only one that waited for its payment was taken for a purchase of its own.
            return "purchase_failed"
    return None
