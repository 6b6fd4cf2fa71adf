"""What FastSpring's subscription events say. Each shows the whole subscription."""

from datetime import datetime
from hashlib import sha256

from msgspec import json

from domain import facts as f
from domain.events import Event
from domain.providers.fastspring.lines import MAIN, subscription_lines
from domain.providers.fastspring.people import buyer
from domain.providers.fastspring.periods import (
    current_period,
    is_beginning,
    is_first_period,
    paid_through,
    trial_of,
)
from domain.providers.fastspring.shapes import instant, instant_or_none, path_of
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.providers.fastspring.versions import shown


def snapshot(subscription: Subscription, event: Event) -> list[f.Fact]:
    """How it stands: who bought what, whether there is access, whether an end is planned."""
    at = event.occurred_at
    due = paid_through(subscription)
    # A charge may have failed without the state following.
    overdue = due is not None and due <= at and not is_off(subscription)
    return [
        *shown(subscription, event),
        *described(subscription, overdue=overdue or subscription.state == "overdue"),
        *standing_of(subscription, at),
        *_planned_end(subscription),
    ]


def activated(subscription: Subscription, event: Event) -> list[f.Fact]:
    """It begins, or one that was deactivated is on again."""
    at = event.occurred_at
    standing = [each for fact in standing_of(subscription, at) for each in _reopening(fact, subscription)]
    good = any(isinstance(fact, f.SubscriptionActivated) for fact in standing)
    return [
        *shown(subscription, event),
        *([f.SubscriptionBegan()] if is_beginning(subscription, at) else []),
        *described(subscription),
        *standing,
        *([_activation_paid(subscription, at)] if good else []),
        *_planned_end(subscription),
    ]


def deactivated(subscription: Subscription, event: Event) -> list[f.Fact]:
    """The real end. One that is active again by the time the event is sent again is not over."""
    if subscription.active:
        return snapshot(subscription, event)
    return [*shown(subscription, event), *described(subscription), f.SubscriptionTerminated()]


def paused(subscription: Subscription, event: Event) -> list[f.Fact]:
    """Told when it is asked for; the pause itself begins with the next charge that would have been due."""
    note = [] if is_off(subscription) else [f.Noted(about="a pause was asked for; it begins when this period is over")]
    return [*snapshot(subscription, event), *note]


def resumed(subscription: Subscription, event: Event) -> list[f.Fact]:
    """A pause is over; one that is off or in debt by the time the event is sent again is not resumed by it."""
    if is_off(subscription) or subscription.state == "overdue":
        return snapshot(subscription, event)
    return [
        *shown(subscription, event),
        *described(subscription),
        f.SubscriptionActivated(),
        *_planned_end(subscription),
    ]


def fell_overdue(subscription: Subscription, event: Event) -> list[f.Fact]:
    """One of several notices; whoever paid before it was sent again is overdue no more."""
    if is_off(subscription) or paid_since(subscription, event.occurred_at):
        return snapshot(subscription, event)
    notices = subscription.payment_overdue
    told = notices is not None and notices.sent and notices.total
    note = [f.Noted(about=f"notice {notices.sent} of {notices.total} sent")] if notices is not None and told else []
    return [
        *shown(subscription, event),
        *described(subscription, overdue=True),
        f.PaymentFellOverdue(),
        *note,
    ]


def payment_reminded(subscription: Subscription, event: Event) -> list[f.Fact]:
    return [*snapshot(subscription, event), f.Noted(about="reminded of the next payment")]


def trial_reminded(subscription: Subscription, event: Event) -> list[f.Fact]:
    trial = trial_of(subscription, event.occurred_at)
    ends = trial.until if trial else paid_through(subscription)
    return [*snapshot(subscription, event), *([f.TrialEndAnnounced(at=ends)] if ends else [])]


# --- the parts ----------------------------------------------------------------------------------------------


def described(subscription: Subscription, *, overdue: bool = False) -> list[f.Fact]:
    """Who bought what, and where else it is spoken of."""
    return [
        *buyer(subscription.account),
        *subscription_lines(subscription, overdue=overdue),
        *first_order_of(subscription),
        *([f.PaymentLinked(payment=order, invoice="")] if (order := subscription.initial_order_id) else []),
    ]


def first_order_of(subscription: Subscription) -> list[f.Fact]:
    """The order it began with, as payloads name it since 2023."""
    return order_linked(subscription.initial_order_id, subscription.initial_order_reference)


def order_linked(order: str | None, reference: str | None) -> list[f.Fact]:
    """Refunds and chargebacks stand with the order, keys for it with its reference."""
    streams = [f"order/{order}"] if order else []
    named: list[f.Fact] = [f.FulfillmentNamed(reference=reference)] if reference else []
    streams += [f"fulfillment/{reference}"] if reference else []
    return [*([f.StreamsLinked(streams=tuple(streams))] if streams else []), *named]


def is_off(subscription: Subscription) -> bool:
    """Whether there is no access. The state is believed where it says so in words, and where `active` is missing."""
    off = subscription.state == "paused" or (subscription.state == "deactivated" and subscription.active is None)
    return subscription.active is False or off


def paid_since(subscription: Subscription, at: datetime) -> bool:
    """Whether nothing is owed by the time that a failure is shown: it was made up for before it was told again."""
    ends = paid_through(subscription)
    return subscription.state != "overdue" and ends is not None and ends > at


def standing_of(subscription: Subscription, at: datetime) -> list[f.Fact]:
    """The fact that says how it stands.

    None for one that is active but whose `next` has passed: its charge is still to be made, or has failed without the
    state following, and what it is worth is told by other events.
    """
    state = subscription.state or ""
    if is_off(subscription):
        return [_off(state)]
    if state == "overdue":
        return [f.PaymentFellOverdue()]
    trial = trial_of(subscription, at)
    if trial is not None:
        return [trial]
    ends = paid_through(subscription)
    return [f.SubscriptionActivated()] if ends is None or ends > at else []


def _off(state: str) -> f.Fact:
    return f.SubscriptionTerminated() if state == "deactivated" else f.SubscriptionSuspended(reason=state or "inactive")


def first_paid(subscription: Subscription, *, invoice: str, amount: int, currency: str) -> f.PeriodPaid:
    """What the first payment paid for."""
    begins, ends = instant_or_none(subscription.begin), paid_through(subscription)
    known = begins is not None and ends is not None
    periods = (f.PaidPeriod(line=MAIN, start=begins, end=ends),) if known and begins and ends else ()
    return f.PeriodPaid(invoice=invoice, periods=periods, amount=amount, currency=currency, first=True)


def _activation_paid(subscription: Subscription, at: datetime) -> f.PeriodPaid:
    """The period that an activation grants.

    The first one is paid by the first order, which says what was paid in all; only without webhook expansion does it
    not show the period, and this event has to name it. A later one was granted by the vendor: no charge tells of it.
    """
    currency = subscription.currency or ""
    if is_first_period(subscription, at):
        order = "" if subscription.is_expanded else subscription.initial_order_id or ""
        # What was paid is the order's to say: discounts and taxes do not stand here.
        return first_paid(subscription, invoice=order, amount=0, currency=currency)
    starts, ends = current_period(subscription)
    granted, changed = subscription.next, instant_or_none(subscription.changed)
    if ends is None or trial_of(subscription, at) is not None:
        granted, starts = subscription.changed, changed
    elif starts is not None and changed is not None and starts < changed < ends:
        # The day does not tell it from what was paid on the same one, so it counts from when it was granted.
        starts = changed
    periods = (f.PaidPeriod(line=MAIN, start=starts, end=ends),) if starts and ends else ()
    return f.PeriodPaid(invoice=f"activation:{granted}", periods=periods, amount=0, currency=currency)


def _reopening(standing: f.Fact, subscription: Subscription) -> list[f.Fact]:
    """What is on again may be in its trial still."""
    reopened = f.SubscriptionActivated(reopens=True, key=_content(subscription))
    match standing:
        case f.SubscriptionActivated():
            return [reopened]
        case f.TrialStarted():
            return [reopened, standing]
        case _:
            return [standing]


def _content(it: Subscription) -> str:
    """Tells activations apart: one that is sent again by hand says the same under another id."""
    dates = (it.begin, it.next, it.end, it.canceled_date, it.deactivation_date, it.changed, it.sequence)
    told = json.encode((it.state, path_of(it.product), it.quantity, dates))
    return f"activated:{sha256(told).hexdigest()[:16]}"


def _planned_end(subscription: Subscription) -> list[f.Fact]:
    if is_off(subscription):
        return []
    fixed = f.FixedEndDescribed(at=instant_or_none(subscription.end))
    match subscription.state:
        case "canceled":
            last = subscription.deactivation_date or subscription.end or subscription.next
            ending: f.Fact = (
                f.Noted(about="will end on a day that the event does not name")
                if last is None
                else f.CancellationScheduled(at=instant(last))
            )
            return [ending, fixed]
        case "active" | "trial":
            return [f.CancellationWithdrawn(), fixed]
        case _:
            return [fixed]
