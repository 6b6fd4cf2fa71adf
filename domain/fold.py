"""The fold: how one event's facts change what is known of a subscription.

The fold is given the events in their arranged order (`domain/arrangement.py`) and never reads a clock. Everything
that adds up is keyed (invoice, payment, return, dispute), so a fact that comes twice counts once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from domain import debt, money, sold, versions
from domain import facts as f
from domain.acts import Act, OperatorActed, OverrideLapsed
from domain.lifecycle import State, next_state
from domain.subscription import Customer, EventRef, Subscription, dated
from domain.triggers import ended_with_a_charge, objection_to, trigger_of


class Step(msgspec.Struct, frozen=True):
    """What one event did: the states before and after, and why a fact made no sense, if one did."""

    before: State
    after: State
    anomalies: tuple[str, ...] = ()


def fold_event(subscription: Subscription, ref: EventRef, facts: Sequence[f.Fact]) -> Step:
    """Folds one event's facts into the subscription, in place."""
    before, lines, opened = subscription.state, subscription.lines, subscription.opened_since
    anomalies: list[str] = []
    stale = versions.is_stale(subscription, facts)
    for fact in versions.doubted(subscription, facts):
        objection = objection_to(subscription, fact)
        if objection is not None:
            anomalies += [objection] if objection else []
            continue
        if stale and not isinstance(fact, versions.ALWAYS):
            continue
        handler = _HANDLERS.get(type(fact))
        if handler is not None:
            handler(subscription, fact, ref)
        trigger = trigger_of(subscription, fact)
        if trigger is None:
            continue
        after = next_state(subscription.state, trigger)
        if after is None:
            anomalies.append(f"{trigger.replace('_', ' ')} makes no sense while {subscription.state}")
        elif after is not subscription.state or _told_otherwise(subscription, fact):
            _enter(subscription, after, fact, ref)
            subscription.state_reason = getattr(fact, "reason", "")
    subscription.anomalies += len(anomalies)
    if (lines, before, opened) != (subscription.lines, subscription.state, subscription.opened_since):
        # Nothing else decides what was ever licensed.
        sold.remember_sold(subscription)
    return Step(before, subscription.state, tuple(anomalies))


_DATED = (f.SubscriptionActivated, f.PaymentFellOverdue, f.SubscriptionSuspended)
"""What may be told later, with the day since when it is so."""


def _told_otherwise(subscription: Subscription, fact: f.Fact) -> bool:
    """Whether a state goes on for another reason, or since another day: what happened in between was not heard of.

    A pause may be licensed, a debt may not.
    """
    if isinstance(fact, f.SubscriptionSuspended) and fact.reason != subscription.state_reason:
        return True
    known = subscription.state_since
    return isinstance(fact, _DATED) and fact.since is not None and (known is None or fact.since != known.at)


def _enter(subscription: Subscription, state: State, fact: f.Fact, ref: EventRef) -> None:
    if state is State.TRIALING or subscription.state is State.TERMINATED:
        subscription.charged = False
    if state is State.PAST_DUE:
        debt.begin_debt(subscription, fact, ref)
    elif state is not State.SUSPENDED:
        debt.end_debt(subscription)
    subscription.state = state
    subscription.state_since = dated(ref, fact.since if isinstance(fact, _DATED) else None)


# --- one small function per kind of fact; those without one only move the state, or nothing -----------------


def _customer(s: Subscription, fact: f.CustomerDescribed, ref: EventRef) -> None:
    known = s.customer
    told = {
        name: value
        for name in Customer.__struct_fields__
        if (value := getattr(fact, name))
        and value != (before := getattr(known, name))
        and not (fact.as_billed and before)
    }
    if told:
        s.customer, s.customer_since = msgspec.structs.replace(known, **told), ref


def _trial(s: Subscription, fact: f.TrialStarted, ref: EventRef) -> None:
    _activated(s, fact, ref)
    if fact.until is not None and fact.until != s.trial_end and not ended_with_a_charge(s, fact):
        s.trial_end, s.trial_since = fact.until, ref


def _cancellation(s: Subscription, fact: f.CancellationScheduled, ref: EventRef) -> None:
    if fact.at != s.cancel_at:
        s.cancel_at, s.cancel_since = fact.at, ref


def _no_cancellation(s: Subscription, fact: f.CancellationWithdrawn, ref: EventRef) -> None:
    if s.cancel_at is not None:
        s.cancel_at, s.cancel_since = None, ref


def _purchase(s: Subscription, fact: f.PurchaseCompleted, ref: EventRef) -> None:
    s.purchase = True
    s.lines_from = "" if s.lines else fact.lines_from
    if fact.paid:
        s.identified = True
    else:
        _opened(s, fact, ref)


def _test(s: Subscription, fact: f.TestDescribed, ref: EventRef) -> None:
    s.test = fact.test


def _links(s: Subscription, fact: f.StreamsLinked, ref: EventRef) -> None:
    s.links.update(dict.fromkeys(fact.streams))


def _opened(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    s.identified = True
    s.opened_since = s.opened_since or ref


def _identified(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    s.identified = True


def _collection(s: Subscription, fact: f.CollectionTermsDescribed, ref: EventRef) -> None:
    s.days_until_due = fact.days_until_due


def _pause(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    s.collection_paused = isinstance(fact, f.CollectionPaused)


def _overdue(s: Subscription, fact: f.PaymentFellOverdue, ref: EventRef) -> None:
    s.identified = True
    debt.fell_overdue(s, fact, ref)


def _activated(s: Subscription, fact: f.SubscriptionActivated | f.TrialStarted, ref: EventRef) -> None:
    s.identified = True
    if fact.key:
        s.activations[fact.key] = None


def _suspended(s: Subscription, fact: f.SubscriptionSuspended, ref: EventRef) -> None:
    """The provider's own word counts from here on, not what the policy made of its silence."""
    s.identified = True
    debt.end_debt(s)


def _users(s: Subscription, fact: f.UsersNamed, ref: EventRef) -> None:
    if fact.users != s.users:
        s.users, s.users_since = fact.users, ref


def _fulfillment(s: Subscription, fact: f.FulfillmentNamed, ref: EventRef) -> None:
    s.fulfillment = s.fulfillment or fact.reference


def _fixed_end(s: Subscription, fact: f.FixedEndDescribed, ref: EventRef) -> None:
    if fact.at != s.ends_at:
        s.ends_at, s.ends_since = fact.at, ref


def _began(s: Subscription, fact: f.SubscriptionBegan, ref: EventRef) -> None:
    s.begun = s.identified = True
    if fact.at is not None:
        s.opened_since = s.opened_since or dated(ref, fact.at)


def _acted(s: Subscription, fact: OperatorActed, ref: EventRef) -> None:
    act = Act(id=ref.event_id, at=ref.at, author=fact.author, reason=fact.reason, deed=fact.deed, expires=fact.expires)
    s.acts[act.id] = act


def _lapsed(s: Subscription, fact: OverrideLapsed, ref: EventRef) -> None:
    s.lapsed[fact.act] = None


def _time_passed(s: Subscription, fact: f.TimePassed, ref: EventRef) -> None:
    if s.passed is None or fact.instant > s.passed.at:
        s.passed = dated(ref, fact.instant)


_HANDLERS: dict[type[f.Fact], Callable[[Subscription, Any, EventRef], None]] = {
    f.SubscriptionBegan: _began,
    f.SubscriptionOpened: _opened,
    f.TrialStarted: _trial,
    f.SubscriptionActivated: _activated,
    f.PaymentFellOverdue: _overdue,
    f.SubscriptionSuspended: _suspended,
    f.PaymentFailed: debt.payment_failed,
    f.GraceEnded: debt.end_grace,
    f.TimePassed: _time_passed,
    f.SubscriptionTerminated: _identified,
    f.LinesDescribed: sold.lines_described,
    f.PriceDescribed: sold.price_described,
    f.UsersNamed: _users,
    f.FulfillmentNamed: _fulfillment,
    f.FixedEndDescribed: _fixed_end,
    f.AnswerRead: versions.answered,
    f.Shown: versions.shown,
    f.VersionShown: versions.version_shown,
    f.ChangeAnnounced: versions.announced,
    f.CustomerDescribed: _customer,
    f.CollectionTermsDescribed: _collection,
    f.PurchaseCompleted: _purchase,
    f.PurchaseFailed: _identified,
    f.TestDescribed: _test,
    f.PeriodPaid: money.paid,
    f.PaymentsDescribed: money.payments_described,
    f.PaymentLinked: money.linked,
    f.PaymentRefunded: money.refunded,
    f.DisputeOpened: money.dispute_opened,
    f.DisputeClosed: money.dispute_closed,
    f.CancellationScheduled: _cancellation,
    f.CancellationWithdrawn: _no_cancellation,
    f.CollectionPaused: _pause,
    f.CollectionResumed: _pause,
    f.StreamsLinked: _links,
    OperatorActed: _acted,
    OverrideLapsed: _lapsed,
}
