"""What FastSpring's orders say: in the stream of each subscription that begins with one, and in their own."""

from collections.abc import Callable
from decimal import Decimal

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event, identifier_of, kind_of
from domain.providers.fastspring.lines import attributes_of, purchased_lines, subscription_lines
from domain.providers.fastspring.order_shapes import Item, Order
from domain.providers.fastspring.people import buyer, users_named
from domain.providers.fastspring.periods import is_beginning
from domain.providers.fastspring.shapes import id_of, path_of
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.providers.fastspring.subscriptions import first_paid, order_linked, standing_of

Tell = Callable[[Order, Event], list[f.Fact]]


def completed(order: Order, event: Event) -> list[f.Fact]:
    """Paid and fulfilled. Rebills are told by `subscription.charge.completed`."""
    return _told(order, event, paid=True)


def payment_pending(order: Order, event: Event) -> list[f.Fact]:
    """Not paid yet, unless it is by the time that the event is sent again."""
    return _told(order, event, paid=order.completed is True)


def failed(order: Order, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    """Also canceled: no money came. One that was paid for is not undone by it."""
    return [*buyer(order.account, order.customer), f.PurchaseFailed()]


def approval_pending(order: Order, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    return [*buyer(order.account, order.customer), f.Noted(about="waits for the store's approval")]


def disputed(order: Order, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    """A chargeback: the money was taken back by the buyer's bank. How one ends is not told."""
    payment, currency = order.identifier, order.currency or ""
    amount = 0 if order.total is None else in_smallest_unit(order.total, currency)
    opened = f.DisputeOpened(
        dispute=f"chargeback:{payment}", payment=payment, amount=amount, currency=currency, reason="chargeback"
    )
    return [opened]


def _told(order: Order, event: Event, *, paid: bool) -> list[f.Fact]:
    items = order.items or []
    if kind_of(event.stream) == "subscription":
        own = identifier_of(event.stream)
        mine = [item for item in items if id_of(item.subscription) == own]
        told = _of_subscription(order, mine, event, paid=paid) if mine else None
    else:
        once = [item for item in items if not id_of(item.subscription)]
        if items and not once and paid:
            return [f.PurchaseBecameSubscriptions()]
        told = _of_purchase(once, paid=paid) if once or not items else None
    if told is None:
        return [f.Noted(about="an order of something else")]
    identifier = order.identifier
    return [
        *buyer(order.account, order.customer),
        *(users_named(order) if paid else []),
        *order_linked(identifier if kind_of(event.stream) == "subscription" else None, order.reference),
        *([f.PaymentLinked(payment=identifier, invoice=identifier)] if identifier and paid else []),
        *told,
    ]


def _of_subscription(order: Order, items: list[Item], event: Event, *, paid: bool) -> list[f.Fact]:
    subscription = next((item.subscription for item in items if isinstance(item.subscription, Subscription)), None)
    if subscription is None:
        return _named(items)
    lines = subscription_lines(subscription, items=items, complete=False)
    if not paid:
        return [*lines, f.SubscriptionOpened()]
    currency = order.currency or subscription.currency or ""
    amount = _paid_for(items, order)
    standing = standing_of(subscription, event.occurred_at)
    return [
        *([f.SubscriptionBegan()] if is_beginning(subscription, event.occurred_at) else []),
        *lines,
        # This makes it active while it is pending. To say so of one that is not would be news of long ago,
        # where an order is sent again by hand.
        first_paid(subscription, invoice=order.identifier, amount=amount, currency=currency),
        *(fact for fact in standing if not isinstance(fact, f.SubscriptionActivated)),
    ]


def _paid_for(items: list[Item], order: Order) -> int:
    """What those items cost: all of the order, or where it holds others too, what they add to it before taxes."""
    parts = [item.subtotal for item in items if item.subtotal is not None]
    alone = len(items) == len(order.items or ()) or len(parts) < len(items)
    price = order.total if alone else sum(parts, start=Decimal(0))
    return 0 if price is None else in_smallest_unit(price, order.currency or "")


def _named(items: list[Item]) -> list[f.Fact]:
    """Without webhook expansion an order names the subscription alone; what it is stands in the activation.

    The attributes of an item, if it has some, are what the activation leaves out.
    """
    told = ((path_of(item.product), attributes_of(item.product, item.attributes)) for item in items)
    return [
        f.PriceDescribed(price=path, product=path, attributes=attributes)
        for path, attributes in told
        if path and attributes is not None
    ]


def _of_purchase(items: list[Item], *, paid: bool) -> list[f.Fact]:
    lines = purchased_lines(items)
    described = [f.LinesDescribed(lines=lines)] if lines else []
    return [*described, f.PurchaseCompleted(paid=paid)]
