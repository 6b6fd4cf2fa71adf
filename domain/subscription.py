"""The subscription: the fold of a stream's facts.

The fold is given the events in their arranged order (`domain/arrangement.py`) and never reads a clock. Everything
that adds up is keyed (invoice, payment, dispute), so a fact that comes twice counts once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain import facts as f
from domain.lifecycle import LICENSED, State, next_state


class EventRef(msgspec.Struct, frozen=True, array_like=True):
    """Points from a derived value to the event that set it."""

    event_id: str
    type: str
    at: datetime


class HeldLine(msgspec.Struct, frozen=True):
    line: f.Line
    since: EventRef
    """The event that last changed it."""


class SoldLine(msgspec.Struct, frozen=True):
    """A line as it was while the subscription was licensed, with the most units it ever had in that form."""

    line: f.Line
    most: int
    since: EventRef


class PaidInvoice(msgspec.Struct, frozen=True):
    periods: tuple[f.PaidPeriod, ...]
    amount: int
    currency: str
    paid: EventRef


class Refund(msgspec.Struct, frozen=True):
    amount: int
    refunded: int
    since: EventRef
    invoice: str = ""


class Dispute(msgspec.Struct, frozen=True):
    payment: str
    since: EventRef
    outcome: f.DisputeOutcome | None = None


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    reference: str = ""
    email: str = ""
    name: str = ""
    company: str = ""


class Subscription(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is known of one subscription or one-time purchase. Mutable only while it is being folded."""

    state: State = State.PENDING
    state_since: EventRef | None = None
    state_reason: str = ""
    identified: bool = False
    """True once an event said what the stream is about: until then it only holds what belongs elsewhere."""
    purchase: bool = False
    begun: bool = False
    """True once its very beginning was told: then every bill of it is told too, sooner or later."""
    waiting: str = ""
    """What has to be fetched before licenses can be derived, in words."""
    customer: Customer = Customer()
    customer_since: EventRef | None = None
    lines: dict[str, HeldLine] = {}
    lines_since: EventRef | None = None
    sold: list[SoldLine] = []
    days_until_due: int | None = None
    trial_end: datetime | None = None
    trial_since: EventRef | None = None
    cancel_at: datetime | None = None
    cancel_since: EventRef | None = None
    collection_paused: bool = False
    invoices: dict[str, PaidInvoice] = {}
    payments: dict[str, str] = {}
    """Payment → the invoice it paid."""
    refunds: dict[str, Refund] = {}
    disputes: dict[str, Dispute] = {}
    links: list[str] = []
    anomalies: int = 0


class Step(msgspec.Struct, frozen=True):
    """What one event did: the states before and after, and why a fact made no sense, if one did."""

    before: State
    after: State
    anomalies: tuple[str, ...] = ()


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


def fold_event(subscription: Subscription, ref: EventRef, facts: Sequence[f.Fact]) -> Step:
    """Folds one event's facts into the subscription, in place."""
    before = subscription.state
    anomalies: list[str] = []
    for fact in facts:
        handler = _HANDLERS.get(type(fact))
        if handler is not None:
            handler(subscription, fact, ref)
        trigger = _trigger(subscription, fact)
        if trigger is None:
            continue
        after = next_state(subscription.state, trigger)
        if after is None:
            anomalies.append(f"{trigger.replace('_', ' ')} makes no sense while {subscription.state}")
        elif after is not subscription.state:
            subscription.state, subscription.state_since = after, ref
            subscription.state_reason = getattr(fact, "reason", "")
    subscription.anomalies += len(anomalies)
    _remember_sold(subscription)
    return Step(before, subscription.state, tuple(anomalies))


def _trigger(subscription: Subscription, fact: f.Fact) -> str | None:
    match fact:
        case f.PurchaseCompleted():
            return "purchase_completed" if fact.paid else None
        case f.PaymentRefunded() if subscription.purchase and fact.refunded >= fact.amount:
            return "purchase_refunded"
        case f.PeriodPaid() if subscription.purchase:
            return None
        case _:
            return TRIGGERS.get(type(fact))


def _remember_sold(subscription: Subscription) -> None:
    """Keeps every form in which a line was ever licensed, the one that was sold last at the end."""
    if subscription.state not in LICENSED:
        return
    for held in subscription.lines.values():
        forms = [sold for sold in subscription.sold if sold.line.id == held.line.id]
        last = forms[-1] if forms else None
        same = next((sold for sold in forms if _same_form(sold.line, held.line)), None)
        most = max(held.line.quantity, same.most if same else 0)
        if same is None or same is not last or most > same.most:
            since = same.since if same is not None and same is last else held.since
            others = [sold for sold in subscription.sold if sold is not same]
            subscription.sold = [*others, SoldLine(held.line, most, since)]


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
    for line in fact.lines:
        held = s.lines.get(line.id)
        kept[line.id] = held if held is not None and held.line == line else HeldLine(line, ref)
    if kept != s.lines:
        s.lines, s.lines_since = kept, ref
    if fact.lines and fact.complete:
        s.waiting = ""
    s.identified = True


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
    s.identified = True
    if fact.until is not None and fact.until != s.trial_end:
        s.trial_end, s.trial_since = fact.until, ref


def _paid(s: Subscription, fact: f.PeriodPaid, ref: EventRef) -> None:
    s.identified = True
    if fact.invoice not in s.invoices:
        paid = PaidInvoice(fact.periods, fact.amount, fact.currency, ref)
        s.invoices = {**s.invoices, fact.invoice: paid}


def _linked(s: Subscription, fact: f.PaymentLinked, ref: EventRef) -> None:
    s.payments = {**s.payments, fact.payment: fact.invoice}


def _refund(s: Subscription, fact: f.PaymentRefunded, ref: EventRef) -> None:
    before = s.refunds.get(fact.payment)
    invoice = (before.invoice if before else "") or fact.invoice
    if before is None or fact.refunded > before.refunded:
        refund = Refund(fact.amount, fact.refunded, ref, invoice)
    else:
        refund = msgspec.structs.replace(before, invoice=invoice)
    s.refunds = {**s.refunds, fact.payment: refund}


def _dispute_opened(s: Subscription, fact: f.DisputeOpened, ref: EventRef) -> None:
    s.disputes = {fact.dispute: Dispute(fact.payment, ref), **s.disputes}


def _dispute_closed(s: Subscription, fact: f.DisputeClosed, ref: EventRef) -> None:
    s.disputes = {**s.disputes, fact.dispute: Dispute(fact.payment, ref, fact.outcome)}


def _cancellation(s: Subscription, fact: f.CancellationScheduled, ref: EventRef) -> None:
    if fact.at != s.cancel_at:
        s.cancel_at, s.cancel_since = fact.at, ref


def _no_cancellation(s: Subscription, fact: f.CancellationWithdrawn, ref: EventRef) -> None:
    if s.cancel_at is not None:
        s.cancel_at, s.cancel_since = None, ref


def _purchase(s: Subscription, fact: f.PurchaseCompleted, ref: EventRef) -> None:
    s.identified = s.purchase = True
    s.waiting = "" if fact.lines_known or s.lines else fact.wanted


def _links(s: Subscription, fact: f.StreamsLinked, ref: EventRef) -> None:
    s.links = s.links + [link for link in fact.streams if link not in s.links]


def _identified(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    s.identified = True


def _collection(s: Subscription, fact: f.CollectionTermsDescribed, ref: EventRef) -> None:
    s.days_until_due = fact.days_until_due


def _pause(s: Subscription, fact: f.Fact, ref: EventRef) -> None:
    s.collection_paused = isinstance(fact, f.CollectionPaused)


def _began(s: Subscription, fact: f.SubscriptionBegan, ref: EventRef) -> None:
    s.begun = s.identified = True


_HANDLERS: dict[type[f.Fact], Callable[[Subscription, Any, EventRef], None]] = {
    f.SubscriptionBegan: _began,
    f.SubscriptionOpened: _identified,
    f.TrialStarted: _trial,
    f.SubscriptionActivated: _identified,
    f.PaymentFellOverdue: _identified,
    f.SubscriptionSuspended: _identified,
    f.SubscriptionTerminated: _identified,
    f.LinesDescribed: _lines,
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
