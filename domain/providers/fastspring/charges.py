"""What FastSpring says of charges after the first one: rebills, changes charged in mid-period, and failures."""

from datetime import datetime, timedelta

from msgspec import Struct

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event
from domain.providers.fastspring.lines import MAIN, subscription_lines
from domain.providers.fastspring.order_shapes import Order
from domain.providers.fastspring.people import buyer
from domain.providers.fastspring.periods import current_period, paid_through
from domain.providers.fastspring.shapes import Account, Milliseconds, Money, Text, id_of, instant
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.providers.fastspring.subscriptions import first_order_of, is_off, paid_since, standing_of
from domain.providers.fastspring.versions import shown

_A_DAY = timedelta(days=1)


class Charge(Struct, frozen=True):
    """A charge that was made. The subscription names its product alone, even with webhook expansion."""

    order: Text | Order | None = None
    subscription: Text | Subscription | None = None
    account: Text | Account | None = None
    currency: Text | None = None
    total: Money | None = None
    timestamp: Milliseconds | None = None


class FailedCharge(Struct, frozen=True):
    subscription: Text | Subscription | None = None
    account: Text | Account | None = None
    reason: Text | None = None


def completed(charge: Charge, event: Event) -> list[f.Fact]:
    """A period, or a change of the running one, was paid. Raises ValueError without an order."""
    order = id_of(charge.order)
    if not order:
        raise ValueError("Object missing required field `order` - at `$.data`")
    made = event.occurred_at if charge.timestamp is None else instant(charge.timestamp)
    customer = charge.order.customer if isinstance(charge.order, Order) else None
    told: list[f.Fact] = []
    standing: list[f.Fact] = [f.SubscriptionActivated(key=f"charge:{order}")]
    if isinstance(charge.subscription, Subscription):
        if event.occurred_at - made > _A_DAY:
            standing = _by_now(charge.subscription, standing, event.occurred_at)
        owed = all(isinstance(fact, f.PaymentFellOverdue) for fact in standing)
        # Quantity and dates; whether add-ons were removed is told by other events.
        told += subscription_lines(charge.subscription, overdue=owed, complete=False)
        told += first_order_of(charge.subscription)
        told.append(_paid(charge, charge.subscription, order, made))
    return [
        *buyer(charge.account, customer),
        f.StreamsLinked(streams=(f"order/{order}",)),
        f.PaymentLinked(payment=order, invoice=order),
        *told,
        *standing,
    ]


def failed(charge: FailedCharge, event: Event) -> list[f.Fact]:
    """A rebill was declined; the store sends notices and tries again. What was paid by now is owed no more."""
    note = [f.Noted(about=f"declined: {charge.reason[:80]}")] if charge.reason else []
    told: list[f.Fact] = []
    if isinstance(charge.subscription, Subscription):
        if is_off(charge.subscription) or paid_since(charge.subscription, event.occurred_at):
            return [*buyer(charge.account), *standing_of(charge.subscription, event.occurred_at), *note]
        told += shown(charge.subscription, event, charge)
        told += subscription_lines(charge.subscription, overdue=True, complete=False)
        told += first_order_of(charge.subscription)
    return [*buyer(charge.account), *told, f.PaymentFailed(invoice="", attempt=0), f.PaymentFellOverdue(), *note]


def _paid(charge: Charge, subscription: Subscription, order: str, made: datetime) -> f.PeriodPaid:
    """Paid through `next`, from the moment of the charge."""
    currency = charge.currency or subscription.currency or ""
    ends = paid_through(subscription)
    period = (
        ()
        if ends is None
        else (f.PaidPeriod(line=MAIN, start=made, end=ends, proration=_is_proration(charge, subscription, made)),)
    )
    amount = 0 if charge.total is None else in_smallest_unit(charge.total, currency)
    return f.PeriodPaid(invoice=order, periods=period, amount=amount, currency=currency)


def _is_proration(charge: Charge, subscription: Subscription, made: datetime) -> bool:
    """Whether it paid for a change of the running period; a change that begins a whole new one pays for that."""
    items = charge.order.items if isinstance(charge.order, Order) else None
    own = {"", id_of(subscription)}
    prorated = any(item.is_prorated for item in items or () if id_of(item.subscription) in own)
    starts, _ = current_period(subscription)
    return prorated and starts is not None and starts < made - _A_DAY


def _by_now(subscription: Subscription, good: list[f.Fact], at: datetime) -> list[f.Fact]:
    """How it stands by the time that a charge is told long after it was made: maybe nobody heard of it before."""
    shown = standing_of(subscription, at)
    return good if any(isinstance(fact, f.SubscriptionActivated) for fact in shown) else shown
