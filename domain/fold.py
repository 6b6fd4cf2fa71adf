"""The fold: how one event's facts change what is known of a subscription.

The fold is given the events in their arranged order (`domain/arrangement.py`) and never reads a clock. Everything
that adds up is keyed (invoice, payment, return, dispute), so a fact that comes twice counts once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from domain import debt
from domain import facts as f
from domain.lifecycle import LICENSED, State, next_state
from domain.subscription import (
    FIRST_PAYMENT,
    Customer,
    Dispute,
    EventRef,
    HeldLine,
    PaidInvoice,
    Refund,
    SoldLine,
    Subscription,
)
from domain.terms import works_unpaid
from domain.triggers import ended_with_a_charge, objection_to, trigger_of


class Step(msgspec.Struct, frozen=True):
    """What one event did: the states before and after, and why a fact made no sense, if one did."""

    before: State
    after: State
    anomalies: tuple[str, ...] = ()


def fold_event(subscription: Subscription, ref: EventRef, facts: Sequence[f.Fact]) -> Step:
    """Folds one event's facts into the subscription, in place."""
    before = subscription.state
    anomalies: list[str] = []
    stale = any(_is_stale(subscription, fact) for fact in facts)
    for fact in facts:
        objection = objection_to(subscription, fact)
        if objection is not None:
            anomalies += [objection] if objection else []
            continue
        if stale and not isinstance(fact, _ALWAYS):
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
        elif after is not subscription.state or _other_reason(subscription, fact):
            _enter(subscription, after, fact, ref)
            subscription.state_reason = getattr(fact, "reason", "")
    subscription.anomalies += len(anomalies)
    _remember_sold(subscription)
    return Step(before, subscription.state, tuple(anomalies))


_ALWAYS = (f.AnswerRead, f.StreamsLinked)
"""What counts whatever version it came with."""


def _is_stale(subscription: Subscription, fact: f.Fact) -> bool:
    match fact:
        case f.Shown(key=key):
            return key in subscription.shown
        case f.VersionShown(of=of, version=version):
            return version < subscription.versions.get(of, version)
        case _:
            return False


def _other_reason(subscription: Subscription, fact: f.Fact) -> bool:
    """Whether what is suspended is so for another reason from now on: a pause may be licensed, a debt may not."""
    return isinstance(fact, f.SubscriptionSuspended) and fact.reason != subscription.state_reason


def _enter(subscription: Subscription, state: State, fact: f.Fact, ref: EventRef) -> None:
    if state is State.TRIALING or subscription.state is State.TERMINATED:
        subscription.charged = False
    if state is State.PAST_DUE:
        debt.begin_debt(subscription, fact, ref)
    elif state is not State.SUSPENDED:
        debt.end_debt(subscription)
    subscription.state, subscription.state_since = state, ref


def _remember_sold(subscription: Subscription) -> None:
    """Keeps every form in which a line was ever licensed, the one that was sold last at the end."""
    for held in subscription.lines.values():
        if not held.line.described or not _may_be_licensed(subscription, held.line):
            continue
        forms = [sold for sold in subscription.sold if sold.line.id == held.line.id]
        last = forms[-1] if forms else None
        same = next((sold for sold in forms if _same_form(sold.line, held.line)), None)
        most = max(held.line.quantity, same.most if same else 0)
        if same is None or same is not last or 0 < held.line.quantity != same.line.quantity:
            since = same.since if same is not None and same is last else held.since
            others = [sold for sold in subscription.sold if sold is not same]
            subscription.sold = [*others, SoldLine(held.line, most, since)]


def _may_be_licensed(subscription: Subscription, line: f.Line) -> bool:
    unpaid = subscription.state is State.PENDING and subscription.opened_since is not None
    return subscription.state in LICENSED or (unpaid and works_unpaid(line.attributes))


def _same_form(one: f.Line, other: f.Line) -> bool:
    """Whether two lines are licensed alike: what the identity of a license can follow from is equal."""
    return (one.product, one.price, one.recurring, one.attributes) == (
        other.product,
        other.price,
        other.recurring,
        other.attributes,
    )


# --- one small function per kind of fact; those without one only move the state, or nothing -----------------


def _lines(s: Subscription, fact: f.LinesDescribed, ref: EventRef) -> None:
    kept = {} if fact.complete else dict(s.lines)
    for line in (_described(told, s) for told in fact.lines):
        held = s.lines.get(line.id)
        kept[line.id] = held if held is not None and held.line == line else HeldLine(line, ref)
    if kept != s.lines:
        s.lines, s.lines_since = kept, ref
    if fact.rest_from or (fact.lines and fact.complete):
        s.lines_from = fact.rest_from
    s.identified = True


def _described(line: f.Line, s: Subscription) -> f.Line:
    """The line with what is known of its price, where its payload only named it.

    That is what was read back, or what another payload of this stream told: what was bought is what was told first.
    """
    if line.described:
        return line
    price = s.prices.get(line.price)
    if price is not None:
        return msgspec.structs.replace(line, product=price.product, attributes=price.attributes, described=True)
    known = [held.line for held in s.lines.values()] + [sold.line for sold in reversed(s.sold)]
    same = next((each for each in known if each.described and each.price == line.price), None)
    if same is None:
        return line
    return msgspec.structs.replace(line, product=same.product, attributes=same.attributes, described=True)


def _price(s: Subscription, fact: f.PriceDescribed, ref: EventRef) -> None:
    """The first reading stands: what was bought is what the catalog said then."""
    s.prices = {fact.price: fact, **s.prices}
    lines = {
        name: held if (line := _described(held.line, s)) == held.line else HeldLine(line, ref)
        for name, held in s.lines.items()
    }
    if lines != s.lines:
        s.lines, s.lines_since = lines, ref


def _customer(s: Subscription, fact: f.CustomerDescribed, ref: EventRef) -> None:
    known = s.customer
    told = {
        name: value
        for name in Customer.__struct_fields__
        if (value := getattr(fact, name)) and not (fact.as_billed and getattr(known, name))
    }
    customer = msgspec.structs.replace(known, **told)
    if customer != s.customer:
        s.customer, s.customer_since = customer, ref


def _trial(s: Subscription, fact: f.TrialStarted, ref: EventRef) -> None:
    _activated(s, fact, ref)
    if fact.until is not None and fact.until != s.trial_end and not ended_with_a_charge(s, fact):
        s.trial_end, s.trial_since = fact.until, ref


def _paid(s: Subscription, fact: f.PeriodPaid, ref: EventRef) -> None:
    s.identified = True
    invoice = fact.invoice or FIRST_PAYMENT
    told = invoice in s.invoices or (not fact.invoice and any(paid.first for paid in s.invoices.values()))
    if told:
        return
    s.charged = s.charged or not fact.first
    debt.payment_made(s, fact.invoice)
    others = {name: paid for name, paid in s.invoices.items() if not (fact.first and name == FIRST_PAYMENT)}
    s.invoices = {**others, invoice: PaidInvoice(fact.periods, fact.amount, fact.currency, ref, fact.first)}


def _linked(s: Subscription, fact: f.PaymentLinked, ref: EventRef) -> None:
    if fact.invoice:
        s.payments = {**s.payments, fact.payment: fact.invoice}
    else:
        s.payments = {fact.payment: FIRST_PAYMENT, **s.payments}


def _refund(s: Subscription, fact: f.PaymentRefunded, ref: EventRef) -> None:
    before = s.refunds.get(fact.payment, Refund(fact.amount, 0, ref))
    parts = before.parts
    if fact.part:
        parts = {**parts, fact.part: max(fact.refunded, parts.get(fact.part, 0))}
    refunded = max(before.refunded, sum(parts.values()), 0 if fact.part else fact.refunded)
    refund = Refund(
        max(fact.amount, before.amount),
        refunded,
        ref if refunded > before.refunded else before.since,
        before.invoice or fact.invoice,
        parts,
        before.items if fact.items is None else {**before.items, fact.part: fact.items},
    )
    s.refunds = {**s.refunds, fact.payment: refund}


def _dispute_opened(s: Subscription, fact: f.DisputeOpened, ref: EventRef) -> None:
    s.disputes = {fact.dispute: Dispute(fact.payment, ref, opened=ref.at), **s.disputes}


def _dispute_closed(s: Subscription, fact: f.DisputeClosed, ref: EventRef) -> None:
    known = s.disputes.get(fact.dispute)
    opened = known.opened if known is not None else ref.at
    s.disputes = {**s.disputes, fact.dispute: Dispute(fact.payment, ref, fact.outcome, opened=opened)}


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


def _links(s: Subscription, fact: f.StreamsLinked, ref: EventRef) -> None:
    s.links = s.links + [link for link in fact.streams if link not in s.links]


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
    if fact.key and fact.key not in s.activations:
        s.activations = [*s.activations, fact.key]


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


def _answer(s: Subscription, fact: f.AnswerRead, ref: EventRef) -> None:
    if fact.about not in s.answered:
        s.answered = [*s.answered, fact.about]


def _shown(s: Subscription, fact: f.Shown, ref: EventRef) -> None:
    s.shown = [*s.shown, fact.key]


def _version(s: Subscription, fact: f.VersionShown, ref: EventRef) -> None:
    s.versions = {**s.versions, fact.of: fact.version}


def _announced(s: Subscription, fact: f.ChangeAnnounced, ref: EventRef) -> None:
    s.announced = fact.about


def _began(s: Subscription, fact: f.SubscriptionBegan, ref: EventRef) -> None:
    s.begun = s.identified = True


_HANDLERS: dict[type[f.Fact], Callable[[Subscription, Any, EventRef], None]] = {
    f.SubscriptionBegan: _began,
    f.SubscriptionOpened: _opened,
    f.TrialStarted: _trial,
    f.SubscriptionActivated: _activated,
    f.PaymentFellOverdue: _overdue,
    f.SubscriptionSuspended: _suspended,
    f.PaymentFailed: debt.payment_failed,
    f.GraceEnded: debt.end_grace,
    f.SubscriptionTerminated: _identified,
    f.LinesDescribed: _lines,
    f.PriceDescribed: _price,
    f.UsersNamed: _users,
    f.FulfillmentNamed: _fulfillment,
    f.FixedEndDescribed: _fixed_end,
    f.AnswerRead: _answer,
    f.Shown: _shown,
    f.VersionShown: _version,
    f.ChangeAnnounced: _announced,
    f.CustomerDescribed: _customer,
    f.CollectionTermsDescribed: _collection,
    f.PurchaseCompleted: _purchase,
    f.PurchaseFailed: _identified,
    f.PeriodPaid: _paid,
    f.PaymentLinked: _linked,
    f.PaymentRefunded: _refund,
    f.DisputeOpened: _dispute_opened,
    f.DisputeClosed: _dispute_closed,
    f.CancellationScheduled: _cancellation,
    f.CancellationWithdrawn: _no_cancellation,
    f.CollectionPaused: _pause,
    f.CollectionResumed: _pause,
    f.StreamsLinked: _links,
}
