"""What a simulated FastSpring store should lead to, said from its books alone: no event, no payload, no fold."""

from typing import NamedTuple

from service.sandbox.fastspring import Store
from service.sandbox.fastspring.model import Item, Order, Subscription


class Expected(NamedTuple):
    """The state of one subscription or purchase, and how many of its licenses work."""

    state: str
    enabled: int


STATES = {
    "trial": "trialing",
    "active": "active",
    "overdue": "past_due",
    "canceled": "active",
    "paused": "suspended",
    "deactivated": "terminated",
}


def expected(store: Store) -> dict[str, Expected]:
    """By kind and id (`subscription/…`, `order/…`), with the policy as it is by default."""
    book = store.book
    subscriptions = {f"subscription/{it.id}": _subscription(store, it) for it in book.subscriptions.values()}
    purchases = {f"order/{it.id}": _purchase(store, it) for it in book.orders.values() if _stands_alone(store, it)}
    return {**subscriptions, **purchases}


def _subscription(store: Store, it: Subscription) -> Expected:
    # A trial is one whatever the store calls it, as long as nothing was charged.
    state = "trial" if it.state in {"active", "canceled"} and it.trial is not None and it.sequence == 1 else it.state
    paying = _paying(store, it)
    # A period that the vendor granted by activating it again was paid by nothing that could go back.
    granted = it.changed > paying.changed
    works = state not in {"paused", "deactivated"} and (granted or not _taken_back(store, paying, it.id))
    attributes = it.product.attributes
    units = 1 if attributes.get("single_license") == "true" else it.quantity
    return Expected(STATES[state], units if works and "product_short_code" in attributes else 0)


def _purchase(store: Store, it: Order) -> Expected:
    kept = [item for item in _once(it) if item not in _given_back(it)]
    units = sum(item.quantity for item in kept if "product_short_code" in item.product.attributes)
    refunded = _in_full(it) or not kept
    completed = _begun(it) if not _once(it) else "terminated" if refunded else "active"
    state = {"completed": completed, "pending": "pending", "open": "pending"}.get(it.state, "terminated")
    return Expected(state, units if state == "active" and not _taken_back(store, it) else 0)


def _stands_alone(store: Store, it: Order) -> bool:
    """Whether its own stream says more than that money was taken back for what it began."""
    begins = any(each.order == it.id for each in store.book.subscriptions.values())
    passed_on = it.returned > 0 or it.id in store.book.chargebacks
    return bool(_once(it)) or it.payment_due is not None or (begins and not passed_on)


def _begun(it: Order) -> str:
    """Of an order that began subscriptions only, nothing was ever waited for unless it was paid late."""
    return "pending" if it.payment_due is None else "terminated"


def _once(it: Order) -> list[Item]:
    """The items that stand in the order's own stream: an unfinished order names no subscription."""
    return [item for item in it.items if item.subscription is None or it.state != "completed"]


def _paying(store: Store, it: Subscription) -> Order:
    """The order that paid for the present period: the last that was no proration, else the first."""
    bills = [
        order
        for order in store.book.orders.values()
        if any(item.subscription == it.id and not item.proration for item in order.items)
    ]
    return bills[-1]


def _taken_back(store: Store, order: Order, subscription: str | None = None) -> bool:
    """Whether the money of an order, or what a subscription cost of it, went back."""
    own = any(item.subscription == subscription for item in _given_back(order)) and subscription is not None
    return own or _in_full(order) or order.id in store.book.chargebacks


def _given_back(order: Order) -> list[Item]:
    return [order.items[place] for place in order.taken]


def _in_full(order: Order) -> bool:
    return order.total > 0 and order.returned == order.total
